//! Names and passwords, and URLs that may carry them.

use reqwest::Url;

/// A name and a password for a server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// The name and password a URL carries. Clients that print their settings mask passwords with asterisks: those are none.
pub fn credentials_in(url: &Url) -> Option<Credentials> {
    let decode = |text: &str| {
        let bytes = percent_decode(text);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let password = decode(url.password().unwrap_or_default());
    let masked = password.len() > 1 && password.bytes().all(|byte| byte == b'*');
    (!url.username().is_empty() && !masked).then(|| Credentials { user: decode(url.username()), password })
}

/// Undoes `%XX`; anything else stays.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| std::str::from_utf8(tail.get(..2)?).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    bytes
}

/// The URL without credentials, query and fragment: what may be shown.
pub fn bare(mut url: Url) -> Url {
    // These fail only for URLs that cannot carry credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// A URL as findings show it.
pub fn shown(url: &Url) -> String {
    bare(url.clone()).to_string()
}
