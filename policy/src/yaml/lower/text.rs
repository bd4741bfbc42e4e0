//! Writing Rego.

use std::fmt::Write as _;

/// A text in the making.
pub(super) struct Text(String);

/// What a clause says. Each but `rule` is an expression in Rego.
#[derive(Clone, Copy)]
pub(super) struct Say<'s> {
    pub(super) rule: &'s str,
    pub(super) msg: &'s str,
    /// The path of the fact it is about.
    pub(super) fact: &'s str,
    pub(super) remedy: &'s str,
    /// Further fields, which exceptions can match.
    pub(super) more: &'s [(&'s str, &'s str)],
}

impl Text {
    pub(super) fn new(policy: &str) -> Self {
        Self(format!("package clnstrt.policy.{}\n", policy.replace('-', "_")))
    }

    /// A rule that others use, as it is.
    pub(super) fn helper(&mut self, text: &str) {
        let _ = write!(self.0, "\n{text}\n");
    }

    /// `deny contains …`, where all the conditions hold.
    pub(super) fn deny(&mut self, conditions: &[&str], say: Say<'_>) {
        self.0.push_str("\ndeny contains said if {\n");
        for condition in conditions {
            let _ = writeln!(self.0, "\t{condition}");
        }
        self.0.push_str("\tsaid := {\n");
        let fixed = [("msg", say.msg), ("fact", say.fact), ("remedy", say.remedy)];
        let _ = writeln!(self.0, "\t\t\"rule\": {},", quoted(say.rule));
        for (name, value) in fixed.into_iter().chain(say.more.iter().copied()) {
            let _ = writeln!(self.0, "\t\t\"{name}\": {value},");
        }
        self.0.push_str("\t}\n}\n");
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A text as Rego writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A set of texts as Rego writes it: one a line, for no evaluator takes lines of any length.
pub(super) fn set<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    match texts.as_slice() {
        [] => "set()".into(),
        [one] => format!("{{{one}}}"),
        all => format!("{{\n\t\t{},\n\t}}", all.join(",\n\t\t")),
    }
}
