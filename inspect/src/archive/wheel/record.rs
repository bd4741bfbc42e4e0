//! `RECORD`: every file of a wheel with its digest and size, as CSV.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use model::{Digest, Finding};

use super::{Wheel, invalid};

/// Fields of a row.
const FIELDS: usize = 3;
/// How many files a finding names.
const NAMED: usize = 10;

/// Checks that the wheel holds exactly what its RECORD lists.
pub(super) fn verify(wheel: &Wheel) -> Result<(), Finding> {
    let record = format!("{}.dist-info/RECORD", wheel.stem);
    // signatures of RECORD cannot be listed in it with their digest
    let unlisted =
        |name: &str| name == record || name.strip_prefix(&record).is_some_and(|e| e == ".jws" || e == ".p7s");
    let mut listed = BTreeMap::new();
    for row in rows(wheel.text("RECORD")?)? {
        let [name, digest, size] = row.as_slice() else {
            return Err(invalid(format!("a line of RECORD has {} fields; it must have 3", row.len())));
        };
        if listed.insert(name.clone(), (digest.clone(), size.clone())).is_some() {
            return Err(invalid(format!("RECORD lists {name:?} twice")));
        }
    }
    let mut wrong = Vec::new();
    for (name, file) in wheel.files.iter().filter(|(name, _)| !unlisted(name)) {
        match listed.remove(name) {
            None => wrong.push(format!("{name} is not listed")),
            Some((digest, size)) => {
                if digest != hash(&file.digest) {
                    let why = if digest.starts_with("sha256=") { "has another digest" } else { "has no SHA-256 there" };
                    wrong.push(format!("{name} {why}"));
                } else if !size.is_empty() && size != file.size.to_string() {
                    wrong.push(format!("{name} has another size"));
                }
            }
        }
    }
    wrong.extend(
        listed.into_keys().filter(|name| !unlisted(name)).map(|name| format!("{name} is listed but not there")),
    );
    if wrong.is_empty() {
        return Ok(());
    }
    let finding = invalid(format!("the wheel's files and its RECORD differ in {} places", wrong.len()));
    Err(wrong.into_iter().take(NAMED).fold(finding, Finding::because))
}

/// The RECORD of an installation; `rows` are names, digests and sizes, `own` is its own name.
pub(super) fn write(rows: &BTreeMap<String, (Digest, u64)>, own: &str) -> String {
    let mut lines: Vec<(&str, String)> =
        rows.iter().map(|(name, (digest, size))| (name.as_str(), format!("{},{size}", hash(digest)))).collect();
    lines.push((own, ",".into()));
    lines.sort();
    lines.iter().map(|(name, rest)| format!("{},{rest}\n", quoted(name))).collect()
}

fn hash(digest: &Digest) -> String {
    format!("sha256={}", BASE64URL_NOPAD.encode(digest.as_bytes()))
}

fn quoted(name: &str) -> String {
    if name.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

fn says_something(row: &[String]) -> bool {
    row.iter().any(|field| !field.is_empty())
}

/// The names that a RECORD lists, whatever else it says of them.
///
/// # Errors
/// `ARCHIVE_INVALID` where it is no such list.
pub fn recorded(text: &str) -> Result<Vec<String>, Finding> {
    Ok(rows(text)?.into_iter().filter_map(|row| row.into_iter().next()).collect())
}

/// CSV as Python's `csv` module writes it: commas, double quotes, doubled to stand for themselves.
fn rows(text: &str) -> Result<Vec<Vec<String>>, Finding> {
    let mut rows = Vec::new();
    let mut row = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let fields = row.len();
        let field = match row.last_mut() {
            Some(field) => field,
            None => return Ok(rows),
        };
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted && fields > FIELDS => return Err(invalid("a line of RECORD has more than 3 fields")),
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                let row = std::mem::replace(&mut row, vec![String::new()]);
                rows.extend(Some(row).filter(|row| says_something(row)));
            }
            _ => field.push(char),
        }
    }
    if quoted {
        return Err(invalid("RECORD ends inside a quoted field"));
    }
    rows.extend(Some(row).filter(|row| says_something(row)));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_are_read_and_written() {
        let rows = rows("a,sha256=x,1\r\n\"b,\"\"c\",,\n\n").unwrap();
        assert_eq!(rows, [["a", "sha256=x", "1"], ["b,\"c", "", ""]]);
        let written = write(&BTreeMap::from([("b,\"c".to_owned(), (Digest::of(b""), 0))]), "z");
        assert_eq!(written, "\"b,\"\"c\",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nz,,\n");
    }
}
