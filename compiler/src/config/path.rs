//! Paths beside the configuration, and paths in the image.

use grammar::quote;
use grammar::yaml::Node;
use model::Spanned;

use grammar::reader::{Reader, named};

/// A path that stays below the directory of the configuration.
pub(super) fn beside(reader: &mut Reader, node: &Node, path: &str) -> Option<Spanned<String>> {
    let text = reader.line(node, path)?;
    let reason = if text.value.starts_with('/') || text.value.starts_with('~') {
        "it must be relative to the configuration"
    } else if text.value.split('/').any(|part| part == "..") {
        "it must not leave the configuration's directory by `..`"
    } else if text.value.contains('\\') {
        "directories are separated by `/`"
    } else {
        return Some(text);
    };
    let message = format!("{} is not accepted as {}: {reason}", quote(&text.value), named(path));
    reader.bad_value(text.span, message, "name it by its path below the configuration's directory, such as `./app`");
    None
}

/// An absolute path in the image. A slash at the end is dropped.
pub(super) fn in_image(reader: &mut Reader, node: &Node, path: &str) -> Option<Spanned<String>> {
    let text = reader.line(node, path)?;
    let inner = text.value.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    match inner {
        Some("") => Some(Spanned::new("/".to_owned(), text.span)),
        Some(inner) if inner.split('/').all(|part| !matches!(part, "" | "." | "..")) => {
            Some(Spanned::new(format!("/{inner}"), text.span))
        }
        _ => {
            let reason = if inner.is_none() { "start with `/`" } else { "have no empty, `.` or `..` part" };
            let message =
                format!("{} is not accepted as `{path}`: a path in the image must {reason}", quote(&text.value));
            reader.bad_value(text.span, message, "write it as `/app` or `/etc/app/config.toml`");
            None
        }
    }
}

/// An absolute path in the image that is not its root.
pub(super) fn below_root(reader: &mut Reader, node: &Node, path: &str) -> Option<Spanned<String>> {
    let place = in_image(reader, node, path)?;
    if place.value == "/" {
        let message = format!("`{path}` must be a place below the image's root");
        reader.bad_value(place.span, message, "name a directory of its own, such as `/app`");
        return None;
    }
    Some(place)
}
