use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Packages written as `NAME VERSION: requirement, alternative | alternative, !exclusion`; a requirement is `NAME`,
/// `NAME<N`, `NAME>N` or `NAME=N`; `NAME VERSION -- reason` is excluded, `NAME VERSION ?` and `NAME ?` are not fetched.
struct Text(BTreeMap<String, Result<Vec<(u32, String)>, Need>>);

impl Text {
    fn new(text: &str) -> Self {
        let mut packages: BTreeMap<String, Result<Vec<(u32, String)>, Need>> = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, rest) = line.split_once(' ').unwrap();
            if rest == "?" {
                packages.insert(name.to_owned(), Err(need(name)));
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let version = rest[..end].parse().unwrap();
            let entry = packages.entry(name.to_owned()).or_insert(Ok(Vec::new()));
            entry.as_mut().unwrap().push((version, rest[end..].trim().to_owned()));
        }
        for versions in packages.values_mut().flatten() {
            versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        }
        Self(packages)
    }

    fn solve(&self, roots: &str) -> Solution<String, u32> {
        solve(self, &asked(roots).needs)
    }
}

fn need(name: &str) -> Need {
    Need::PypiProject { name: name.to_owned() }
}

fn asked(text: &str) -> Requirements<String, String> {
    let limit = |text: &str| {
        let text = text.trim();
        let end = text.find(['<', '>', '=']).unwrap_or(text.len());
        (text[..end].to_owned(), text[end..].to_owned())
    };
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    Requirements {
        needs: parts
            .iter()
            .filter(|part| !part.starts_with('!'))
            .map(|part| if *part == "nothing" { vec![] } else { part.split('|').map(limit).collect() })
            .collect(),
        excludes: parts.iter().filter_map(|part| part.strip_prefix('!')).map(limit).collect(),
    }
}

impl Universe for Text {
    type Name = String;
    type Version = u32;
    type Set = String;

    fn candidates(&self, name: &String) -> Result<Vec<Candidate<u32>>, Need> {
        let versions = self.0.get(name).cloned().unwrap_or(Ok(Vec::new()))?;
        Ok(versions
            .into_iter()
            .map(|(version, rest)| Candidate { version, excluded: rest.strip_prefix("-- ").map(str::to_owned) })
            .collect())
    }

    fn matches(&self, _: &String, set: &String, version: &u32) -> bool {
        let number = || set[1..].parse().unwrap();
        match set.chars().next() {
            Some('<') => *version < number(),
            Some('>') => *version > number(),
            Some('=') => *version == number(),
            _ => true,
        }
    }

    /// Even versions are looked at before they are tried, so that both ways are tested.
    fn known(&self, name: &String, version: &u32) -> bool {
        version.is_multiple_of(2) && self.requirements(name, version).is_ok()
    }

    fn requirements(&self, name: &String, version: &u32) -> Result<Requirements<String, String>, Need> {
        let versions = self.0[name].as_ref().unwrap();
        let (_, rest) = versions.iter().find(|(other, _)| other == version).unwrap();
        match rest.as_str() {
            "?" => Err(need(&format!("{name}-{version}"))),
            rest => Ok(asked(rest.trim_start_matches(':'))),
        }
    }
}

fn found(pairs: &[(&str, u32)]) -> Solution<String, u32> {
    Solution::Found(pairs.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect())
}

