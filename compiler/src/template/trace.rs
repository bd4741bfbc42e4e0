//! From values that were put into an image back to the texts they came from.

use model::{Finding, Findings, SourceId, Span};

use super::expand::Origin;

/// Where the values of one image came from.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub(super) origins: Vec<Origin>,
    pub(super) used: Vec<(SourceId, Span)>,
}

impl Trace {
    /// A finding with places in texts, and labels that lead from the value to where it counts.
    pub fn finding(&self, mut finding: Finding) -> Finding {
        let mut labels = Vec::new();
        for label in std::mem::take(&mut finding.labels) {
            labels.push(model::Label { span: self.at(label.span), ..label });
        }
        // What an expression put there is nowhere written so that it could be replaced.
        finding.fix = finding.fix.take().filter(|fix| fix.span.expansion().is_none());
        if let Some(span) = finding.span {
            if let Some(origin) = span.expansion().and_then(|number| self.origins.get(number)) {
                labels.extend(origin.labels());
            }
            finding.span = Some(self.at(span));
        }
        // From the text of a template to the document that uses it, level by level.
        let mut place = finding.span;
        while let Some((_, used)) = place.and_then(|span| self.used.iter().find(|(source, _)| *source == span.source)) {
            labels.push(model::Label { span: *used, text: "the template is used here".to_owned() });
            place = Some(*used).filter(|_| labels.len() < 32);
        }
        labels.dedup();
        finding.labels = labels;
        finding
    }

    /// All of them.
    pub fn findings(&self, findings: Findings) -> Findings {
        findings.into_iter().map(|finding| self.finding(finding)).collect()
    }

    /// Where a span of the image is in a text.
    pub fn at(&self, span: Span) -> Span {
        match span.expansion() {
            Some(number) => self.origins.get(number).map_or(span, |origin| origin.at),
            None => span,
        }
    }
}
