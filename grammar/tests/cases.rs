//! Every file of `tests/grammar` is a case. In `ok/` a file reads without a finding, to the tree in the `.tree` beside it
//! (with `UPDATE=1` in the environment it is written instead). In `err/` each line that is wrong says with which codes,
//! `# error: CS0102`; where no comment can stand, `.errors` beside it has lines of line number (0: none) and code. Nothing
//! else may be reported.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fmt::Write;
use std::fs;

use grammar::yaml::{Kind, Node, parse};
use model::{Findings, Sources, Span};

#[test]
fn what_is_right_reads_to_its_tree() {
    cases::compare(cases::files("grammar/ok", "yaml").iter().map(|case| {
        let bytes = fs::read(case).unwrap();
        let text = grammar::decode(&bytes).unwrap();
        let parsed = parse(model::SourceId(0), text);
        assert_eq!(parsed.findings, Vec::new(), "{}", case.display());
        let mut found = String::new();
        show(text, "", parsed.root.as_ref().unwrap(), 0, &mut found);
        for comment in &parsed.comments {
            writeln!(found, "comment {} {:?}", comment.span, comment.text).unwrap();
        }
        (case.with_extension("tree"), found)
    }));
}

fn show(text: &str, key: &str, node: &Node, depth: usize, out: &mut String) {
    let slice = |span: Span| &text[span.start as usize..span.end as usize];
    let line =
        |out: &mut String, what: String| writeln!(out, "{}{key}{what} {}", "  ".repeat(depth), node.span).unwrap();
    match &node.kind {
        Kind::Scalar { text, plain } => {
            line(out, format!("{} {text:?} from {:?}", if *plain { "plain" } else { "quoted" }, slice(node.span)));
        }
        Kind::Null => line(out, format!("null from {:?}", slice(node.span))),
        Kind::Error => line(out, "error".into()),
        Kind::List(items) => {
            line(out, "list".into());
            items.iter().for_each(|item| show(text, "- ", item, depth + 1, out));
        }
        Kind::Map(pairs) => {
            line(out, "map".into());
            for pair in pairs {
                show(text, &format!("{:?} {}: ", pair.key.value, pair.key.span), &pair.value, depth + 1, out);
            }
        }
    }
}

fn read(bytes: &[u8]) -> (Findings, Sources) {
    let mut sources = Sources::default();
    match grammar::decode(bytes) {
        Ok(text) => {
            let source = sources.add("case", text);
            (parse(source, text).findings, sources)
        }
        Err(finding) => (finding.into(), sources),
    }
}

#[test]
fn what_is_wrong_is_reported_on_its_line_and_nothing_else_is() {
    cases::all(&cases::files("grammar/err", "yaml"), |case| {
        let bytes = fs::read(case).unwrap();
        let (findings, sources) = read(&bytes);
        let expected = match fs::read_to_string(case.with_extension("errors")) {
            Ok(lines) => beside(&lines),
            Err(_) => cases::declared(&String::from_utf8_lossy(&bytes)),
        };
        cases::agree(case, &findings, &sources, &expected)
    });
}

fn beside(lines: &str) -> Vec<(usize, String)> {
    let entry = |line: &str| line.split_once(' ').map(|(line, code)| (line.parse().unwrap(), code.to_owned()));
    let mut all: Vec<_> = lines.lines().filter_map(entry).collect();
    all.sort_unstable();
    all
}
