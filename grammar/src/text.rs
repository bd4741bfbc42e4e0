use model::{Finding, codes};

/// The most bytes a document may have: 1 MiB. A configuration of a thousand packages is below 50 kB.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads the bytes of a document as text; a byte order mark is dropped.
pub fn decode(bytes: &[u8]) -> Result<&str, Finding> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the document is larger than {MAX_BYTES} bytes");
        return Err(Finding::error(codes::TOO_LARGE, message)
            .help("a configuration is a short text: was another file meant, or data put into it?"));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| not_utf8(bytes, e.valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn not_utf8(bytes: &[u8], at: usize) -> Finding {
    let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
    let byte = bytes.get(at).copied().unwrap_or_default();
    let message = format!("expected UTF-8, but byte {at} (line {line}) is 0x{byte:02x}");
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let help = if utf16 { "the file looks like UTF-16: save it as UTF-8" } else { "save the file as UTF-8" };
    Finding::error(codes::NOT_UTF8, message).help(help)
}

/// A piece of a document as messages show it: between backticks, on one line, nothing invisible, at most 60 characters.
pub fn quote(text: &str) -> String {
    let mut shown = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == 60 {
            shown.push('…');
            break;
        }
        if c.is_control() { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(decode(b"\xef\xbb\xbfname: x"), Ok("name: x"));
    }

    #[test]
    fn the_place_of_a_wrong_byte_is_named() {
        let finding = decode(b"a: 1\nb: \xff").unwrap_err();
        assert_eq!(finding.code, codes::NOT_UTF8);
        assert!(finding.message.contains("byte 8 (line 2) is 0xff"), "{}", finding.message);
        let finding = decode(b"\xff\xfea\0").unwrap_err();
        assert!(finding.help.is_some_and(|help| help.contains("UTF-16")));
    }

    #[test]
    fn one_byte_too_many_is_refused() {
        let mut bytes = vec![b' '; MAX_BYTES];
        assert!(decode(&bytes).is_ok());
        bytes.push(b' ');
        assert_eq!(decode(&bytes).unwrap_err().code, codes::TOO_LARGE);
    }

    #[test]
    fn what_is_quoted_is_short_and_visible() {
        assert_eq!(quote("a\u{1b}[2J\nb"), "`a\\u{1b}[2J\\nb`");
        assert_eq!(quote(&"x".repeat(10_000)).chars().count(), 63);
    }
}
