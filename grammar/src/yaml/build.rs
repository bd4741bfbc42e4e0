use std::collections::BTreeMap;
use std::ops::Range;

use ecow::{EcoString, EcoVec};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, options};
use model::{Finding, SourceId, Span, Spanned, codes};

use super::{Comment, Kind, MAX_DEPTH, Node, Pair, Parsed, brackets, syntax};
use crate::{Report, quote};

/// Turns the parser's events into a tree, without recursion.
pub(super) struct Builder<'t> {
    text: &'t str,
    source: SourceId,
    open: Vec<Open>,
    root: Option<Node>,
    comments: Vec<Comment>,
    report: Report,
    documents: usize,
    /// Where the last event that was no comment ended.
    last_end: usize,
    /// Where the text that is parsed has a space more than the text.
    spaces: Vec<usize>,
    broken: Option<Break>,
}

/// A document as far as it could be read, and where it could not be read further.
pub(super) struct Built {
    pub(super) parsed: Parsed,
    pub(super) broken: Option<Break>,
}

/// Where a text is no YAML.
pub(super) struct Break {
    /// The offset at which the parser noticed.
    pub(super) at: usize,
    /// Where the last thing ended that could be read.
    pub(super) read: usize,
    /// Where the brackets stand that the parser has told of and are open, outermost first.
    pub(super) open: Vec<usize>,
    /// What the parser says of it.
    pub(super) finding: Finding,
}

/// A list or map whose end has not come yet.
struct Open {
    start: usize,
    flow: bool,
    content: Content,
}

enum Content {
    List(EcoVec<Node>),
    Map { pairs: EcoVec<Pair>, first: BTreeMap<EcoString, Span>, key: Option<Key> },
}

struct Key {
    key: Spanned<EcoString>,
    /// A finding was made about it already, so its value is not to be looked at.
    refused: bool,
}

/// Nothing more is to be read.
struct Stop;

impl<'t> Builder<'t> {
    pub(super) fn new(source: SourceId, text: &'t str) -> Self {
        Self {
            text,
            source,
            open: Vec::new(),
            root: None,
            comments: Vec::new(),
            report: Report::default(),
            documents: 0,
            last_end: 0,
            broken: None,
            spaces: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Built {
        let options = options! {
            strict_indentation: true,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let (indented, spaces) = brackets::indent(self.text, options.clone());
        self.spaces = spaces;
        for event in Parser::new_from_str_with_options(&indented, options) {
            let read = event.map_err(|e| self.broken(&e)).and_then(|(event, span)| self.event(event, span));
            if read.is_err() {
                break;
            }
        }
        while let Some(open) = self.open.pop() {
            self.close(open, None);
        }
        self.comments.sort_by_key(|comment| comment.span.start);
        let absent = self.root.as_ref().is_none_or(|root| root.kind == Kind::Null && root.span.is_empty());
        if absent && self.broken.is_none() && self.report.findings().is_empty() {
            let finding = Finding::error(codes::EMPTY_DOCUMENT, "the document holds nothing");
            self.report.add(finding.at(self.span(0, 0)).help("`clnstrt-cli explain CS0107` shows a complete image"));
        }
        let (comments, findings) = (self.comments, self.report.into_findings());
        Built { parsed: Parsed { root: self.root, comments, findings, mended: Vec::new() }, broken: self.broken }
    }

    fn event(&mut self, event: Event<'_>, at: granit_parser::Span) -> Result<(), Stop> {
        let place =
            |span: granit_parser::Span| span.byte_range().map(|range| self.place(range.start)..self.place(range.end));
        let Range { start, end } = place(at).unwrap_or_default();
        if let Some(tag) = event.tag() {
            let place = at.tag_span().and_then(place).unwrap_or(start..end);
            let message =
                format!("the tag {} is not accepted: a value is what it is written as", quote(&tag.original()));
            let finding = Finding::error(codes::YAML_TAG, message).at(self.span(place.start, place.end));
            self.report.add(finding.help("remove it; quotes make a text of anything"));
        }
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(explicit, _) => {
                self.document(start, end)?;
                if !explicit {
                    return Ok(()); // its span is the first token's
                }
            }
            Event::Comment(text, _) => {
                self.comments.push(Comment { text: text.into_owned(), span: self.span(start, end) });
                return Ok(());
            }
            Event::Anchor(..) => self.refuse_reference("anchor", start, end),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse_reference("alias", start, end);
                self.value(Node { span: self.span(start, end), kind: Kind::Error }, None);
            }
            Event::Scalar(text, style, ..) => self.scalar(text.as_ref().into(), style, start, end),
            Event::SequenceStart(style, ..) => {
                self.push(start, style == StructureStyle::Flow, Content::List(EcoVec::new()))?;
            }
            Event::MappingStart(style, ..) => {
                let content = Content::Map { pairs: EcoVec::new(), first: BTreeMap::new(), key: None };
                self.push(start, style == StructureStyle::Flow, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close(open, (end > start).then_some(end));
                }
            }
            _ => return Err(self.breaks(start, Finding::error(codes::YAML_SYNTAX, "this is not understood"))),
        }
        self.last_end = self.last_end.max(end);
        Ok(())
    }

    fn document(&mut self, start: usize, end: usize) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let finding =
            Finding::error(codes::SEVERAL_DOCUMENTS, "a second document starts here; one file declares one thing");
        self.report.add(finding.at(self.span(start, end)).help("put it into a file of its own"));
        Err(Stop)
    }

