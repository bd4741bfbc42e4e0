use super::text::{Say, Text, quoted, set};
use crate::yaml::Asked;

/// `signatures: {keys: […], identities: […]}`: one verified signature by any of them.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let is_signed = |condition: &str| {
        format!("is_signed if {{\n\tsome signature in input.signatures\n\tsignature.verified\n\t{condition}\n}}")
    };
    if let Some(keys) = asked.words("keys") {
        text.helper(&is_signed(&format!("signature.key in {}", set(keys))));
    }
    for identity in asked.identities() {
        let subject = match identity.subject.strip_suffix('*') {
            Some(start) => format!("startswith(signature.subject, {})", quoted(start)),
            None => format!("signature.subject == {}", quoted(&identity.subject)),
        };
        text.helper(&is_signed(&format!("signature.issuer == {}\n\t{subject}", quoted(&identity.issuer))));
    }
    text.deny(
        &["not is_signed"],
        Say {
            rule: "signatures",
            msg: "\"nobody who may has signed it\"",
            fact: "[\"signatures\"]",
            remedy: "\"have it signed by one of the keys and identities the policy names\"",
            more: &[],
        },
    );
}
