//! Commands that run in a sealed room.

use grammar::yaml::{Kind, Node};
use model::config::{Command, Scripts};
use model::{Finding, Span, codes};

use grammar::reader::{Fields, Reader};

pub(super) const SCRIPTS_FIELDS: &[&str] = &["pre_build", "post_build"];

/// The most bytes of one argument: what the kernel takes.
const LONGEST: usize = 128 << 10;

pub(super) fn scripts(reader: &mut Reader, fields: &Fields<'_>) -> Scripts {
    let Some(scripts) = reader.section(fields, "scripts", SCRIPTS_FIELDS) else { return Scripts::default() };
    Scripts {
        pre_build: commands(reader, &scripts, "pre_build", "scripts.pre_build[]"),
        post_build: commands(reader, &scripts, "post_build", "scripts.post_build[]"),
    }
}

/// A list of commands. One is a list of its arguments, or a line for the shell.
pub(super) fn commands(reader: &mut Reader, fields: &Fields<'_>, name: &str, path: &str) -> Vec<Command> {
    let Some(node) = fields.get(name) else { return Vec::new() };
    reader.list(node, path.trim_end_matches("[]")).filter_map(|item| command(reader, item, path)).collect()
}

fn command(reader: &mut Reader, item: &Node, path: &str) -> Option<Command> {
    let command = match &item.kind {
        Kind::List(items) => {
            if let Some(program) = shell_program(items).filter(|span| span.expansion().is_some()) {
                refuse_expression(reader, program);
                return None;
            }
            reader.texts(item, path)
        }
        _ => {
            let text = reader.text(item, path)?;
            // What a template puts in is a value, and never text of a program.
            if text.span.expansion().is_some() {
                refuse_expression(reader, text.span);
                return None;
            }
            let line = if text.value.trim().is_empty() { Vec::new() } else { vec![text.value] };
            ["sh", "-euc"].map(str::to_owned).into_iter().chain(line).collect()
        }
    };
    let bad = match &command {
        command if command.first().is_none_or(String::is_empty) || command == &["sh", "-euc"] => "a command is empty",
        command if command.iter().any(|argument| argument.contains('\0')) => "an argument has a zero byte",
        command if command.iter().any(|argument| argument.len() >= LONGEST) => "an argument has more than 128 KiB",
        _ => return Some(command),
    };
    reader.bad_value(item.span, bad, "write a list of arguments, `[python3, -m, pytest]`, or a line for the shell");
    None
}

/// Where the program of a shell is that a command starts by itself: the argument behind `-c`.
fn shell_program(items: &[Node]) -> Option<Span> {
    let text = |node: &Node| match &node.kind {
        Kind::Scalar { text, .. } => Some(text.to_string()),
        _ => None,
    };
    let shell = text(items.first()?)?;
    let is_shell = matches!(shell.rsplit('/').next(), Some("sh" | "bash" | "dash"));
    let is_program = |option: &Node| text(option).is_some_and(|text| text.starts_with('-') && text.contains('c'));
    let option = items.iter().position(is_program).filter(|_| is_shell)?;
    items.get(option + 1).map(|program| program.span)
}

fn refuse_expression(reader: &mut Reader, span: Span) {
    let finding = Finding::error(codes::BAD_VALUE, "an expression cannot stand in a program for the shell").at(span);
    reader.add(
        finding
            .because("the shell would read the value as a part of its program")
            .help("let the value be an argument of its own: `[make, \"VERSION=${{ version }}\"]`"),
    );
}
