//! Whether the image was made as is expected (SLSA provenance v1).

use inspect::statement;
use jiff::Timestamp;
use model::statement::{PROVENANCE, Provenance, Statement};
use model::{Digest, codes};
use serde_json::{Value, json};

use super::{Context, passed, skipped};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// The way in which this project makes images; what its parameters mean is in docs/src/reference/provenance.md.
const OWN_TYPE: &str = "urn:clnstrt:build:v1";
/// What its builders are called, with the executor's name behind it.
const OWN_BUILDER: &str = "urn:clnstrt:builder:";
/// The executors there are. Whoever calls themselves otherwise is somebody else.
const EXECUTORS: [&str; 3] = ["local", "remote", "emulated"];
/// What its plans are as files.
const PLAN: &str = "application/vnd.clnstrt.plan+json";
/// The external parameters that it has.
const OWN_PARAMETERS: [&str; 3] = ["config", "parameters", "architectures"];
const OWN_CONFIG: [&str; 4] = ["path", "digest", "repository", "commit"];

/// How an image was made, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) builder: String,
    pub(crate) build_type: String,
    /// Unknown of ways that are not known here.
    pub(crate) hermetic: Option<bool>,
    pub(crate) emulated: Option<bool>,
    pub(crate) repository: Option<String>,
    pub(crate) commit: Option<String>,
    /// The plan it was made by, where that is known.
    pub(crate) plan: Option<Digest>,
    /// When it was done.
    pub(crate) finished: Option<Timestamp>,
}

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let (name, code) = ("provenance", codes::PROVENANCE_REFUSED);
    if !context.expected.provenance {
        return skipped(name, "how it was made is not asked");
    }
    let scope = context.scope(part);
    let mut wrong = None;
    for said in context.statements.of(&[PROVENANCE], &scope) {
        match judged(context, said) {
            Ok(origin) => return passed(name, said, format!("made by {}, says {}", origin.builder, said.by)),
            Err(why) => wrong = wrong.or(Some((said, why))),
        }
    }
    match wrong {
        Some((said, why)) => Check::new(name, code, Outcome::Failed, why).on([said.place.clone()]),
        None => context.nothing(name, codes::STATEMENT_MISSING, "provenance", &[PROVENANCE]),
    }
}

/// How a part was made, by the first provenance that is one.
pub(crate) fn origin(context: &Context<'_>, part: &Part) -> Option<Origin> {
    let scope = context.scope(part);
    let mut all = context.statements.of(&[PROVENANCE], &scope);
    all.find_map(|said| judged(context, said).ok())
}

fn judged(context: &Context<'_>, said: &Said) -> Result<Origin, String> {
    let document = json!(Statement::new(Vec::new(), PROVENANCE, said.predicate()));
    // That it is about something was seen before.
    let violations = statement::check(&document).into_iter().find(|violation| violation.at.starts_with("/predicate"));
    if let Some(violation) = violations {
        return Err(format!("it is no provenance: {} {}", violation.at, violation.message));
    }
    let provenance: Provenance =
        serde_json::from_value(said.predicate().clone()).map_err(|e| format!("it is no provenance: {e}"))?;
    let origin = read(&provenance);
    let made = &context.expected.made;
    if let Some(finished) = origin.finished.filter(|finished| finished.as_second() - context.now > super::SKEW) {
        return Err(format!("it was made in the future: {finished}"));
    }
    if !made.builders.is_empty() && !made.builders.contains(&origin.builder) {
        return Err(format!("it was made by {}, and not by {}", origin.builder, made.builders.join(" or ")));
    }
    let claimed = origin.builder.strip_prefix(OWN_BUILDER).filter(|name| !EXECUTORS.contains(name));
    if made.builders.is_empty() && claimed.is_some() {
        return Err(format!("it was made by {}, and not by a builder that is known", origin.builder));
    }
    let types = &made.build_types;
    if !(types.contains(&origin.build_type) || types.is_empty() && origin.build_type == OWN_TYPE) {
        let wanted = if types.is_empty() { OWN_TYPE.to_owned() } else { types.join(" or ") };
        return Err(format!("it was made in the way {}, and not {wanted}", origin.build_type));
    }
    parameters(&provenance, made)?;
    if let Some(wanted) = &made.source {
        let plain = |address: &str| {
            address.trim_start_matches("git+").trim_end_matches('/').trim_end_matches(".git").to_owned()
        };
        match &origin.repository {
            Some(repository) if plain(repository) == plain(wanted) => {}
            Some(repository) => return Err(format!("it was made from {repository}, and not from {wanted}")),
            None => return Err(format!("it does not say that it was made from {wanted}")),
        }
    }
    if made.hermetic && origin.hermetic != Some(true) {
        return Err("it is not known to be made without a network".to_owned());
    }
    if !made.emulated && origin.emulated == Some(true) {
        return Err("it was made on an emulated processor".to_owned());
    }
    Ok(origin)
}

