//! Who asks, how often, and until when.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use model::{Finding, Reference, codes};
use net::{Failure, Patience, is_local, reason, server};
use reqwest::header::HeaderValue;
use reqwest::{Request, Response, Url};
use tokio::time::timeout;

use crate::accounts::Accounts;
use crate::content::Sent;
use crate::repository::Repository;

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
    /// Registries are asked without TLS. The loopback's always are.
    pub plain_http: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 5,
            stall: Duration::from_secs(30),
            backoff: Duration::from_millis(500),
            deadline: Duration::from_secs(3600),
            plain_http: false,
        }
    }
}

/// Who asks registries, and what it learns on the way.
pub struct Client {
    pub(crate) http: net::Client,
    pub(crate) options: Options,
    pub(crate) patience: Patience,
    accounts: OnceLock<Result<Accounts, Finding>>,
    /// What lets us in, by server and scopes.
    granted: Mutex<BTreeMap<(String, String), HeaderValue>>,
}

impl Client {
    /// A client that begins now.
    pub fn new(options: Options) -> Self {
        Self {
            http: net::Client::new(options.stall),
            patience: Patience::new(options.attempts, options.backoff, options.deadline),
            options,
            accounts: OnceLock::new(),
            granted: Mutex::default(),
        }
    }

    /// How patient it is.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The repository a reference names.
    ///
    /// # Errors
    /// `REFERENCE_INVALID` where it names no registry.
    pub fn repository(&self, reference: &Reference) -> Result<Repository<'_>, Finding> {
        let unnamed = |why: &str| {
            Finding::error(codes::REFERENCE_INVALID, format!("`{reference}` {why}"))
                .help("name registry and repository: `registry.example/team/app:1.2`")
        };
        let host = reference.registry.clone().ok_or_else(|| unnamed("names no registry"))?;
        let base = self.root(&host)?.join(&format!("{}/", reference.repository));
        let base = base.map_err(|e| unnamed(&format!("names no repository: {e}")))?;
        Ok(Repository::new(self, host, reference.repository.clone(), base))
    }

    /// Where a server begins.
    pub(crate) fn root(&self, host: &str) -> Result<Url, Finding> {
        let scheme = if self.options.plain_http || is_loopback(host) { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|e| {
            Finding::error(codes::REFERENCE_INVALID, format!("`{}` names no server: {e}", host.escape_debug()))
                .help("name it as references do: `registry.example`, `registry.example:5000`")
        })
    }

    /// Uses these accounts, and not the user's.
    pub(crate) fn only(&self, accounts: Accounts) {
        let _ = self.accounts.set(Ok(accounts));
    }

    pub(crate) fn accounts(&self) -> Result<&Accounts, Failure> {
        self.accounts.get_or_init(Accounts::of_user).as_ref().map_err(|finding| finding.clone().into())
    }

    pub(crate) fn granted(&self, url: &Url, scopes: &str) -> Option<HeaderValue> {
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        granted.get(&(server(url), scopes.to_owned())).cloned()
    }

    pub(crate) fn grant(&self, url: &Url, scopes: String, value: HeaderValue) {
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        granted.insert((server(url), scopes), value);
    }

    /// Sends a request. As long as its body moves, nobody is silent.
    pub(crate) async fn send(&self, request: Request, sent: &Sent) -> Result<Response, Failure> {
        let patience = self.options.stall;
        let mut answer = pin!(self.http.execute(request));
        let mut before = sent.bytes();
        loop {
            match timeout(patience, &mut answer).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(e)) => return Err(Failure::passing(reason(e))),
                Err(_) if sent.bytes() > before => before = sent.bytes(),
                Err(_) => return Err(Failure::passing(format!("no answer within {} s", patience.as_secs_f32()))),
            }
        }
    }
}

/// Whether a server of a reference is this machine, which is asked without TLS.
fn is_loopback(host: &str) -> bool {
    Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_local(&url))
}
