//! How one gets in: passwords, and tokens that another server gives (distribution specification's "token authentication").

use data_encoding::BASE64;
use net::{Failure, Kind, collect, is_local, refused};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Body, Method, Request, Response, Url};
use serde::Deserialize;

use crate::accounts::Account;
use crate::challenge::{self, Challenge};
use crate::client::Client;
use crate::content::Sent;

/// Bytes of an answer to who asks for a token.
const LARGEST_TOKEN: u64 = 1 << 20;

/// What comes with a token.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
}

fn denied(why: impl Into<String>) -> Failure {
    Failure::lasting(Kind::Denied, why)
}

impl Client {
    /// Gets what lets us in, as the answer that keeps us out asks for it. Scopes are separated by spaces.
    pub(crate) async fn enter(&self, host: &str, answer: &Response, scopes: &str) -> Result<HeaderValue, Failure> {
        let headers = answer.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        let challenge = challenge::chosen(headers)
            .ok_or_else(|| denied(format!("{host} lets nobody in and does not say how one gets in")))?;
        let account = self.accounts()?.find(host)?;
        match (challenge, account) {
            (Challenge::Basic, Some(Account::Password(credentials))) => {
                // A password in the clear can be read by everybody on the way.
                if !self.is_safe(answer.url()) {
                    return Err(denied(format!("{host} wants a password and has no TLS")));
                }
                basic(&credentials.user, &credentials.password).ok_or_else(|| denied("the password is none"))
            }
            (Challenge::Basic, _) => Err(denied(format!("there is no account for {host}"))),
            (Challenge::Bearer { realm, service }, account) => {
                self.token(host, &realm, service.as_deref(), scopes, account).await
            }
        }
    }

    /// Whether a password may be sent there.
    fn is_safe(&self, url: &Url) -> bool {
        url.scheme() == "https" || (url.scheme() == "http" && (self.options.plain_http || is_local(url)))
    }

    /// A token from the server that gives them.
    async fn token(
        &self,
        host: &str,
        realm: &str,
        service: Option<&str>,
        scopes: &str,
        account: Option<Account>,
    ) -> Result<HeaderValue, Failure> {
        let mut url = Url::parse(realm).map_err(|_| denied(format!("{host} names no server that gives tokens")))?;
        if !self.is_safe(&url) {
            return Err(denied(format!("who gives tokens for {host} has no TLS")));
        }
        let mut request = match &account {
            Some(Account::Identity(token)) => {
                let mut form = Url::parse("http://form/").map_err(|e| denied(e.to_string()))?;
                form.query_pairs_mut()
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", token)
                    .append_pair("client_id", "clnstrt")
                    .append_pair("scope", scopes)
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
                    .extend_pairs(scopes.split(' ').filter(|scope| !scope.is_empty()).map(|scope| ("scope", scope)));
                Request::new(Method::GET, url)
            }
        };
        if let Some(Account::Password(credentials)) = &account
            && let Some(value) = basic(&credentials.user, &credentials.password)
        {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let mut response = self.send(request, &Sent::default()).await?;
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
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        value.map(sensitive).map_err(|_| denied(format!("the token for {host} is none")))
    }
}

fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let value = format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()));
    HeaderValue::from_str(&value).ok().map(sensitive)
}

/// One that debug output does not show.
fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}
