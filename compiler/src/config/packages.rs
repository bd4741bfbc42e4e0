//! The language's own packages: a list of requirements, or a map of names and versions.

use std::collections::BTreeMap;

use grammar::yaml::{Kind, Node, Pair};
use model::{Finding, Span, Spanned, codes};

use grammar::reader::{Fields, Reader};

/// The requirements a field lists.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>, name: &'static str) -> Vec<Spanned<String>> {
    let Some(node) = fields.get(name) else { return Vec::new() };
    let path = fields.named(name);
    let requirements: Vec<Spanned<String>> = match &node.kind {
        Kind::Map(_) => reader.map(node, &path).filter_map(|pair| entry(reader, &path, pair)).collect(),
        _ => reader.list(node, &path).filter_map(|item| requirement(reader, &path, item)).collect(),
    };
    refuse_duplicates(reader, &requirements);
    let is_list = matches!(node.kind, Kind::List(_));
    for finding in crate::pypi::unreadable(&requirements) {
        let fix = finding.fix.clone().filter(|_| is_list); // in a map, name and version stand apart
        reader.add(Finding { fix, ..finding });
    }
    requirements
}

/// Says that packages of a language are asked for where there is none; `base` is where that stands.
pub(super) fn refuse_without_language(reader: &mut Reader, fields: &Fields<'_>, name: &str, base: Option<Span>) {
    let Some(key) = fields.key(name) else { return };
    let message = format!("`{}` are those of a language, and there is none", fields.named(name));
    let instead = if fields.path.is_empty() { "system_packages" } else { "build_packages" };
    let finding = Finding::error(codes::CONFLICTING_FIELDS, message).at(key);
    let finding = finding.help(format!("Debian packages go under `{instead}`; or name a language"));
    reader.add(base.into_iter().fold(finding, |finding, base| finding.label(base, "no language here")));
}

fn requirement(reader: &mut Reader, path: &str, item: &Node) -> Option<Spanned<String>> {
    let Kind::Map(pairs) = &item.kind else {
        let requirement = reader.line(item, &format!("{path}[]"))?;
        return Some(Spanned { span: without_quotes(item).unwrap_or(requirement.span), ..requirement });
    };
    let help = match pairs.as_slice() {
        [Pair { key, value: Node { kind: Kind::Scalar { text, .. }, .. } }]
            if text.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            format!("write `{}=={text}`", key.value)
        }
        [pair, ..] => format!("write `- {}==VERSION`, or all of them as a map", pair.key.value),
        [] => "write `- name==VERSION`".to_owned(),
    };
    let finding = Finding::error(codes::WRONG_TYPE, "a package in a list must be a text, found a map");
    reader.add(finding.at(item.span).help(help));
    None
}

/// The place of a quoted text, if it stands between its quotes as it is: findings then point at parts of it.
fn without_quotes(item: &Node) -> Option<Span> {
    let Kind::Scalar { text, plain: false } = &item.kind else { return None };
    let Span { source, start, end } = item.span;
    (item.span.len() == text.len() + 2).then(|| Span::new(source, start as usize + 1, end as usize - 1))
}

/// `fastapi: 0.104.1`, `uvicorn: ">=0.24"`, `httpx: "*"`.
fn entry(reader: &mut Reader, path: &str, pair: &Pair) -> Option<Spanned<String>> {
    let name = &pair.key.value;
    if pair.value.kind == Kind::Null {
        let finding = Finding::error(codes::WRONG_TYPE, format!("{} has no version", grammar::quote(name)));
        reader.add(finding.at(pair.key.span).help(format!("write `{name}: \"*\"` for any")));
        return None;
    }
    let version = reader.line(&pair.value, &format!("{path}.{name}"))?;
    let text = match version.value.trim() {
        "*" | "latest" => name.to_string(),
        limits if limits.starts_with(['<', '>', '=', '!', '~']) => format!("{name}{limits}"),
        exact => format!("{name}=={exact}"),
    };
    if let Some(near) = crate::pypi::mended(&text) {
        let message = format!("{} is neither a version nor a range", grammar::quote(&version.value));
        let near = format!("\"{}\"", near.strip_prefix(name.as_str()).unwrap_or(&near));
        let finding = Finding::error(codes::BAD_REQUIREMENT, message).at(version.span);
        reader.add(finding.help(format!("did you mean `{near}`?")).replace_by(near));
        return None;
    }
    Some(Spanned::new(text, pair.span()))
}

/// One package twice is a mistake, unless markers say which of the two counts where.
fn refuse_duplicates(reader: &mut Reader, requirements: &[Spanned<String>]) {
    let mut seen: BTreeMap<String, (Span, bool)> = BTreeMap::new();
    for requirement in requirements {
        let name = package_name(&requirement.value);
        let has_marker = requirement.value.contains(';');
        match seen.get(&name) {
            _ if name.is_empty() => {}
            Some((first, both)) if !(has_marker && *both) => {
                reader.duplicate(&format!("the package `{name}`"), requirement.span, *first);
            }
            Some(_) => {}
            None => {
                seen.insert(name, (requirement.span, has_marker));
            }
        }
    }
}

/// The normalised name (PEP 503) a requirement starts with; empty if it starts with none.
pub(crate) fn package_name(requirement: &str) -> String {
    let requirement = requirement.trim_start();
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')));
    inspect::pypi::normalize(requirement.get(..end.unwrap_or(requirement.len())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_the_index_does() {
        assert_eq!(package_name("Typing_Extensions>=4"), "typing-extensions");
        assert_eq!(package_name("uvicorn[standard]==1"), "uvicorn");
        assert_eq!(package_name("==1"), "");
    }
}
