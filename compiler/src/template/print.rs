//! An image with everything put in, as YAML, each value with a comment that says where it came from.

use grammar::yaml::{Kind, Node};
use model::{Sources, Span};
use serde::{Serialize, Serializer};

use super::{Expanded, Trace};

impl Expanded {
    /// The image as a document of its own.
    pub fn print(&self, sources: &Sources) -> String {
        let mut printer = Printer { trace: &self.trace, sources, out: String::new() };
        match &self.root.kind {
            Kind::Map(pairs) => {
                for pair in pairs {
                    printer.entry(&format!("{}:", scalar(&pair.key.value, false)), &pair.value, 0);
                }
            }
            _ => printer.entry("", &self.root, 0),
        }
        printer.out
    }

    /// The image as JSON: texts as texts, and what YAML reads as a number or truth value as such.
    pub fn json(&self) -> impl Serialize {
        Json(&self.root)
    }
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
    let text = &text.replace("${{", "$${{");
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_'))
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '+' | '=' | '<' | '>'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    // Written without quotes it was read so, and the escapes of JSON are escapes of YAML.
    if word || plain { text.to_owned() } else { serde_json::Value::from(text.as_str()).to_string() }
}
