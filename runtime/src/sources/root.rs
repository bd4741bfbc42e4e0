//! One endpoint.

use model::{Finding, codes};
use net::{Credentials, bare, credentials_in};
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
