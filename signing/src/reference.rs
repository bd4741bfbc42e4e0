//! Where a key is, as cosign writes it: a file, `env://NAME`, `pkcs11:…`.

use std::env;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::str::FromStr;

use model::{Finding, codes};
use zeroize::Zeroizing;

use crate::key::PrivateKey;
use crate::pkcs11::{self, TokenUri};
use crate::{Signer, cosign, pem};

/// Bytes of a key file.
const LARGEST: u64 = 64 << 10;
/// What names of keys in tokens begin with.
const TOKEN: &str = "pkcs11:";
/// Keys that others keep, which a later version will use.
const LATER: [&str; 7] = ["awskms://", "azurekms://", "gcpkms://", "hashivault://", "k8s://", "gitlab://", "github://"];

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReference {
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
    /// In a token.
    Token(Box<TokenUri>),
}

/// What opens a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The password of a file. One that is wrong may be tried again.
    Password,
    /// The PIN of a token, which locks itself after some wrong ones.
    Pin,
}

/// Who knows the password or PIN of a key: asked only if the key has one.
pub type Password<'p> = dyn Fn(Secret, &str) -> Result<Zeroizing<Vec<u8>>, Finding> + 'p;

impl FromStr for KeyReference {
    type Err = Finding;

    fn from_str(text: &str) -> Result<Self, Finding> {
        if text.contains("-----BEGIN") {
            return Err(Finding::error(
                codes::KEY_UNUSABLE,
                "a key is named on the command line, and not written there",
            )
            .help("name the file it is in, or put it into a variable and write `env://NAME`"));
        }
        if let Some(name) = text.strip_prefix("env://") {
            return Ok(Self::Environment(name.to_owned()));
        }
        // A scheme is one however it is written (RFC 3986 §3.1).
        let scheme = text.get(..TOKEN.len()).filter(|scheme| scheme.eq_ignore_ascii_case(TOKEN));
        if let Some(rest) = scheme.and(text.get(TOKEN.len()..)) {
            let wrong = |why| {
                Finding::error(codes::USAGE, format!("the PKCS #11 URI of a key is wrong: {why}"))
                    .help("RFC 7512 says how they are: `pkcs11:token=LABEL;object=LABEL?module-path=FILE`")
            };
            return TokenUri::parse(rest).map(|uri| Self::Token(Box::new(uri))).map_err(wrong);
        }
        if let Some(kind) = LATER.iter().find(|kind| text.starts_with(**kind)) {
            let message = format!("keys of {kind} are not supported yet");
            return Err(Finding::error(codes::NOT_SUPPORTED_YET, message)
                .help("use a key file, `env://NAME`, or a token, `pkcs11:…`"));
        }
        Ok(Self::File(text.into()))
    }
}

/// Opens the key a reference names.
///
/// # Errors
/// `KEY_UNUSABLE`; what asking for the password fails with.
pub fn open(reference: &KeyReference, password: &Password<'_>) -> Result<Box<dyn Signer>, Finding> {
    let (shown, text) = match reference {
        KeyReference::Token(uri) => return Ok(Box::new(pkcs11::open(uri, password)?)),
        KeyReference::File(path) => {
            let mut text = Zeroizing::new(Vec::new());
            let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
            read.map_err(|e| {
                Finding::error(codes::KEY_UNUSABLE, format!("the key {} cannot be read: {e}", path.display()))
                    .help("`key generate` makes one")
            })?;
            (path.display().to_string(), text)
        }
        KeyReference::Environment(name) => {
            let text = env::var(name).map_err(|_| {
                Finding::error(codes::KEY_UNUSABLE, format!("the environment has no key {name}"))
                    .help("put the text of a key file into this variable")
            })?;
            (format!("env://{name}"), Zeroizing::new(text.into_bytes()))
        }
    };
    let unusable = |why: String| {
        Finding::error(codes::KEY_UNUSABLE, format!("{shown} is no key that can sign"))
            .because(why)
            .help("keys are PKCS #8 in PEM (`openssl pkcs8 -topk8 -nocrypt`), or files of `key generate` or cosign")
    };
    let text = std::str::from_utf8(&text).map_err(|_| unusable("it is no text".into()))?;
    let (label, inside) = pem::decode(text).ok_or_else(|| unusable("it is no PEM, or cut off".into()))?;
    let der = match label.as_str() {
        "PRIVATE KEY" => inside,
        label if cosign::LABELS.contains(&label) => {
            let opened = cosign::decrypt(&inside, &password(Secret::Password, &shown)?).map_err(unusable)?;
            opened.ok_or_else(|| {
                Finding::error(codes::KEY_UNUSABLE, format!("the password is not that of {shown}"))
                    .help("set CLNSTRT_PASSWORD or COSIGN_PASSWORD, or enter it when it is asked for")
            })?
        }
        label => return Err(unusable(format!("it is called {label:?}"))),
    };
    Ok(Box::new(PrivateKey::from_pkcs8(&der).map_err(unusable)?))
}
