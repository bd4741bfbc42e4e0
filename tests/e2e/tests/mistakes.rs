//! The mistakes of `docs/mistakes`: what is said of each answers five questions. The page that puts the answers beside other
//! tools' is made by `cargo xtask mistakes`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use support::{cli, repository, run};

const QUESTIONS: [&str; 5] = ["place", "cause", "expected", "nearest", "fix"];

#[derive(Deserialize)]
struct Answers {
    /// The words that answer each question.
    clnstrt: BTreeMap<String, String>,
}

/// What a mistake's finding does not say.
fn unanswered(mistake: &Path) -> Vec<String> {
    let answers: Answers = toml::from_str(&fs::read_to_string(mistake.join("answers.toml")).unwrap()).unwrap();
    let done = run(cli().args(["validate", "image.yaml"]).current_dir(mistake));
    assert_eq!(done.status.code(), Some(2), "{}: {done:?}", mistake.display());
    let answered =
        |question: &str| answers.clnstrt.get(question).is_some_and(|words| done.stderr.contains(words.as_str()));
    QUESTIONS
        .iter()
        .filter(|question| !answered(question))
        .map(|question| format!("{}: {question}", mistake.display()))
        .collect()
}

#[test]
fn every_answer_is_in_what_is_said() {
    let folders = fs::read_dir(repository().join("docs/mistakes")).unwrap();
    let mut mistakes: Vec<_> = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    mistakes.sort();
    assert_eq!(mistakes.len(), 20);
    let open: Vec<String> = mistakes.iter().flat_map(|mistake| unanswered(mistake)).collect();
    assert!(open.is_empty(), "{open:#?}");
}
