//! The YAML test suite (yaml/yaml-test-suite, MIT), which lies beside the checkout where the project is developed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the test reads the suite and says when there is none"
)]

use std::collections::BTreeSet;
use std::path::Path;

use grammar::yaml::{Kind, Node, format, parse};
use model::{Code, SourceId, codes};

struct Case {
    id: String,
    yaml: String,
    tree: String,
    fail: bool,
}

fn cases() -> Option<Vec<Case>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/yaml-test-suite/cases.jsonl");
    let Ok(lines) = std::fs::read_to_string(&path) else {
        println!("skipped: there is no yaml-test-suite beside the checkout");
        return None;
    };
    let case = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        // three cases have no tree: they are valid, and what they mean is left open
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Case { id: text("id"), yaml: text("yaml"), tree: text("tree"), fail: value["fail"].as_bool().unwrap() }
    };
    Some(lines.lines().map(case).collect())
}

#[test]
fn what_is_valid_gives_the_expected_tree_and_what_is_not_a_finding() {
    let Some(cases) = cases() else { return };
    let mut compared = 0;
    for case in &cases {
        let parsed = parse(SourceId(0), &case.yaml);
        let found: BTreeSet<&str> = parsed.findings.iter().map(|f| f.code.id).collect();
        if case.fail {
            assert!(!found.is_empty(), "{} is not YAML and gave no finding: {:?}", case.id, case.yaml);
            continue;
        }
        if case.tree.is_empty() {
            continue;
        }
        let expected: BTreeSet<&str> = refused(&case.tree).into_iter().map(|code| code.id).collect();
        // a tab before a block key is the one thing YAML allows and we do not
        let found: BTreeSet<&str> = found.into_iter().filter(|id| *id != codes::YAML_TAB.id).collect();
        assert_eq!(found, expected, "{}: {:?}\n{}", case.id, case.yaml, case.tree);
        if expected.is_empty() {
            let mut events = Vec::new();
            flatten(&case.yaml, parsed.root.as_ref().unwrap(), &mut events);
            assert_eq!(events, normal(&case.tree), "{}: {:?}", case.id, case.yaml);
            compared += 1;
        }
        assert!(
            rest(&case.yaml, &parsed).is_empty(),
            "{}: {:?} of {:?}",
            case.id,
            rest(&case.yaml, &parsed),
            case.yaml
        );
    }
    println!("{} cases, {compared} trees compared", cases.len());
    assert!(cases.len() > 400 && compared > 150, "{} {compared}", cases.len());
}

#[test]
fn what_can_be_read_has_a_form_that_means_the_same() {
    let Some(cases) = cases() else { return };
    let read = |text: &str| {
        let parsed = parse(SourceId(0), text);
        let mut events: Vec<String> =
            parsed.comments.iter().map(|c| format!("#{}", c.text.trim_end_matches([' ', '\t']))).collect();
        parsed.root.iter().for_each(|root| flatten(text, root, &mut events));
        events
    };
    let mut count = 0;
    for case in cases.iter().filter(|case| parse(SourceId(0), &case.yaml).findings.is_empty()) {
        let form = format(SourceId(0), &case.yaml).unwrap_or_else(|found| panic!("{}: {found:?}", case.id));
        assert_eq!(read(&form), read(&case.yaml), "{}: {form:?}", case.id);
        assert_eq!(format(SourceId(0), &form).as_ref(), Ok(&form), "{}", case.id);
        count += 1;
    }
    println!("{count} forms");
    assert!(count > 150, "{count}");
}

