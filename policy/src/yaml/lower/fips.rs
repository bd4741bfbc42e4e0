use super::text::{Say, Text};
use crate::yaml::Asked;

/// `fips: required`.
pub(super) fn lower(_: &Asked, text: &mut Text) {
    text.deny(
        &["not input.build.fips"],
        Say {
            rule: "fips",
            msg: "\"cryptography is not limited to a FIPS 140 provider\"",
            fact: "[\"build\", \"fips\"]",
            remedy: "\"write `build_flags: {fips: true}`\"",
            more: &[],
        },
    );
}
