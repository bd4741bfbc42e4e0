//! Statements about images: signed, and put beside the image they are about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::statement::{Resource, STATEMENT, Statement};
use model::{Digest, Finding, Reference, codes};
use registry::{Beside, Client, Descriptor, Layer, Layout, Referrers, Repository, Sender, Source, Top};
use serde_json::{Map, Value};
use signing::Signer;
use tokio::runtime::Runtime;
use verifier::{BUNDLE, Bundle, Envelope, IN_TOTO, pae};

use crate::args::Machine;
use crate::layout::add_referrers;
use crate::located::{options, refuse_offline, waiting};

/// What a signature of an image alone is: a statement that says nothing more (cosign 3).
pub(crate) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// What lists say of a bundle besides its type, as cosign writes it.
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// A statement that is signed.
pub(crate) struct Sealed {
    /// The type of its predicate.
    pub(crate) kind: String,
    pub(crate) bundle: Bundle,
    /// The bundle, as it is kept.
    pub(crate) bytes: Vec<u8>,
}

/// An image that statements are about, and where they are kept.
pub(crate) struct Subject {
    pub(crate) digest: Digest,
    place: Place,
}

enum Place {
    /// In a registry.
    Registry { reference: Reference, client: Box<Client>, waiting: Runtime, descriptor: Descriptor },
    /// In a layout.
    Folder(PathBuf, Descriptor),
    /// Nowhere: statements are written to files.
    Nowhere,
}

impl Subject {
    /// What a name stands for: a digest by itself, an archive, a layout, or an image of a registry.
    pub(crate) fn named(machine: &Machine, name: &str) -> Result<Self, Finding> {
        if let Ok(digest) = name.parse::<Digest>() {
            return Ok(Self { digest, place: Place::Nowhere });
        }
        let folder = name.strip_prefix("oci:").map(Path::new);
        let path = folder.unwrap_or(Path::new(name));
        if folder.is_some() || path.exists() {
            let layout = Layout::whole(path)?;
            let [only] = layout.images.as_slice() else {
                let message = format!("{name} holds {} images", layout.images.len());
                return Err(Finding::error(codes::USAGE, message).help("name a layout with one image"));
            };
            let digest = only.digest;
            let place = match path.is_dir() {
                true => Place::Folder(path.to_owned(), only.descriptor.clone()),
                false => Place::Nowhere,
            };
            return Ok(Self { digest, place });
        }
        refuse_offline(machine, name)?;
        let reference = registry_reference(name)?;
        let client = Box::new(Client::new(options(machine)));
        let waiting = waiting()?;
        let descriptor = waiting.block_on(Top::named(&client, &reference))?.descriptor();
        Ok(Self { digest: descriptor.digest, place: Place::Registry { reference, client, waiting, descriptor } })
    }

    /// Whether statements can be kept beside it.
    pub(crate) fn keeps(&self) -> bool {
        !matches!(self.place, Place::Nowhere)
    }

    /// The repository it is in.
    pub(crate) fn repository(&self) -> Result<Reference, Finding> {
        match &self.place {
            Place::Registry { reference, .. } => Ok(Reference { tag: None, digest: None, ..reference.clone() }),
            _ => Err(Finding::error(codes::USAGE, "there are tags beside images of registries only")
                .help("leave `--legacy` out, or push the image and sign it there")),
        }
    }

    /// Adds to what lies under a tag beside the image.
    pub(crate) fn add_beside(&self, beside: Beside, layers: &[Layer]) -> Result<(), Finding> {
        match &self.place {
            Place::Registry { reference, client, waiting, .. } => {
                let to = client.repository(reference)?;
                waiting.block_on(to.add_beside(&self.digest, beside, layers))
            }
            _ => self.repository().map(drop),
        }
    }

    /// Puts bundles beside the image.
    pub(crate) fn attach(&self, statements: &[Sealed]) -> Result<(), Finding> {
        let (Place::Registry { descriptor, .. } | Place::Folder(_, descriptor)) = &self.place else {
            let message = "there is no place beside the image where signatures could be kept";
            return Err(Finding::error(codes::USAGE, message)
                .help("write them to a file with `--output-bundle`, and put them beside the image with `attach`"));
        };
        let mut referrers = Referrers::default();
        for sealed in statements {
            add(&mut referrers, descriptor, &sealed.kind, sealed.bytes.clone());
        }
        match &self.place {
            Place::Registry { reference, client, waiting, .. } => {
                let to: Repository<'_> = client.repository(reference)?;
                let sender = Sender::new(Source::Here(&referrers));
                waiting.block_on(sender.refer(&to, &self.digest))
            }
            Place::Folder(folder, _) => add_referrers(folder, &referrers),
            Place::Nowhere => Ok(()),
        }
    }
}

fn registry_reference(name: &str) -> Result<Reference, Finding> {
    let wrong = |why: String| {
        Finding::error(codes::REFERENCE_INVALID, format!("`{}` {why}", name.escape_debug()))
            .help("name an image of a registry, `registry.example/team/app:1.2`, a layout, an archive, or a digest")
    };
    let reference: Reference = name.parse().map_err(|part| wrong(format!("names no image: {part} is wrong")))?;
    if reference.registry.is_none() {
        Err(wrong("is nothing here, and names no registry".into()))
    } else {
        Ok(reference)
    }
}

