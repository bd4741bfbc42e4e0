use std::path::Path;

use audit::Action;
use data_encoding::BASE64;
use model::{Finding, codes};
use runtime::input;
use serde_json::{Value, json};
use signing::{KeyReference, Signer};
use verifier::Bundle;

use crate::args::{Attesting, KeyCommand, Machine, Signing};
use crate::legacy;
use crate::report::{self, Failure};
use crate::schemas;
use crate::signed::{self, SIGNATURE, Subject};
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
        deliver(&subject, &signers, signing, SIGNATURE, &json!({}))?;
    }
    trail.add(Action::Sign, image, subject.digest, &[trail::keys(&signers)])?;
    if signing.legacy {
        legacy::sign(&subject, &signers)?;
    }
    Ok(())
}

/// `attest`: says something of an image.
pub(super) fn attest(machine: &Machine, image: &str, attesting: &Attesting) -> Result<(), Failure> {
    let Attesting { kind, predicate, schema, signing } = attesting;
    let uri = TYPES.iter().find(|(name, _)| name == kind).map(|(_, uri)| *uri);
    let uri = match uri.or(Some(kind.as_str()).filter(|kind| is_uri(kind))) {
        Some(uri) => uri,
        None => {
            let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            let message = format!("there is no type of predicate `{}`", kind.escape_debug());
            let help = format!("write one of {}, or a URI", names.join(", "));
            return Err(Finding::error(codes::USAGE, message).help(help).into());
        }
    };
    let trail = Trail::open(machine)?;
    let subject = named(machine, image, signing)?;
    let bytes = read(predicate)?;
    let named = |finding: Finding| finding.because(format!("the predicate is {}", predicate.display()));
    let predicate = signed::predicate(&bytes, uri, &subject.digest).map_err(named)?;
    if let Some(schema) = schema {
        schemas::check(&read(schema)?, &predicate).map_err(named)?;
    }
    let signers = signers(&signing.keys)?;
    let bundles = deliver(&subject, &signers, signing, uri, &predicate)?;
    let how = [trail::keys(&signers), ("predicate", uri.to_owned())];
    trail.add(Action::Attest, image, subject.digest, &how)?;
    if signing.legacy {
        legacy::attest(&subject, &bundles, uri)?;
    }
    Ok(())
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
        bundles.push((bundle, bytes));
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

/// Signs with every key; bundles go beside the image, or into a file.
fn deliver(
    subject: &Subject,
    signers: &[Box<dyn Signer>],
    signing: &Signing,
    kind: &str,
    predicate: &Value,
) -> Result<Vec<(Bundle, Vec<u8>)>, Failure> {
    let signed = signers.iter().map(|signer| signed::sign(signer.as_ref(), &subject.digest, kind, predicate.clone()));
    let bundles = signed.collect::<Result<Vec<_>, _>>()?;
    if let Some(file) = &signing.output_bundle {
        let all: Vec<u8> = bundles.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        project::write_whole(file, &all)?;
    }
    if subject.keeps() || signing.output_bundle.is_none() {
        subject.attach(&bundles)?;
    }
    report::line(format_args!("signed   {}  {kind}", subject.digest))?;
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
