use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use model::text::is_plain;
use model::{Finding, Label, Severity, Sources, Span};

/// Columns that lines are broken at.
const WIDTH: usize = 100;
/// Bytes of a line, or of a place, that are shown whole.
const LONG: usize = 1000;

/// Words of strangers stand in findings: what a terminal would obey is marked.
fn safe(text: &str) -> String {
    text.replace(|c| !is_plain(c) && c != '\n' && c != '\t', "\u{fffd}")
}

/// One finding as text, with the lines it points at; of other files, one line for each place.
pub(super) fn render(sources: &Sources, finding: &Finding, color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let mut text = String::new();
    if handler.render_report(&mut text, &Shown::new(sources, finding)).is_err() {
        text = format!("{}: {}\n", finding.code, safe(&finding.message));
    }
    if let Some(span) = finding.span.filter(|span| is_long(sources, *span)) {
        text.push_str(&elsewhere(sources, &Label { span, text: "here".to_owned() }));
    }
    for label in finding.labels.iter().filter(|label| !is_here(sources, finding, label)) {
        text.push_str(&elsewhere(sources, label));
    }
    text + "\n"
}

/// Whether a label is drawn beside the finding's place.
fn is_here(sources: &Sources, finding: &Finding, label: &Label) -> bool {
    let drawn = |span: Span| span.source == label.span.source && !is_long(sources, span);
    finding.span.is_some_and(drawn) && !is_long(sources, label.span)
}

/// `see image.yaml:3:12, `service` is this:` and the line.
fn elsewhere(sources: &Sources, label: &Label) -> String {
    let (line, column) = sources.line_column(label.span.source, label.span.start);
    let text = sources.text(label.span.source).lines().nth(line - 1).unwrap_or_default();
    // Of a long line, what stands around the place.
    let skipped = if column > WIDTH { column - WIDTH / 2 } else { 0 };
    let shown: String = text.chars().skip(skipped).take(WIDTH).collect();
    let shown = shown.trim();
    let name = sources.name(label.span.source);
    format!("  see: {name}:{line}:{column}, {}\n        {line} │ {shown}\n", label.text)
}

#[derive(Debug)]
struct Shown {
    code: String,
    message: String,
    severity: miette::Severity,
    help: Option<String>,
    cause: Option<Box<Cause>>,
    text: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Cause>>,
}

impl Shown {
    fn new(sources: &Sources, finding: &Finding) -> Self {
        let cause =
            finding.causes.iter().rev().fold(None, |next, text| Some(Box::new(Cause { text: safe(text), next })));
        let shown = finding.span.filter(|span| !is_long(sources, *span));
        let at = shown.map(|span| LabeledSpan::new_primary_with_span(Some("here".into()), range(sources, span)));
        let more = finding.labels.iter().filter(|label| is_here(sources, finding, label));
        let more = more.map(|label| LabeledSpan::new_with_span(Some(safe(&label.text)), range(sources, label.span)));
        Self {
            code: finding.code.to_string(),
            message: safe(&finding.message),
            severity: match finding.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            help: finding.help.as_deref().map(safe),
            cause,
            text: shown.map(|span| named(sources, span)),
            labels: at.into_iter().chain(more).collect(),
        }
    }
}

fn named(sources: &Sources, span: Span) -> NamedSource<String> {
    NamedSource::new(sources.name(span.source), sources.text(span.source).to_owned())
}

/// What is pointed at: of something long, its first line.
fn range(sources: &Sources, span: Span) -> (usize, usize) {
    let first = sources.text(span.source).get(span.start as usize..).and_then(|rest| rest.lines().next());
    let length = if span.len() > LONG { span.len().min(first.map_or(0, str::len)) } else { span.len() };
    (span.start as usize, length)
}

/// Whether a line of a place, or one beside it, is too long to be shown.
fn is_long(sources: &Sources, span: Span) -> bool {
    let text = sources.text(span.source);
    let (start, end) = (span.start as usize, (span.start as usize + span.len().min(LONG)).min(text.len()));
    let before = text.get(..start).unwrap_or_default().rsplit('\n').take(2).map(str::len);
    let inside = text.get(start..end).unwrap_or_default().split('\n').map(str::len);
    let after = text.get(end..).unwrap_or_default().split('\n').take(2).map(str::len);
    before.chain(inside).chain(after).any(|length| length > LONG)
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_deref().map(|cause| cause as _)
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_ref().map(|text| text as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}
