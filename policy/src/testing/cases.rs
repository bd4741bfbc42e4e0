//! Cases: facts, and the rules that must speak of them.

use grammar::reader::Reader;
use grammar::yaml::{Kind, Node};
use model::{Finding, Findings, Span, codes, has_errors};
use serde_json::{Map, Value};

use crate::engine::{Engine, Verdict};
use crate::facts::{Facts, Stage};

/// What a document of cases calls itself in findings.
const CASES: &str = "cases";

/// A document of cases.
#[derive(Clone, Debug)]
pub struct Cases {
    /// In the order written.
    pub all: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// All facts.
    pub facts: Value,
    /// The rules that must speak, sorted, each once.
    pub expected: Vec<String>,
    span: Span,
}

impl Cases {
    /// Reads a document: `kind: policy-cases`, and `cases`, each with `name`, `stage`, `change` and `expect`. `change` is what its facts
    /// have otherwise than the shipped example of facts of the stage, which every shipped policy accepts (a merge patch, RFC
    /// 7396).
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(root: &Node) -> Result<Self, Findings> {
        let mut reader = Reader::default();
        let all = cases(&mut reader, root);
        let findings = reader.into_findings();
        match all {
            Some(all) if !has_errors(&findings) => Ok(Self { all }),
            _ => Err(findings),
        }
    }
}

fn cases(reader: &mut Reader, root: &Node) -> Option<Vec<Case>> {
    let fields = reader.fields(root, CASES, &["kind", "cases"])?;
    let kind = reader.required(&fields, "kind", "begin with `kind: policy-cases`");
    kind.and_then(|node| reader.one_of(node, "kind", &["policy-cases"], &[]));
    let list = reader.required(&fields, "cases", "list cases: `- {name: …, change: {…}, expect: […]}`")?;
    let items: Vec<&Node> = reader.list(list, "cases").collect();
    Some(items.into_iter().filter_map(|item| case(reader, item)).collect())
}

fn case(reader: &mut Reader, node: &Node) -> Option<Case> {
    let fields = reader.fields(node, "cases[]", &["name", "stage", "change", "expect"])?;
    let name = reader.required(&fields, "name", "say what it is about");
    let name = name.and_then(|node| reader.line(node, "name"));
    let stages: Vec<&'static str> = Stage::ALL.into_iter().map(Stage::name).collect();
    let stage = match fields.get("stage") {
        Some(node) => reader.one_of(node, "stage", &stages, &[])?,
        None => Stage::Compile.name(),
    };
    let mut facts: Value = serde_json::from_str(stdlib::policy::example(stage)).unwrap_or_default();
    if let Some(change) = fields.get("change") {
        merge(&mut facts, value(change));
        for finding in (Facts { document: facts.clone(), ..Facts::default() }).misfits() {
            reader.add(finding.at(change.span));
        }
    }
    let expect = reader.required(&fields, "expect", "list the rules that must speak, or none: `expect: []`");
    let mut expected = expect.map(|node| reader.texts(node, "expect")).unwrap_or_default();
    expected.sort();
    expected.dedup();
    Some(Case { name: name?.value, facts, expected, span: node.span })
}

impl Case {
    /// Asks policies about its facts, and compares which rules speak.
    pub(super) fn run(&self, engine: &Engine) -> Option<Finding> {
        let facts = Facts { document: self.facts.clone(), ..Facts::default() };
        let outcome = engine.clone().ask(&facts);
        let speaks = |verdict: &Verdict| !matches!(verdict, Verdict::Holds | Verdict::Deferred(_));
        let mut found: Vec<String> = outcome
            .decisions
            .iter()
            .filter(|decision| speaks(&decision.verdict))
            .map(|decision| decision.rule.clone())
            .collect();
        found.sort();
        found.dedup();
        if found == self.expected {
            return None;
        }
        let listed = |rules: &[String]| if rules.is_empty() { "none".to_owned() } else { rules.join(", ") };
        let message = format!(
            "the case `{}` expects these rules to speak: {}; there speak: {}",
            self.name,
            listed(&self.expected),
            listed(&found)
        );
        let finding = Finding::error(codes::POLICY_TEST_FAILED, message).at(self.span);
        Some(outcome.findings.iter().fold(finding, |finding, one| finding.because(one.message.clone())))
    }
}

/// A merge patch (RFC 7396).
fn merge(into: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(into) = into else { return };
    for (name, value) in patch {
        if value.is_null() {
            into.remove(&name);
        } else {
            merge(into.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// A YAML tree as JSON: plain words that are numbers, `true`, `false` and nothing are what they look like.
fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { text, plain: true } => match serde_json::from_str(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
            _ => Value::from(text.as_str()),
        },
        Kind::Scalar { text, plain: false } => Value::from(text.as_str()),
        Kind::List(items) => items.iter().map(value).collect(),
        Kind::Map(pairs) => {
            Value::Object(pairs.iter().map(|pair| (pair.key.value.to_string(), value(&pair.value))).collect())
        }
        Kind::Null | Kind::Error => Value::Null,
    }
}