/// The findings a valid document gives because we accept less than YAML: read off the expected events.
fn refused(tree: &str) -> Vec<Code> {
    let mut codes = Vec::new();
    let documents = tree.matches("+DOC").count();
    let mut first = tree.split("+DOC").nth(1).unwrap_or_default().lines();
    let mut empty = true;
    // per open collection: in a map, the keys so far, and whether a key comes next
    let mut open: Vec<Option<(Vec<String>, bool)>> = Vec::new();
    first.next();
    for line in first.map(str::trim_start) {
        let mut words = line.split(' ').collect::<Vec<_>>();
        let event = words.remove(0);
        let anchored = words.first().is_some_and(|word| word.starts_with('&'));
        if anchored {
            words.remove(0);
        }
        let mut words: Vec<&str> = words.into_iter().filter(|word| !matches!(*word, "{}" | "[]")).collect();
        let tagged = words.first().is_some_and(|word| word.starts_with('<') && word.ends_with('>'));
        if tagged {
            words.remove(0);
        }
        codes.extend(anchored.then_some(codes::YAML_ANCHOR).into_iter().chain(tagged.then_some(codes::YAML_TAG)));
        let value = words.join(" ");
        match event {
            "+MAP" | "+SEQ" | "=VAL" | "=ALI" => {
                empty &= value == ":" && event == "=VAL";
                if let Some(Some((keys, next))) = open.last_mut() {
                    if *next {
                        let key = value.get(1..).unwrap_or_default().to_owned();
                        if event == "=VAL" && value != ":" {
                            codes.extend(keys.contains(&key).then_some(codes::DUPLICATE_KEY));
                            keys.push(key);
                        } else if event != "=ALI" {
                            codes.push(codes::YAML_KEY);
                        }
                    }
                    *next = !*next;
                }
                match event {
                    "+MAP" => open.push(Some((Vec::new(), true))),
                    "+SEQ" => open.push(None),
                    "=ALI" => codes.push(codes::YAML_ANCHOR),
                    _ => {}
                }
            }
            "-MAP" | "-SEQ" => {
                open.pop();
            }
            _ => {}
        }
    }
    match documents {
        0 | 1 if empty && codes.is_empty() => codes.push(codes::EMPTY_DOCUMENT),
        0 | 1 => {}
        _ => codes.push(codes::SEVERAL_DOCUMENTS),
    }
    codes
}

/// The suite's events with the styles taken away: which quotes were used, flow or block.
fn normal(tree: &str) -> Vec<String> {
    let lines =
        tree.lines().map(str::trim_start).filter(|line| !line.ends_with("STR") && !line[1..].starts_with("DOC"));
    lines
        .map(|line| match line.strip_prefix("=VAL ") {
            Some(value) => format!("{}{}", if value.starts_with(':') { ':' } else { '"' }, &value[1..]),
            None => line[..4].to_owned(),
        })
        .collect()
}

fn flatten(text: &str, node: &Node, events: &mut Vec<String>) {
    let escape = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\t', "\\t")
            .replace('\r', "\\r")
            .replace('\u{8}', "\\b")
    };
    match &node.kind {
        Kind::Scalar { text, plain } => events.push(format!("{}{}", if *plain { ':' } else { '"' }, escape(text))),
        Kind::Null => events.push(format!(":{}", &text[node.span.start as usize..node.span.end as usize])),
        Kind::List(items) => {
            events.push("+SEQ".into());
            items.iter().for_each(|item| flatten(text, item, events));
            events.push("-SEQ".into());
        }
        Kind::Map(pairs) => {
            events.push("+MAP".into());
            for pair in pairs {
                let quoted = text[pair.key.span.start as usize..].starts_with(['"', '\'', '|', '>']);
                events.push(format!("{}{}", if quoted { '"' } else { ':' }, escape(&pair.key.value)));
                flatten(text, &pair.value, events);
            }
            events.push("-MAP".into());
        }
        Kind::Error => panic!("an error without a finding"),
    }
}

/// What no span covers and is more than the signs and spaces between values: must be nothing, or something was lost.
fn rest(text: &str, parsed: &grammar::yaml::Parsed) -> String {
    fn leaves(node: &Node, cover: &mut impl FnMut(model::Span)) {
        match &node.kind {
            Kind::List(items) => items.iter().for_each(|item| leaves(item, cover)),
            Kind::Map(pairs) => pairs.iter().for_each(|pair| {
                cover(pair.key.span);
                leaves(&pair.value, cover);
            }),
            Kind::Scalar { .. } | Kind::Null | Kind::Error => cover(node.span),
        }
    }
    let mut bytes = text.as_bytes().to_vec();
    let mut cover = |span: model::Span| bytes[span.start as usize..span.end as usize].fill(b' ');
    parsed.comments.iter().for_each(|comment| cover(comment.span));
    parsed.findings.iter().filter_map(|finding| finding.span).for_each(&mut cover);
    parsed.root.iter().for_each(|root| leaves(root, &mut cover));
    let left = String::from_utf8(bytes).unwrap();
    if parsed.findings.iter().any(|f| f.code == codes::SEVERAL_DOCUMENTS) {
        return String::new(); // the others are not read
    }
    let lines =
        left.lines().filter(|line| !line.starts_with('%') && !line.starts_with("---") && !line.starts_with("..."));
    lines.flat_map(|line| line.chars()).filter(|c| !" \t\u{feff}-:?,[]{}".contains(*c)).collect()
}
