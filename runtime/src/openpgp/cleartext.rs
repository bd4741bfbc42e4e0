//! The cleartext signature framework (RFC 9580 §7), narrowed to what signed indexes use.
//!
//! What is not part of the signed text is either required exactly or refused, so nothing unsigned can be taken for
//! signed: one message, no other armour header than `Hash`, nothing before it and only blank lines after it, and no
//! carriage return, whose meaning as a line end differs between implementations.

/// A message taken apart.
pub(super) struct Message<'a> {
    /// The text that was signed: unescaped, blanks at line ends removed, lines ending in `\n`.
    pub(super) text: String,
    /// The armoured signatures.
    pub(super) signatures: &'a str,
}

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// Takes a message apart, or says what is wrong with it.
pub(super) fn split(message: &str) -> Result<Message<'_>, String> {
    if message.contains('\r') {
        return Err("it holds a carriage return".to_owned());
    }
    let rest = message.strip_prefix(BEGIN).and_then(|rest| rest.strip_prefix('\n'));
    let mut rest = rest.ok_or_else(|| format!("it does not begin with the line `{BEGIN}`"))?;
    loop {
        let (line, after) = rest.split_once('\n').ok_or("its armour headers do not end")?;
        rest = after;
        if line.is_empty() {
            break;
        }
        if !line.starts_with("Hash: ") {
            return Err(format!("it has the armour header `{}`, where only `Hash` may be", line.escape_debug()));
        }
    }
    let mut text = String::with_capacity(rest.len());
    loop {
        if rest.starts_with(SIGNATURE) {
            break;
        }
        let (line, after) = rest.split_once('\n').ok_or("its signature is missing")?;
        rest = after;
        let line = match line.strip_prefix("- ") {
            Some(escaped) => escaped,
            None if line.starts_with('-') => return Err("a line of its text begins with an unescaped `-`".to_owned()),
            None => line,
        };
        text.push_str(line.trim_end_matches([' ', '\t']));
        text.push('\n');
    }
    let end = rest.find(END).ok_or("its signature does not end")? + END.len();
    match rest.split_at_checked(end) {
        Some((signatures, after)) if after.trim().is_empty() => Ok(Message { text, signatures }),
        _ => Err("something follows its signature".to_owned()),
    }
}

impl Message<'_> {
    /// What the signatures are computed over: lines separated by CR LF, the last line end left out.
    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        self.text.strip_suffix('\n').unwrap_or(&self.text).replace('\n', "\r\n").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\na \t\n- -b\n\nc\n-----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn text_is_unescaped_and_trimmed() {
        let message = split(GOOD).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(message.text, "a\n-b\n\nc\n");
        assert_eq!(message.signed_bytes(), b"a\r\n-b\r\n\r\nc");
        assert!(message.signatures.starts_with(SIGNATURE) && message.signatures.ends_with(END));
    }

    #[test]
    fn anything_unsigned_is_refused() {
        let cases = [
            (format!("Label: x\n{GOOD}"), "does not begin"),
            (format!("\n{GOOD}"), "does not begin"),
            (format!("{GOOD}Label: x\n"), "something follows"),
            (format!("{GOOD}{GOOD}"), "something follows"),
            (GOOD.replace("Hash: SHA256", "Hash: SHA256\nLabel: x"), "armour header"),
            (GOOD.replace("Hash: SHA256\n", "Hash: SHA256\n \n"), "armour header"),
            (GOOD.replace("- -b", "-b"), "unescaped"),
            (GOOD.replace('a', "a\r"), "carriage return"),
            (GOOD.replace(SIGNATURE, "").replace(END, ""), "missing"),
            (GOOD.replace(END, ""), "does not end"),
            (BEGIN.to_owned(), "does not begin"),
            (format!("{BEGIN}\nHash: SHA256"), "do not end"),
        ];
        for (text, why) in cases {
            let error = split(&text).err().unwrap_or_default();
            assert!(error.contains(why), "{why}: {error}\n{text}");
        }
    }
}
