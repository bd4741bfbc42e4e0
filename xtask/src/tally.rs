//! Counting tests from what their harness prints.

/// How many tests there were, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    successes: bool,
    may_skip: bool,
}

impl Tally {
    /// Reads one line of `cargo test -- --show-output`.
    ///
    /// A passed test that printed a line `skipped: why` counts as skipped, once. What other tests start as a process
    /// of its own is no test and counts as nothing.
    pub(crate) fn line(&mut self, line: &str) {
        if matches!(line, "successes:" | "failures:") || line.starts_with("running ") {
            self.may_skip = false;
            self.successes = line == "successes:";
        } else if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.may_skip = self.successes;
        } else if self.may_skip && line.starts_with("skipped: ") {
            self.may_skip = false;
            self.skipped = self.skipped.wrapping_add(1);
            self.passed = self.passed.wrapping_sub(1);
        } else if line.starts_with("test ") && line.ends_with(" ... ignored, started by other tests") {
            self.skipped = self.skipped.wrapping_sub(1);
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.passed = self.passed.wrapping_add(count(result, " passed"));
            self.failed += count(result, " failed");
            self.skipped = self.skipped.wrapping_add(count(result, " ignored"));
        }
    }
}

fn count(result: &str, what: &str) -> u64 {
    let before = result.split(what).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn tally(text: &str) -> String {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.line(line));
        tally.to_string()
    }

    #[test]
    fn results_of_several_binaries_are_summed() {
        let text = "\
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.00s";
        assert_eq!(tally(text), "13 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn a_helper_of_other_tests_is_no_test() {
        let text = "\
test child ... ignored, started by other tests
test long ... ignored
test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(tally(text), "3 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn a_test_that_says_it_skipped_is_skipped_and_counted_once() {
        let text = "\
running 3 tests
test a ... ok
successes:

---- a stdout ----
skipped: no such machine
skipped: and again

---- b stdout ----
all done, nothing was skipped: fine

failures:

---- c stdout ----
skipped: half of it
test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(tally(text), "1 passed, 1 failed, 1 skipped");
    }
}
