//! Accounts that are kept where docker keeps them.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use data_encoding::BASE64;
use model::{Finding, codes};
use net::{Credentials, Failure, refused};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Request, Response, Url};
use serde_json::{Value, json};

use crate::accounts::{self, Accounts};
use crate::client::{Client, Options};
use crate::content::Sent;
use crate::failure::finding;

/// Where an account is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// By a helper, `docker-credential-NAME`.
    Helper(String),
    /// In docker's configuration, which is not encrypted.
    File(PathBuf),
}

/// Sees whether a server lets an account in, and keeps it where docker would.
///
/// # Errors
/// `REGISTRY_…`, and `REGISTRY_DENIED` where it does not; `CREDENTIALS_UNREADABLE` where it cannot be kept.
pub async fn login(options: Options, host: &str, credentials: Credentials) -> Result<Kept, Finding> {
    let client = Client::new(options);
    client.only(Accounts::only(host, credentials.clone()));
    let url = client.root(host)?;
    let entered = client.patience.retrying(async || client.entered(host, &url).await).await;
    entered.map_err(|failure| finding(&format!("logging in at {host}"), failure))?;
    keep(host, &credentials)
}

impl Client {
    /// Asks a server for nothing but to be let in.
    async fn entered(&self, host: &str, url: &Url) -> Result<(), Failure> {
        let first = self.send(Request::new(Method::GET, url.clone()), &Sent::default()).await?;
        if first.status().is_success() {
            return Ok(());
        }
        if first.status() != reqwest::StatusCode::UNAUTHORIZED {
            return Err(refused(&first));
        }
        let mut again = Request::new(Method::GET, url.clone());
        again.headers_mut().insert(AUTHORIZATION, self.enter(host, &first, "").await?);
        let second: Response = self.send(again, &Sent::default()).await?;
        if second.status().is_success() { Ok(()) } else { Err(refused(&second)) }
    }
}

fn keep(host: &str, credentials: &Credentials) -> Result<Kept, Finding> {
    let failed = |why: String| {
        Finding::error(codes::CREDENTIALS_UNREADABLE, format!("the account for {host} cannot be kept")).because(why)
    };
    if let Some(helper) = Accounts::of_user()?.helper(host) {
        let Credentials { user, password } = credentials;
        let told = json!({ "ServerURL": host, "Username": user, "Secret": password }).to_string();
        let (status, _) = accounts::run(helper, "store", told.into_bytes()).map_err(failed)?;
        if !status.success() {
            return Err(failed(format!("docker-credential-{helper} ended with {status}")));
        }
        return Ok(Kept::Helper(helper.to_owned()));
    }
    let file = accounts::file().ok_or_else(|| failed("the user has no home directory".to_owned()))?;
    let io = |e: std::io::Error| failed(format!("{}: {e}", file.display()));
    let mut known: Value = match fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| failed(format!("{}: {e}", file.display())))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => json!({}),
        Err(e) => return Err(io(e)),
    };
    let auth = BASE64.encode(format!("{}:{}", credentials.user, credentials.password).as_bytes());
    let known_fields = known.as_object_mut().ok_or_else(|| failed(format!("{} is no map", file.display())))?;
    let auths = known_fields.entry("auths").or_insert_with(|| json!({}));
    let auths = auths.as_object_mut().ok_or_else(|| failed(format!("`auths` of {} is no map", file.display())))?;
    auths.insert(host.to_owned(), json!({ "auth": auth }));
    // A link stays one, and nobody but its owner reads what it leads to.
    let place = file.canonicalize().unwrap_or_else(|_| file.clone());
    let folder = place.parent().unwrap_or(&place);
    fs::create_dir_all(folder).map_err(io)?;
    let mut written = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let text = serde_json::to_vec_pretty(&known).unwrap_or_default();
    written.write_all(&text).and_then(|()| written.as_file().sync_all()).map_err(io)?;
    written.persist(&place).map_err(|e| io(e.error))?;
    Ok(Kept::File(file))
}