fn conflict(lines: &[&str]) -> Solution<String, u32> {
    Solution::Conflict(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn the_newest_versions_are_taken_and_nothing_unneeded() {
    let text = Text::new("a 1\na 2: b\nb 7\nb 9\nunrelated 1");
    assert_eq!(text.solve("a"), found(&[("a", 2), ("b", 9)]));
}

#[test]
fn it_goes_back_to_an_older_version_that_fits() {
    let text = Text::new("a 1: x=1\na 2: x=2\na 3: x=3\nb 1: x<3\nx 1\nx 2\nx 3");
    assert_eq!(text.solve("a, b"), found(&[("a", 2), ("b", 1), ("x", 2)]));
}

#[test]
fn the_first_alternative_is_preferred_even_when_older_and_the_next_one_serves_if_it_must() {
    let text = Text::new("a 1: x | y\nx 1\ny 5\nb 1: !x");
    assert_eq!(text.solve("a"), found(&[("a", 1), ("x", 1)]));
    assert_eq!(text.solve("a, b"), found(&[("a", 1), ("b", 1), ("y", 5)]));
    assert_eq!(text.solve("nowhere | y"), found(&[("y", 5)]));
}

#[test]
fn excluded_versions_are_passed_over() {
    let text = Text::new("a 1\na 2 -- broken");
    assert_eq!(text.solve("a"), found(&[("a", 1)]));
    assert_eq!(text.solve("a>1"), conflict(&["the image needs a >1", "a 2: broken"]));
}

#[test]
fn cycles_are_no_problem() {
    let text = Text::new("a 1: b\nb 1: c\nc 1: a, c");
    assert_eq!(text.solve("a"), found(&[("a", 1), ("b", 1), ("c", 1)]));
}

#[test]
fn a_version_that_contradicts_itself_is_not_chosen() {
    let text = Text::new("a 1\na 2: a<2\na 3: nothing");
    assert_eq!(text.solve("a"), found(&[("a", 1)]));
}

#[test]
fn a_version_never_excludes_itself_and_may_name_an_alternative_twice() {
    let text = Text::new("a 4: !a=4, x | x | x>0\nx 1\nx 2");
    assert_eq!(text.solve("a | a"), found(&[("a", 4), ("x", 2)]));
}

#[test]
fn a_contradiction_shows_both_chains() {
    let text = Text::new("a 1: m\nm 1: x<2\nb 3: x>1\nx 1\nx 2");
    assert_eq!(
        text.solve("a, b"),
        conflict(&[
            "the image needs a",
            "a 1 needs m",
            "m 1 needs x <2",
            "the image needs b",
            "b 3 needs x >1",
            "only one version of x can be installed",
        ])
    );
}

#[test]
fn versions_that_fail_alike_share_a_line() {
    let text = Text::new("a 1: x<2\na 2: x<2\na 3: x<2\na 4: x<2\na 5: x<2\na 6: z\nx 2");
    assert_eq!(
        text.solve("a"),
        conflict(&[
            "the image needs a",
            "a 6 needs z, and there is none",
            "a 5, 4, 3, 2 and 1 more needs x <2, and there is none",
        ])
    );
}

#[test]
fn an_exclusion_is_named() {
    let text = Text::new("a 1: !b\nb 1");
    assert_eq!(text.solve("a, b"), conflict(&["the image needs a", "a 1 excludes b", "the image needs b"]));
}

#[test]
fn missing_documents_of_siblings_are_asked_for_together() {
    let text = Text::new("a 1: p, q\nb 1 ?\np ?\nq ?\nr ?");
    assert_eq!(text.solve("a, b"), Solution::Need(vec![need("b-1"), need("p"), need("q")]));
}

#[test]
fn nothing_is_asked_for_what_the_answer_does_not_rest_on() {
    let text = Text::new("a 2: p, x=9\na 1: x\np ?\nx 1");
    assert_eq!(text.solve("a"), found(&[("a", 1), ("x", 1)]));
}

#[test]
fn a_contradiction_among_known_documents_is_final() {
    let text = Text::new("a 1: x<2\nb 1: x>1\nc ?\nx 1\nx 2");
    assert!(matches!(text.solve("c, a, b"), Solution::Conflict(_)));
}

/// Pigeons and holes: no resolution proof of this is short.
fn pigeons(holes: u32) -> Text {
    let mut text = String::new();
    for pigeon in 0..=holes {
        for hole in 1..=holes {
            text.push_str(&format!("p{pigeon} {hole}: h{hole}={}\n", pigeon + 1));
        }
    }
    for hole in 1..=holes {
        for pigeon in 1..=holes + 1 {
            text.push_str(&format!("h{hole} {pigeon}\n"));
        }
    }
    Text::new(&text)
}

fn all_pigeons(holes: u32) -> Vec<Vec<(String, String)>> {
    (0..=holes).map(|pigeon| vec![(format!("p{pigeon}"), String::new())]).collect()
}

#[test]
fn a_hard_contradiction_ends_at_the_budget_and_says_so() {
    let budget = Budget { steps: 200, matches: 1_000_000 };
    let Solution::Conflict(lines) = solve_within(&pigeons(9), &all_pigeons(9), budget) else { panic!("no conflict") };
    assert!(lines[0].starts_with("no answer within 200 steps"), "{lines:?}");
    let budget = Budget { steps: 1_000_000, matches: 10 };
    let Solution::Conflict(lines) = solve_within(&pigeons(3), &all_pigeons(3), budget) else { panic!("no conflict") };
    assert!(lines[0].starts_with("no answer within"), "{lines:?}");
}

#[test]
fn a_small_hard_contradiction_is_proven_and_its_story_is_cut() {
    let Solution::Conflict(lines) = solve(&pigeons(5), &all_pigeons(5)) else { panic!("no conflict") };
    assert_eq!(lines[0], "the image needs p0");
    assert!(lines.len() <= 41, "{}", lines.len());
}

#[test]
fn the_answer_is_always_the_same() {
    let text = Text::new("a 1: x | y\na 2: x=2 | y=2, z\nb 1: y\nx 1\nx 2: !y=2\ny 1\ny 2\nz 1: x\nz 2: x<2");
    let first = text.solve("a, b, z");
    assert!(matches!(first, Solution::Found(_)));
    for _ in 0..20 {
        assert_eq!(text.solve("a, b, z"), first);
        let Solution::Conflict(lines) = solve(&pigeons(4), &all_pigeons(4)) else { panic!("no conflict") };
        assert_eq!(Solution::Conflict(lines), solve(&pigeons(4), &all_pigeons(4)));
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Whether some choice of versions answers the roots, by trying all.
fn answerable(text: &Text, roots: &Requirements<String, String>) -> bool {
    (0..256u32).any(|code| {
        let digits = (0..4).map(|at| code >> (2 * at) & 3);
        let chosen: BTreeMap<String, u32> =
            NAMES.iter().map(|name| (*name).to_owned()).zip(digits).filter(|(_, version)| *version > 0).collect();
        holds(text, roots, &chosen)
    })
}

fn holds(text: &Text, roots: &Requirements<String, String>, chosen: &BTreeMap<String, u32>) -> bool {
    let answers =
        |name: &String, set: &String| chosen.get(name).is_some_and(|version| text.matches(name, set, version));
    let satisfied = |asked: &Requirements<String, String>, own: &str| {
        asked.needs.iter().all(|any| any.iter().any(|(name, set)| answers(name, set)))
            && !asked.excludes.iter().any(|(name, set)| name != own && answers(name, set))
    };
    satisfied(roots, "")
        && chosen.iter().all(|(name, version)| {
            let candidates = text.candidates(name).unwrap();
            candidates.iter().any(|candidate| candidate.version == *version && candidate.excluded.is_none())
                && satisfied(&text.requirements(name, version).unwrap(), name)
        })
}

fn limit() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(NAMES.as_slice());
    let set = proptest::sample::select(["", "<2", ">1", "=1", "=2", "=3", ">3"].as_slice());
    (name, set).prop_map(|(name, set)| format!("{name}{set}"))
}

fn parts(most: usize) -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => proptest::collection::vec(limit(), 1..4).prop_map(|any| any.join(" | ")),
        1 => limit().prop_map(|limit| format!("!{limit}")),
    ];
    proptest::collection::vec(part, 0..most).prop_map(|parts| parts.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn it_answers_exactly_what_can_be_answered(
        bodies in proptest::collection::vec((parts(4), proptest::bool::weighted(0.1)), 12),
        roots in parts(4),
    ) {
        let lines = bodies.iter().enumerate().map(|(at, (body, excluded))| {
            let (name, version) = (NAMES[at % 4], at / 4 + 1);
            if *excluded { format!("{name} {version} -- broken") } else { format!("{name} {version}: {body}") }
        });
        let text = Text::new(&lines.collect::<Vec<_>>().join("\n"));
        let roots = Requirements { excludes: vec![], ..asked(&roots) };
        match solve(&text, &roots.needs) {
            Solution::Found(chosen) => prop_assert!(holds(&text, &roots, &chosen), "{chosen:?}"),
            Solution::Conflict(lines) => prop_assert!(!answerable(&text, &roots) && !lines.is_empty(), "{lines:?}"),
            Solution::Need(needs) => prop_assert!(false, "{needs:?}"),
        }
    }
}