    fn refuse_reference(&mut self, what: &str, start: usize, end: usize) {
        let name = quote(self.text.get(start..end).unwrap_or_default());
        let message = format!("the {what} {name} is not accepted: every value stands where it is used");
        let finding = Finding::error(codes::YAML_ANCHOR, message).at(self.span(start, end));
        let help = match what {
            "alias" => "write the value out; quote a text that starts with `*`",
            _ => "remove it; quote a text that starts with `&`",
        };
        self.report.add(finding.help(help));
    }

    fn scalar(&mut self, text: EcoString, style: ScalarStyle, start: usize, end: usize) {
        let plain = style == ScalarStyle::Plain;
        let (start, end) = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => syntax::block_scalar(self.text, self.last_end, start, end),
            _ => (start, end),
        };
        if let Some(comment) = syntax::comment_within(self.text, start, end).filter(|_| plain) {
            let finding = syntax::finding(self.source, self.text, comment, &ErrorKind::CommentInterceptedScalar);
            self.report.add(finding.at(self.span(comment, comment + 1)));
        }
        let span = self.span(start, end);
        let is_null = plain && (end == start || matches!(text.as_str(), "~" | "null" | "Null" | "NULL"));
        let key = (end > start).then(|| text.clone());
        let kind = if is_null { Kind::Null } else { Kind::Scalar { text, plain } };
        self.value(Node { span, kind }, key);
    }

    fn push(&mut self, start: usize, flow: bool, content: Content) -> Result<(), Stop> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.ends(start, syntax::too_deep()));
        }
        self.open.push(Open { start, flow, content });
        Ok(())
    }

    /// Ends a list or map, at `end` where it has a bracket of its own, else where its last entry ends.
    fn close(&mut self, open: Open, end: Option<usize>) {
        let (kind, first, last) = match open.content {
            Content::List(items) => {
                let first = items.first().map(|node| node.span);
                let last = items.last().map(|node| node.span.end);
                (Kind::List(items), first, last)
            }
            Content::Map { pairs, .. } => {
                let last = pairs.last().map(|pair| pair.span().end);
                (Kind::Map(pairs), None, last)
            }
        };
        // the parser has a list that is no deeper than its key start after the first dash
        let dash = self.text.get(open.start..).is_some_and(|rest| rest.starts_with('-'));
        let undented = !open.flow && first.is_some_and(|first| !dash || first.start as usize <= open.start);
        let start = if undented { syntax::dash_before(self.text, open.start) } else { open.start };
        let end = end.or(last.map(|last| last as usize)).unwrap_or(start);
        self.value(Node { span: self.span(start, end.max(start)), kind }, None);
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }))
    }

    /// Puts a finished value where it belongs. `key` is its text if it can be a key.
    fn value(&mut self, node: Node, key: Option<EcoString>) {
        let is_block_key = self.expects_key() && self.open.last().is_some_and(|open| !open.flow);
        if let Some(tab) = syntax::tab_in_indentation(self.text, node.span.start as usize).filter(|_| is_block_key) {
            self.report.add(syntax::tab(self.source, tab));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => {
                self.root.get_or_insert(node);
            }
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { pairs, key: waiting, .. }) if waiting.is_some() => {
                if let Some(Key { key, refused }) = waiting.take() {
                    let value = if refused { Node { kind: Kind::Error, ..node } } else { node };
                    pairs.push(Pair { key, value });
                }
            }
            Some(Content::Map { first, key: waiting, .. }) => match key {
                Some(text) => {
                    let before = *first.entry(text.clone()).or_insert(node.span);
                    *waiting = Some(Key { key: Spanned::new(text.clone(), node.span), refused: false });
                    if before != node.span {
                        let message = format!("{} is given twice: a map has each key once", quote(&text));
                        let finding = Finding::error(codes::DUPLICATE_KEY, message).at(node.span);
                        let help = format!("write one {} with what both hold, or remove one of the two", quote(&text));
                        self.report.add(finding.label(before, "given here first").help(help));
                    }
                }
                None => {
                    let written = self.text.get(node.span.start as usize..node.span.end as usize).unwrap_or_default();
                    let key = Spanned::new(written.into(), node.span);
                    *waiting = Some(Key { key, refused: true });
                    if node.kind != Kind::Error {
                        let finding = Finding::error(codes::YAML_KEY, "expected a name as key").at(node.span);
                        self.report.add(finding.help("write `name: value`; quote a name with special characters"));
                    }
                }
            },
        }
    }

    fn broken(&mut self, error: &ScanError) -> Stop {
        let at = error.marker().byte_offset().map_or(self.text.len(), |at| self.place(at));
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => self.ends(at, syntax::too_deep()),
            kind => {
                let finding = syntax::finding(self.source, self.text, at, kind);
                self.breaks(at, finding)
            }
        }
    }

    /// Nothing behind this is read, whatever it is.
    fn ends(&mut self, at: usize, finding: Finding) -> Stop {
        let at = self.text.floor_char_boundary(at.min(self.text.len()));
        self.report.add(finding.or_at(syntax::character(self.source, self.text, at)));
        self.breaks_off(at)
    }

    /// This is no YAML.
    fn breaks(&mut self, at: usize, finding: Finding) -> Stop {
        let at = self.text.floor_char_boundary(at.min(self.text.len()));
        let bracket = |open: &&Open| self.text.get(open.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let open: Vec<usize> =
            self.open.iter().filter(|open| open.flow).filter(bracket).map(|open| open.start).collect();
        let finding = finding.or_at(syntax::character(self.source, self.text, at));
        let finding =
            match open.last().map(|open| self.span(*open, *open + 1)).filter(|open| finding.span != Some(*open)) {
                Some(open) => finding.label(open, "this is still open"),
                None => finding,
            };
        self.broken = Some(Break { at, read: self.last_end, open, finding });
        self.breaks_off(at)
    }

    /// The text ends here as far as the tree is concerned.
    fn breaks_off(&mut self, at: usize) -> Stop {
        let reached = self.last_end.max(at).min(self.text.len()); // a bracket never closed is an error at the bracket
        let here = self.span(reached, reached);
        if let Some(Open { content: Content::Map { key: waiting @ None, .. }, .. }) = self.open.last_mut() {
            *waiting = Some(Key { key: Spanned::new(EcoString::new(), here), refused: true });
        }
        self.value(Node { span: here, kind: Kind::Error }, None);
        Stop
    }

    /// An offset of the text, given as one of the text that is parsed.
    fn place(&self, parsed: usize) -> usize {
        parsed - self.spaces.partition_point(|space| *space < parsed)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }
}
