//! One request at a time: redirects, credentials, silence, retries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use net::{Credentials, Netrc, credentials_in, reason, server};
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::FetchOptions;
use super::failure::{Failure, Kind};
use crate::Progress;
use crate::sources::Root;

const REDIRECTS: usize = 10;
/// A server's wish to wait longer than this is not granted.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// From here on a person would wonder why nothing happens.
const NOTED_PAUSE: Duration = Duration::from_secs(2);

/// The HTTP client with what it learns about servers.
pub(super) struct Http {
    progress: Arc<dyn Progress>,
    client: net::Client,
    netrc: OnceLock<Netrc>,
    /// Credentials that came with a root's URL, by the root's scheme, host and port.
    trusted: Mutex<BTreeMap<String, Credentials>>,
    /// What is known of servers, by scheme, host and port.
    servers: Mutex<BTreeMap<String, Health>>,
    permits: Semaphore,
    stall: Duration,
    attempts: u32,
    backoff: Duration,
}

/// How a server has behaved so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    /// It answered the last time.
    Answers,
    /// It answered, and then failed as often as it was tried: it gets one chance for each further file.
    Fails,
    /// It never gave an answer: it is not asked again.
    Silent,
}

/// The head of an answer, its body still to be read.
pub(super) struct Answer {
    pub(super) response: Response,
    /// Where redirects ended.
    pub(super) url: Url,
    /// Whether every server on the way proved its name.
    pub(super) over_tls: bool,
}

impl Http {
    pub(super) fn new(options: &FetchOptions, progress: Arc<dyn Progress>) -> Self {
        Self {
            progress,
            client: net::Client::new(options.stall),
            netrc: OnceLock::new(),
            trusted: Mutex::default(),
            servers: Mutex::default(),
            permits: Semaphore::new(options.jobs.max(1)),
            stall: options.stall,
            attempts: options.attempts.max(1),
            backoff: options.backoff,
        }
    }

    /// Remembers the credentials of roots.
    pub(super) fn trust(&self, roots: &[Root]) {
        let mut trusted = lock(&self.trusted);
        for root in roots {
            if let Some(credentials) = &root.credentials {
                trusted.insert(server(&root.url), credentials.clone());
            }
        }
    }

    /// Tries until it works, fails for good, or has been tried often enough.
    pub(super) async fn retrying<T>(
        &self,
        url: &Url,
        mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let server = server(url);
        let health = lock(&self.servers).get(&server).copied();
        let attempts = if health == Some(Health::Fails) { 1 } else { self.attempts };
        let mut tried = 0;
        loop {
            if lock(&self.servers).get(&server) == Some(&Health::Silent) {
                return Err(Failure::lasting(Kind::Network, "the server gave no answer before and is not asked again"));
            }
            let result = match self.permits.acquire().await {
                Ok(_permit) => attempt().await,
                Err(e) => Err(Failure::lasting(Kind::Network, e.to_string())),
            };
            let failure = match result {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            tried += 1;
            let Some(pause) = failure.again.filter(|_| tried < attempts) else {
                if failure.again.is_some() || failure.silent {
                    let mut servers = lock(&self.servers);
                    match servers.get(&server) {
                        Some(_) => servers.insert(server, Health::Fails),
                        None if failure.silent => servers.insert(server, Health::Silent),
                        None => None,
                    };
                }
                return Err(failure);
            };
            let backoff = self.backoff.saturating_mul(1 << (tried - 1).min(10));
            let pause = pause.max(backoff).min(LONGEST_PAUSE);
            if pause >= NOTED_PAUSE {
                let text = &failure.text;
                self.progress.note(&format!("{server} is asked again in {} s: {text}", pause.as_secs()));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends one GET and follows redirects. Answers of status 2xx, 304 and 416 are returned, others are failures.
    pub(super) async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<Answer, Failure> {
        let mut url = url.clone();
        let mut over_tls = url.scheme() == "https";
        for _ in 0..=REDIRECTS {
            let response = self.send(&url, headers).await?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return if status.is_success() || matches!(status.as_u16(), 304 | 416) {
                    Ok(Answer { response, url, over_tls })
                } else {
                    Err(match net::refused(&response) {
                        Failure { kind: Kind::Denied, text, .. } => Failure::lasting(
                            Kind::Denied,
                            format!("{text}; credentials are taken from netrc or the client's configuration"),
                        ),
                        failure => failure,
                    })
                };
            }
            let target = response.headers().get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok());
            let Some(target) = target.filter(|target| matches!(target.scheme(), "http" | "https")) else {
                return Err(Failure::lasting(Kind::Network, "it redirects, and not to an address of http or https"));
            };
            if url.scheme() == "https" && target.scheme() == "http" {
                return Err(Failure::lasting(Kind::Network, "it redirects from https to http"));
            }
            over_tls &= target.scheme() == "https";
            url = target;
        }
        Err(Failure::lasting(Kind::Network, format!("it redirects more than {REDIRECTS} times")))
    }

    /// Reads a body piece by piece.
    pub(super) async fn body(
        &self,
        answer: &mut Answer,
        sink: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        net::body(&mut answer.response, self.stall, sink).await
    }

    /// Reads a whole body of at most `limit` bytes.
    pub(super) async fn collect(&self, answer: &mut Answer, limit: u64) -> Result<Vec<u8>, Failure> {
        net::collect(&mut answer.response, self.stall, limit).await
    }

    async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<Response, Failure> {
        let mut request = Request::new(Method::GET, url.clone());
        *request.headers_mut() = headers.clone();
        if let Some(credentials) = self.credentials(url) {
            let text =
                data_encoding::BASE64.encode(format!("{}:{}", credentials.user, credentials.password).as_bytes());
            if let Ok(value) = format!("Basic {text}").parse() {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
        }
        let server = server(url);
        match timeout(self.stall, self.client.execute(request)).await {
            Ok(Ok(response)) => {
                let busy = response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS;
                let mut servers = lock(&self.servers);
                if busy {
                    servers.entry(server).or_insert(Health::Answers);
                } else {
                    servers.insert(server, Health::Answers);
                }
                Ok(response)
            }
            Ok(Err(e)) => Err(Failure::silence(reason(e))),
            Err(_) => {
                // One that never said anything is not waited for again; one that did may be busy.
                let again = lock(&self.servers).contains_key(&server).then_some(Duration::ZERO);
                Err(Failure { again, ..Failure::silence(format!("no answer within {} s", self.stall.as_secs_f32())) })
            }
        }
    }

    fn credentials(&self, url: &Url) -> Option<Credentials> {
        credentials_in(url)
            .or_else(|| lock(&self.trusted).get(&server(url)).cloned())
            .or_else(|| self.netrc.get_or_init(Netrc::of_user).find(url))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
