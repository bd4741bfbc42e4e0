//! Text around bytes (RFC 7468).

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// The label of the first block of a text, and its bytes; headers within it, as old formats have them, are not accepted.
pub(crate) fn decode(text: &str) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN "));
    let label = lines.next()?.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?.to_owned();
    let end = format!("-----END {label}-----");
    let mut body = Zeroizing::new(String::with_capacity(text.len()));
    loop {
        match lines.next()? {
            line if line == end => break,
            line => body.push_str(line),
        }
    }
    let bytes = BASE64.decode(body.as_bytes()).ok()?;
    Some((label, Zeroizing::new(bytes)))
}

/// Bytes under a label, in lines of 64 characters.
pub(crate) fn encode(label: &str, bytes: &[u8]) -> String {
    let body = BASE64.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text + &format!("-----END {label}-----\n")
}
