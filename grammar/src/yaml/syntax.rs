//! Places and words for what the parser only hints at.

use granit_parser::ErrorKind;
use model::{Finding, SourceId, Span, codes};

use super::MAX_DEPTH;

/// A finding for text that is no YAML.
pub(super) fn finding(source: SourceId, text: &str, at: usize, kind: &ErrorKind) -> Finding {
    use ErrorKind as E;
    let (message, help) = match kind {
        E::RecursionLimitExceeded => return too_deep(),
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => {
            return tab(source, tab_near(text, at));
        }
        E::UnexpectedEof
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEofBlockSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofImplicitFlowMapping => ("the text ends before it is complete", None),
        E::UnclosedFlowCollection { .. } => {
            ("this bracket is never closed", Some("close it, or quote the text it belongs to"))
        }
        E::MismatchedFlowCollectionEnd { .. } => ("this bracket closes another kind of bracket", None),
        E::MisplacedFlowCollectionEnd => {
            ("this bracket closes nothing", Some("remove it, or quote the text it belongs to"))
        }
        E::UnclosedQuotedScalar => ("this quote is never closed", Some("close it on the same line")),
        E::InvalidQuotedScalarIndent => (
            "this line belongs to the quoted text above and must be indented deeper than its key",
            Some("check for a quote left open above"),
        ),
        E::ExpectedFlowMappingSeparator => ("expected `,` or `}`", None),
        E::ExpectedFlowSequenceSeparator => ("expected `,` or `]`", None),
        E::ExpectedBlockMappingKey => (
            "expected a key at the depth of the keys above",
            Some("keys of one map start in the same column; so do the dashes of one list"),
        ),
        E::ExpectedBlockSequenceEntry => ("expected `- ` at the depth of the entries above", None),
        E::InvalidIndentation => (
            "this line is not indented as its surroundings ask for",
            Some("check for a bracket or quote left open above"),
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => ("expected `:` after this key", Some("write `name: value`")),
        E::MappingValueNotAllowed => (
            "a `: ` is not expected here",
            Some("quote a value that holds `: `; start a nested map on a line of its own"),
        ),
        E::InvalidMappingValueWhitespace => ("expected a space after `:`", None),
        E::InvalidTrailingDoubleQuotedScalar | E::InvalidTrailingSingleQuotedScalar => {
            ("nothing may follow a quoted text on its line", Some("quote the whole value"))
        }
        E::UnknownQuotedScalarEscape => (
            "there is no such escape in a double-quoted text",
            Some("write `\\\\` for a backslash, or use single quotes, which know no escapes"),
        ),
        E::CommentInterceptedScalar => (
            "a comment cannot stand within a text",
            Some("move it above the text, or put the text in quotes, on one line"),
        ),
        E::UnexpectedCharacter { .. } => ("no value starts with this character", Some("quote the value")),
        E::ExpectedDocumentStart => {
            ("the document ended above: this does not belong to it", Some("indent it beneath its key, or remove it"))
        }
        _ => return Finding::error(codes::YAML_SYNTAX, kind.to_string()),
    };
    let finding = Finding::error(codes::YAML_SYNTAX, message);
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// A comment on a line of its own between the lines of a plain text. The parser goes on behind one that a tab indents.
pub(super) fn comment_within(text: &str, start: usize, end: usize) -> Option<usize> {
    let mut at = start;
    for line in text.get(start..end)?.split(['\n', '\r']) {
        let bare = line.trim_start_matches([' ', '\t']);
        if bare.starts_with('#') {
            return Some(at + line.len() - bare.len());
        }
        at += line.len() + 1;
    }
    None
}

pub(super) fn too_deep() -> Finding {
    let message = format!("lists and maps are nested more than {MAX_DEPTH} levels deep");
    Finding::error(codes::TOO_DEEP, message).help("no document needs a tenth of that: is this the right file?")
}

pub(super) fn tab(source: SourceId, at: usize) -> Finding {
    Finding::error(codes::YAML_TAB, "expected spaces, found a tab: YAML indents with spaces only")
        .at(Span::new(source, at, at + 1))
        .help("replace it by spaces, two for each level")
}

/// The first tab among the white space that a line starts with, if that is all there is before `at`. YAML allows one after
/// enough spaces; it looks like a depth and is none.
pub(super) fn tab_in_indentation(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let start = before.trim_end_matches([' ', '\t']).len();
    let whole = start == 0 || before.get(..start).is_some_and(|line| line.ends_with(['\n', '\r']));
    before.get(start..).filter(|_| whole)?.find('\t').map(|tab| start + tab)
}

/// Characters that YAML does not allow in a text (YAML 1.2.2 §5.1), all in one finding.
pub(super) fn control_characters(source: SourceId, text: &str) -> Option<Finding> {
    let mut found = text.char_indices().filter(|(_, c)| !is_printable(*c));
    let (at, c) = found.next()?;
    let more = found.count();
    let mut message = format!("the control character U+{:04X} is not allowed", u32::from(c));
    if more > 0 {
        message.push_str(&format!(" ({more} more follow)"));
    }
    let finding = Finding::error(codes::CONTROL_CHARACTER, message).at(character(source, text, at));
    Some(finding.help("remove it, or write it as an escape in a double-quoted text"))
}

/// The text with blanks in their place, as long as they are.
pub(super) fn without_control_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_printable(c) { out.push(c) } else { out.extend(std::iter::repeat_n(' ', c.len_utf8())) }
    }
    out
}

fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{85}') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// The character at an offset; empty at the end of the text.
pub(super) fn character(source: SourceId, text: &str, at: usize) -> Span {
    let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Span::new(source, at, at + width)
}

/// The tab an error at `at` is about: in the white space around it, else the next one.
fn tab_near(text: &str, at: usize) -> usize {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let tab = text.get(start..).and_then(|rest| rest.find('\t')).map(|tab| start + tab);
    tab.or_else(|| after.find('\t').map(|tab| at + tab)).unwrap_or(at)
}

/// The dash of the first entry of a list that is no deeper than its key, given where the parser has the list start: behind
/// the dash, and the comments that follow it.
pub(super) fn dash_before(text: &str, start: usize) -> usize {
    let mut end = start;
    for line in text.get(..start).unwrap_or_default().rsplit(['\n', '\r']) {
        let bare = line.trim_start_matches([' ', '\t']);
        if bare.starts_with('-') {
            return end - bare.len();
        }
        if !bare.is_empty() && !bare.starts_with('#') {
            break;
        }
        end = end.saturating_sub(line.len() + 1);
    }
    start
}

/// The span of a block scalar from its `|` or `>` to its last line that is not blank. The parser gives the lines alone, from
/// the first text to the next token; `previous` is the end of the token before.
pub(super) fn block_scalar(text: &str, previous: usize, start: usize, end: usize) -> (usize, usize) {
    let mut header = None;
    let mut in_comment = false;
    for (offset, c) in text.get(previous..end).unwrap_or_default().char_indices() {
        match c {
            '\n' => in_comment = false,
            _ if in_comment => {}
            '#' => in_comment = true,
            '|' | '>' => {
                header = Some(previous + offset);
                break;
            }
            _ => {}
        }
    }
    let start = header.unwrap_or(start);
    let length = text.get(start..end).unwrap_or_default().trim_end().len();
    (start, start + length)
}
