//! Every file of `tests/compile/half-typed` is a document as it stands in an editor while somebody types, and what must survive: a
//! line `PATH` for what must be in the tree, `PATH = TEXT` for a scalar, `finding CODE LINE` for what must be said, and
//! `no finding CODE [LINE]` for what would only confuse. What the front end makes of it is recorded behind that: the outline,
//! and the findings whole.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fmt::Write as _;
use std::fs;

use compiler::template::{Document, Library};
use compiler::{Symbol, symbols};
use grammar::yaml::{Kind, Node};
use model::{Finding, Findings, Sources, codes};

struct Files(Vec<(String, String)>);

impl Library for Files {
    fn read(&self, path: &str) -> Result<(String, String), Finding> {
        let found = self.0.iter().find(|(name, _)| name == path);
        found.cloned().ok_or_else(|| Finding::error(codes::TEMPLATE_UNREADABLE, format!("{path} is not there")))
    }
}

struct Read {
    root: Option<Node>,
    findings: Findings,
    sources: Sources,
}

fn read(files: Vec<(String, String)>) -> Read {
    let files = Files(files);
    let mut sources = Sources::default();
    let (name, text) = files.0.first().unwrap();
    let source = sources.add(name, text);
    let parsed = grammar::yaml::parse(source, text);
    let mut findings = parsed.findings.clone();
    if let Some(root) = &parsed.root {
        let (mended, sources) = (&parsed.mended, &mut sources);
        if compiler::template::is_template(root) {
            findings.extend(Document::check_template(name, root, mended, sources, &files));
        } else {
            let (document, found) = Document::load(name, root, mended, sources, &files);
            findings.extend(found);
            findings.extend(document.images(&[]).map_or_else(|findings| findings, |(_, findings)| findings));
        }
    }
    Read { root: parsed.root, findings, sources }
}

/// The node at `a.b[0].c`.
fn at<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return Some(node);
    }
    if let Some((index, rest)) = path.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let Kind::List(items) = &node.kind else { return None };
        let mut items = items.iter().filter(|item| item.kind != Kind::Error || !item.span.is_empty());
        return at(items.nth(index.parse().unwrap())?, rest);
    }
    let Kind::Map(pairs) = &node.kind else { return None };
    let pair = pairs.iter().filter(|pair| !pair.key.value.is_empty()).find(|pair| {
        path.strip_prefix(pair.key.value.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })?;
    at(&pair.value, path.strip_prefix(pair.key.value.as_str())?)
}

/// What does not hold of one line of `survives`.
fn missing(line: &str, read: &Read) -> Option<String> {
    let line_of = |finding: &Finding| {
        finding.span.map_or(0, |span| read.sources.line_column(span.source, span.start).0).to_string()
    };
    let is = |code: &str, line: Option<&str>| {
        read.findings.iter().any(|finding| finding.code.id == code && line.is_none_or(|line| line_of(finding) == line))
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let holds = match words.as_slice() {
        ["finding", code, line] => is(code, Some(line)),
        ["no", "finding", code] => !is(code, None),
        ["no", "finding", code, line] => !is(code, Some(line)),
        _ => {
            let (path, text) = line.split_once(" = ").map_or((line, None), |(path, text)| (path, Some(text)));
            let found = read.root.as_ref().and_then(|root| at(root, path));
            found.is_some_and(|node| {
                text.is_none_or(|text| matches!(&node.kind, Kind::Scalar { text: found, .. } if found == text))
            })
        }
    };
    (!holds).then(|| format!("    {line}\n"))
}

fn outline(symbols: &[Symbol], depth: usize, out: &mut String) {
    for symbol in symbols {
        writeln!(out, "{}{} ({:?})", "  ".repeat(depth), symbol.name, symbol.kind).unwrap();
        outline(&symbol.children, depth + 1, out);
    }
}

#[test]
fn what_must_survive_of_half_typed_documents_does() {
    let cases = cases::files("compile/half-typed", "txt");
    assert!(cases.len() >= 60);
    let (mut wrong, mut recorded) = (String::new(), Vec::new());
    for case in cases {
        let whole = fs::read_to_string(&case).unwrap();
        let mut parts = cases::parts(&whole);
        if let Some((name, text)) = parts.first_mut()
            && let Some(bare) = name.strip_suffix(", no line end")
        {
            *name = bare.to_owned();
            text.pop();
        }
        let survives = parts.iter().find(|(name, _)| name == "survives").unwrap().1.clone();
        let read = read(parts);
        let lost: String = survives.lines().filter_map(|line| missing(line, &read)).collect();
        let mut out = String::new();
        outline(&read.root.as_ref().map(symbols).unwrap_or_default(), 0, &mut out);
        out.push_str(&report::render(&read.sources, &read.findings, report::Format::Text { color: false }));
        if !lost.is_empty() {
            wrong.push_str(&format!("{}\n{lost}{out}\n", case.display()));
        }
        recorded.push((case, cases::with_found(&whole, &out)));
    }
    assert!(wrong.is_empty(), "{wrong}");
    cases::compare(recorded);
}
