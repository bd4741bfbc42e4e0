use model::{Finding, Findings, codes};

/// How many findings of one document are kept. A text of one megabyte can hold a mistake in every other byte,
/// and nobody reads past the first hundred.
pub const MAX_FINDINGS: usize = 100;

/// Collects the findings of one document, in the order they are made, up to [`MAX_FINDINGS`]; the first one beyond is
/// replaced by a finding that says so.
#[derive(Debug, Default)]
pub struct Report(Findings);

impl Report {
    /// Adds a finding while there is room.
    pub fn add(&mut self, finding: Finding) {
        match self.0.len().cmp(&MAX_FINDINGS) {
            std::cmp::Ordering::Less => self.0.push(finding),
            std::cmp::Ordering::Equal => {
                let message = format!("there are more findings than the {MAX_FINDINGS} shown");
                let finding = Finding { span: finding.span, ..Finding::error(codes::MORE_FINDINGS, message) };
                self.0.push(finding.help("the next one is here; correct those shown first"));
            }
            std::cmp::Ordering::Greater => {}
        }
    }

    /// Whether a further finding would be dropped.
    pub fn is_full(&self) -> bool {
        self.0.len() > MAX_FINDINGS
    }

    /// What was collected.
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// Ends the collection.
    pub fn into_findings(self) -> Findings {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_finding_says_that_there_are_more() {
        let mut report = Report::default();
        for _ in 0..MAX_FINDINGS * 3 {
            report.add(Finding::error(codes::YAML_TAG, "x"));
        }
        assert!(report.is_full());
        let findings = report.into_findings();
        assert_eq!(findings.len(), MAX_FINDINGS + 1);
        assert_eq!(findings.last().map(|f| f.code), Some(codes::MORE_FINDINGS));
    }
}
