use crate::{Code, Span};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The command fails.
    Error,
    /// The command goes on; the summary repeats it.
    Warning,
}

/// A further place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// One thing that is wrong: what, where, why, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code; it has a page of its own.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong and what was expected, one sentence.
    pub message: String,
    /// Where in the sources, if anywhere.
    pub span: Option<Span>,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// The chain of causes, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// A change of the text that does it.
    pub fix: Option<Fix>,
}

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// Several findings; a function that returns them as an error returns at least one.
pub type Findings = Vec<Finding>;

impl Finding {
    /// An error without a place yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span: None,
            labels: Vec::new(),
            causes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A warning without a place yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Says where, unless that is known already.
    #[must_use]
    pub fn or_at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    /// Points at a further place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds the next cause of the chain.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Proposes another text for what the finding is about.
    #[must_use]
    pub fn replace_by(mut self, text: impl Into<String>) -> Self {
        self.fix = self.span.map(|span| Fix { span, text: text.into() });
        self
    }

    /// Names the word that was probably meant, if one is near, and says in any case what else there is: a sentence
    /// without capital and full stop.
    #[must_use]
    pub fn suggest(self, near: Option<&str>, there: &str) -> Self {
        let mut rest = there.chars();
        match near {
            Some(word) => {
                let first = rest.next().map(|c| c.to_ascii_uppercase()).into_iter();
                self.help(format!("did you mean `{word}`? {}", first.chain(rest).collect::<String>()))
            }
            None => self.help(there),
        }
    }

    /// The same where the finding's place is the word itself, so that it can be replaced.
    #[must_use]
    pub fn meant(self, near: Option<&str>, there: &str) -> Self {
        near.into_iter().fold(self.suggest(near, there), Self::replace_by)
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Whether there is an error among findings.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        vec![finding]
    }
}
