//! How things are to be built. What is accepted here is what every build does; the rest is refused until something
//! honours it.

use grammar::yaml::Node;

use crate::reader::{Fields, Reader};

pub(super) const FIELDS: &[&str] = &["hardening", "fips", "strip_binaries", "optimization", "reproducible"];

/// Fields that mean nothing yet.
pub(super) const LATER: &[&str] = &["optimization"];

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) {
    if let Some(node) = fields.get("build_type") {
        build_type(reader, node);
    }
    let Some(flags) = reader.section(fields, "build_flags", FIELDS) else { return };
    reader.not_yet(&flags, LATER);
    if let Some(node) = flags.get("hardening") {
        reader.one_of(node, "build_flags.hardening", &["none"], &["standard", "maximum"]);
    }
    for (name, path) in [("fips", "build_flags.fips"), ("strip_binaries", "build_flags.strip_binaries")] {
        if let Some(node) = flags.get(name)
            && reader.boolean(node, path) == Some(true)
        {
            reader.not_supported(node.span, &format!("`{path}: true`"));
        }
    }
    if let Some(node) = flags.get("reproducible")
        && reader.boolean(node, "build_flags.reproducible") == Some(false)
    {
        let message = "`build_flags.reproducible: false` is not accepted: every build is reproducible";
        reader.bad_value(node.span, message, "remove it");
    }
}

fn build_type(reader: &mut Reader, node: &Node) {
    let Some(text) = reader.text(node, "build_type") else { return };
    if text.value != "hermetic" {
        let message = format!("{} is no build type: `hermetic` is the only one there is", grammar::quote(&text.value));
        reader.bad_value(text.span, message, "write `hermetic`, or leave the field out");
    }
}
