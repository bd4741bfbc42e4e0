//! The page: a table of counts, and for each mistake the quotations, the files, and all the tools say.

use std::fmt::Write as _;

use super::tools::{APKO, CUE, LANGUAGE_SERVER};
use super::{Mistake, POINTS, Tool, read};
use crate::shell::root;

const HEAD: &str = "\
# Twenty mistakes, four tools

<!-- Written by `cargo xtask mistakes` from docs/mistakes. -->

Twenty mistakes people make in declarations of images and their templates, and what four tools say of them. Whoever
makes a mistake needs to know five things:

";

const RULES: &str = "
A point is answered if the tool's output holds words that answer it in any way; the same words may answer several. A
place counts if it leads to the line of the mistake or the one beside it; where something is missing or too much, its
name is enough. The words are quoted below, and the page cannot be written if a tool does not print them. Where a tool
has no such thing (\u{2013}), nothing is counted.

";

/// The whole page.
pub(super) fn written(mistakes: &[Mistake]) -> Result<String, String> {
    let mut page = HEAD.to_owned();
    for (_, meaning) in POINTS {
        page += &format!("- {meaning}\n");
    }
    page += RULES;
    page += &asked();
    page += &counts(mistakes);
    for (mistake, number) in mistakes.iter().zip(1..) {
        page += &section(mistake, number)?;
    }
    let schema = read(&root().join("docs/mistakes/schema.cue"))?;
    Ok(page + "## The schema for CUE\n\n" + block("cue", &schema).trim_end() + "\n")
}

/// How the tools are asked.
fn asked() -> String {
    format!(
        "\
| tool | version | asked by |
|---|---|---|
| clnstrt | of this documentation | `clnstrt-cli validate image.yaml` |
| CUE | {CUE} | `cue vet -c -d '#Image' ../schema.cue image.yaml`; for what is a template with us, `cue vet -c ../schema.cue \
service.cue image.cue` |
| apko | {APKO} | `apko show-config apko.yaml`, or `apko build` where only that finds the mistake |
| yaml-language-server | {LANGUAGE_SERVER} | as an editor asks it, with the schema `clnstrt-cli schema` prints; its quick \
fixes are listed |

The language server reads the files clnstrt reads, and so does CUE until templates begin; those are written in CUE
itself. CUE is given [a schema](#the-schema-for-cue) that asks for what clnstrt asks for. apko has a format of its own and
gets the same mistake in that. An unquoted `version: 3.10`, which becomes a number elsewhere, is no mistake here: it
stays the text that was written.

"
    )
}

/// How many points each tool answers, by mistake and by point.
fn counts(mistakes: &[Mistake]) -> String {
    let mut text = row("answered, of five", Tool::ALL.map(|tool| tool.name().to_owned()));
    text += &rule();
    for (mistake, number) in mistakes.iter().zip(1..) {
        let title = format!("{number}. {}", mistake.answers.title);
        let cell = |tool| mistake.answers.of(tool).count().map_or_else(dash, |count| count.to_string());
        text += &row(&format!("[{title}](#{})", anchor(&title)), Tool::ALL.map(cell));
    }
    let counted =
        |tool: Tool| mistakes.iter().map(move |mistake| mistake.answers.of(tool)).filter(|a| a.count().is_some());
    for (index, (point, _)) in POINTS.iter().enumerate() {
        let cell = |tool| {
            let answered = counted(tool).filter(|answer| answer.points().get(index).is_some_and(Option::is_some));
            format!("{} of {}", answered.count(), counted(tool).count())
        };
        text += &row(&format!("*{point}*"), Tool::ALL.map(cell));
    }
    let cell = |tool| {
        let answered: usize = counted(tool).filter_map(super::Answer::count).sum();
        format!("**{answered} of {}**", counted(tool).count() * POINTS.len())
    };
    text + &row("**all**", Tool::ALL.map(cell)) + "\n"
}

fn section(mistake: &Mistake, number: usize) -> Result<String, String> {
    let answers = &mistake.answers;
    let mut text = format!("## {number}. {}\n\n{}\n\n", answers.title, answers.mistake);
    text += &row("", Tool::ALL.map(|tool| tool.name().to_owned()));
    text += &rule();
    for (index, (point, _)) in POINTS.iter().enumerate() {
        let cell = |tool| match (answers.of(tool).count(), answers.of(tool).points().get(index)) {
            (None, _) => dash(),
            (_, Some(Some(words))) => code(words),
            _ => String::new(),
        };
        text += &row(point, Tool::ALL.map(cell));
    }
    text.push('\n');
    for tool in Tool::ALL {
        if let Some(why) = &answers.of(tool).no_such_thing {
            _ = write!(text, "{} has no such thing. {why}\n\n", tool.name());
        }
    }
    for tool in Tool::ALL {
        let Some(output) = mistake.output(tool) else { continue };
        _ = write!(text, "### {} on mistake {number}\n\n", tool.name());
        for (file, language) in files(tool) {
            let path = mistake.folder.join(file);
            if path.is_file() {
                _ = write!(text, "`{file}`:\n\n{}", block(language, &read(&path)?));
            }
        }
        _ = write!(text, "It says:\n\n{}", block("text", output));
    }
    Ok(text)
}

/// The files shown with a tool's output; those it shares with clnstrt are shown there.
fn files(tool: Tool) -> &'static [(&'static str, &'static str)] {
    match tool {
        Tool::Clnstrt => &[("image.yaml", "yaml"), ("service.template.yaml", "yaml")],
        Tool::Cue => &[("image.cue", "cue"), ("service.cue", "cue")],
        Tool::Apko => &[("apko.yaml", "yaml")],
        Tool::LanguageServer => &[],
    }
}

fn row(first: &str, cells: [String; 4]) -> String {
    format!("| {first} | {} |\n", cells.join(" | "))
}

fn rule() -> String {
    "|---|---|---|---|---|\n".to_owned()
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

fn block(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n\n", text.trim_end())
}

/// Words as code in a cell of a table, whatever stands in them.
fn code(words: &str) -> String {
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let (fence, words) = ("`".repeat(longest + 1), words.replace('|', "\\|"));
    let blank = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{words}{blank}{fence}")
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::{anchor, code};

    #[test]
    fn words_stay_what_they_are() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("write `x`"), "`` write `x` ``");
    }

    #[test]
    fn anchors_are_those_of_the_book() {
        assert_eq!(anchor("1. A misspelt field"), "1-a-misspelt-field");
    }
}
