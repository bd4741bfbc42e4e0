//! Finds expressions in the text of a scalar.

use model::{Finding, Findings, Span, codes};

use super::{Expression, ExpressionKind, Piece, parse};

/// What an expression starts with.
pub const OPEN: &str = "${{";
/// What is written for the text [`OPEN`].
const ESCAPED: &str = "$${{";
/// What an expression ends with.
pub const CLOSE: &str = "}}";

/// Where a text stands in its source.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Byte for byte from here.
    At(Span),
    /// Somewhere in here: escapes or folded lines stand between the text and its bytes.
    Within(Span),
}

impl Place {
    /// The place of a part of the text.
    pub(super) fn part(self, start: usize, end: usize) -> Span {
        match self {
            Place::At(span) => Span::new(span.source, span.start as usize + start, span.start as usize + end),
            Place::Within(span) => span,
        }
    }

    /// The place of the text after its first bytes.
    fn after(self, bytes: usize) -> Self {
        match self {
            Place::At(span) => Place::At(Span { start: self.part(bytes, bytes).start, ..span }),
            within => within,
        }
    }
}

/// Whether a text holds the start of an expression, or one that is meant as text.
pub fn holds_expression(text: &str) -> bool {
    text.contains(OPEN)
}

/// Takes the text of a scalar apart. `span` is the scalar's own, `raw` what stands there in the source. Pieces of text that
/// follow one another are one, and an empty text has none; what cannot be read is an expression of the kind `Error`.
pub fn scan(text: &str, span: Span, raw: &str) -> (Vec<Piece>, Findings) {
    let mut scan = Scan { pieces: Vec::new(), literal: String::new(), findings: Findings::new() };
    let (mut rest, mut raw_at) = (text, 0);
    while let Some((before, after)) = rest.split_once(OPEN) {
        if let Some(before) = before.strip_suffix('$') {
            scan.literal.push_str(before);
            scan.literal.push_str(OPEN);
            rest = after;
            let escaped = raw.get(raw_at..).and_then(|raw| raw.find(ESCAPED));
            raw_at = escaped.map_or(raw_at, |offset| raw_at + offset + ESCAPED.len());
            continue;
        }
        scan.literal.push_str(before);
        let (inner, closed) = match end(after) {
            Some(end) => after.split_at(end),
            None => (after, ""),
        };
        let written = format!("{OPEN}{inner}");
        let place = match raw.get(raw_at..).and_then(|raw| raw.find(&written)) {
            Some(offset) => {
                let start = raw_at + offset;
                raw_at = start + written.len();
                let offset = span.start as usize;
                Place::At(Span::new(span.source, offset + start, offset + raw_at))
            }
            None => Place::Within(span),
        };
        match closed.strip_prefix(CLOSE) {
            Some(after) => {
                let (expression, finding) = parse(inner, place.after(OPEN.len()));
                scan.push(expression, finding);
                rest = after;
            }
            None => {
                let whole = place.part(0, written.len());
                scan.push(Expression { span: whole, kind: ExpressionKind::Error }, Some(unclosed(place)));
                rest = "";
            }
        }
    }
    scan.literal.push_str(rest);
    scan.end_literal();
    (scan.pieces, scan.findings)
}

struct Scan {
    pieces: Vec<Piece>,
    /// Text since the last expression.
    literal: String,
    findings: Findings,
}

impl Scan {
    fn push(&mut self, expression: Expression, finding: Option<Finding>) {
        self.end_literal();
        self.pieces.push(Piece::Expression(expression));
        self.findings.extend(finding);
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.literal)));
        }
    }
}

/// Where an expression ends: at the first `}}` outside quotes.
fn end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '}') if chars.peek().is_some_and(|(_, next)| *next == '}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn unclosed(place: Place) -> Finding {
    let span = match place {
        Place::At(_) => place.part(0, OPEN.len()),
        Place::Within(span) => span,
    };
    Finding::error(codes::EXPRESSION_SYNTAX, "this expression is never closed: expected `}}`")
        .at(span)
        .help("close it with `}}`, and check for a quote left open in it; write `$${{` for the text itself")
}
