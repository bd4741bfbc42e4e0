//! Lists and maps with an entry a line.

use model::Span;

use super::{BLANK, Formatter, Place, STEP, is_marker};
use crate::yaml::{Kind, Node, Pair};

/// Bytes from which on a key is left behind its `?`: YAML allows 1024 characters without one.
const LONG_KEY: usize = 1000;

impl Formatter<'_> {
    /// The entries of a list or map, from a line of their own on or from one that is begun behind a dash. What follows them
    /// belongs to them where it is as deep as they are, and `inside` what they belong to.
    pub(super) fn entries(&mut self, node: &Node, indent: usize, inside: usize, begun: bool) {
        let column = self.column(self.next());
        let place = Place { indent, column, inside: column + 1 };
        let begin = |this: &mut Self, first: bool| {
            if !(begun && first) {
                this.own_lines(indent, 0);
                this.spaces(indent);
            }
        };
        match &node.kind {
            Kind::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    begin(self, number == 0);
                    self.sign("-");
                    self.entry(item, place, true);
                }
            }
            Kind::Map(pairs) => {
                for (number, pair) in pairs.iter().enumerate() {
                    begin(self, number == 0);
                    self.pair(pair, place);
                }
            }
            Kind::Scalar { .. } | Kind::Null | Kind::Error => {}
        }
        self.own_lines(indent, column.max(inside));
    }

    /// A dash, colon or question mark, which is what comes next.
    fn sign(&mut self, sign: &str) {
        self.out.push_str(sign);
        self.at = self.next() + sign.len();
    }

    fn pair(&mut self, pair: &Pair, place: Place) {
        let (start, end) = (pair.key.span.start as usize, pair.key.span.end as usize);
        let colon = self.next_from(end);
        let sign = self.text.get(colon..).and_then(|rest| rest.strip_prefix(':'));
        let colon = sign.filter(|rest| rest.is_empty() || rest.starts_with(BLANK)).map(|_| colon);
        // `? key` on a line, `: value` on another: needed where there is more to the key than its name, or it marks a document
        let explicit = self.next() < start;
        let comments = self.comments.as_slice().first().is_some_and(|c| (c.span.start as usize) < colon.unwrap_or(end));
        let key = self.source(pair.key.span);
        let more = comments || key.starts_with(['|', '>']) || key.contains('\n') || key.len() > LONG_KEY;
        if explicit && more || place.indent == 0 && is_marker(key) {
            match explicit {
                true => self.sign("?"),
                false => self.out.push('?'),
            }
            let key = Node { span: pair.key.span, kind: Kind::Scalar { text: ecow::EcoString::new(), plain: false } };
            self.entry(&key, place, false);
            if colon.is_some() {
                self.own_lines(place.indent, 0);
                self.spaces(place.indent);
                self.sign(":");
                self.entry(&pair.value, place, false);
            }
            return;
        }
        self.copy(start, end);
        self.out.push(':');
        self.at = colon.map_or(end, |colon| colon + 1);
        self.entry(&pair.value, place, false);
    }

    /// What stands behind a key or dash, to the end of its lines.
    fn entry(&mut self, value: &Node, place: Place, dash: bool) {
        let deeper = place.indent + STEP;
        let start = self.next();
        if value.span.is_empty() {
            self.rest_of_line();
            return self.own_lines(deeper, place.inside);
        }
        if self.is_block(value) {
            let begun = dash && self.is_blank(self.at, start);
            match begun {
                true => self.spaces(1),
                false => self.rest_of_line(),
            }
            return self.entries(value, deeper, place.inside, begun);
        }
        if self.is_blank(self.at, start) && !self.hangs(value.span, start) {
            self.spaces(1);
            return self.value(value, place);
        }
        self.rest_of_line();
        self.own_lines(deeper, 0);
        self.spaces(deeper);
        let place = match self.source(value.span).starts_with(['[', '{']) {
            true => Place { indent: deeper, column: self.column(start), ..place },
            false => place,
        };
        self.value(value, place);
    }

    /// Whether a list or map in brackets spans lines and starts on one of its own.
    fn hangs(&self, span: Span, start: usize) -> bool {
        let brackets = self.source(span).starts_with(['[', '{']) && self.source(span).contains('\n');
        brackets && self.text.get(self.at..start).is_some_and(|gap| gap.contains('\n'))
    }
}
