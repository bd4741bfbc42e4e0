//! Brackets that close a list or map in the column of its key. YAML 1.2 wants them deeper than the key; people write them
//! there, most readers take them, and nothing else could start a line with one.

use std::borrow::Cow;

use granit_parser::{Event, Options, Parser};

/// The text as YAML wants it, with a space before each such bracket, and the places of these spaces in it.
pub(super) fn indent(text: &str, mut options: Options) -> (Cow<'_, str>, Vec<usize>) {
    if !text.lines().any(|line| line.trim_start_matches(' ').starts_with([']', '}'])) {
        return (text.into(), Vec::new());
    }
    options.strict_indentation = false;
    let (mut open, mut written, mut copied, mut spaces) = (Vec::new(), String::new(), 0, Vec::new());
    for (event, span) in Parser::new_from_str_with_options(text, options).map_while(Result::ok) {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => open.push(range.start),
            Event::SequenceEnd | Event::MappingEnd => {
                let opened = open.pop().unwrap_or_default();
                let at = range.start;
                if !range.is_empty() && starts_line(text, at) && column(text, at) == key_column(text, opened) {
                    written.push_str(text.get(copied..at).unwrap_or_default());
                    spaces.push(written.len());
                    written.push(' ');
                    copied = at;
                }
            }
            _ => {}
        }
    }
    written.push_str(text.get(copied..).unwrap_or_default());
    (written.into(), spaces)
}

/// The column of the key or dash that a list or map in brackets belongs to; its own where it starts its line.
pub(super) fn key_column(text: &str, bracket: usize) -> usize {
    let line = line_before(text, bracket);
    let (mut key, mut dash) = (line.trim_start_matches(' '), None);
    while let Some(rest) = key.strip_prefix("- ") {
        dash = Some(line.len() - key.len());
        key = rest.trim_start_matches(' ');
    }
    dash.filter(|_| key.is_empty()).unwrap_or(line.len() - key.len())
}

fn column(text: &str, at: usize) -> usize {
    line_before(text, at).len()
}

fn starts_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim_end_matches(' ');
    before.is_empty() || before.ends_with(['\n', '\r'])
}

fn line_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.rfind(['\n', '\r']).and_then(|end| before.get(end + 1..)).unwrap_or(before)
}
