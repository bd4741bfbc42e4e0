//! Changes that may make YAML of a text that is none, each with what it says of the text.

use std::ops::Range;

use model::{Finding, SourceId, Span, codes};

use super::build::Break;
use super::edit::Edit;
use super::lines::{Line, after, before, line_at, open_quote};
use super::opened::{Brackets, closer, matching};
use super::{brackets, syntax};
use crate::quote;

/// A change that may be what was meant.
pub(super) struct Repair {
    pub(super) edits: Vec<Edit>,
    /// What is wrong if it is; else what the parser said.
    pub(super) finding: Option<Finding>,
    /// The lines it is about.
    pub(super) lines: Range<usize>,
    /// What cannot be read all the same.
    pub(super) lost: Option<Lost>,
}

/// Where something is missing from the tree.
pub(super) enum Lost {
    /// The value of the key that ends here.
    Value {
        /// Its end.
        key_end: usize,
    },
    /// Something of the innermost list or map at a place.
    Rest {
        /// The place.
        at: usize,
    },
    /// A line of the innermost list or map that starts no further right.
    Line {
        /// Where it starts.
        at: usize,
        /// Its column.
        column: usize,
        /// It is the one before the break.
        before: bool,
    },
}

/// How much a repair knows of what was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// Nothing: the line before is not looked at.
    Before,
    /// Nothing: a line, or the rest of it, is not looked at.
    Line,
    /// It says what is missing.
    Named,
}

impl Repair {
    pub(super) fn certainty(&self) -> Certainty {
        match (&self.finding, &self.lost) {
            (_, Some(Lost::Line { before: true, .. })) => Certainty::Before,
            (_, Some(Lost::Line { .. })) | (None, Some(Lost::Rest { .. })) => Certainty::Line,
            _ => Certainty::Named,
        }
    }
}

impl Lost {
    pub(super) fn map(self, f: impl Fn(usize) -> usize) -> Self {
        match self {
            Lost::Value { key_end } => Lost::Value { key_end: f(key_end) },
            Lost::Rest { at } => Lost::Rest { at: f(at) },
            Lost::Line { at, column, before } => Lost::Line { at: f(at), column, before },
        }
    }
}

/// What may be done about a break, the more certain first.
pub(super) fn candidates(source: SourceId, text: &str, broken: &Break) -> Vec<Repair> {
    let at = broken.at;
    let Some(line) = line_at(text, at).or_else(|| before(text, at)) else { return Vec::new() };
    let near: Vec<Line> = std::iter::once(line).chain(before(text, line.start)).collect();
    let brackets = Brackets::scan(text, broken);
    let mut maker = Maker { source, text, broken, brackets, repairs: Vec::new() };
    let tab = broken.finding.span.filter(|_| broken.finding.code == codes::YAML_TAB);
    let tab = tab.and_then(|tab| line_at(text, tab.start as usize));
    tab.iter().chain(&near).for_each(|line| maker.tabs(line));
    if !maker.repairs.is_empty() {
        return maker.repairs; // there is no doubt
    }
    near.iter().for_each(|line| maker.space(line));
    maker.deeper(&near);
    maker.expressions(&line);
    maker.quote();
    maker.brackets(&line);
    near.iter().for_each(|line| maker.colon(line));
    maker.indentation(&line);
    maker.stray(&line);
    maker.rest(&line);
    maker.flow(&line);
    near.iter().for_each(|one| maker.line(one, one.start != line.start));
    maker.repairs
}

struct Maker<'a> {
    source: SourceId,
    text: &'a str,
    broken: &'a Break,
    brackets: Brackets,
    repairs: Vec<Repair>,
}

