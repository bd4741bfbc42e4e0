//! Names of keys in tokens (RFC 7512).

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Bytes of a URI.
const LONGEST: usize = 4096;
/// What stands for itself in any value, besides letters and digits.
const PLAIN: &[u8] = b"-._~:[]@!$'()*+,=";

/// A `pkcs11:` URI of a private key.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TokenUri {
    shown: String,
    pub(super) slot: Option<u64>,
    pub(super) token: Option<Vec<u8>>,
    pub(super) serial: Option<Vec<u8>>,
    pub(super) model: Option<Vec<u8>>,
    pub(super) manufacturer: Option<Vec<u8>>,
    pub(super) object: Option<Vec<u8>>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) module: Option<PathBuf>,
    pub(super) pin: Option<Pin>,
}

/// Where the PIN is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Pin {
    Value(Zeroizing<Vec<u8>>),
    File(PathBuf),
}

/// As it was written, without the PIN.
impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl TokenUri {
    /// Reads what follows `pkcs11:`.
    ///
    /// # Errors
    /// What is wrong. Names of attributes are told, values never: one may be a PIN in the wrong place.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut uri = Self::default();
        // cosign writes an empty one where a slot comes first.
        let path = path.split(';').filter(|part| !part.is_empty());
        let names = read(path, b"&", |name, value| uri.take_path(name, value))?;
        let query = query.split('&').filter(|part| !part.is_empty());
        let settings = read(query, b"/?|", |name, value| uri.take_query(name, value))?;
        uri.shown = format!("pkcs11:{}", names.join(";"));
        for (at, part) in settings.iter().filter(|part| !part.starts_with("pin-value=")).enumerate() {
            uri.shown.push(if at == 0 { '?' } else { '&' });
            uri.shown.push_str(part);
        }
        Ok(uri)
    }

    fn take_path(&mut self, name: &str, value: Vec<u8>) -> Result<(), String> {
        let place = match name {
            "token" => &mut self.token,
            "serial" => &mut self.serial,
            "model" => &mut self.model,
            "manufacturer" => &mut self.manufacturer,
            "object" => &mut self.object,
            "id" => &mut self.id,
            "slot-id" => {
                let number = std::str::from_utf8(&value).ok().and_then(|digits| digits.parse().ok());
                self.slot = Some(number.ok_or("`slot-id` is no number")?);
                return Ok(());
            }
            "type" if value == b"private" => return Ok(()),
            "type" => return Err("`type` is another than `private`".into()),
            _ => return Err(format!("`{name}` is no attribute by which a key is found here")),
        };
        *place = Some(value);
        Ok(())
    }

    fn take_query(&mut self, name: &str, value: Vec<u8>) -> Result<(), String> {
        let pin = match name {
            "module-path" => {
                self.module = Some(OsString::from_vec(value).into());
                return Ok(());
            }
            "pin-value" => Pin::Value(Zeroizing::new(value)),
            "pin-source" => Pin::File(file(&value).ok_or("`pin-source` is no `file:` and an absolute path")?),
            _ => return Err(format!("`{name}` behind the `?` is not used here")),
        };
        match self.pin.replace(pin) {
            Some(_) => Err("it has both `pin-value` and `pin-source`".into()),
            None => Ok(()),
        }
    }
}

/// Takes attributes one by one, and returns them as they are written.
fn read<'t>(
    parts: impl Iterator<Item = &'t str>,
    also_plain: &[u8],
    mut take: impl FnMut(&str, Vec<u8>) -> Result<(), String>,
) -> Result<Vec<&'t str>, String> {
    let (mut seen, mut written) = (Vec::new(), Vec::new());
    for part in parts {
        let (name, value) = part.split_once('=').ok_or("an attribute has no `=`")?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err("an attribute has no proper name".into());
        }
        if seen.contains(&name) {
            return Err(format!("`{name}` is there twice"));
        }
        take(name, decode(value, also_plain).map_err(|why| format!("`{name}` {why}"))?)?;
        seen.push(name);
        written.push(part);
    }
    Ok(written)
}

fn decode(value: &str, also_plain: &[u8]) -> Result<Vec<u8>, &'static str> {
    // It never grows, so no part of a PIN stays where it was before.
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || u8::try_from(char::from(bytes.next()?).to_digit(16)?).ok();
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    return Err("has a `%` without two hexadecimal digits");
                };
                high << 4 | low
            }
            byte if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) || also_plain.contains(&byte) => byte,
            _ => return Err("has a character that has to be percent-encoded"),
        });
    }
    Ok(std::mem::take(&mut decoded))
}

