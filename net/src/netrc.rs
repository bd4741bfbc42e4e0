//! Credentials by host: netrc(5), and apt's auth.conf, which is the same with URLs for hosts.

use std::path::PathBuf;

use reqwest::Url;

use crate::credentials::Credentials;

struct Entry {
    /// Empty for `default`.
    host: String,
    /// Path prefix, or empty.
    path: String,
    credentials: Credentials,
}

/// The user's credentials.
#[derive(Default)]
pub struct Netrc(Vec<Entry>);

impl Netrc {
    /// Reads `$NETRC` or `~/.netrc`, and apt's.
    pub fn of_user() -> Self {
        let user =
            std::env::var_os("NETRC").map(PathBuf::from).or_else(|| Some(etcetera::home_dir().ok()?.join(".netrc")));
        let mut apt: Vec<PathBuf> = std::fs::read_dir("/etc/apt/auth.conf.d")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
            .collect();
        apt.sort();
        apt.insert(0, "/etc/apt/auth.conf".into());
        let texts = user.into_iter().chain(apt).flat_map(std::fs::read_to_string);
        Self(texts.flat_map(|text| parse(&text)).collect())
    }

    /// The credentials for a URL: the first entry that fits.
    pub fn find(&self, url: &Url) -> Option<Credentials> {
        let host = url.host_str()?;
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        let fits = |entry: &&Entry| {
            (entry.host.is_empty() || entry.host == host || Some(&entry.host) == with_port.as_ref())
                && url.path().starts_with(&entry.path)
        };
        self.0.iter().find(fits).map(|entry| entry.credentials.clone())
    }
}

fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut tokens = line.split_ascii_whitespace().take_while(|token| !token.starts_with('#'));
        while let Some(token) = tokens.next() {
            let last = entries.last_mut().map(|entry| &mut entry.credentials);
            match (token, last) {
                ("machine", _) => {
                    let machine = tokens.next().unwrap_or_default();
                    let machine = machine.split_once("://").map_or(machine, |(_, rest)| rest);
                    let (host, path) =
                        machine.find('/').and_then(|at| machine.split_at_checked(at)).unwrap_or((machine, ""));
                    entries.push(Entry {
                        host: host.to_ascii_lowercase(),
                        path: path.to_owned(),
                        credentials: Credentials::default(),
                    });
                }
                ("default", _) => {
                    entries.push(Entry {
                        host: String::new(),
                        path: String::new(),
                        credentials: Credentials::default(),
                    });
                }
                ("login", Some(last)) => last.user = tokens.next().unwrap_or_default().to_owned(),
                ("password", Some(last)) => last.password = tokens.next().unwrap_or_default().to_owned(),
                // A macro's body goes up to an empty line.
                ("macdef", _) => {
                    let _ = lines.by_ref().find(|line| line.trim().is_empty());
                    break;
                }
                _ => {}
            }
        }
    }
    entries.retain(|entry| !entry.credentials.user.is_empty());
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, url: &str) -> Option<(String, String)> {
        let found = Netrc(parse(text)).find(&Url::parse(url).unwrap())?;
        Some((found.user, found.password))
    }

    #[test]
    fn entries_are_found_by_host() {
        let text = "# mine\nmachine a.example login me\n  password s3#cret\nmacdef init\nmachine b.example login x password y\n\n\
                    machine b.example:81 login port password p\ndefault login anonymous password guest\n";
        assert_eq!(find(text, "https://a.example/x"), Some(("me".into(), "s3#cret".into())));
        assert_eq!(find(text, "https://b.example:81/"), Some(("port".into(), "p".into())));
        assert_eq!(find(text, "https://b.example/"), Some(("anonymous".into(), "guest".into())));
    }

    #[test]
    fn apt_entries_may_name_a_path() {
        let text = "machine https://a.example/private login me password secret";
        assert!(find(text, "https://a.example/private/dists").is_some());
        assert_eq!(find(text, "https://a.example/public"), None);
    }
}
