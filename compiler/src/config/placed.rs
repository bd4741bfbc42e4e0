//! What is taken from beside the configuration: the application, single files, certificates.

use std::collections::BTreeMap;

use grammar::quote;
use grammar::yaml::{Kind, Node};
use model::config::{Content, Place, PlacedFile, Source};
use model::{Finding, Span, Spanned, codes};

use super::commands::commands;
use super::packages;
use super::path::{below_root, beside};
use grammar::reader::{Fields, Reader};

pub(super) const SOURCE_FIELDS: &[&str] = &["path", "git", "to", "build", "tests", "tools"];
pub(super) const GIT_FIELDS: &[&str] = &["url", "commit"];

const FILE_FIELDS: &[&str] = &["from", "content", "to", "mode"];
const DEFAULT_MODE: u32 = 0o644;

pub(super) fn source(reader: &mut Reader, fields: &Fields<'_>, no_language: Option<Span>) -> Option<Source> {
    let fields = reader.section(fields, "source", SOURCE_FIELDS)?;
    let place = place(reader, &fields);
    let to = reader.required(&fields, "to", "name the directory in the image: `to: /app`");
    let to = to.and_then(|node| below_root(reader, node, "source.to"));
    let build = commands(reader, &fields, "build", "source.build[]");
    let tests = commands(reader, &fields, "tests", "source.tests[]");
    let tools = packages::read(reader, &fields, "tools");
    if !tools.is_empty() && no_language.is_some() {
        packages::refuse_without_language(reader, &fields, "tools", no_language);
    }
    Some(Source { place: place?, to: to?, build, tests, tools })
}

/// Refuses to build an application among files of others.
pub(super) fn refuse_shared(reader: &mut Reader, to: &Spanned<String>) {
    if !is_shared(&to.value) {
        return;
    }
    let message = format!("an application cannot be built in {}, where others have files as well", quote(&to.value));
    let finding = Finding::error(codes::BAD_VALUE, message).at(to.span);
    let why = "all that is in the directory after the build would be the application's, compilers among it";
    reader.add(finding.because(why).help("name a directory of its own, such as `/app`, `/srv/app` or `/usr/src/app`"));
}

/// Whether packages or a room have files in a directory, or below it.
fn is_shared(to: &str) -> bool {
    const SHARED: &str = "bin boot build dev etc lib lib32 lib64 libx32 out proc recipe run sbin sys tmp usr var";
    let parts: Vec<&str> = to.split('/').skip(1).collect();
    let first = parts.first().copied().unwrap_or_default();
    let own = matches!(*parts.as_slice(), ["usr", "src", _, ..] | ["var", "www" | "opt", ..] | ["var", "lib", _, ..]);
    !own && SHARED.split(' ').any(|shared| shared == first)
}

/// Where the files are; exactly one of two fields says it.
fn place(reader: &mut Reader, fields: &Fields<'_>) -> Option<Place> {
    let Some(git) = fields.pair("git") else {
        let path = reader.required(fields, "path", "name the application's directory: `path: ./app`");
        return path.and_then(|node| beside(reader, node, "source.path")).map(Place::Folder);
    };
    if let Some(path) = fields.key("path") {
        let finding = Finding::error(codes::CONFLICTING_FIELDS, "an application has its files from one place");
        let finding = finding.at(path).label(git.key.span, "a repository is named here");
        reader.add(finding.help("write `path`, a directory beside the configuration, or `git`"));
        return None;
    }
    let git = reader.section(fields, "git", GIT_FIELDS)?;
    let url = reader.required(&git, "url", "name the repository: `url: https://…`");
    let url = url.and_then(|node| repository(reader, node));
    let commit = reader.required(&git, "commit", "name the commit by all of its 40 digits");
    let commit = commit.and_then(|node| commit_name(reader, node));
    Some(Place::Git { url: url?, commit: commit? })
}

/// An address git can fetch from without running a program of the address's choice.
fn repository(reader: &mut Reader, node: &Node) -> Option<Spanned<String>> {
    let url = reader.line(node, "source.git.url")?;
    let schemes = ["https://", "http://", "ssh://", "git://"];
    let host = schemes.iter().find_map(|scheme| url.value.strip_prefix(scheme));
    let is_plain =
        |host: &str| !host.is_empty() && !host.starts_with(['-', '/']) && !host.contains(char::is_whitespace);
    let is_harmless =
        |host: &str| !host.contains("@-") && !host.split_once('@').is_some_and(|(user, _)| user.contains(':'));
    if host.is_some_and(|host| is_plain(host) && host.split('/').next().is_some_and(is_harmless)) {
        return Some(url);
    }
    let before_path = host.and_then(|host| host.split('/').next()).unwrap_or_default();
    if before_path.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
        let message = "`source.git.url` holds a password";
        reader.bad_value(url.span, message, "leave it to git: a credential helper or a key agent");
        return None;
    }
    let message = format!("{} is no address of a git repository", quote(&url.value));
    reader.bad_value(url.span, message, "write it as `https://…`, `http://…`, `ssh://…` or `git://…`");
    None
}

