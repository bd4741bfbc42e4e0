use super::text::{Say, Text, set};
use crate::yaml::Asked;

/// `attestations: {require: […]}`: a verified one of each type.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let Some(required) = asked.words("require") else { return };
    text.helper("attested := {attestation.type | some attestation in input.attestations; attestation.verified}");
    text.deny(
        &[&format!("some wanted in {} - attested", set(required))],
        Say {
            rule: "attestations.require",
            msg: "sprintf(\"there is no verified attestation of type `%s`\", [wanted])",
            fact: "[\"attestations\"]",
            remedy: "\"have it made and signed by who may\"",
            more: &[("type", "wanted")],
        },
    );
}
