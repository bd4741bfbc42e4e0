//! What is said of an image, and by whom.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use data_encoding::BASE64;
use model::statement::STATEMENT;
use model::text::short;
use model::{Digest, json};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::envelope::{Envelope, IN_TOTO};
use crate::evidence::{Answer, Beside, Evidence, Need, Part};
use crate::key_bundle::{KeyBundle, Other};
use crate::manifest::{self, CLAIM, Descriptor, ENVELOPE};
use crate::slice::Slice;
use crate::statement::{Statement, null};
use crate::trust::{Rejection, Signer, Trust};

/// What a statement is that signs an image and says nothing more of it (cosign 3).
pub const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// Statements of the version before.
const OLDER_STATEMENT: &str = "https://in-toto.io/Statement/v0.1";
/// What a claim says it is.
const CLAIM_TYPE: &str = "cosign container image signature";

/// Something that somebody who is allowed to says of an image.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// What of it they speak of.
    pub(crate) about: BTreeSet<Digest>,
    /// What kind of thing is said, a URI.
    pub(crate) kind: String,
    predicate: Slice,
    /// The same, once somebody asked.
    read: OnceLock<Value>,
    pub(crate) by: Signer,
    /// Where it was found.
    pub(crate) place: String,
}

/// Something that was found and says nothing here.
#[derive(Clone, Debug)]
pub(crate) struct Rejected {
    pub(crate) place: String,
    /// What kind of thing it says it is, if that can be read.
    pub(crate) kind: Option<String>,
    pub(crate) why: Rejection,
}

/// All that was found.
#[derive(Default)]
pub(crate) struct Statements {
    pub(crate) said: Vec<Said>,
    pub(crate) rejected: Vec<Rejected>,
}

/// A claim that an image has a digest (containers, "Simple signing").
#[derive(Deserialize)]
struct Claim {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

impl Said {
    /// What is said; nothing if programs read it in different ways.
    pub(crate) fn predicate(&self) -> &Value {
        self.read.get_or_init(|| self.read().unwrap_or_default())
    }

    /// What is said, as far as it is looked at: bills of materials are large.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let bytes: &[u8] = &self.predicate;
        json::check(bytes).and_then(|()| serde_json::from_slice(bytes)).map_err(short)
    }
}

impl Statements {
    /// Opens whatever was found beside an image and those in it. Nothing that cannot be used keeps anything else from it.
    pub(crate) fn collect(evidence: &Evidence, parts: &[Part], trust: &Trust, now: i64) -> Self {
        let scope: BTreeSet<Digest> = parts.iter().map(|part| part.digest).collect();
        let mut all = Self::default();
        let mut seen = BTreeSet::new();
        for part in parts {
            for referrer in evidence.referrers(&part.digest) {
                if seen.insert((part.digest, *referrer)) {
                    all.referrer(evidence, &part.digest, referrer, &scope, trust, now);
                }
            }
            for beside in [Beside::Signatures, Beside::Attestations] {
                all.beside(evidence, &part.digest, beside, &scope, trust);
            }
        }
        for (name, bytes) in &evidence.bundles {
            // What lies in a file may be about any of them.
            let about: Vec<Digest> = parts.iter().map(|part| part.digest).collect();
            match KeyBundle::parse(bytes.clone()) {
                Ok(found) => all.key_bundle(name, &found, &scope, trust),
                Err(Other::Bytes(bytes)) => all.bundle(name, &bytes, &about, &scope, trust, now),
                Err(Other::Broken(why)) => all.reject(name, None, Rejection::Unreadable(why.to_string())),
            }
        }
        all
    }

    fn referrer(
        &mut self,
        evidence: &Evidence,
        about: &Digest,
        referrer: &Digest,
        scope: &BTreeSet<Digest>,
        trust: &Trust,
        now: i64,
    ) {
        let place = referrer.to_string();
        let manifest = match evidence.manifest(&Need::Referrer(*referrer)) {
            Ok(manifest) => manifest,
            Err(why) => return self.reject(&place, None, Rejection::Unreadable(why)),
        };
        for layer in manifest.layers.iter().filter(|layer| manifest::is_statement(layer)) {
            let need = Need::Document(layer.digest, layer.size);
            match (evidence.key_bundle(&need), evidence.bytes(&need)) {
                (Some(found), _) => self.key_bundle(&place, found, scope, trust),
                (None, Ok(bytes)) => self.bundle(&place, bytes, &[*about], scope, trust, now),
                (None, Err(why)) => self.reject(&place, None, Rejection::Unreadable(why)),
            }
        }
    }

