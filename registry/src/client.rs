//! One request at a time: who asks, how often, and until when.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use model::{Finding, Reference, codes};
use net::{Failure, Kind, collect, reason, retry_after, server};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Body, Method, Request, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use crate::accounts::{Account, Accounts};
use crate::challenge::{self, Challenge};
use crate::failure::finding;

const REDIRECTS: usize = 5;
/// A server's wish to wait longer than this is not granted.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Bytes of an answer to who asks for a token.
const LARGEST_TOKEN: u64 = 1 << 20;

/// How patient a client is.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often a request is made that may work the next time.
    pub attempts: u32,
    /// Silence that ends a request.
    pub stall: Duration,
    /// The pause before the second attempt; before each further one it is twice as long.
    pub backoff: Duration,
    /// Everything ends by then, counted from the client's first moment.
    pub deadline: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 5,
            stall: Duration::from_secs(30),
            backoff: Duration::from_millis(500),
            deadline: Duration::from_secs(3600),
        }
    }
}

/// Who asks registries, and what it learns on the way.
pub struct Client {
    http: reqwest::Client,
    options: Options,
    ends: Instant,
    accounts: OnceLock<Result<Accounts, Finding>>,
    /// What lets us in, by server and scope.
    granted: Mutex<BTreeMap<(String, String), HeaderValue>>,
}

/// A repository of a registry.
pub(crate) struct Repository<'c> {
    pub(crate) client: &'c Client,
    /// The server, as it is written in references.
    host: String,
    name: String,
    /// `https://HOST/v2/NAME/`
    base: Url,
}

/// A request.
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
}

impl Ask {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new() }
    }

    pub(crate) fn accepting(mut self, types: &'static str) -> Self {
        self.headers.insert(ACCEPT, HeaderValue::from_static(types));
        self
    }
}

impl Client {
    /// A client that begins now.
    ///
    /// # Errors
    /// `REGISTRY_FAILED` where there is no TLS.
    pub fn new(options: Options) -> Result<Self, Finding> {
        let http = net::client(options.stall)
            .map_err(|why| Finding::error(codes::REGISTRY_FAILED, format!("there is no TLS client: {why}")))?;
        Ok(Self {
            http,
            ends: Instant::now() + options.deadline,
            options,
            accounts: OnceLock::new(),
            granted: Mutex::default(),
        })
    }

    /// The repository a reference names.
    ///
    /// # Errors
    /// `REFERENCE_INVALID` where it names no registry.
    pub(crate) fn repository(&self, reference: &Reference) -> Result<Repository<'_>, Finding> {
        let unnamed = |why: &str| {
            Finding::error(codes::REFERENCE_INVALID, format!("`{reference}` {why}"))
                .help("name registry and repository: `registry.example/team/app:1.2`")
        };
        let host = reference.registry.clone().ok_or_else(|| unnamed("names no registry"))?;
        let scheme = if is_loopback(&host) { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/v2/{}/", reference.repository));
        let base = base.map_err(|e| unnamed(&format!("names no server: {e}")))?;
        Ok(Repository { client: self, host, name: reference.repository.clone(), base })
    }

    fn accounts(&self) -> Result<&Accounts, Failure> {
        self.accounts.get_or_init(Accounts::of_user).as_ref().map_err(|finding| finding.clone().into())
    }

    fn granted(&self, url: &Url, scope: &str) -> Option<HeaderValue> {
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        granted.get(&(server(url), scope.to_owned())).cloned()
    }

    async fn send(&self, request: Request) -> Result<Response, Failure> {
        let patience = self.options.stall;
        match timeout(patience, self.http.execute(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(e)) => Err(Failure::passing(reason(e))),
            Err(_) => Err(Failure::passing(format!("no answer within {} s", patience.as_secs_f32()))),
        }
    }

    fn late(&self) -> String {
        format!("all of it took longer than {} s", self.options.deadline.as_secs_f32())
    }

