//! Whether those whose word counts signed the image.

use std::collections::BTreeSet;

use model::codes;

use super::{Context, skipped};
use crate::said::SIGNATURE;
use crate::trust::Signer;
use crate::verdict::{Check, Outcome};

pub(super) fn check(context: &Context<'_>) -> Check {
    let (name, code, wanted) = ("signature", codes::UNSIGNED, context.expected.signatures);
    if wanted == 0 {
        return skipped(name, "no signature of the image itself is demanded");
    }
    let about = [context.evidence.digest];
    let signatures: Vec<_> = context.statements.of(&[SIGNATURE], &about).collect();
    let signers: BTreeSet<&Signer> = signatures.iter().map(|said| &said.by).collect();
    let places = signatures.iter().map(|said| said.place.clone());
    if signers.len() >= wanted {
        let names: Vec<String> = signers.iter().map(ToString::to_string).collect();
        return Check::new(name, code, Outcome::Passed, format!("signed by {}", names.join(", "))).on(places);
    }
    if signers.is_empty() {
        return context.nothing(name, code, "signature", &[SIGNATURE]);
    }
    let reason = format!("{} of those who are allowed to signed it, and {wanted} have to", signers.len());
    Check::new(name, code, Outcome::Failed, reason).on(places)
}
