//! Debian packages the author asks for.

use std::collections::BTreeMap;

use grammar::quote;
use model::config::{Relation, SystemPackage};
use model::{Finding, Span, Spanned, codes};

use grammar::reader::{Fields, Reader};

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>, name: &str) -> Vec<Spanned<SystemPackage>> {
    let Some(node) = fields.get(name) else { return Vec::new() };
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut packages = Vec::new();
    for item in reader.list(node, name) {
        let Some(text) = reader.line(item, &format!("{name}[]")) else { continue };
        match parse(text.value.trim()) {
            Ok(package) => {
                if let Some(first) = seen.get(&package.name) {
                    reader.duplicate(&format!("the package `{}`", package.name), text.span, *first);
                    continue;
                }
                seen.insert(package.name.clone(), text.span);
                packages.push(Spanned::new(package, text.span));
            }
            Err(cause) => {
                let message = format!("{} is no Debian package: {cause}", quote(&text.value));
                let finding = Finding::error(codes::BAD_REQUIREMENT, message).at(text.span);
                reader.add(finding.help("write `name` or `\"name (>= version)\"`"));
            }
        }
    }
    packages
}

/// `name` or `name (relation version)` (Debian Policy §5.6.1, §5.6.12, §7.1).
fn parse(text: &str) -> Result<SystemPackage, &'static str> {
    let (name, limit) = match text.split_once('(') {
        Some((name, rest)) => (name.trim_end(), Some(rest)),
        None => (text, None),
    };
    if name.contains(':') {
        return Err("an architecture is not given here; `architectures` says them for all packages");
    }
    if name.contains('|') || name.contains(',') {
        return Err("one entry names one package");
    }
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if name.len() < 2
        || !name.bytes().next().is_some_and(letters)
        || !name.bytes().all(|b| letters(b) || b"+-.".contains(&b))
    {
        return Err(
            "a name has at least two lower-case letters, digits, `+`, `-` or `.`, and a limit stands in parentheses",
        );
    }
    let relation = limit.map(parse_limit).transpose()?;
    Ok(SystemPackage { name: name.to_owned(), relation })
}

fn parse_limit(rest: &str) -> Result<(Relation, String), &'static str> {
    let inner = rest.strip_suffix(')').ok_or("the parenthesis is not closed at the end")?.trim();
    let end = inner.find(|c| !matches!(c, '<' | '>' | '=')).unwrap_or(inner.len());
    let (symbol, version) = inner.split_at_checked(end).unwrap_or((inner, ""));
    let relation = match symbol {
        "<<" => Relation::Earlier,
        "<=" => Relation::EarlierOrEqual,
        "=" => Relation::Equal,
        ">=" => Relation::LaterOrEqual,
        ">>" => Relation::Later,
        _ => return Err("the relation must be `<<`, `<=`, `=`, `>=` or `>>`"),
    };
    let version = version.trim();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".+-~:".contains(&b);
    if !version.bytes().next().is_some_and(|b| b.is_ascii_digit()) || !version.bytes().all(allowed) {
        return Err("a version starts with a digit and has letters, digits, `.`, `+`, `-`, `~` and `:` only");
    }
    Ok((relation, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_with_or_without_spaces() {
        let limited = |relation, version: &str| {
            Ok(SystemPackage { name: "libpq5".into(), relation: Some((relation, version.to_owned())) })
        };
        assert_eq!(parse("libpq5 (>= 15)"), limited(Relation::LaterOrEqual, "15"));
        assert_eq!(parse("libpq5(<<1:2.0~rc1-3+b1)"), limited(Relation::Earlier, "1:2.0~rc1-3+b1"));
        assert_eq!(parse("libpq5 ( = 15.6 )"), limited(Relation::Equal, "15.6"));
        assert_eq!(parse("libstdc++6"), Ok(SystemPackage { name: "libstdc++6".into(), relation: None }));
    }

    #[test]
    fn what_is_no_package_says_why() {
        for text in [
            "",
            "x",
            "libpq5 >= 15",
            "libpq5 (15)",
            "libpq5 (== 15)",
            "libpq5 (> 15)",
            "libpq5 (>= )",
            "libpq5 (>= 15",
            "libpq5 (>= 15) x",
            "Libpq5",
            "libc6:amd64",
            "a1 | b1",
            "a1, b1",
            "libpq5 (>= x)",
            "-ab",
            "libpq5 [amd64]",
            "../etc",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
