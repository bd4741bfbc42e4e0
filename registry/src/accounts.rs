//! Who logs in where: docker's configuration, the helpers it names, netrc.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use data_encoding::BASE64;
use model::{Finding, codes};
use net::{Credentials, Netrc};
use reqwest::Url;
use serde::Deserialize;

/// Bytes of docker's configuration, and of what a helper prints.
const MOST: u64 = 1 << 20;
/// A helper that asks a person, or a server, may take this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// An account on a server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// A name and a password.
    Password(Credentials),
    /// A token that tokens are given for.
    Identity(String),
}

/// Every account of the user.
pub(crate) struct Accounts {
    docker: Docker,
    netrc: Netrc,
}

/// `config.json`, as docker and its like write it.
#[derive(Default, Deserialize)]
struct Docker {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    helper: Option<String>,
}

#[derive(Default, Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default, rename = "identitytoken")]
    identity: String,
}

/// What a helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    username: String,
    secret: String,
}

fn unreadable(what: &str) -> Finding {
    Finding::error(codes::CREDENTIALS_UNREADABLE, what)
}

impl Accounts {
    /// Reads `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`, and netrc.
    ///
    /// # Errors
    /// `CREDENTIALS_UNREADABLE`; what is in the file is not repeated.
    pub(crate) fn of_user() -> Result<Self, Finding> {
        let name = file().unwrap_or_default();
        let docker = match std::fs::File::open(&name) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Docker::default(),
            Err(e) => return Err(unreadable(&format!("{} cannot be read: {e}", name.display()))),
            Ok(opened) => serde_json::from_reader(opened.take(MOST)).map_err(|error| {
                let at = format!("line {}, column {}", error.line(), error.column());
                unreadable(&format!("{} is no configuration of docker: {at}", name.display()))
                    .help("mend it, or log in again")
            })?,
        };
        Ok(Self { docker, netrc: Netrc::of_user() })
    }

    /// One account alone.
    pub(crate) fn only(host: &str, credentials: Credentials) -> Self {
        let auth = Auth { username: credentials.user, password: credentials.password, ..Auth::default() };
        let docker = Docker { auths: BTreeMap::from([(host.to_owned(), auth)]), ..Docker::default() };
        Self { docker, netrc: Netrc::default() }
    }

    /// The helper that keeps the account of a server, if one does.
    pub(crate) fn helper(&self, host: &str) -> Option<&str> {
        let own = self.docker.helpers.iter().find(|(name, _)| bare(name) == host).map(|(_, helper)| helper);
        own.or(self.docker.helper.as_ref()).map(String::as_str)
    }

    /// The account for a server, given as in a reference: host, and port where there is one.
    ///
    /// # Errors
    /// `CREDENTIALS_UNREADABLE`.
    pub(crate) fn find(&self, host: &str) -> Result<Option<Account>, Finding> {
        let named = |name: &&String| bare(name) == host;
        if let Some((_, helper)) = self.docker.helpers.iter().find(|(name, _)| named(name)) {
            return ask(helper, host);
        }
        if let Some((_, auth)) = self.docker.auths.iter().find(|(name, _)| named(name))
            && let Some(account) = auth.account(host)?
        {
            return Ok(Some(account));
        }
        if let Some(helper) = &self.docker.helper
            && let Some(account) = ask(helper, host)?
        {
            return Ok(Some(account));
        }
        let url = Url::parse(&format!("https://{host}/")).ok();
        Ok(url.and_then(|url| self.netrc.find(&url)).map(Account::Password))
    }
}

