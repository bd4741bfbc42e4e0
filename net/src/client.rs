//! The client, and what its answers say besides their bodies.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::header::RETRY_AFTER;
use reqwest::{Request, Response, Url};
use tokio::sync::OnceCell;

use crate::failure::{Failure, Kind};

/// Asks servers. It follows no redirect by itself. TLS roots are the system's; `SSL_CERT_FILE` and `SSL_CERT_DIR` take their place.
/// Proxies are the environment's, but for this machine: what is trusted without TLS is asked itself, and nobody between.
#[derive(Clone, Debug, Default)]
pub struct Client {
    stall: Duration,
    /// Each is made when it is needed first: reading the system's roots takes longer than signing.
    anywhere: OnceCell<reqwest::Client>,
    here: OnceCell<reqwest::Client>,
    /// Without TLS, and so without roots.
    plain: OnceCell<reqwest::Client>,
}

impl Client {
    /// Connecting takes at most `stall`.
    pub fn new(stall: Duration) -> Self {
        // Another part of the program may have chosen the same one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { stall, ..Self::default() }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// What the network or the server did.
    pub async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        let url = request.url();
        let (client, is_local, is_plain) = match (is_local(url), url.scheme()) {
            (true, "http") => (&self.plain, true, true),
            (true, _) => (&self.here, true, false),
            (false, _) => (&self.anywhere, false, false),
        };
        client.get_or_try_init(async || self.made(is_local, is_plain)).await?.execute(request).await
    }

    fn made(&self, is_local: bool, is_plain: bool) -> reqwest::Result<reqwest::Client> {
        let builder = || {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(self.stall)
                .user_agent(concat!("clnstrt/", env!("CARGO_PKG_VERSION")));
            if is_local { builder.no_proxy() } else { builder }
        };
        let plain = || builder().tls_certs_only([]).build();
        // A machine without any certificate can still use http, and every https server is refused.
        if is_plain { plain() } else { builder().build().or_else(|_| plain()) }
    }
}

/// Whether an address is on this machine.
pub fn is_local(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
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
