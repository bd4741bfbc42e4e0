use serde_json::json;

use crate::args::{Format, Machine};
use crate::report::{self, Failure};
use crate::session;

/// `sources`: each endpoint with where it was found; an ecosystem without one is a finding.
pub(super) fn run(machine: &Machine, format: Format) -> Result<(), Failure> {
    let sources = session::sources(machine)?;
    let mut rows = Vec::new();
    let mut findings = Vec::new();
    for origin in runtime::sources::ORIGINS {
        match sources.roots(origin) {
            Ok(roots) => rows.extend(roots.into_iter().map(|root| (origin, root))),
            Err(finding) => findings.push(finding),
        }
    }
    if !findings.is_empty() && format == Format::Json {
        return Err(findings.into());
    }
    if format == Format::Json {
        let list: Vec<_> = rows
            .iter()
            .map(|(origin, root)| json!({ "source": origin.name(), "url": root.url.as_str(), "found_in": root.found_in }))
            .collect();
        report::print_json(&json!({ "sources": list, "accepts_expired": sources.accepts_expired() }))?;
    } else {
        for (origin, root) in &rows {
            report::line(format_args!("{:<7} {}  ({})", origin.name(), root.url.as_str(), root.found_in))?;
        }
        if sources.accepts_expired() {
            report::line("expired Debian indexes are accepted, as this machine's apt is set to")?;
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings.into()) }
}
