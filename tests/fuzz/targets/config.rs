//! Configurations: whatever bytes they are, every finding is fit to be shown, and without an error there is a
//! configuration.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Severity, Sources};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = grammar::decode(bytes) else { return };
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", text);
    let parsed = grammar::yaml::parse(source, text);
    let mut findings = parsed.findings;
    let config = parsed.root.as_ref().and_then(|root| {
        let (config, more) = compiler::config::read(root);
        findings.extend(more);
        config
    });
    findings.iter().for_each(|finding| fuzz::fit(finding, &sources));
    assert!(config.is_some() || findings.iter().any(|finding| finding.severity == Severity::Error));
    if let Some(config) = config {
        compiler::config::asked(&config).digest();
    }
});