    /// Tries until it works, fails for good, or has been tried often enough.
    pub(crate) async fn retrying<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut tried = 0;
        loop {
            // A server that goes on answering, however slowly, is not waited for longer either.
            let left = self.ends.saturating_duration_since(Instant::now());
            let failure = match timeout(left, attempt()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(failure)) => failure,
                Err(_) => return Err(Failure::lasting(Kind::Network, self.late())),
            };
            tried += 1;
            let Some(asked) = failure.again.filter(|_| tried < self.options.attempts.max(1)) else {
                return Err(failure);
            };
            let backoff = self.options.backoff.saturating_mul(1 << (tried - 1).min(10));
            let pause = asked.max(backoff).min(LONGEST_PAUSE);
            if Instant::now() + pause >= self.ends {
                return Err(Failure::lasting(
                    Kind::Network,
                    format!("{}; the last answer: {}", self.late(), failure.text),
                ));
            }
            sleep(pause).await;
        }
    }

    /// Gets what lets us in, as the answer that keeps us out asks for it.
    async fn enter(&self, host: &str, answer: &Response, scope: &str) -> Result<HeaderValue, Failure> {
        let denied = |why: String| Failure::lasting(Kind::Denied, why);
        let headers = answer.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        let challenge = challenge::chosen(headers)
            .ok_or_else(|| denied(format!("{host} lets nobody in and does not say how one gets in")))?;
        let account = self.accounts()?.find(host)?;
        match (challenge, account) {
            (Challenge::Basic, Some(Account::Password(credentials))) => {
                // A password in the clear can be read by everybody on the way.
                if answer.url().scheme() != "https" && !is_local(answer.url()) {
                    return Err(denied(format!("{host} wants a password and has no TLS")));
                }
                basic(&credentials.user, &credentials.password).ok_or_else(|| denied("the password is none".into()))
            }
            (Challenge::Basic, _) => Err(denied(format!("there is no account for {host}"))),
            (Challenge::Bearer { realm, service }, account) => {
                self.token(host, &realm, service.as_deref(), scope, account).await
            }
        }
    }

    /// A token from the server that gives them (distribution specification's "token authentication").
    async fn token(
        &self,
        host: &str,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        account: Option<Account>,
    ) -> Result<HeaderValue, Failure> {
        let denied = |why: String| Failure::lasting(Kind::Denied, why);
        let mut url = Url::parse(realm).map_err(|_| denied(format!("{host} names no server that gives tokens")))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local(&url)) {
            return Err(denied(format!("who gives tokens for {host} has no TLS")));
        }
        let mut request = match &account {
            Some(Account::Identity(token)) => {
                let mut form = Url::parse("http://form/").map_err(|e| denied(e.to_string()))?;
                form.query_pairs_mut()
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", token)
                    .append_pair("client_id", "clnstrt")
                    .append_pair("scope", scope)
                    .extend_pairs(service.map(|service| ("service", service)));
                let mut request = Request::new(Method::POST, url);
                *request.body_mut() = form.query().map(|query| Body::from(query.to_owned()));
                let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers_mut().insert(CONTENT_TYPE, kind);
                request
            }
            _ => {
                url.query_pairs_mut()
                    .extend_pairs(service.map(|service| ("service", service)))
                    .append_pair("scope", scope);
                Request::new(Method::GET, url)
            }
        };
        if let Some(Account::Password(credentials)) = &account
            && let Some(value) = basic(&credentials.user, &credentials.password)
        {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let mut response = self.send(request).await?;
        if !response.status().is_success() {
            return Err(match refused(&response) {
                failure @ Failure { again: Some(_), .. } => failure,
                failure => denied(format!("who gives tokens for {host} gave none: {}", failure.text)),
            });
        }
        let bytes = collect(&mut response, self.options.stall, LARGEST_TOKEN).await?;
        let given: Given = serde_json::from_slice(&bytes)
            .map_err(|_| denied(format!("who gives tokens for {host} answers with something else")))?;
        let token = given.token.or(given.access_token).unwrap_or_default();
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| denied(format!("the token for {host} is none")))
    }
}

/// What comes with a token.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
}

impl Repository<'_> {
    /// The address of something in it: `manifests/1.2`.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(|e| Failure::lasting(Kind::Network, e.to_string()))
    }

    /// An address the registry gave; credentials go there only if it is the registry's own.
    fn location(&self, response: &Response) -> Result<Url, Failure> {
        let wrong = || Failure::lasting(Kind::Network, "it does not say where to go on");
        let value = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(wrong)?;
        let url = response.url().join(value).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || (self.base.scheme() == "https" && url.scheme() == "http") {
            return Err(Failure::lasting(Kind::Network, "it leads away from TLS"));
        }
        Ok(url)
    }

    /// A failure of what was wanted of the server.
    pub(crate) fn finding(&self, doing: &str, failure: Failure) -> Finding {
        finding(&format!("{doing} {self}"), failure)
    }

    /// Asks once. Answers of status 2xx and those that are accepted are returned; others are failures.
    pub(crate) async fn ask(&self, ask: &Ask, accepted: &[u16]) -> Result<Response, Failure> {
        let scope = format!("repository:{}:pull", self.name);
        let mut url = ask.url.clone();
        let mut entered = false;
        for _ in 0..=REDIRECTS {
            let is_own = server(&url) == server(&self.base);
            let mut request = Request::new(ask.method.clone(), url.clone());
            *request.headers_mut() = ask.headers.clone();
            if let Some(value) = self.client.granted(&self.base, &scope).filter(|_| is_own) {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            let response = self.client.send(request).await?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED && is_own && !entered {
                let value = self.client.enter(&self.host, &response, &scope).await?;
                let mut granted = self.client.granted.lock().unwrap_or_else(PoisonError::into_inner);
                granted.insert((server(&self.base), scope.clone()), value);
                entered = true;
            } else if status.is_redirection() {
                url = self.location(&response)?;
            } else if status.is_success() || accepted.contains(&status.as_u16()) {
                return Ok(response);
            } else {
                return Err(refused(&response));
            }
        }
        Err(Failure::lasting(Kind::Network, format!("it redirects more than {REDIRECTS} times")))
    }

    /// Silence that ends a request.
    pub(crate) fn stall(&self) -> Duration {
        self.client.options.stall
    }
}

impl fmt::Display for Repository<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

fn refused(response: &Response) -> Failure {
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

fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether a server of a reference is this machine, which is asked without TLS.
fn is_loopback(host: &str) -> bool {
    Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_local(&url))
}

fn is_local(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}
