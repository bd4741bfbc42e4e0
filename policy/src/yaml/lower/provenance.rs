use super::text::{Say, Text, set};
use crate::yaml::Asked;

/// `provenance: {builders: […], hermetic: required, emulated: forbidden, …}`.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let mut deny = |name: &str, condition: &str, msg: &str, remedy: &str| {
        let rule = format!("provenance.{name}");
        text.deny(&[condition], Say { rule: &rule, msg, fact: "[\"provenance\"]", remedy, more: &[] });
    };
    if let Some(builders) = asked.words("builders") {
        deny(
            "builders",
            &format!("not input.provenance.builder in {}", set(builders)),
            "sprintf(\"it was built by %s\", [input.provenance.builder])",
            "\"have it built by one that is allowed\"",
        );
    }
    if asked.word("hermetic").is_some() {
        deny(
            "hermetic",
            "not input.provenance.hermetic",
            "\"its steps had a network\"",
            "\"have it built without one\"",
        );
    }
    if asked.word("emulated").is_some() {
        deny(
            "emulated",
            "input.provenance.emulated",
            "\"a part of it was made on an emulated processor\"",
            "\"have it built on a real one\"",
        );
    }
    if let Some(level) = asked.number("level") {
        deny(
            "level",
            &format!("input.provenance.level < {level}"),
            &format!(
                "sprintf(\"its builder supports SLSA build level %d, and {level} is demanded\", [input.provenance.level])"
            ),
            "\"have it built where the level is supported\"",
        );
    }
    if asked.word("source").is_some() {
        deny(
            "source",
            "not input.provenance.repository",
            "\"nobody knows which repository it comes from\"",
            "\"build it from a commit\"",
        );
    }
    if asked.word("reproducible").is_some() {
        deny(
            "reproducible",
            "not input.build.reproducible",
            "\"it was not the same when it was built twice\"",
            "\"build it with `--check-reproducible`, and mend what differs\"",
        );
    }
}
