//! Any text as a policy: Rego before the first zero byte, YAML after it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Sources;
use policy::{Budget, Engine, Policy};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (rego, yaml) = text.split_once('\0').unwrap_or((text, ""));
    let mut sources = Sources::default();
    let rego = Policy::rego("rego", sources.add("rego", rego), rego);
    let source = sources.add("yaml", yaml);
    let yaml = grammar::yaml::parse(source, yaml).root.map_or(Err(Vec::new()), |root| Policy::yaml(&root));
    for read in [rego, yaml] {
        let checked = read.and_then(|policy| Engine::new(&[policy], Budget::default()).map(drop));
        for finding in checked.err().unwrap_or_default() {
            fuzz::fit(&finding, &sources);
        }
    }
});