    fn key_bundle(&mut self, place: &str, found: &KeyBundle, scope: &BTreeSet<Digest>, trust: &Trust) {
        match trust.of_key(found) {
            Ok(by) => self.statement(place, &found.statement, by, scope),
            Err(why) => {
                let kind = found.statement.as_ref().ok().map(|statement| statement.kind.clone());
                self.reject(place, kind, why);
            }
        }
    }

    fn bundle(
        &mut self,
        place: &str,
        bytes: &[u8],
        about: &[Digest],
        scope: &BTreeSet<Digest>,
        trust: &Trust,
        now: i64,
    ) {
        if let Err(e) = json::check(bytes) {
            return self.reject(
                place,
                None,
                Rejection::Unreadable(format!("it is no JSON, or none that all read alike: {}", short(e))),
            );
        }
        match trust.opened(bytes, about, now) {
            Ok((by, statement)) => self.statement(place, &Statement::parse(&statement), by, scope),
            Err(why) => self.reject(place, claimed_kind(bytes), why),
        }
    }

    /// What cosign kept before version 3: layers, each with its signature beside it or within.
    fn beside(&mut self, evidence: &Evidence, about: &Digest, beside: Beside, scope: &BTreeSet<Digest>, trust: &Trust) {
        let need = Need::Beside(*about, beside);
        if !evidence.depth.legacy || evidence.answer(&need) == Some(&Answer::Missing) {
            return;
        }
        let place = format!(
            "the tag of {} beside {about}",
            match beside {
                Beside::Signatures => "signatures",
                Beside::Attestations => "attestations",
            }
        );
        let manifest = match evidence.manifest(&need) {
            Ok(manifest) => manifest,
            Err(why) => return self.reject(&place, None, Rejection::Unreadable(why)),
        };
        for layer in &manifest.layers {
            let place = format!("{} in {place}", layer.digest);
            let bytes = match evidence.bytes(&Need::Document(layer.digest, layer.size)) {
                Ok(bytes) => bytes,
                Err(why) => {
                    self.reject(&place, None, Rejection::Unreadable(why));
                    continue;
                }
            };
            match layer.media_type.as_str() {
                CLAIM => self.claim(&place, bytes, layer, scope, trust),
                ENVELOPE => self.envelope(&place, bytes, scope, trust),
                _ => {}
            }
        }
    }

    fn claim(&mut self, place: &str, bytes: &[u8], layer: &Descriptor, scope: &BTreeSet<Digest>, trust: &Trust) {
        let signature = layer.annotations.signature.as_ref().map(|text| BASE64.decode(text.as_bytes()));
        let kind = || Some(SIGNATURE.to_owned());
        let Some(Ok(signature)) = signature else {
            return self.reject(place, kind(), Rejection::Unreadable("it has no signature".to_owned()));
        };
        let Some(by) = trust.signer(bytes, &signature) else {
            let why = "none of those who are allowed to signed it".to_owned();
            return self.reject(place, kind(), Rejection::Signer(why));
        };
        let claim = json::check(bytes).and_then(|()| serde_json::from_slice::<Claim>(bytes));
        match claim {
            Err(e) => {
                self.reject(place, kind(), Rejection::Statement(format!("what was signed is no claim: {}", short(e))))
            }
            Ok(claim) if claim.critical.kind != CLAIM_TYPE => {
                let why = format!("what was signed is {:?}", claim.critical.kind);
                self.reject(place, kind(), Rejection::Statement(why));
            }
            Ok(claim) => {
                let about = BTreeSet::from([claim.critical.image.digest]);
                self.say(place, &about, SIGNATURE, null(), by, scope);
            }
        }
    }