/// Signs a statement of some type about an image.
pub(crate) fn sign(
    signer: &dyn Signer,
    subject: &Digest,
    predicate_type: &str,
    predicate: Value,
) -> Result<Sealed, Finding> {
    let digest = BTreeMap::from([("sha256".to_owned(), subject.hex())]);
    let about = vec![Resource { digest, ..Resource::default() }];
    seal(signer, predicate_type, &model::canonical_json(&Statement::new(about, predicate_type, predicate)))
}

/// Signs a statement as it is written.
pub(crate) fn seal(signer: &dyn Signer, kind: &str, statement: &[u8]) -> Result<Sealed, Finding> {
    let signature = signer.sign(&pae(IN_TOTO, statement))?;
    let bundle = Bundle::new(Envelope::new(IN_TOTO, statement, &signature), signer.public());
    let bytes = model::canonical_json(&bundle);
    Ok(Sealed { kind: kind.to_owned(), bundle, bytes })
}

/// Adds a bundle to what refers to an image, as cosign lists it.
pub(crate) fn add(referrers: &mut Referrers, subject: &Descriptor, predicate_type: &str, bundle: Vec<u8>) {
    let annotations = [(CONTENT, "dsse-envelope"), (PREDICATE, predicate_type)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    referrers.add(subject, BUNDLE, bundle, annotations.into());
}

/// What a bundle says, if it is a statement; nobody has said yet who says so.
pub(crate) fn statement(bundle: &Bundle) -> Result<Statement<Value>, Finding> {
    let unreadable = |why: String| {
        Finding::error(codes::BUNDLE_UNREADABLE, "a bundle signs no statement").because(why).help("sign it again")
    };
    let statement: Statement<Value> =
        serde_json::from_slice(bundle.envelope.payload()).map_err(|e| unreadable(e.to_string()))?;
    if statement.format == STATEMENT || statement.format == "https://in-toto.io/Statement/v0.1" {
        return Ok(statement);
    }
    Err(unreadable(format!("it is {:?}", statement.format)))
}

/// What kind of statement a list says a bundle is.
pub(crate) fn kind(listed: &Descriptor) -> Option<String> {
    listed.annotations.get(PREDICATE).cloned()
}

/// Whether a statement is about an image.
pub(crate) fn is_about<P>(statement: &Statement<P>, digest: &Digest) -> bool {
    let hex = digest.hex();
    statement.subject.iter().any(|subject| subject.digest.get("sha256") == Some(&hex))
}

/// A predicate as it is given: itself, or in a statement of the type about this image.
pub(crate) fn predicate(bytes: &[u8], predicate_type: &str, digest: &Digest) -> Result<Value, Finding> {
    let unreadable = |why: String| Finding::error(codes::BUNDLE_UNREADABLE, format!("this is no predicate: {why}"));
    let value: Value = serde_json::from_slice(bytes).map_err(|e| unreadable(format!("it is no JSON: {e}")))?;
    if let Some(number) = altered_number(bytes) {
        return Err(unreadable(format!("the number {number} is one that programs read in different ways"))
            .help("write it as text"));
    }
    let Value::Object(fields) = value else { return Err(unreadable("it is no JSON object".into())) };
    if !is_statement(&fields) {
        return Ok(Value::Object(fields));
    }
    let statement: Statement<Value> =
        serde_json::from_value(Value::Object(fields)).map_err(|e| unreadable(format!("it is no statement: {e}")))?;
    if statement.predicate_type != predicate_type {
        return Err(unreadable(format!("it is a statement of {:?}", statement.predicate_type))
            .help(format!("name its type with `--type {}`", statement.predicate_type)));
    }
    if !is_about(&statement, digest) {
        let message = format!("the statement is not about {digest}");
        return Err(Finding::error(codes::BUNDLE_ELSEWHERE, message).help("name the image it is about"));
    }
    Ok(statement.predicate)
}

/// A number that is not what it was once it was read and written again: canonical JSON has those of IEEE 754 only (RFC 8785).
fn altered_number(json: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(json);
    // Every other part of what is between quotes is a text; what is escaped in it is no quote.
    let bare = text.replace("\\\\", "").replace("\\\"", "");
    let outside = bare.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let mut numbers = outside.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    let digits = |number: &str| {
        let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        digits.trim_start_matches('0').trim_end_matches('0').len()
    };
    let is_exact = |number: &str| match number.parse::<i64>() {
        Ok(whole) => whole.unsigned_abs() <= 1 << 53,
        Err(_) => digits(number) <= 15 && number.parse::<f64>().is_ok_and(f64::is_finite),
    };
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    numbers.find(|word| is_number(word) && !is_exact(word)).map(|number| number.chars().take(40).collect())
}

fn is_statement(fields: &Map<String, Value>) -> bool {
    ["_type", "predicateType", "subject"].iter().all(|field| fields.contains_key(*field))
}
