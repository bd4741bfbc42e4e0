//! An image with everything put in, as YAML, each value with a comment that says where it came from.

use grammar::yaml::{Kind, Node, Pair, parse, quoted};
use model::{SourceId, Sources, Span};
use serde::{Serialize, Serializer};

use super::{Expanded, Trace};

impl Expanded {
    /// The image as a document of its own.
    pub fn print(&self, sources: &Sources) -> String {
        print(&self.root, &self.trace, sources)
    }

    /// The image as JSON: texts as texts, and what YAML reads as a number or truth value as such.
    pub fn json(&self) -> impl Serialize {
        Json(&self.root)
    }
}

fn print(root: &Node, trace: &Trace, sources: &Sources) -> String {
    let mut printer = Printer { trace, sources, out: String::new() };
    match &root.kind {
        Kind::Map(pairs) => {
            for pair in pairs {
                printer.entry(&format!("{}:", scalar(&pair.key.value, false)), &pair.value, 0);
            }
        }
        _ => printer.entry("", root, 0),
    }
    printer.out
}

struct Json<'a>(&'a Node);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.kind {
            Kind::Map(pairs) => {
                serializer.collect_map(pairs.iter().map(|pair| (pair.key.value.as_str(), Json(&pair.value))))
            }
            Kind::List(items) => serializer.collect_seq(items.iter().map(Json)),
            Kind::Scalar { text, plain: true } if text == "true" || text == "false" => {
                serializer.serialize_bool(text == "true")
            }
            Kind::Scalar { text, plain: true } => match text.parse::<i64>() {
                Ok(number) if number.to_string() == **text => serializer.serialize_i64(number),
                _ => serializer.serialize_str(text),
            },
            Kind::Scalar { text, .. } => serializer.serialize_str(text),
            Kind::Null | Kind::Error => serializer.serialize_unit(),
        }
    }
}

struct Printer<'a> {
    trace: &'a Trace,
    sources: &'a Sources,
    out: String,
}

impl Printer<'_> {
    /// A key or dash with its value, at a depth.
    fn entry(&mut self, start: &str, node: &Node, depth: usize) {
        let indent = "  ".repeat(depth);
        let value = match &node.kind {
            Kind::Map(pairs) if !pairs.is_empty() => {
                self.out.push_str(&format!("{indent}{start}\n"));
                for pair in pairs {
                    self.entry(&format!("{}:", scalar(&pair.key.value, false)), &pair.value, depth + 1);
                }
                return;
            }
            Kind::List(items) if !items.is_empty() => {
                self.out.push_str(&format!("{indent}{start}\n"));
                for item in items {
                    self.entry("-", item, depth + 1);
                }
                return;
            }
            Kind::Map(_) => "{}".to_owned(),
            Kind::List(_) => "[]".to_owned(),
            Kind::Scalar { text, plain } => scalar(text, *plain),
            Kind::Null | Kind::Error => "null".to_owned(),
        };
        let line = format!("{indent}{start} {value}");
        self.out.push_str(&format!("{line:<40}  # {}\n", self.came_from(node.span)));
    }

    fn came_from(&self, span: Span) -> String {
        let mut places = vec![self.place(self.trace.at(span))];
        if let Some(origin) = span.expansion().and_then(|number| self.trace.origins.get(number)) {
            places.extend(origin.put.map(|put| format!("by {}", self.place(put))));
            places.extend(origin.used().map(|(name, span)| format!("`{name}` from {}", self.place(*span))));
        }
        places.join(", ")
    }

    fn place(&self, span: Span) -> String {
        let (line, _) = self.sources.line_column(span.source, span.start);
        format!("{}:{line}", self.sources.name(span.source))
    }
}

/// A scalar in YAML: as it is where that reads as the same text, else in double quotes.
fn scalar(text: &str, plain: bool) -> String {
    let text = text.replace("${{", "$${{");
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '+' | '=' | '<' | '>');
    let simple = text.chars().all(letters);
    let word = simple
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    // A plain text of several lines, or out of a list in brackets, may read as something else where it stands now.
    if word || plain && reads_the_same(&text) { text } else { quoted(&text) }
}

/// Whether a text without quotes, behind a key or a dash, is the value.
fn reads_the_same(text: &str) -> bool {
    let parsed = parse(SourceId(0), &format!("k: {text}\n"));
    let Some(Kind::Map(pairs)) = parsed.root.map(|root| root.kind).filter(|_| parsed.findings.is_empty()) else {
        return false;
    };
    let same = |pair: &Pair| matches!(&pair.value.kind, Kind::Scalar { text: read, plain: true } if read == text);
    parsed.comments.is_empty() && pairs.len() == 1 && pairs.iter().all(same) && !text.contains('\n')
}

#[cfg(test)]
mod tests {
    use model::Spanned;
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = String> {
        let pieces = [
            "a", "one two", "\n", "\n\n", ": ", " #", "#", "- ", "?", "[", "]", "{", "}", ",", "&a", "*a", "!t", "|",
            ">", "%", "@", "`", "'", "\"", "\\", "null", "~", "true", "8000", "010", "3.10", " ", "\t", "---", "...",
            "${{", "}}", "\u{85}", "é", "=", "<<",
        ];
        let text =
            prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..5).prop_map(|pieces| pieces.concat());
        prop_oneof![4 => text, 1 => any::<String>()]
    }

    fn node(kind: Kind) -> Node {
        Node { span: Span::new(SourceId(0), 0, 0), kind }
    }

    fn json(node: &Node) -> String {
        serde_json::to_string(&Json(node)).unwrap()
    }

    fn nodes() -> impl Strategy<Value = Node> {
        let scalar = (texts(), any::<bool>()).prop_map(|(text, plain)| node(Kind::Scalar { text: text.into(), plain }));
        prop_oneof![9 => scalar, 1 => Just(node(Kind::Null))].prop_recursive(3, 24, 4, |inner| {
            let entry = |(key, value): (String, Node)| {
                let key = Spanned::new(key.into(), value.span);
                Pair { key, value }
            };
            let map = prop::collection::btree_map("[a-z: #]{1,5}", inner.clone(), 0..4)
                .prop_map(move |map| node(Kind::Map(map.into_iter().map(entry).collect())));
            prop_oneof![prop::collection::vec(inner, 0..4).prop_map(|items| node(Kind::List(items.into()))), map]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_printed_has_the_same_values(node in nodes()) {
            let mut sources = Sources::default();
            sources.add("image.yaml", "");
            let (trace, key) = (Trace::default(), Spanned::new("key".into(), node.span));
            let root = Node { span: node.span, kind: Kind::Map([Pair { key, value: node }].into()) };
            let printed = print(&root, &trace, &sources);
            let parsed = parse(SourceId(0), &printed);
            prop_assert_eq!(&parsed.findings, &Vec::new(), "{}", printed);
            let read = parsed.root.map(|root| json(&root).replace("$${{", "${{"));
            prop_assert_eq!(read, Some(json(&root)), "{}", printed);
        }
    }
}
