use super::text::{Say, Text, set};
use crate::yaml::Asked;

/// `licenses: {allow: […], deny: […], unknown: deny}`. Where licences are to be allowed, unknown ones are not, unless that is said.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let package = "some number, part in input.packages";
    let say = |rule, msg, remedy| Say {
        rule,
        msg,
        fact: "[\"packages\", number]",
        remedy,
        more: &[("package", "part.purl"), ("licence", "part.licence")],
    };
    if let Some(allowed) = asked.words("allow") {
        text.helper(&format!("licenses_allowed := {}", set(allowed)));
        text.helper(
            "licence_is_allowed(choices) if {\n\tsome choice in choices\n\tevery licence in choice {\n\t\tlicence in licenses_allowed\n\t}\n}",
        );
        text.deny(
            &[package, "not licence_is_allowed(part.licence_choices)", "part.licence_choices"],
            say(
                "licenses.allow",
                "sprintf(\"the licence of %s, %s, is not allowed\", [part.purl, part.licence])",
                "\"use another package, or have the licence allowed\"",
            ),
        );
    }
    if let Some(denied) = asked.words("deny") {
        text.helper(&format!("licenses_denied := {}", set(denied)));
        text.helper(
            "licence_is_avoidable(choices) if {\n\tsome choice in choices\n\tevery licence in choice {\n\t\tnot licence in licenses_denied\n\t}\n}",
        );
        text.deny(
            &[package, "not licence_is_avoidable(part.licence_choices)", "part.licence_choices"],
            say(
                "licenses.deny",
                "sprintf(\"the licence of %s, %s, is forbidden\", [part.purl, part.licence])",
                "\"use another package\"",
            ),
        );
    }
    if asked.words("allow").or(asked.words("deny")).is_some() && asked.word("unknown") != Some("allow") {
        text.deny(
            &[package, "part.licence", "not part.licence_choices"],
            say(
                "licenses.unknown",
                "sprintf(\"the licence of %s, %s, is no SPDX expression\", [part.purl, part.licence])",
                "\"find out what it is, or write `unknown: allow`\"",
            ),
        );
    }
    let unknown = asked.word("unknown").unwrap_or(if asked.words("allow").is_some() { "deny" } else { "allow" });
    if unknown == "deny" {
        text.deny(
            &["some purl in input.licences.unknown"],
            Say {
                rule: "licenses.unknown",
                msg: "sprintf(\"the licence of %s is not known\", [purl])",
                fact: "[\"licences\", \"unknown\"]",
                remedy: "\"find out what it is, or write `unknown: allow`\"",
                more: &[("package", "purl")],
            },
        );
    }
}
