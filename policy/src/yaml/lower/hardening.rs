use super::text::{Say, Text, quoted, set};
use crate::yaml::Asked;

/// `hardening: {profile: […], require: […]}`. What was compiled here has to be proven; of what comes compiled, what is proven to
/// lack something refuses.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    if let Some(profiles) = asked.words("profile") {
        text.deny(
            &[&format!("not input.build.hardening in {}", set(profiles))],
            Say {
                rule: "hardening.profile",
                msg: "sprintf(\"the hardening profile is `%s`\", [input.build.hardening])",
                fact: "[\"build\", \"hardening\"]",
                remedy: &quoted(&format!("write `build_flags: {{hardening: {}}}`", profiles.join("` or `"))),
                more: &[],
            },
        );
    }
    if let Some(required) = asked.words("require") {
        let required = set(required);
        let say = |msg| Say {
            rule: "hardening.require",
            msg,
            fact: "[\"hardening\", \"files\", number]",
            remedy: "\"build it here with the flag, or use another package\"",
            more: &[("path", "file.path"), ("feature", "feature")],
        };
        text.deny(
            &[
                "some number, file in input.hardening.files",
                "some feature in file.lacks",
                &format!("feature in {required}"),
            ],
            say("sprintf(\"%s lacks %s\", [file.path, feature])"),
        );
        text.deny(
            &[
                "some number, file in input.hardening.files",
                "file.built_here",
                &format!("some feature in {required}"),
                "not feature in file.has",
                "not feature in file.lacks",
            ],
            say("sprintf(\"%s was compiled here, and %s cannot be proven of it\", [file.path, feature])"),
        );
    }
}
