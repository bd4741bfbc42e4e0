//! One request of a repository.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use model::Finding;
use net::{Failure, Kind, refused, server};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use reqwest::{Method, Request, Response, StatusCode, Url};

use crate::client::Client;
use crate::content::{Content, Sent};
use crate::failure::finding;

const REDIRECTS: usize = 5;

/// A repository of a registry.
#[derive(Clone)]
pub struct Repository<'c> {
    pub(crate) client: &'c Client,
    /// The server, as it is written in references.
    host: String,
    name: String,
    /// `https://HOST/v2/NAME/`
    base: Url,
    /// What of it is wanted: `pull`, or `pull,push` once something was sent.
    actions: &'static str,
}

/// A request.
pub(crate) struct Ask {
    method: Method,
    pub(crate) url: Url,
    headers: HeaderMap,
    /// What is sent, and which part of it.
    body: Option<(Content, Range<u64>)>,
    /// Another repository of the registry that is read.
    reads: Option<String>,
}

impl Ask {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, reads: None }
    }

    pub(crate) fn accepting(self, types: &'static str) -> Self {
        self.with(ACCEPT, types)
    }

    /// With a header; one that cannot be written is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// With a part of something as its body.
    pub(crate) fn sending(mut self, kind: &str, content: &Content, part: Range<u64>) -> Self {
        self = self.with(CONTENT_TYPE, kind).with(CONTENT_LENGTH, &(part.end - part.start).to_string());
        self.body = Some((content.clone(), part));
        self
    }

    pub(crate) fn reading(mut self, repository: Option<&str>) -> Self {
        self.reads = repository.map(str::to_owned);
        self
    }

    fn request(&self, url: Url, sent: &Sent) -> Request {
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = self.body.as_ref().map(|(content, part)| content.body(part.clone(), sent));
        request
    }
}

impl<'c> Repository<'c> {
    pub(crate) fn new(client: &'c Client, host: String, name: String, base: Url) -> Self {
        Self { client, host, name, base, actions: "pull" }
    }

    /// The same, to be written to. A registry that is only asked to be read may let more people in.
    pub(crate) fn writable(self) -> Self {
        Self { actions: "pull,push", ..self }
    }

    /// The server, as it is written in references.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Its name on the server.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The address of something in it: `manifests/1.2`.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(|e| Failure::lasting(Kind::Network, e.to_string()))
    }

    /// An address the registry gave; credentials go there only if it is the registry's own.
    pub(crate) fn location(&self, response: &Response) -> Result<Url, Failure> {
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
        let mut scopes = format!("repository:{}:{}", self.name, self.actions);
        if let Some(other) = &ask.reads {
            scopes = format!("{scopes} repository:{other}:pull");
        }
        let mut url = ask.url.clone();
        let mut entered = false;
        for _ in 0..=REDIRECTS {
            let is_own = server(&url) == server(&self.base);
            let sent = Sent::default();
            let mut request = ask.request(url.clone(), &sent);
            if let Some(value) = self.client.granted(&self.base, &scopes).filter(|_| is_own) {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            let response = self.client.send(request, &sent).await?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED && is_own && !entered {
                let value = self.client.enter(&self.host, &response, &scopes).await?;
                self.client.grant(&self.base, scopes.clone(), value);
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