/// Where docker's configuration is.
pub(crate) fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(etcetera::home_dir().ok()?.join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// A server as docker's configuration names it, without scheme and path.
fn bare(name: &str) -> &str {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    name.split('/').next().unwrap_or(name)
}

impl Auth {
    fn account(&self, host: &str) -> Result<Option<Account>, Finding> {
        if !self.identity.is_empty() {
            return Ok(Some(Account::Identity(self.identity.clone())));
        }
        if !self.username.is_empty() {
            let (user, password) = (self.username.clone(), self.password.clone());
            return Ok(Some(Account::Password(Credentials { user, password })));
        }
        if self.auth.is_empty() {
            return Ok(None);
        }
        let wrong = || unreadable(&format!("what docker's configuration has for {host} is no name and password"));
        let decoded = BASE64.decode(self.auth.trim().as_bytes()).map_err(|_| wrong())?;
        let decoded = String::from_utf8(decoded).map_err(|_| wrong())?;
        let (user, password) = decoded.split_once(':').ok_or_else(wrong)?;
        Ok(Some(Account::Password(Credentials { user: user.into(), password: password.trim_end_matches('\0').into() })))
    }
}

/// Asks `docker-credential-NAME`, which prints what it knows as JSON.
fn ask(helper: &str, host: &str) -> Result<Option<Account>, Finding> {
    let failed = |why: &str| {
        unreadable(&format!("docker-credential-{helper} says nothing of {host} that can be understood: {why}"))
    };
    let (status, text) = run(helper, "get", host.as_bytes().to_vec()).map_err(|why| failed(&why))?;
    if !status.success() {
        // Helpers say so in these words, and end as if they had failed.
        let is_unknown = text.contains("credentials not found");
        return if is_unknown { Ok(None) } else { Err(failed(&format!("it ended with {status}"))) };
    }
    // What it printed may be a secret all the same, and is not repeated.
    let found: Printed = serde_json::from_str(&text).map_err(|_| failed("it printed something else"))?;
    Ok(Some(match found.username.as_str() {
        "<token>" => Account::Identity(found.secret),
        _ => Account::Password(Credentials { user: found.username, password: found.secret }),
    }))
}

/// Runs a helper: how it ended, and what it printed.
pub(crate) fn run(helper: &str, action: &str, input: Vec<u8>) -> Result<(ExitStatus, String), String> {
    if !helper.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return Err("there can be no helper of this name".to_owned());
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("it cannot be started: {e}"))?;
    let text = printed(&mut child, input).ok_or_else(|| {
        let _ = child.kill();
        "it does not end".to_owned()
    })?;
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((status, text))
}

/// Tells a helper what it is asked about, and waits for what it prints; `None` if it takes too long.
fn printed(child: &mut Child, input: Vec<u8>) -> Option<String> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        // One that reads nothing is no failure.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
        let mut text = Vec::new();
        let _ = stdout.map(|stdout| stdout.take(MOST).read_to_end(&mut text));
        let _ = tell.send(String::from_utf8_lossy(&text).into_owned());
    });
    told.recv_timeout(PATIENCE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(text: &str) -> Accounts {
        Accounts { docker: serde_json::from_str(text).unwrap(), netrc: Netrc::default() }
    }

    fn shown(account: Option<Account>) -> String {
        match account {
            None => "none".into(),
            Some(Account::Password(Credentials { user, password })) => format!("{user}:{password}"),
            Some(Account::Identity(token)) => format!("token {token}"),
        }
    }

    #[test]
    fn accounts_are_found_by_server_however_it_is_written() {
        let accounts = accounts(
            r#"{"auths": {
                "a.example": {"auth": "bWU6czpjcmV0"},
                "https://b.example:5000/v1/": {"username": "x", "password": "y"},
                "c.example": {"identitytoken": "t"},
                "d.example": {},
                "e.example": {"auth": "bWU="},
                "f.example": {"auth": "?"}
            }}"#,
        );
        let find = |host: &str| accounts.find(host).map(shown);
        assert_eq!(find("a.example").unwrap(), "me:s:cret");
        assert_eq!(find("b.example:5000").unwrap(), "x:y");
        assert_eq!(find("c.example").unwrap(), "token t");
        assert_eq!(find("d.example").unwrap(), "none");
        assert_eq!(find("a.example:5000").unwrap(), "none");
        for host in ["e.example", "f.example"] {
            let finding = find(host).unwrap_err();
            assert_eq!(finding.code, codes::CREDENTIALS_UNREADABLE);
            assert!(!finding.message.contains("bWU"), "{}", finding.message);
        }
    }

    #[test]
    fn a_helper_that_is_not_there_or_has_no_name_is_said_so() {
        let accounts = accounts(r#"{"credHelpers": {"a.example": "nobody-has-this", "b.example": "../sh"}}"#);
        for host in ["a.example", "b.example"] {
            assert_eq!(accounts.find(host).map(shown).unwrap_err().code, codes::CREDENTIALS_UNREADABLE);
        }
        assert_eq!(accounts.find("c.example").map(shown).unwrap(), "none");
    }
}
