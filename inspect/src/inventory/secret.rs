//! Files that look like secrets: private keys in PEM (RFC 7468), and what programs keep passwords and tokens in.

use std::io::{self, Read as _, SeekFrom};

use model::inventory::SecretKind;

use super::{Content, file_name};

/// Bytes that are looked at; no such file is as long.
const LONGEST: u64 = 1 << 20;
/// What PEM begins with.
const PEM: [u8; 4] = *b"----";

/// Files of programs, by how their paths end, and what stands in them if something in them is secret.
const CREDENTIALS: [(&str, &str); 10] = [
    (".netrc", "password"),
    (".git-credentials", "://"),
    (".pgpass", ":"),
    (".aws/credentials", "aws_secret_access_key"),
    (".docker/config.json", "\"auth\""),
    (".dockercfg", "\"auth\""),
    (".npmrc", "_auth"),
    (".pypirc", "password"),
    (".kube/config", "client-key-data"),
    (".gem/credentials", ":"),
];
/// How files are called that have keys in them, whatever stands before those.
const KEYS: [&str; 7] = [".pem", ".key", ".ppk", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

/// Whether a file may be one, by its name, else by the four bytes it begins with.
pub(super) fn wants(path: &[u8], start: Option<[u8; 4]>) -> bool {
    start == Some(PEM) || credentials(path).is_some() || is_key(path)
}

/// What a file looks like.
pub(super) fn kind(path: &[u8], content: &mut dyn Content) -> io::Result<Option<SecretKind>> {
    let mut start = Vec::new();
    content.seek(SeekFrom::Start(0))?;
    (&mut *content).take(4).read_to_end(&mut start)?;
    if !wants(path, start.first_chunk().copied()) {
        return Ok(None);
    }
    content.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    content.take(LONGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.lines().any(is_key_line) {
        return Ok(Some(SecretKind::PrivateKey));
    }
    Ok(credentials(path).filter(|mark| text.contains(mark)).map(|_| SecretKind::Credentials))
}

/// A key, plain or encrypted; a password can be guessed.
fn is_key_line(line: &str) -> bool {
    let line = line.trim();
    let label = line.strip_prefix("-----BEGIN ").and_then(|line| line.strip_suffix("-----"));
    label.is_some_and(|label| label.ends_with("PRIVATE KEY") || label == "PGP PRIVATE KEY BLOCK")
        || line.starts_with("PuTTY-User-Key-File-")
}

fn is_key(path: &[u8]) -> bool {
    let name = file_name(path);
    KEYS.iter().any(|end| name.ends_with(end.as_bytes()))
}

fn credentials(path: &[u8]) -> Option<&'static str> {
    let is = |end: &str| {
        let above = path.strip_suffix(end.as_bytes());
        above.is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
    };
    CREDENTIALS.iter().find(|(end, _)| is(end)).map(|(_, mark)| *mark)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn keys_and_passwords_are_found_and_what_is_public_is_not() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----\n";
        let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let both = format!("{certificate}{key}");
        let after_words = format!("Bag Attributes\n{key}");
        let of = |path: &str, text: &str| kind(path.as_bytes(), &mut Cursor::new(text.as_bytes())).unwrap();
        let (private, credentials) = (Some(SecretKind::PrivateKey), Some(SecretKind::Credentials));
        for (path, text, wanted) in [
            ("app/anything", key, private),
            ("app/LICENSE", key, private),
            ("app/both", &both, private),
            ("app/server.pem", &after_words, private),
            ("app/server.txt", &after_words, None),
            ("etc/ssl/certs/ca.pem", certificate, None),
            ("root/.ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n", private),
            ("k", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", private),
            ("k", "-----BEGIN PUBLIC KEY-----\n", None),
            ("k", "----- PRIVATE KEY -----\n", None),
            ("putty.ppk", "PuTTY-User-Key-File-2: ssh-rsa\n", private),
            ("root/.netrc", "machine a login b password c", credentials),
            ("root/.netrc", "machine a", None),
            ("root/my.netrc", "password", None),
            (".npmrc", "//registry.example/:_authToken=x", credentials),
            ("home/app/.docker/config.json", "{\"auths\":{\"a\":{\"auth\":\"x\"}}}", credentials),
            ("home/app/config.json", "{\"auth\":1}", None),
        ] {
            assert_eq!(of(path, text), wanted, "{path}: {text}");
        }
    }
}
