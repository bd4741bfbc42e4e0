use std::path::Path;

use audit::Action;
use data_encoding::BASE64;
use files::input;
use model::{Finding, codes};
use serde_json::{Value, json};
use signing::{KeyReference, Signer};
use verifier::Bundle;

use crate::args::{Attesting, KeyCommand, Machine, Signing};
use crate::legacy;
use crate::report::{self, Failure};
use crate::schemas;
use crate::signed::{self, SIGNATURE, Sealed, Subject};
use crate::trail::{self, Trail};
use crate::{password, project};

/// Bytes of a predicate or bundle.
const LARGEST: u64 = 64 << 20;

/// Types of predicates that have names.
const TYPES: [(&str, &str); 9] = [
    ("slsa", "https://slsa.dev/provenance/v1"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("spdx", "https://spdx.dev/Document"),
    ("openvex", "https://openvex.dev/ns"),
    ("test-report", "https://in-toto.io/attestation/test-result/v0.1"),
    ("vulnerability", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("licence", "urn:clnstrt:licences:v1"),
    ("sources", "urn:clnstrt:sources:v1"),
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
];

/// `key generate`.
pub(super) fn key(command: &KeyCommand) -> Result<(), Failure> {
    let KeyCommand::Generate { output } = command;
    let (private, public) = signing::generate(output, &password::new()?)?;
    Ok(report::line(format_args!("{}\n{}", private.display(), public.display()))?)
}

/// `sign`: says nothing of an image but that the key's owner signed it.
pub(super) fn sign(machine: &Machine, image: &str, signing: &Signing, plain: Option<&Path>) -> Result<(), Failure> {
    let trail = Trail::open(machine)?;
    let subject = named(machine, image, signing)?;
    let signers = signers(&signing.keys)?;
    if let Some(prefix) = plain {
        let [signer] = signers.as_slice() else {
            let finding = Finding::error(codes::USAGE, "one file holds one signature, and there are several keys");
            return Err(finding.help("sign with one key after another").into());
        };
        write_plain(prefix, &subject, signer.as_ref())?;
    }
    // A plain signature may be all that is asked for.
    if plain.is_none() || subject.keeps() || signing.output_bundle.is_some() {
        deliver(&subject, &signers, signing, &[(SIGNATURE, json!({}))])?;
    }
    trail.add(Action::Sign, image, subject.digest, &[trail::keys(&signers)])?;
    if signing.legacy {
        legacy::sign(&subject, &signers)?;
    }
    Ok(())
}

/// `attest`: says something of an image.
pub(super) fn attest(machine: &Machine, image: &str, attesting: &Attesting) -> Result<(), Failure> {
    let Attesting { kinds, predicates, schema, signing } = attesting;
    let usage = |message: &str, help: &str| Finding::error(codes::USAGE, message).help(help);
    if kinds.len() != predicates.len() {
        return Err(usage("each predicate has one type", "write `--type TYPE --predicate FILE` for each").into());
    }
    if predicates.len() > 1 && (schema.is_some() || signing.output_bundle.is_some()) {
        return Err(usage("there are several predicates", "a schema and a bundle are of one: attest one by one").into());
    }
    let uris = kinds.iter().map(|kind| uri(kind)).collect::<Result<Vec<_>, _>>()?;
    let trail = Trail::open(machine)?;
    let subject = named(machine, image, signing)?;
    let mut statements = Vec::new();
    for (uri, file) in uris.iter().zip(predicates) {
        let bytes = read(file)?;
        let named = |finding: Finding| finding.because(format!("the predicate is {}", file.display()));
        let predicate = signed::predicate(&bytes, uri, &subject.digest).map_err(named)?;
        if let Some(schema) = schema {
            schemas::check(&read(schema)?, &predicate).map_err(named)?;
        }
        statements.push((*uri, predicate));
    }
    let signers = signers(&signing.keys)?;
    let bundles = deliver(&subject, &signers, signing, &statements)?;
    trail.add(Action::Attest, image, subject.digest, &[trail::keys(&signers), ("predicate", uris.join(" "))])?;
    if signing.legacy {
        legacy::attest(&subject, &bundles)?;
    }
    Ok(())
}

/// The URI of a type of predicates.
fn uri(kind: &str) -> Result<&str, Finding> {
    let uri = TYPES.iter().find(|(name, _)| *name == kind).map(|(_, uri)| *uri);
    uri.or(Some(kind).filter(|kind| is_uri(kind))).ok_or_else(|| {
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        let message = format!("there is no type of predicate `{}`", kind.escape_debug());
        Finding::error(codes::USAGE, message).help(format!("write one of {}, or a URI", names.join(", ")))
    })
}

/// `attach`: puts signatures that were made elsewhere beside the image they are of.
pub(super) fn attach(machine: &Machine, image: &str, files: &[std::path::PathBuf]) -> Result<(), Failure> {
    let trail = Trail::open(machine)?;
    let subject = Subject::named(machine, image)?;
    let mut bundles = Vec::new();
    for file in files {
        let bytes = read(file)?;
        let named = |finding: Finding| finding.because(format!("the bundle is {}", file.display()));
        let bundle = Bundle::parse(&bytes).map_err(|why| {
            let finding = Finding::error(codes::BUNDLE_UNREADABLE, why.to_string());
            named(finding).help("`sign --output-bundle` and cosign's `--bundle` write such files")
        })?;
        let statement = signed::statement(&bundle).map_err(named)?;
        if !signed::is_about(&statement, &subject.digest) {
            let message = format!("{} is not about {}", file.display(), subject.digest);
            return Err(Finding::error(codes::BUNDLE_ELSEWHERE, message).help("name the image it is about").into());
        }
        bundles.push(Sealed { kind: statement.predicate_type, bundle, bytes });
    }
    subject.attach(&bundles)?;
    trail.add(Action::Attach, image, subject.digest, &[("bundles", bundles.len().to_string())])?;
    Ok(report::line(format_args!("attached {} to {}", bundles.len(), subject.digest))?)
}

/// Opens keys.
pub(crate) fn signers(keys: &[String]) -> Result<Vec<Box<dyn Signer>>, Finding> {
    keys.iter().map(|key| signing::open(&key.parse::<KeyReference>()?, &password::of)).collect()
}

/// What is signed; there is a place for all that is asked for.
fn named(machine: &Machine, image: &str, signing: &Signing) -> Result<Subject, Finding> {
    let subject = Subject::named(machine, image)?;
    if signing.legacy {
        subject.repository()?;
    }
    if signing.output_bundle.is_some() && signing.keys.len() > 1 {
        let finding = Finding::error(codes::USAGE, "one file holds one bundle, and there are several keys");
        return Err(finding.help("sign with one key after another"));
    }
    Ok(subject)
}

/// Signs statements with every key; bundles go beside the image, or into a file.
fn deliver(
    subject: &Subject,
    signers: &[Box<dyn Signer>],
    signing: &Signing,
    statements: &[(&str, Value)],
) -> Result<Vec<Sealed>, Failure> {
    let mut bundles = Vec::new();
    for (kind, predicate) in statements {
        for signer in signers {
            bundles.push(signed::sign(signer.as_ref(), &subject.digest, kind, predicate.clone())?);
        }
    }
    if let Some(file) = &signing.output_bundle {
        let all: Vec<u8> = bundles.iter().flat_map(|sealed| sealed.bytes.clone()).collect();
        project::write_whole(file, &all)?;
    }
    if subject.keeps() || signing.output_bundle.is_none() {
        subject.attach(&bundles)?;
    }
    for (kind, _) in statements {
        report::line(format_args!("signed   {}  {kind}", subject.digest))?;
    }
    Ok(bundles)
}

/// The digest as text, and a signature over it that `openssl dgst -verify` accepts once it is decoded.
fn write_plain(prefix: &Path, subject: &Subject, signer: &dyn Signer) -> Result<(), Finding> {
    let named = |ending: &str| {
        let mut name = prefix.as_os_str().to_owned();
        name.push(ending);
        std::path::PathBuf::from(name)
    };
    let digest = subject.digest.to_string();
    let signature = signer.sign(digest.as_bytes())?;
    project::write_whole(&named(".digest"), digest.as_bytes())?;
    project::write_whole(&named(".sig"), format!("{}\n", BASE64.encode(&signature)).as_bytes())
}

/// Whether a text can be the name of a type: no space or control character is part of a URI (RFC 3986).
fn is_uri(text: &str) -> bool {
    text.contains(':') && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn read(path: &Path) -> Result<Vec<u8>, Finding> {
    input::read(path, LARGEST).map_err(|e| project::unreadable(path, &e))
}
