use super::text::{Say, Text, set};
use crate::yaml::Asked;

/// `languages: {allow: […]}`.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let Some(allowed) = asked.words("allow") else { return };
    text.deny(
        &[&format!("not input.base.language in {}", set(allowed)), "input.base.language"],
        Say {
            rule: "languages.allow",
            msg: "sprintf(\"the language `%s` is not allowed\", [input.base.language])",
            fact: "[\"base\", \"language\"]",
            remedy: "\"use a language that the policy allows\"",
            more: &[("language", "input.base.language")],
        },
    );
}
