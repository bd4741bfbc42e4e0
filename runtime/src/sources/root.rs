//! One endpoint.

use model::{Finding, codes};
use reqwest::Url;

/// An endpoint of a source. Credentials are kept apart from its URL, which may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Root {
    /// The URL, without credentials, query or fragment.
    pub url: Url,
    /// Where it was found: an option, a variable, a file, or a client.
    pub found_in: String,
    pub(crate) credentials: Option<Credentials>,
}

/// A name and a password for a server.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Root {
    /// Reads an `http` or `https` URL.
    ///
    /// # Errors
    /// `SOURCE_INVALID`; the finding does not repeat the text, which may hold a password.
    pub fn parse(text: &str, found_in: &str) -> Result<Self, Finding> {
        let invalid = |cause: String| {
            Finding::error(codes::SOURCE_INVALID, format!("{found_in} holds no usable URL"))
                .because(cause)
                .help("Expected http://HOST/PATH or https://HOST/PATH.")
        };
        let mut url = Url::parse(text).map_err(|e| invalid(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("the scheme {:?} is not supported", url.scheme())));
        }
        let credentials = credentials_in(&url);
        url = bare(url);
        Ok(Self { url, found_in: found_in.to_owned(), credentials })
    }

    /// The URL of something below it; `path` is not escaped yet, and cannot climb out.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.url, self.found_in)
    }
}

/// The name and password a URL carries. Clients that print their settings mask passwords with asterisks: those are none.
pub(crate) fn credentials_in(url: &Url) -> Option<Credentials> {
    let decode = |text: &str| {
        let bytes = percent_decode(text);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let password = decode(url.password().unwrap_or_default());
    let masked = password.len() > 1 && password.bytes().all(|byte| byte == b'*');
    (!url.username().is_empty() && !masked).then(|| Credentials { user: decode(url.username()), password })
}

/// Undoes `%XX`; anything else stays.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
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
pub(crate) fn bare(mut url: Url) -> Url {
    // These fail only for URLs that cannot carry credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// A URL as findings show it.
pub(crate) fn shown(url: &Url) -> String {
    bare(url.clone()).to_string()
}
