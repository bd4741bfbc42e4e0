//! What the image stands on, in the long and the short form.

use std::str::FromStr;

use grammar::quote;
use grammar::yaml::{Kind, Node};
use model::config::{Base, Build, Language, VersionWish};
use model::{Finding, Spanned, codes};
use pep440_rs::VersionSpecifiers;

use super::image::LATER_LANGUAGES;
use grammar::reader::{Fields, Reader};

pub(super) const FIELDS: &[&str] = &["language", "version", "build"];

const VERSION_HELP: &str = "write a version (`3.13.5`), a line (`3.13`), a range (`\">=3.11,<3.14\"`) or `latest`";

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Base> {
    match (fields.get("base"), fields.get("python_version")) {
        (Some(_), short) => {
            if short.is_some()
                && let (Some(short), Some(base)) = (fields.key("python_version"), fields.key("base"))
            {
                let message = "`python_version` is the short form of `base`; only one of them can be given";
                let finding = Finding::error(codes::CONFLICTING_FIELDS, message).at(short).label(base, "given here");
                reader.add(finding.help("remove `python_version`"));
            }
            long(reader, fields)
        }
        (None, Some(node)) => {
            let language = Spanned::new(Language::Python, fields.key("python_version").unwrap_or(node.span));
            Some(Base {
                language: Some(language),
                version: Some(version(reader, node, "python_version")?),
                build: None,
            })
        }
        // the language version that stands for it was refused already
        (None, None) if LATER_LANGUAGES.iter().any(|name| fields.get(&format!("{name}_version")).is_some()) => None,
        (None, None) => {
            let help = "write `base: {language: python, version: \"3.13\"}`, or `base: {language: none}`";
            reader.required(fields, "base", help);
            None
        }
    }
}

fn long(reader: &mut Reader, fields: &Fields<'_>) -> Option<Base> {
    let fields = reader.section(fields, "base", FIELDS)?;
    let build = fields.get("build").and_then(|node| {
        let build = match reader.one_of(node, "base.build", &["source", "prebuilt"], &[])? {
            "source" => Build::Source,
            _ => Build::Prebuilt,
        };
        Some(Spanned::new(build, node.span))
    });
    let wish = fields.get("version").map(|node| version(reader, node, "base.version"));
    let node = reader.required(&fields, "language", "write `language: python`, or `language: none`")?;
    match reader.one_of(node, "base.language", &["python", "none"], LATER_LANGUAGES)? {
        "none" => {
            if let Some(key) = fields.key("version") {
                let finding =
                    Finding::error(codes::CONFLICTING_FIELDS, "without a language there is no language version");
                reader.add(finding.at(key).label(node.span, "no language").help("remove `version`"));
            }
            Some(Base { language: None, version: None, build })
        }
        _ => {
            if wish.is_none() {
                reader.required(&fields, "version", VERSION_HELP);
            }
            Some(Base { language: Some(Spanned::new(Language::Python, node.span)), version: Some(wish??), build })
        }
    }
}

fn version(reader: &mut Reader, node: &Node, path: &str) -> Option<Spanned<VersionWish>> {
    if node.kind == Kind::Null {
        reader.wrong_type(node, path, "a version");
        return None;
    }
    let text = reader.text(node, path)?;
    match wish(text.value.trim()) {
        Ok(wish) => Some(Spanned::new(wish, text.span)),
        Err(cause) => {
            let finding = Finding::error(codes::BAD_VALUE, format!("{} is no version", quote(&text.value)));
            let finding = cause.into_iter().fold(finding.at(text.span), Finding::because);
            reader.add(finding.help(VERSION_HELP));
            None
        }
    }
}

fn wish(text: &str) -> Result<VersionWish, Option<String>> {
    if text == "latest" {
        return Ok(VersionWish::Latest);
    }
    if text.contains(['<', '>', '=', '!', '~', ',']) {
        return match VersionSpecifiers::from_str(text) {
            Ok(_) => Ok(VersionWish::Range(text.to_owned())),
            Err(e) => Err(e.to_string().lines().next().map(str::to_owned)),
        };
    }
    let parts: Vec<&str> = text.split('.').collect();
    match parts.split_last() {
        _ if parts.iter().all(|part| numeric(part)) && parts.len() < 3 => Ok(VersionWish::Line(text.to_owned())),
        _ if parts.iter().all(|part| numeric(part)) => Ok(VersionWish::Exact(text.to_owned())),
        // 3.14.0rc2
        Some((last, before)) if before.len() == 2 && before.iter().all(|part| numeric(part)) && pre_release(last) => {
            Ok(VersionWish::Exact(text.to_owned()))
        }
        _ => Err(None),
    }
}

fn numeric(part: &str) -> bool {
    (1..10).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
}

fn pre_release(part: &str) -> bool {
    let mut splits = ["a", "b", "rc"].into_iter().filter_map(|mark| part.split_once(mark));
    splits.any(|(patch, count)| numeric(patch) && numeric(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart_by_their_form() {
        for (text, expected) in [
            ("latest", VersionWish::Latest),
            ("3", VersionWish::Line("3".into())),
            ("3.10", VersionWish::Line("3.10".into())),
            ("3.13.5", VersionWish::Exact("3.13.5".into())),
            ("3.14.0rc2", VersionWish::Exact("3.14.0rc2".into())),
            (">=3.11,<3.14", VersionWish::Range(">=3.11,<3.14".into())),
            ("~=3.11", VersionWish::Range("~=3.11".into())),
        ] {
            assert_eq!(wish(text), Ok(expected), "{text}");
        }
        for text in
            ["", "3.", "v3.13", "3.x", "Latest", ">=three", ">=3.11,", "3.13rc1", "3..1", "99999999999999999999"]
        {
            assert!(wish(text).is_err(), "{text}");
        }
    }
}