/// A branch or a tag may name another commit tomorrow, and a short name another one as well.
fn commit_name(reader: &mut Reader, node: &Node) -> Option<Spanned<String>> {
    let commit = reader.line(node, "source.git.commit")?;
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if matches!(commit.value.len(), 40 | 64) && commit.value.bytes().all(is_digit) {
        return Some(commit);
    }
    let message = format!("{} is no whole name of a commit", quote(&commit.value));
    reader.bad_value(commit.span, message, "write all of its 40 hexadecimal digits, as `git rev-parse` prints them");
    None
}

pub(super) fn files(reader: &mut Reader, node: &Node) -> Vec<PlacedFile> {
    let mut seen = BTreeMap::new();
    let mut files = Vec::new();
    for item in reader.list(node, "files") {
        let Some(file) = file(reader, item) else { continue };
        if is_first(reader, &mut seen, &file.to) {
            files.push(file);
        }
    }
    for file in &files {
        let above = std::path::Path::new(&file.to.value).ancestors().skip(1).filter_map(|path| path.to_str());
        if let Some(first) = above.filter_map(|path| seen.get(path)).next() {
            let message = format!("{} cannot be placed beneath a file", quote(&file.to.value));
            let finding = Finding::error(codes::CONFLICTING_FIELDS, message).at(file.to.span);
            reader.add(finding.label(*first, "this is one").help("give one of the two another path"));
        }
    }
    files
}

fn file(reader: &mut Reader, node: &Node) -> Option<PlacedFile> {
    let fields = reader.fields(node, "files[]", FILE_FIELDS)?;
    let content = match (fields.pair("content"), fields.key("from")) {
        (Some(content), None) => reader.text(&content.value, "files.content").map(Content::Text),
        (Some(content), Some(from)) => {
            let finding = Finding::error(codes::CONFLICTING_FIELDS, "a file has its content from one place");
            let finding = finding.at(content.key.span).label(from, "a file is named here");
            reader.add(finding.help("write `content`, the text itself, or `from`, the file that holds it"));
            None
        }
        (None, _) => {
            let help = "name the file beside the configuration, `from: ./config/app.toml`, or write `content`";
            let from = reader.required(&fields, "from", help);
            from.and_then(|node| beside(reader, node, "files.from")).map(Content::File)
        }
    };
    let place = reader.required(&fields, "to", "name the file in the image: `to: /etc/app.toml`");
    let to = place.and_then(|node| below_root(reader, node, "files.to"));
    let mode = fields.get("mode").map_or(Some(DEFAULT_MODE), |node| mode(reader, node));
    if let Some(Kind::Scalar { text, .. }) = place.map(|node| &node.kind)
        && text.len() > 1
        && text.ends_with('/')
        && let Some(to) = &to
    {
        reader.bad_value(to.span, "`files.to` must name a file, not a directory", "add the file's name");
        return None;
    }
    Some(PlacedFile { content: content?, to: to?, mode: mode? })
}

/// Four octal digits in quotes: without them, `0644` is 420 to one reader of YAML and 644 to another.
fn mode(reader: &mut Reader, node: &Node) -> Option<u32> {
    let text = reader.text(node, "files.mode")?;
    let help = "write three octal digits after a zero, in quotes: `\"0644\"`";
    if matches!(node.kind, Kind::Scalar { plain: true, .. }) {
        let message = format!("the mode {} must be a text in quotes, not a number", quote(&text.value));
        reader.add(Finding::error(codes::WRONG_TYPE, message).at(text.span).help(help));
        return None;
    }
    let digits =
        text.value.strip_prefix('0').filter(|rest| rest.len() == 3 && rest.bytes().all(|b| matches!(b, b'0'..=b'7')));
    let mode = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
    if mode.is_none() {
        let message =
            format!("{} is no mode of a placed file (set-user-ID and sticky bits are not given)", quote(&text.value));
        reader.bad_value(text.span, message, help);
    }
    mode
}

/// Policies: paths beside the configuration, or names of shipped ones.
pub(super) fn policies(reader: &mut Reader, node: &Node) -> Vec<Spanned<String>> {
    let items: Vec<&Node> = reader.list(node, "policies").collect();
    let read = |item: &Node| match &item.kind {
        Kind::Scalar { text, .. } if text.starts_with("stdlib:") => reader.line(item, "policies[]"),
        _ => beside(reader, item, "policies[]"),
    };
    items.into_iter().filter_map(read).collect()
}

pub(super) fn certificates(reader: &mut Reader, node: &Node) -> Vec<Spanned<String>> {
    let mut seen = BTreeMap::new();
    let mut paths = Vec::new();
    for item in reader.list(node, "certificates") {
        let Some(path) = beside(reader, item, "certificates[]") else { continue };
        if is_first(reader, &mut seen, &path) {
            paths.push(path);
        }
    }
    paths
}

fn is_first(reader: &mut Reader, seen: &mut BTreeMap<String, Span>, place: &Spanned<String>) -> bool {
    let first = *seen.entry(place.value.clone()).or_insert(place.span);
    if first != place.span {
        reader.duplicate(&quote(&place.value), place.span, first);
    }
    first == place.span
}
