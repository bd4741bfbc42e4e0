use super::text::{Say, Text};
use crate::yaml::Asked;

/// `gates: {passed: all}`: every gate was run, and none failed.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    if asked.word("passed").is_none() {
        return;
    }
    let say = |msg, more| Say {
        rule: "gates.passed",
        msg,
        fact: "[\"gates\"]",
        remedy: "\"run the gates, and mend what they find\"",
        more,
    };
    text.deny(
        &["some gate in input.gates.failed"],
        say("sprintf(\"the gate `%s` failed\", [gate])", &[("gate", "gate")]),
    );
    text.deny(
        &["input.gates.run < input.gates.total"],
        say("sprintf(\"%d of %d gates were run\", [input.gates.run, input.gates.total])", &[]),
    );
}
