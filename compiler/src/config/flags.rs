//! How things are to be built. What is accepted here is what every build does; the rest is refused until something
//! honours it.

use grammar::yaml::Node;
use model::config::{Base, Build, BuildFlags, Hardening};
use model::{Finding, Spanned, codes};

use grammar::reader::{Fields, Reader};

pub(super) const FIELDS: &[&str] =
    &["hardening", "fips", "strip_binaries", "optimization", "no_binary", "reproducible"];

/// Levels of optimisation, as compilers name them.
pub(crate) const OPTIMIZATIONS: &[&str] = &["O0", "O1", "O2", "O3", "Os", "Og"];

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>, base: Option<&Base>) -> BuildFlags {
    if let Some(node) = fields.get("build_type") {
        build_type(reader, node);
    }
    let mut read = BuildFlags::default();
    let Some(flags) = reader.section(fields, "build_flags", FIELDS) else { return read };
    if let Some(node) = flags.get("hardening") {
        let all = [Hardening::None, Hardening::Standard, Hardening::Maximum];
        let name = reader.one_of(node, "build_flags.hardening", &all.map(Hardening::name), &[]);
        read.hardening = all.into_iter().find(|profile| Some(profile.name()) == name).unwrap_or_default();
    }
    if let Some(node) = flags.get("fips") {
        read.fips = reader.boolean(node, "build_flags.fips").map(|fips| Spanned::new(fips, node.span));
    }
    if let Some(node) = flags.get("strip_binaries") {
        read.strip = reader.boolean(node, "build_flags.strip_binaries").unwrap_or(read.strip);
    }
    if let Some(node) = flags.get("optimization") {
        read.optimization = reader.one_of(node, "build_flags.optimization", OPTIMIZATIONS, &[]).map(str::to_owned);
        if read.optimization.as_deref() == Some("O0") && read.hardening == Hardening::Maximum {
            let message = "`build_flags.optimization: O0` leaves out the checks that `hardening: maximum` asks for";
            let finding = Finding::error(codes::CONFLICTING_FIELDS, message).at(node.span);
            reader.add(
                finding.because("the C library's checked functions take effect from O1 on").help("write `O1` or more"),
            );
        }
    }
    if let Some(node) = flags.get("no_binary") {
        read.no_binary = no_binary(reader, node);
    }
    if let Some(node) = flags.get("reproducible")
        && reader.boolean(node, "build_flags.reproducible") == Some(false)
    {
        let message = "`build_flags.reproducible: false` is not accepted: every build is reproducible";
        reader.bad_value(node.span, message, "remove it");
    }
    if let (Some(base), Some(first)) = (base, read.no_binary.first())
        && base.language.is_none()
    {
        let finding = Finding::error(
            codes::CONFLICTING_FIELDS,
            "`build_flags.no_binary` names packages of a language, and there is none",
        );
        reader.add(finding.at(first.span).help("remove it, or name a language"));
    }
    if let (Some(base), Some(fips)) = (base, read.fips.as_ref().filter(|fips| fips.value)) {
        check_fips(reader, base, fips);
    }
    read
}

/// Names of packages, as the index compares them; pip calls what is meant the same.
fn no_binary(reader: &mut Reader, node: &Node) -> Vec<Spanned<String>> {
    let mut names: Vec<Spanned<String>> = Vec::new();
    for item in reader.list(node, "build_flags.no_binary") {
        let Some(text) = reader.line(item, "build_flags.no_binary[]") else { continue };
        let is_name = text.value.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if !is_name {
            let message = format!("{} is no name of a package", grammar::quote(&text.value));
            reader.bad_value(text.span, message, "write the name alone; versions go under `packages`");
            continue;
        }
        let name = Spanned::new(inspect::pypi::normalize(&text.value), text.span);
        match names.iter().find(|other| other.value == name.value) {
            Some(first) => reader.duplicate(&format!("the package `{}`", name.value), name.span, first.span),
            None => names.push(name),
        }
    }
    names
}

/// What the distribution builds answers also past the provider: its Python has hash functions of its own.
fn check_fips(reader: &mut Reader, base: &Base, fips: &Spanned<bool>) {
    let message = match &base.build {
        _ if base.language.is_none() => {
            reader.not_supported(fips.span, "`build_flags.fips: true` without a language");
            return;
        }
        Some(build) if build.value == Build::Prebuilt => {
            "`build_flags.fips: true` needs a language that is compiled here"
        }
        _ => return,
    };
    let finding = Finding::error(codes::CONFLICTING_FIELDS, message).at(fips.span);
    let finding = base.build.iter().fold(finding, |finding, build| finding.label(build.span, "prebuilt"));
    reader.add(
        finding
            .because("the prebuilt Python has hash functions of its own, which no FIPS provider keeps from answering")
            .help("remove `base.build: prebuilt`"),
    );
}

fn build_type(reader: &mut Reader, node: &Node) {
    let Some(text) = reader.text(node, "build_type") else { return };
    if text.value != "hermetic" {
        let message = format!("{} is no build type: `hermetic` is the only one there is", grammar::quote(&text.value));
        reader.bad_value(text.span, message, "write `hermetic`, or leave the field out");
    }
}