/// The path of a `file:` URI, which is of this machine.
fn file(uri: &[u8]) -> Option<PathBuf> {
    let path = uri.strip_prefix(b"file:")?;
    let path = path.strip_prefix(b"//").unwrap_or(path);
    let path = PathBuf::from(OsString::from_vec(path.to_vec()));
    Some(path).filter(|path| Path::is_absolute(path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cosign_writes_is_read() {
        let text = "token=My%20Token;slot-id=7;id=%00%64;object=label_a?module-path=/usr/lib/x.so&pin-value=12%26%3b";
        let uri = TokenUri::parse(text).unwrap();
        assert_eq!((uri.token.as_deref(), uri.slot), (Some(&b"My Token"[..]), Some(7)));
        assert_eq!((uri.id.as_deref(), uri.object.as_deref()), (Some(&[0, 0x64][..]), Some(&b"label_a"[..])));
        assert_eq!(uri.module.as_deref(), Some(Path::new("/usr/lib/x.so")));
        assert!(uri.pin == Some(Pin::Value(Zeroizing::new(b"12&;".to_vec()))));
        let shown = "pkcs11:token=My%20Token;slot-id=7;id=%00%64;object=label_a?module-path=/usr/lib/x.so";
        assert_eq!((uri.to_string(), format!("{uri:?}")), (shown.into(), shown.into()));
        assert_eq!(TokenUri::parse(";slot-id=0;id=%01?pin-value=1").unwrap().to_string(), "pkcs11:slot-id=0;id=%01");
    }

    #[test]
    fn what_p11tool_prints_is_read() {
        let text =
            "model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=609f;token=t;id=%65%63;object=ec;type=private";
        let uri = TokenUri::parse(text).unwrap();
        assert_eq!((uri.model.as_deref(), uri.serial.as_deref()), (Some(&b"SoftHSM v2"[..]), Some(&b"609f"[..])));
        assert_eq!(uri.to_string(), format!("pkcs11:{text}"));
    }

    #[test]
    fn a_pin_may_be_in_a_file() {
        for text in ["?pin-source=file:/etc/pin", "?pin-source=file:///etc/pin"] {
            assert!(TokenUri::parse(text).unwrap().pin == Some(Pin::File("/etc/pin".into())), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_told() {
        for (text, why) in [
            ("token=t;colour=1234", "`colour` is no attribute"),
            ("token=t;pin-value=1234", "`pin-value` is no attribute"),
            ("token=t?max-pin=1234", "`max-pin` behind the `?`"),
            ("token=t;1234", "no `=`"),
            ("token=t?pin value=1234", "no proper name"),
            ("=1234", "no proper name"),
            ("token=12%3", "`token` has a `%`"),
            ("token=12%g034", "`token` has a `%`"),
            ("token=12 34", "`token` has a character"),
            ("object=12/34", "`object` has a character"),
            ("token=a\u{e4}1234", "`token` has a character"),
            ("?module-path=/x.so;pin-value=1234", "`module-path` has a character"),
            ("slot-id=1234x", "`slot-id` is no number"),
            ("slot-id=99999999999999999999", "`slot-id` is no number"),
            ("type=public", "`type` is another"),
            ("token=1;token=1234", "`token` is there twice"),
            ("?pin-value=1&pin-value=1234", "`pin-value` is there twice"),
            ("?pin-value=1234&pin-source=file:/x", "both"),
            ("?pin-source=1234", "`pin-source` is no"),
            ("?pin-source=file:1234", "`pin-source` is no"),
            ("?pin-source=file://host/1234", "`pin-source` is no"),
            ("?pin-source=%7C/bin/1234", "`pin-source` is no"),
        ] {
            let told = TokenUri::parse(text).unwrap_err();
            assert!(told.contains(why) && !told.contains("1234"), "{text}: {told}");
        }
        assert!(TokenUri::parse(&"x".repeat(LONGEST + 1)).unwrap_err().contains("longer"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = TokenUri::parse(&text);
        }

        #[test]
        fn any_text_of_what_matters_is_read_or_refused(
            text in "((token|id|slot-id|object|type|pin-value|pin-source|x)?(=|%|%4|%41|7|;|\\?|&|file:/){0,4}){0,6}",
        ) {
            if let Ok(uri) = TokenUri::parse(&text) {
                prop_assert!(!uri.to_string().contains("pin-value="));
            }
        }

        #[test]
        fn any_bytes_can_be_named(token: Vec<u8>, pin: Vec<u8>) {
            let encode = |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let uri = TokenUri::parse(&format!("token={}?pin-value={}", encode(&token), encode(&pin)));
            let uri = uri.map_err(TestCaseError::fail)?;
            prop_assert_eq!(uri.token.as_ref(), Some(&token));
            prop_assert!(uri.pin == Some(Pin::Value(Zeroizing::new(pin))));
        }
    }
}
