//! What an image is called.

use grammar::quote;
use grammar::yaml::Node;
use model::{Finding, Spanned, codes};

use grammar::reader::Reader;

/// Leaves room for variant, architecture and a registry's own prefix within the 255 bytes registries commonly allow.
const MAX_NAME: usize = 128;

/// Whether an image can be called so.
pub(crate) fn is_image_name(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.split(['.', '_', '-']).all(part) && name.len() <= MAX_NAME
}

/// A component of an OCI repository name (distribution-spec 1.1, "Pulling manifests"), with single separators.
pub(super) fn image(reader: &mut Reader, node: &Node) -> Option<Spanned<String>> {
    let name = reader.text(node, "name")?;
    if is_image_name(&name.value) {
        return Some(name);
    }
    let message = format!(
        "{} cannot name an image: expected at most {MAX_NAME} lower-case letters and digits, with single `.`, `_` or `-` between them",
        quote(&name.value)
    );
    let mut proposal = String::new();
    for c in name.value.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => proposal.push(c),
            _ if proposal.is_empty() || proposal.ends_with('-') => {}
            _ => proposal.push('-'),
        }
    }
    let proposal = proposal.trim_end_matches('-');
    let help = match name.value.rsplit_once('/') {
        Some(_) => "a registry's name does not belong here; it is given when the image is pushed".to_owned(),
        None if !proposal.is_empty() && proposal.len() <= MAX_NAME => format!("for example `{proposal}`"),
        None => "for example `my-service`".to_owned(),
    };
    let finding = Finding::error(codes::BAD_VALUE, message).at(name.span).help(help);
    let usable = !name.value.contains('/') && proposal != "null" && !proposal.is_empty() && proposal.len() <= MAX_NAME;
    reader.add(if usable { finding.replace_by(proposal) } else { finding });
    None
}

/// The image's own version becomes a tag (distribution-spec 1.1: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`).
pub(super) fn version(reader: &mut Reader, node: &Node) -> Option<Spanned<String>> {
    let version = reader.text(node, "version")?;
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts = version.value.bytes().next().is_some_and(word);
    if starts && version.value.len() <= 128 && version.value.bytes().all(|b| word(b) || b == b'.' || b == b'-') {
        return Some(version);
    }
    let message = format!("the version {} cannot be a tag", quote(&version.value));
    reader.bad_value(
        version.span,
        message,
        "a tag has at most 128 letters, digits, `.`, `_` and `-`, and starts with a letter, digit or `_`",
    );
    None
}
