//! The client, and what its answers say besides their bodies.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, Url};

use crate::failure::{Failure, Kind};

/// A client that follows no redirect by itself. TLS roots are the system's; `SSL_CERT_FILE` and `SSL_CERT_DIR` take their place.
/// Proxies are the environment's. Connecting takes at most `stall`.
///
/// # Errors
/// Why there is no TLS.
pub fn client(stall: Duration) -> Result<Client, String> {
    // Another part of the program may have chosen the same one before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(stall)
            .user_agent(concat!("clnstrt/", env!("CARGO_PKG_VERSION")))
    };
    // A machine without any certificate can still use http, and every https server is refused.
    builder().build().or_else(|_| builder().tls_certs_only([]).build()).map_err(reason)
}

/// Scheme, host and port of a URL.
pub fn server(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// `Retry-After`: seconds or a date (RFC 9110 §10.2.3).
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok(),
    }
}

/// The whole chain of causes, without the URL, which may carry credentials.
pub fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What an answer that gives nothing means.
pub fn refused(response: &Response) -> Failure {
    let status = response.status();
    let text = format!("the server answers {status}");
    match status.as_u16() {
        404 | 410 => Failure::lasting(Kind::NotFound, text),
        401 | 403 | 407 => Failure::lasting(Kind::Denied, text),
        408 | 429 | 500.. => {
            Failure { again: Some(retry_after(response).unwrap_or_default()), ..Failure::passing(text) }
        }
        _ => Failure::lasting(Kind::Network, text),
    }
}