impl Maker<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn add(&mut self, edits: Vec<Edit>, finding: Option<Finding>, line: &Line<'_>, lost: Option<Lost>) {
        let lines = line.content_start()..line.content_end();
        self.repairs.push(Repair { edits, finding, lines, lost });
    }

    /// Adds a change after which the line says what was meant, so that nothing on it is excused.
    fn add_certain(&mut self, edits: Vec<Edit>, finding: Option<Finding>, line: &Line<'_>) {
        let lines = line.start..line.start;
        self.repairs.push(Repair { edits, finding, lines, lost: None });
    }

    /// Tabs before a line, and before those that follow, become blanks.
    fn tabs(&mut self, line: &Line<'_>) {
        let mut edits = Vec::new();
        let mut next = Some(*line);
        while let Some(one) = next {
            let white = self.text.get(one.start..one.content_start()).unwrap_or_default();
            let tabs =
                white.match_indices('\t').map(|(at, _)| Edit { at: one.start + at, remove: 1, insert: "  ".into() });
            let before = edits.len();
            edits.extend(tabs);
            next = after(self.text, one.start).filter(|_| edits.len() > before);
        }
        if let Some(first) = edits.first() {
            let finding = syntax::tab(self.source, first.at);
            self.add_certain(edits, Some(finding), line);
        }
    }

    /// `key:value` and `-entry` lack a blank.
    fn space(&mut self, line: &Line<'_>) {
        let dash = line.content.strip_prefix("- ").map_or(0, |rest| line.content.len() - rest.trim_start().len());
        let entry = line.content.get(dash..).unwrap_or_default();
        let word = entry.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or(entry.len());
        let start = line.content_start() + dash;
        if let Some(value) = entry.get(word..).and_then(|rest| rest.strip_prefix(':'))
            && word > 0
            && !value.starts_with([' ', '/'])
            && !value.is_empty()
        {
            let finding = Finding::error(codes::YAML_SYNTAX, "expected a space after `:`");
            let finding = finding.at(self.span(start + word, start + word + 1)).replace_by(": ");
            let key = entry.get(..word).unwrap_or_default();
            let finding = finding.help(format!("write {}", quote(&format!("{key}: {value}"))));
            self.add_certain(vec![Edit::insert(start + word + 1, " ")], Some(finding), line);
        }
        if let Some(value) = entry.strip_prefix('-').filter(|value| value.starts_with(|c: char| c.is_alphanumeric())) {
            let finding = Finding::error(codes::YAML_SYNTAX, "expected a space after `-`");
            let finding = finding.at(self.span(start, start + 1)).replace_by("- ");
            let finding = finding.help(format!("write {}", quote(&format!("- {value}"))));
            self.add_certain(vec![Edit::insert(start + 1, " ")], Some(finding), line);
        }
    }

    /// Expressions within brackets stand in quotes.
    fn expressions(&mut self, line: &Line<'_>) {
        if self.brackets.open.is_empty() {
            return;
        }
        let mut edits = Vec::new();
        let mut first = None;
        let mut at = 0;
        while let Some(open) = line.content.get(at..).and_then(|rest| rest.find("${{")).map(|found| at + found) {
            let before = line.content.get(..open).unwrap_or_default();
            let start = before.rfind([',', '[', '{', '"', '\'']).map_or(0, |at| at + 1);
            let start = before.rfind(": ").map_or(start, |colon| start.max(colon + 1));
            let start = (open - before.get(start..).unwrap_or_default().trim_start().len()).max(at);
            let close = line.content.get(open..).and_then(|rest| rest.find("}}")).map(|at| open + at + 2);
            // Never closed: all but a bracket at the end of the line.
            let close =
                close.unwrap_or_else(|| line.content.trim_end_matches(['}', ']', ' ', ',']).len().max(open + 3));
            let after = line.content.get(close..).unwrap_or_default();
            let end = close + after.find([',', ']', '}', '"', '\'']).unwrap_or(after.len());
            at = end;
            if before.ends_with(['"', '\'']) || after.starts_with(['"', '\'']) {
                continue;
            }
            let value = line.content.get(start..end).unwrap_or_default().trim_end();
            let quotes = if value.contains('"') { "'" } else { "\"" };
            let (start, end) = (line.content_start() + start, line.content_start() + start + value.len());
            let quoted = format!("{quotes}{value}{quotes}");
            first.get_or_insert_with(|| {
                let finding = Finding::error(codes::YAML_SYNTAX, "an expression within brackets stands in quotes");
                finding.at(self.span(start, end)).help(format!("quote it: {}", quote(&quoted))).replace_by(quoted)
            });
            edits.extend([Edit::insert(start, quotes), Edit::insert(end, quotes)]);
        }
        if !edits.is_empty() {
            self.add_certain(edits, first, line);
        }
    }

    /// What closes all open brackets.
    fn closers(&self) -> String {
        self.brackets.open.iter().rev().map(|open| closer(self.text, *open)).collect()
    }

    /// A quote that is never closed is closed on its line, with the brackets around it or without.
    fn quote(&mut self) {
        let Some(open) = open_quote(self.text, self.broken.read) else { return };
        let Some(line) = line_at(self.text, open) else { return };
        let mark = self.text.get(open..open + 1).unwrap_or_default();
        let whole = self.text.get(open..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim_end();
        let inner = whole.trim_end_matches([']', '}', ',']);
        let closers = self.closers();
        for (part, closers) in [(inner.trim_end(), ""), (whole, ""), (whole, closers.as_str())] {
            let closed = format!("{part}{mark}{closers}");
            let finding = Finding::error(codes::YAML_SYNTAX, format!("this quote is never closed: expected `{mark}`"));
            let finding = finding.at(self.span(open, open + 1)).help(format!("close it: {}", quote(&closed)));
            let edits = vec![Edit::insert(open + part.len(), format!("{mark}{closers}"))];
            // What follows the quote may be part of the text or not.
            let finding = match part.len() == whole.len() && !part.contains(" #") {
                true => Finding {
                    fix: Some(model::Fix { span: self.span(open, open + part.len()), text: closed }),
                    ..finding
                },
                false => finding,
            };
            self.add(edits, Some(finding), &line, None);
        }
    }

    /// Brackets that are never closed are closed on their line, or before the next line that is no deeper.
    fn brackets(&mut self, line: &Line<'_>) {
        let Some((outer, inner)) = self.brackets.open.first().copied().zip(self.brackets.open.last().copied()) else {
            return;
        };
        let closers = self.closers();
        let (Some(first), Some(last)) = (line_at(self.text, outer), line_at(self.text, inner)) else { return };
        // A bracket that closes another kind.
        if first.content_start() == outer {
            return self.flow(&first); // no key has this value
        }
        let expected = closer(self.text, inner);
        if let Some(at) = self.brackets.wrong {
            let finding =
                Finding::error(codes::YAML_SYNTAX, format!("expected `{expected}`, which closes the bracket"));
            let finding = finding.at(self.span(at, at + 1)).label(self.span(inner, inner + 1), "opened here");
            let finding = finding.help(format!("write `{expected}`")).replace_by(expected.to_string());
            self.add(vec![Edit { at, remove: 1, insert: expected.into() }], Some(finding), line, None);
        }
        // A bracket that closes, before the column of the key.
        let column = brackets::key_column(self.text, inner);
        if line.content.starts_with([']', '}']) && line.indent < column {
            let blanks = " ".repeat(column - line.indent);
            let bracket = self.span(line.content_start(), line.content_start() + 1);
            let finding =
                Finding::error(codes::YAML_SYNTAX, "this bracket is not indented as deep as the key it belongs to");
            let fix = model::Fix { span: self.span(line.content_start(), line.content_start()), text: blanks.clone() };
            let finding = finding.at(bracket).help(format!("move it to column {}", column + 1));
            self.add_certain(vec![Edit::insert(line.start, blanks)], Some(Finding { fix: Some(fix), ..finding }), line);
        }
        let mut ends = vec![last];
        let mut end = last;
        while let Some(next) = after(self.text, end.start).filter(|next| next.indent > first.indent) {
            end = next;
            if ends.len() == 1 && next.start < line.start {
                ends.push(next);
            } else if let Some(last) = ends.get_mut(1).filter(|_| next.start < line.start) {
                *last = next;
            }
        }
        ends.push(end);
        ends.dedup_by_key(|line| line.start);
        for end in ends {
            let place = end.content_end();
            let finding = Finding::error(
                codes::YAML_SYNTAX,
                format!("this bracket is never closed: expected `,` or `{expected}`"),
            );
            let mut finding = finding.at(self.span(inner, inner + 1));
            if let Some(next) = after(self.text, end.start) {
                finding =
                    finding.label(self.span(next.content_start(), next.content_end()), "this is read as part of it");
            }
            let written = self.text.get(inner..place).unwrap_or_default();
            let finding = match written.contains('\n') {
                true => finding.help(format!("close it with `{closers}`")),
                false => {
                    let closed = format!("{written}{closers}");
                    let fix = model::Fix { span: self.span(inner, place), text: closed.clone() };
                    Finding { fix: Some(fix), ..finding.help(format!("close it: {}", quote(&closed))) }
                }
            };
            let lost = Lost::Rest { at: place };
            self.add(vec![Edit::insert(place, closers.clone())], Some(finding), &end, Some(lost));
        }
    }

    /// A word alone on its line is a key that is being written; a word and a value lack the colon between them.
    fn colon(&mut self, line: &Line<'_>) {
        let dash = line.content.strip_prefix("- ").map_or(0, |rest| line.content.len() - rest.trim_start().len());
        let entry = line.content.get(dash..).unwrap_or_default();
        let word = entry.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or(entry.len());
        let (start, key) = (line.content_start() + dash, entry.get(..word).unwrap_or_default());
        if !key.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return;
        }
        let rest = entry.get(word..).unwrap_or_default();
        let finding = Finding::error(codes::YAML_SYNTAX, format!("expected `:` after {}", quote(key)));
        let finding = finding.at(self.span(start, start + word));
        let colon = Edit::insert(start + word, ":");
        if rest.is_empty() {
            let finding = finding.help(format!("write {}", quote(&format!("{key}: value"))));
            self.add(vec![colon], Some(finding), line, Some(Lost::Value { key_end: start + word }));
        } else if rest.starts_with(' ') && !rest.contains(": ") && !rest.ends_with(':') {
            let finding = finding.help(format!("write {}", quote(&format!("{key}:{rest}"))));
            self.add(vec![colon], Some(finding), line, None);
        }
    }

    /// A line between the depths of those above, with what is deeper below it, is put at the depth of one of them.
    fn indentation(&mut self, line: &Line<'_>) {
        let is_entry = |line: &Line<'_>| {
            let key = line.content.strip_prefix("- ").unwrap_or(line.content);
            let end = key.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or(key.len());
            line.content.starts_with("- ") || end > 0 && key.get(end..).is_some_and(|rest| rest.starts_with(':'))
        };
        if line.indent == 0 || !is_entry(line) {
            return;
        }
        let mut columns: Vec<(usize, Line<'_>)> = Vec::new();
        let mut above = before(self.text, line.start);
        let mut least = usize::MAX;
        while let Some(one) = above.filter(|_| least > 0 && columns.len() < 4) {
            if one.indent < least {
                least = one.indent;
                let dash = one.content.strip_prefix("- ").map_or(0, |rest| one.content.len() - rest.trim_start().len());
                columns.extend((dash > 0).then_some((one.indent + dash, one)));
                columns.push((one.indent, one));
            }
            above = before(self.text, one.start);
        }
        columns.retain(|(_, like)| is_entry(like));
        columns.sort_by_key(|(column, _)| column.abs_diff(line.indent));
        for (column, like) in columns.into_iter().filter(|(column, _)| *column != line.indent) {
            let mut edits = Vec::new();
            let mut next = Some(*line);
            while let Some(one) = next.filter(|one| one.indent >= line.indent) {
                edits.push(match column.checked_sub(line.indent) {
                    Some(deeper) => Edit::insert(one.start, " ".repeat(deeper)),
                    None => Edit { at: one.start, remove: line.indent - column, insert: String::new() },
                });
                next = after(self.text, one.start);
            }
            let word = |line: &Line<'_>| {
                let content = line.content;
                let key = content.split_once(':').map_or(content, |(key, _)| key).trim_start_matches("- ");
                quote(key.trim())
            };
            let (this, other) = (word(line), word(&like));
            let message = format!("{this} starts in column {}, and {other} in column {}", line.indent + 1, column + 1);
            let finding = Finding::error(codes::YAML_SYNTAX, message);
            let finding = finding
                .at(self.span(line.content_start(), line.content_end()))
                .label(self.span(like.content_start(), like.content_end()), "keys of one map start in one column")
                .help(format!("move {this} to column {}, beneath {other}", column + 1));
            // One line deeper than the one before, which has its value: nothing else can be meant.
            let certain = edits.len() == 1
                && like.indent < line.indent
                && before(self.text, line.start).is_some_and(|before| before.start == like.start);
            let fix = certain
                .then(|| model::Fix { span: self.span(line.start, line.content_start()), text: " ".repeat(column) });
            self.add_certain(edits, Some(Finding { fix, ..finding }), line);
        }
    }

    /// A bracket that closes nothing is not looked at.
    fn stray(&mut self, line: &Line<'_>) {
        let at = self.broken.at;
        if self.brackets.open.is_empty() && self.text.get(at..).is_some_and(|rest| rest.starts_with([']', '}'])) {
            let finding = self.broken.finding.clone().replace_by("");
            self.add_certain(vec![Edit::blank(at, at + 1)], Some(finding), line);
        }
    }

    /// What comes before the break stands; the rest of the line is not looked at.
    fn rest(&mut self, line: &Line<'_>) {
        let end = line.content_end();
        if self.broken.at > line.content_start() && self.broken.at < end {
            let lost = Lost::Rest { at: self.broken.at };
            self.add(vec![Edit::blank(self.broken.at, end)], None, line, Some(lost));
        }
    }

    /// Brackets over several lines that stand where no value can: they are not looked at.
    fn flow(&mut self, line: &Line<'_>) {
        if !line.content.starts_with(['{', '[']) {
            return;
        }
        let start = line.content_start();
        let Some(end) = matching(self.text, start) else { return };
        let lost = Lost::Line { at: start, column: line.indent, before: false };
        let edits = vec![Edit::blank_lines(self.text, start, end)];
        let finding = Finding::error(codes::YAML_SYNTAX, "these brackets are the value of no key")
            .at(self.span(start, start + 1));
        let finding =
            finding.label(self.span(end - 1, end), "they end here").help("write a key before them, `name: […]`");
        self.repairs.push(Repair { edits, finding: Some(finding), lines: start..end, lost: Some(lost) });
    }

    /// A value on the line behind its key stands deeper than the key.
    fn deeper(&mut self, near: &[Line<'_>]) {
        let [line, key] = near else { return };
        if !key.content.ends_with(':')
            || line.indent > key.indent
            || line.content.contains(": ")
            || line.content.ends_with(':')
        {
            return;
        }
        let name = quote(key.content.trim_end_matches(':').trim_start_matches("- "));
        let blanks = " ".repeat(key.indent + 2 - line.indent);
        let finding = Finding::error(codes::YAML_SYNTAX, format!("the value of {name} must stand deeper than its key"));
        let finding = finding.at(self.span(line.content_start(), line.content_end()));
        let finding =
            finding.help(format!("indent it by {} blanks, or write it on the line of {name}", key.indent + 2));
        let fix = model::Fix { span: self.span(line.start, line.start), text: blanks.clone() };
        let edits = vec![Edit::insert(line.start, blanks)];
        self.add_certain(edits, Some(Finding { fix: Some(fix), ..finding }), line);
    }

    /// The line is not looked at.
    fn line(&mut self, line: &Line<'_>, before: bool) {
        let (start, end) = (line.content_start(), line.content_end());
        if end > start {
            let lost = Lost::Line { at: start, column: line.indent, before };
            self.add(vec![Edit::blank(start, end)], None, line, Some(lost));
        }
    }
}