/// Every external parameter is known, and is what is expected (SLSA 1.2, "Verifying artifacts", step 2).
fn parameters(provenance: &Provenance, made: &crate::expectations::Made) -> Result<(), String> {
    let definition = &provenance.build_definition;
    let is_own = definition.build_type == OWN_TYPE;
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, value) in &definition.external_parameters {
        match made.parameters.get(name) {
            Some(wanted) if *wanted == written(value) => {}
            Some(wanted) => return Err(format!("its parameter {name} is {}, and not {wanted}", written(value))),
            None if is_own && OWN_PARAMETERS.contains(&name.as_str()) => {}
            None => return Err(format!("nobody expects its parameter {name}")),
        }
    }
    if is_own {
        config(definition.external_parameters.get("config"))?;
    }
    match made.parameters.keys().find(|name| !definition.external_parameters.contains_key(*name)) {
        Some(name) => Err(format!("it has no parameter {name}")),
        None => Ok(()),
    }
}

/// What the own way of building says of the configuration.
fn config(value: Option<&Value>) -> Result<(), String> {
    let Some(config) = value.and_then(Value::as_object) else {
        return Err("its parameter config is no object".to_owned());
    };
    if let Some(name) = config.keys().find(|name| !OWN_CONFIG.contains(&name.as_str())) {
        return Err(format!("nobody expects its parameter config.{name}"));
    }
    let is_text = |name: &str| config.get(name).is_none_or(Value::is_string);
    match ["repository", "commit"].into_iter().find(|name| !is_text(name)) {
        Some(name) => Err(format!("its parameter config.{name} is no text")),
        None => Ok(()),
    }
}

fn read(provenance: &Provenance) -> Origin {
    let (definition, run) = (&provenance.build_definition, &provenance.run_details);
    let is_own = definition.build_type == OWN_TYPE;
    let executor = run.builder.id.strip_prefix(OWN_BUILDER).filter(|name| is_own && EXECUTORS.contains(name));
    let config = |name: &str| {
        let config = definition.external_parameters.get("config").filter(|_| is_own);
        config.and_then(|config| Some(config.get(name)?.as_str()?.to_owned()))
    };
    // Others say it in what was read.
    let source = definition.resolved_dependencies.iter().find(|resource| resource.digest.contains_key("gitCommit"));
    let uri = source.and_then(|source| source.uri.as_deref()).map(address);
    let commit = source.and_then(|source| source.digest.get("gitCommit").cloned());
    let plan = run.byproducts.iter().find(|one| is_own && one.media_type.as_deref() == Some(PLAN));
    let plan = plan.and_then(|plan| Digest::from_hex(plan.digest.get("sha256")?).ok());
    let finished = run.metadata.as_ref().and_then(|times| times.finished_on.parse().ok());
    Origin {
        builder: run.builder.id.clone(),
        build_type: definition.build_type.clone(),
        hermetic: executor.map(|_| true),
        emulated: executor.map(|name| name == "emulated"),
        repository: config("repository").or(uri.filter(|_| !is_own)),
        commit: config("commit").or(commit.filter(|_| !is_own)),
        plan,
        finished,
    }
}

/// The address of a repository, without the reference of git that may be behind it: what has a slash, and is none, is more of the address.
fn address(uri: &str) -> String {
    match uri.rsplit_once('@') {
        Some((address, reference)) if reference.starts_with("refs/") || !reference.contains('/') => address.to_owned(),
        _ => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_of_git_is_no_part_of_an_address_and_a_name_is() {
        for (uri, wanted) in [
            ("git+https://git.example/team/app@refs/tags/v1", "git+https://git.example/team/app"),
            ("git+https://git.example/team/app@v1", "git+https://git.example/team/app"),
            ("https://git.example/team/app", "https://git.example/team/app"),
            ("ssh://git@git.example/team/app", "ssh://git@git.example/team/app"),
            ("https://trusted.example@evil.example/app", "https://trusted.example@evil.example/app"),
        ] {
            assert_eq!(address(uri), wanted);
        }
    }
}
