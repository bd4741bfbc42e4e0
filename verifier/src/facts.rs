//! What policies of stage `deploy` are asked about: what whoever built the image signed of it, and over that what was seen here.

use model::codes;
use policy::Outcome as Asked;
use serde_json::{Map, Value, json};

use crate::checks::{self, Context};
use crate::evidence::{Need, Part};
use crate::manifest::Config;
use crate::said::{SIGNATURE, Said};
use crate::trust::Signer;
use crate::verdict::{Check, Outcome};

/// What the predicate is called that has the facts of a build.
pub const FACTS: &str = "urn:clnstrt:facts:v1";
/// What only the verifier says, whatever was signed.
const OWN: [&str; 9] =
    ["version", "stage", "now", "signatures", "attestations", "provenance", "vulnerabilities", "scan", "request"];

/// The facts that whoever built the image signed.
pub(crate) fn signed<'c>(context: &'c Context<'_>) -> Option<&'c Said> {
    let about = context.evidence.digest;
    context.statements.said.iter().find(|said| said.kind == FACTS && said.about.contains(&about))
}

/// The document. What is not known is not in it, and rules that read it refuse.
pub(crate) fn document(context: &Context<'_>) -> Value {
    let mut facts = signed(context).and_then(|said| said.predicate().as_object().cloned()).unwrap_or_default();
    facts.retain(|name, _| !OWN.contains(&name.as_str()));
    let now = jiff::Timestamp::from_second(context.now).unwrap_or_default();
    facts.extend(object(
        json!({ "version": 1, "stage": "deploy", "now": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() }),
    ));
    let image = facts.entry("image").or_insert_with(|| json!({}));
    if let Some(image) = image.as_object_mut() {
        seen(context, image);
    }
    facts.extend(object(json!({
        "signatures": context.statements.of(&[SIGNATURE], &[context.evidence.digest]).map(signature).collect::<Vec<_>>(),
        "attestations": context.statements.said.iter().filter(|said| said.kind != SIGNATURE).map(attestation).collect::<Vec<_>>(),
    })));
    let images: Vec<&Part> = context.images().collect();
    facts.extend(provenance(context, &images).map(|value| ("provenance".to_owned(), value)));
    if let Some((scan, found)) = vulnerabilities(context, &images) {
        facts.insert("scan".to_owned(), scan);
        facts.insert("vulnerabilities".to_owned(), found);
    }
    facts.remove("gates");
    facts.extend(gates(context, &images).map(|value| ("gates".to_owned(), value)));
    Value::Object(facts)
}

/// What policies say, as checks: one for what refuses, or one that says that nothing does.
pub fn judged(asked: &Asked) -> Vec<Check> {
    let refused: Vec<Check> = asked
        .findings
        .iter()
        .filter(|finding| finding.severity == model::Severity::Error)
        .map(|finding| {
            let check = Check::new("policy", finding.code, Outcome::Failed, finding.message.clone());
            Check { help: finding.help.clone(), ..check }
        })
        .collect();
    if refused.is_empty() {
        let rules = asked.decisions.len();
        let reason = format!("{rules} rules hold, {} with exceptions", asked.excepted.len());
        return vec![Check::new("policy", codes::POLICY_REFUSES, Outcome::Passed, reason)];
    }
    refused
}

/// What the image itself says, which was hashed.
fn seen(context: &Context<'_>, image: &mut Map<String, Value>) {
    let reference = &context.evidence.reference;
    let tag = reference.split('@').next().and_then(|name| name.rsplit('/').next()?.split_once(':'));
    let layers = context.images().flat_map(|part| &part.manifest.layers);
    image.extend(object(json!({
        "reference": reference,
        "tags": tag.map(|(_, tag)| vec![tag]).unwrap_or_default(),
        "digest": context.evidence.digest,
        "size": layers.map(|layer| layer.size).fold(0, u64::saturating_add),
    })));
    let configs: Vec<Config> = context.images().filter_map(|part| config(context, part)).collect();
    let architectures: Vec<&str> = configs.iter().map(|config| config.architecture.as_str()).collect();
    image.insert("architectures".to_owned(), json!(architectures));
    // What is not the same for all of them is not known of the image.
    let same = |name: &str| {
        let mut all = configs.iter().map(|config| config.field(name));
        let first = all.next()?;
        all.all(|other| other == first).then(|| first.cloned().unwrap_or_default())
    };
    let mut put = |name: &str, value: Option<Value>| {
        image.remove(name);
        image.extend(value.map(|value| (name.to_owned(), value)));
    };
    let list = |value: Value| if value.is_null() { json!([]) } else { value };
    put("entrypoint", same("Entrypoint").map(list));
    put("command", same("Cmd").map(list));
    put("workdir", same("WorkingDir").filter(Value::is_string));
    put("labels", same("Labels").map(|labels| if labels.is_null() { json!({}) } else { labels }));
    put("env", same("Env").map(|env| environment(&env)));
    put("ports", same("ExposedPorts").map(|ports| tcp(&ports)));
    // A name says nothing of the number; nothing at all is root.
    put(
        "user",
        same("User").and_then(|user| match user.as_str().unwrap_or_default().split(':').next() {
            None | Some("" | "root") => Some(json!(0)),
            Some(text) => text.parse::<u64>().ok().map(|number| json!(number)),
        }),
    );
    let contents: Vec<_> = context.images().filter_map(|part| context.evidence.contents.get(&part.digest)).collect();
    if !contents.is_empty() && contents.len() == configs.len() {
        let mut setuid: Vec<&str> = contents.iter().flat_map(|one| &one.setuid).map(String::as_str).collect();
        setuid.sort_unstable();
        setuid.dedup();
        image.insert("setuid_files".to_owned(), json!(setuid));
        image.insert("shell".to_owned(), json!(contents.iter().any(|one| one.has_shell)));
    }
}

