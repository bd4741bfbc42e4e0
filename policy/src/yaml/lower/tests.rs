use super::text::{Say, Text};
use crate::yaml::Asked;

/// `tests: {declared: required, passed: required}`: of the application.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let say = |rule, msg, fact, remedy| Say { rule, msg, fact, remedy, more: &[] };
    if asked.word("declared").is_some() {
        text.deny(
            &["input.source", "input.build.tests == 0"],
            say(
                "tests.declared",
                "\"the application has no tests\"",
                "[\"source\"]",
                "\"write what must succeed under `source.tests`\"",
            ),
        );
    }
    if asked.word("passed").is_some() {
        text.deny(
            &["input.tests.failed > 0"],
            say(
                "tests.passed",
                "sprintf(\"%d tests failed\", [input.tests.failed])",
                "[\"source\"]",
                "\"mend what they found\"",
            ),
        );
        text.deny(
            &["input.tests.run < input.build.tests"],
            say(
                "tests.passed",
                "sprintf(\"%d of %d tests were run\", [input.tests.run, input.build.tests])",
                "[\"source\"]",
                "\"run all of them\"",
            ),
        );
    }
}