    fn envelope(&mut self, place: &str, bytes: &[u8], scope: &BTreeSet<Digest>, trust: &Trust) {
        let envelope = json::check(bytes).and_then(|()| serde_json::from_slice::<Envelope>(bytes));
        let envelope = match envelope {
            Ok(envelope) if envelope.payload_type == IN_TOTO => envelope,
            Ok(_) => return self.reject(place, None, Rejection::Unreadable("it holds no statement".to_owned())),
            Err(e) => {
                return self.reject(place, None, Rejection::Unreadable(format!("it is no envelope: {}", short(e))));
            }
        };
        match trust.enveloped(&envelope, &envelope.digest()) {
            Some(by) => self.statement(place, &Statement::parse(envelope.payload()), by, scope),
            None => {
                let why = "none of those who are allowed to signed it".to_owned();
                self.reject(place, None, Rejection::Signer(why));
            }
        }
    }

    /// What somebody who is allowed to signed.
    fn statement(&mut self, place: &str, read: &Result<Statement, String>, by: Signer, scope: &BTreeSet<Digest>) {
        let read = read.clone().and_then(|statement| statement.about().map(|about| (statement, about)));
        let (statement, about) = match read {
            Ok(read) => read,
            Err(why) => {
                let why = format!("what {by} signed is no statement: {why}");
                return self.reject(place, None, Rejection::Statement(why));
            }
        };
        if ![STATEMENT, OLDER_STATEMENT].contains(&statement.format.as_str()) {
            let why = format!("what {by} signed is {:?}", statement.format);
            return self.reject(place, Some(statement.kind.clone()), Rejection::Statement(why));
        }
        self.say(place, &about, &statement.kind, statement.predicate, by, scope);
    }

    fn say(
        &mut self,
        place: &str,
        about: &BTreeSet<Digest>,
        kind: &str,
        predicate: Slice,
        by: Signer,
        scope: &BTreeSet<Digest>,
    ) {
        let within: BTreeSet<Digest> = about.intersection(scope).copied().collect();
        if within.is_empty() {
            let named: Vec<String> = about.iter().take(3).map(Digest::to_string).collect();
            let why = format!("{by} says it of another image: {}", named.join(", "));
            return self.reject(place, Some(kind.to_owned()), Rejection::Elsewhere(why));
        }
        let same = |said: &&mut Said| said.kind == kind && said.by == by && said.predicate == predicate;
        // The same said twice, in both of cosign's forms, is said once.
        match self.said.iter_mut().find(same) {
            Some(said) => said.about.extend(within),
            None => {
                let (place, kind) = (place.to_owned(), kind.to_owned());
                self.said.push(Said { about: within, kind, predicate, read: OnceLock::new(), by, place });
            }
        }
    }

    fn reject(&mut self, place: &str, kind: Option<String>, why: Rejection) {
        self.rejected.push(Rejected { place: place.to_owned(), kind, why });
    }

    /// What is said of one of these kinds about one of these.
    pub(crate) fn of<'s>(&'s self, kinds: &'s [&str], about: &'s [Digest]) -> impl Iterator<Item = &'s Said> {
        self.said.iter().filter(move |said| {
            kinds.contains(&said.kind.as_str()) && about.iter().any(|digest| said.about.contains(digest))
        })
    }

    /// The reason that is most to the point why nothing of these kinds is said: of what says it is of one of them, or does not
    /// say what it is.
    pub(crate) fn why_not(&self, kinds: &[&str]) -> Option<&Rejected> {
        let fits = |rejected: &&Rejected| match &rejected.kind {
            Some(kind) => kinds.contains(&kind.as_str()) || matches!(rejected.why, Rejection::Changed(_)),
            None => true,
        };
        // Of several equals the first; what names its kind before what does not. What was changed may have named another.
        let rank = |rejected: &&Rejected| {
            let names_it = rejected.kind.as_ref().is_some_and(|kind| kinds.contains(&kind.as_str()));
            (names_it, rejected.why.clone())
        };
        self.rejected.iter().filter(fits).rev().max_by_key(rank)
    }
}

/// What kind of thing an unopened bundle says it holds.
fn claimed_kind(bytes: &[u8]) -> Option<String> {
    let bundle = Bundle::parse(bytes).ok()?;
    Some(Statement::parse(bundle.envelope.payload()).ok()?.kind)
}