fn config(context: &Context<'_>, part: &Part) -> Option<Config> {
    let config = part.manifest.config.as_ref()?;
    Config::parse(context.evidence.bytes(&Need::Blob(config.digest, config.size)).ok()?).ok()
}

fn environment(env: &Value) -> Value {
    let each = env.as_array().into_iter().flatten().filter_map(|one| one.as_str()?.split_once('='));
    Value::Object(each.map(|(name, value)| (name.to_owned(), json!(value))).collect())
}

fn tcp(ports: &Value) -> Value {
    let names = ports.as_object().into_iter().flat_map(Map::keys);
    let numbers = names.filter_map(|name| match name.split_once('/') {
        None | Some((_, "tcp")) => name.split('/').next()?.parse::<u16>().ok(),
        Some(_) => None,
    });
    json!(numbers.collect::<Vec<_>>())
}

fn signature(said: &Said) -> Value {
    let mut fact = object(json!({ "verified": true }));
    fact.extend(signer(&said.by));
    Value::Object(fact)
}

fn attestation(said: &Said) -> Value {
    let is = |part: &str| said.kind.contains(part);
    let kind = match () {
        () if is("slsa.dev/provenance") => "slsa-provenance",
        () if is("cyclonedx.org/bom") || is("spdx.dev/Document") => "sbom",
        () if is("openvex.dev/ns") => "vex",
        () if is("attestation/vuln") => "vulnerabilities",
        () if is("attestation/test-result") => "test-report",
        () if is("urn:clnstrt:licences") => "licences",
        () => "custom",
    };
    let mut fact = object(json!({ "type": kind, "predicate_type": said.kind, "verified": true }));
    fact.extend(signer(&said.by));
    Value::Object(fact)
}

fn signer(by: &Signer) -> Map<String, Value> {
    object(match by {
        Signer::Key { fingerprint, .. } => json!({ "key": fingerprint }),
        Signer::Identity { subject, issuer } => json!({ "subject": subject, "issuer": issuer }),
    })
}

/// How all of them were made; unknown where that differs, or one has no provenance that counts.
fn provenance(context: &Context<'_>, images: &[&Part]) -> Option<Value> {
    let mut all = images.iter().map(|part| checks::origin(context, part));
    let first = all.next()??;
    if !all
        .all(|other| other.is_some_and(|other| other.builder == first.builder && other.build_type == first.build_type))
    {
        return None;
    }
    let mut fact = object(json!({ "builder": first.builder, "build_type": first.build_type }));
    let mut put = |name: &str, value: Option<Value>| fact.extend(value.map(|value| (name.to_owned(), value)));
    // That whoever made it says how; whether its builder keeps them from lying is not seen here (SLSA 1.2, build track).
    put("level", Some(json!(1)));
    put("hermetic", first.hermetic.map(Value::Bool));
    put("emulated", first.emulated.map(Value::Bool));
    put("repository", first.repository.map(Value::String));
    put("commit", first.commit.map(Value::String));
    Some(Value::Object(fact))
}

fn vulnerabilities(context: &Context<'_>, images: &[&Part]) -> Option<(Value, Value)> {
    let scans = images.iter().map(|part| checks::scan(context, part)).collect::<Option<Vec<_>>>()?;
    let first = scans.first()?;
    let scan = json!({ "scanner": first.scanner, "database": first.database });
    let found = scans.iter().flat_map(|scan| &scan.found).map(|one| {
        let status = match one.word.as_ref().map(|word| word.status.as_str()) {
            Some("not_affected") => "not-affected",
            Some("under_investigation") => "under-investigation",
            Some(status @ ("affected" | "fixed")) => status,
            _ => "unstated",
        };
        let mut fact = object(json!({
            "id": one.id, "aliases": [], "package": one.package, "severity": one.severity, "status": status,
        }));
        fact.extend(one.score.map(|score| ("score".to_owned(), json!(score))));
        fact.extend(one.fixed.as_ref().map(|fixed| ("fixed".to_owned(), json!(fixed))));
        let justification = one.word.as_ref().and_then(|word| word.justification.as_ref());
        fact.extend(justification.map(|why| ("justification".to_owned(), json!(why))));
        Value::Object(fact)
    });
    Some((scan, found.collect()))
}

fn gates(context: &Context<'_>, images: &[&Part]) -> Option<Value> {
    let report = checks::report(context, images.first()?)?;
    let (_, passed, failed) = checks::gates(report);
    let run = passed.len() + failed.len();
    let total = report.predicate().get("gatesTotal").and_then(Value::as_u64).unwrap_or(run as u64);
    Some(json!({ "total": total, "run": run, "passed": passed, "failed": failed }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
