//! Files that look like secrets: private keys in PEM (RFC 7468), and what programs keep passwords and tokens in.

use std::borrow::Cow;
use std::io::{self, Read as _, SeekFrom};

use model::inventory::SecretKind;

use super::{Content, file_name};

/// Bytes that are looked at; no such file is as long.
const LONGEST: u64 = 1 << 20;
/// Characters in base64 that a key has at least in one of its lines.
const SHORTEST_KEY: usize = 16;
/// Characters behind which a key begins, after what is said of it.
const LONGEST_HEAD: usize = 4096;
/// Characters of a token that stands in the place of a name.
const SHORTEST_TOKEN: usize = 20;
/// An address with a password in it: no text of a file, for it has an end.
const LOGIN: &str = "://…@";

/// Files of programs, by how their paths end, and what stands in them if something in them is secret.
const CREDENTIALS: [(&str, &[&str]); 40] = [
    (".aws/credentials", &["aws_secret_access_key"]),
    (".azure/accesstokens.json", &["accessToken"]),
    (".azure/msal_token_cache.json", &["\"secret\""]),
    (".boto", &["secret"]),
    (".cargo/credentials", &["token"]),
    (".cargo/credentials.toml", &["token"]),
    (".composer/auth.json", &["password", "oauth", "bearer"]),
    (".config/gcloud/application_default_credentials.json", &["refresh_token"]),
    (".config/gcloud/credentials.db", &["refresh_token"]),
    (".config/gh/hosts.yml", &["oauth_token"]),
    (".config/git/credentials", &[LOGIN]),
    (".config/rclone/rclone.conf", &["pass =", "token =", "secret_access_key ="]),
    (".docker/config.json", &["\"auth\"", "\"identitytoken\"", "\"registrytoken\""]),
    (".dockercfg", &["\"auth\""]),
    (".gem/credentials", &[": "]),
    (".git-credentials", &[LOGIN]),
    (".git/config", &[LOGIN, "AUTHORIZATION:"]),
    (".gitconfig", &[LOGIN]),
    (".gradle/gradle.properties", &["assword=", "assword ="]),
    (".htpasswd", &[":"]),
    (".kube/config", &["client-key-data", "token:", "password:"]),
    (".m2/settings.xml", &["<password>"]),
    (".my.cnf", &["password"]),
    (".netrc", &["password"]),
    (".npmrc", &["_auth", "_password"]),
    (".nuget/nuget/nuget.config", &["ClearTextPassword"]),
    (".pgpass", &[":"]),
    (".pypirc", &["password"]),
    (".s3cfg", &["secret_key"]),
    (".terraform.d/credentials.tfrc.json", &["\"token\""]),
    (".vault-token", &[""]),
    (".yarnrc.yml", &["npmAuthToken", "npmAuthIdent"]),
    ("containers/auth.json", &["\"auth\""]),
    ("etc/apt/auth.conf", &["password"]),
    ("etc/gitconfig", &[LOGIN]),
    ("etc/gshadow", &[":$"]),
    ("etc/shadow", &[":$"]),
    ("etc/shadow-", &[":$"]),
    ("pip.conf", &[LOGIN]),
    ("serviceaccount/token", &[""]),
];
/// How files are called that have keys in them, whatever stands before those.
const KEYS: [&str; 15] = [
    ".pem",
    ".key",
    ".ppk",
    ".env",
    ".p12",
    ".p8",
    ".pfx",
    ".age",
    "key.json",
    "account.json",
    "credentials.json",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
];

/// Whether a file may be one, by its name, else by the four bytes it begins with.
pub(super) fn wants(path: &[u8], start: Option<[u8; 4]>) -> bool {
    start.is_some_and(|start| begins_pem(&start)) || credentials(path).is_some() || is_key(path)
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
    let text = text(&bytes);
    if has_key(&text) || is_store(path, &bytes) {
        return Ok(Some(SecretKind::PrivateKey));
    }
    let is_there =
        |mark: &&str| said(&text).any(|line| if *mark == LOGIN { has_login(line) } else { follows(line, mark) });
    Ok(credentials(path).filter(|marks| marks.iter().any(is_there)).map(|_| SecretKind::Credentials))
}

/// Whether a file begins as PEM does, perhaps after a byte order mark or blanks, and perhaps in UTF-16.
fn begins_pem(start: &[u8; 4]) -> bool {
    let rest = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    rest.iter().all(|byte| *byte == b'-') || [*b"\xff\xfe-\0", *b"\xfe\xff\0-"].contains(start)
}

/// In UTF-8, or in UTF-16 with its mark.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    let utf_16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// A key, plain or encrypted, for a password can be guessed: on lines of its own, or as a text in something else.
fn has_key(text: &str) -> bool {
    let begins = |line: &str| line.starts_with("PuTTY-User-Key-File-") || line.starts_with("AGE-SECRET-KEY-1");
    text.lines().map(str::trim).any(begins) || text.split("-----BEGIN ").skip(1).any(is_key_body)
}

/// What stands behind the words that begin it: a document that only shows them has no key.
fn is_key_body(rest: &str) -> bool {
    let Some((label, body)) = rest.split_once("-----") else { return false };
    let body: String = body.chars().take(LONGEST_HEAD).collect();
    // A line's end within a text is written so.
    let body = body.replace("\\n", " ").replace("\\r", " ");
    let body = body.split("-----").next().unwrap_or_default();
    let is_key = |word: &str| {
        word.len() >= SHORTEST_KEY && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    is_label(label) && body.split(|c: char| c.is_whitespace() || "\"',".contains(c)).any(is_key)
}

/// Lines that say something: no comments, and no names of what is put there later.
fn said(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.starts_with(['#', ';']) && !line.contains("${"))
}

/// Whether something stands behind a mark.
fn follows(line: &str, mark: &str) -> bool {
    let mut behind = line.match_indices(mark).map(|(at, mark)| line.get(at + mark.len()..).unwrap_or_default());
    behind.any(|rest| {
        let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"':=".contains(c));
        !value.is_empty() && !value.starts_with(['}', ',', '<'])
    })
}

fn is_label(label: &str) -> bool {
    label.ends_with("PRIVATE KEY") || label == "PGP PRIVATE KEY BLOCK"
}

/// A store of keys (PKCS #12): a sequence in DER.
fn is_store(path: &[u8], bytes: &[u8]) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    bytes.starts_with(&[0x30]) && [".p12", ".pfx"].iter().any(|end| name.ends_with(end.as_bytes()))
}

/// An address with a password, or with a name that is as long as a token.
fn has_login(line: &str) -> bool {
    let is_login = |rest: &str| {
        let authority = rest.split(|c: char| c.is_whitespace() || "/?#\"'".contains(c)).next().unwrap_or_default();
        let Some((user, _)) = authority.rsplit_once('@') else { return false };
        user.split_once(':').map_or(user.len() >= SHORTEST_TOKEN, |(_, password)| !password.is_empty())
    };
    line.split("://").skip(1).any(is_login)
}

fn is_key(path: &[u8]) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    KEYS.iter().any(|end| name.ends_with(end.as_bytes()))
}

fn credentials(path: &[u8]) -> Option<&'static [&'static str]> {
    let path = path.to_ascii_lowercase();
    let is = |end: &str| {
        let above = path.strip_suffix(end.as_bytes());
        above.is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
    };
    CREDENTIALS.iter().find(|(end, _)| is(end)).map(|(_, marks)| *marks)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn keys_and_passwords_are_found_and_what_is_public_is_not() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n";
        let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let both = format!("{certificate}{key}");
        let after_words = format!("Bag Attributes\n{key}");
        let within = format!(
            r#"{{"private_key":"-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"}}"#,
            "A".repeat(16)
        );
        let of = |path: &str, text: &str| kind(path.as_bytes(), &mut Cursor::new(text.as_bytes())).unwrap();
        let (private, credentials) = (Some(SecretKind::PrivateKey), Some(SecretKind::Credentials));
        for (path, text, wanted) in [
            ("app/anything", key, private),
            ("app/LICENSE", key, private),
            ("app/both", &both, private),
            ("app/server.pem", &after_words, private),
            ("app/server.txt", &after_words, None),
            ("etc/ssl/certs/ca.pem", certificate, None),
            ("root/.ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n", private),
            ("k", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBFzE0sMBCADL\n", private),
            ("k", "-----BEGIN PUBLIC KEY-----\nMIIEpAIBAAKCAQEA\n", None),
            ("k", "----\n-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n", None),
            ("k", "----- PRIVATE KEY -----\n", None),
            ("putty.ppk", "PuTTY-User-Key-File-2: ssh-rsa\n", private),
            ("root/.netrc", "machine a login b password c", credentials),
            ("root/.netrc", "machine a", None),
            ("root/my.netrc", "password", None),
            (".npmrc", "//registry.example/:_authToken=x", credentials),
            ("home/app/.docker/config.json", "{\"auths\":{\"a\":{\"auth\":\"x\"}}}", credentials),
            ("home/app/config.json", "{\"auth\":1}", None),
            ("k", "\u{feff}-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n", private),
            ("k", "\r\n\r\n-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n", private),
            ("app/Service-Account.json", &within, private),
            (".env", &within, private),
            ("app/server.pem", "a program looks for -----BEGIN PRIVATE KEY----- in it", None),
            ("root/.config/sops/age/keys.age", "# public\nAGE-SECRET-KEY-1QQ\n", private),
            ("app/store.P12", "0\u{2}\u{1}", private),
            ("app/store.p12", "none", None),
            ("root/.docker/config.json", "{\"auths\":{\"a\":{\"identitytoken\":\"x\"}}}", credentials),
            ("root/.docker/config.json", "{\"auths\":{\"a\":{}}}", None),
            ("root/.git-credentials", "https://name:word@registry.example\n", credentials),
            ("root/.git-credentials", "https://registry.example/a@b\n", None),
            ("etc/pip.conf", "[global]\nindex-url = https://a:b@registry.example/simple\n", credentials),
            ("etc/shadow", "root:*:19000:0:99999:7:::\n", None),
            ("etc/shadow", "root:$y$j9T$x:19000:0:99999:7:::\n", credentials),
            ("root/.vault-token", "hvs.x", credentials),
            ("app/.git/config", "url = ssh://git@git.example/app\n", None),
            ("app/.git/config", "url = https://org@git.example/app\n", None),
            ("app/.git/config", "extraheader = AUTHORIZATION: basic eA==\n", credentials),
            ("app/.git/config", "url = https://ghp_0123456789abcdef@git.example/app\n", credentials),
            (".npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\n; _auth=x\n", None),
            ("etc/pip.conf", "# https://user:password@registry.example\n", None),
            ("root/.docker/config.json", "{\"auths\":{\"a\":{\"auth\":\"\"}}}", None),
            ("root/.m2/settings.xml", "<password></password><password>${env.P}</password>", None),
            ("root/.m2/settings.xml", "<password>x</password>", credentials),
            ("root/.gem/credentials", "---\n:rubygems_api_key:\n", None),
            ("root/.gem/credentials", "---\n:rubygems_api_key: x\n", credentials),
        ] {
            assert_eq!(of(path, text), wanted, "{path}: {text}");
        }
    }

    #[test]
    fn text_in_utf_16_is_read() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n";
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let units = ['\u{feff}' as u16].into_iter().chain(key.encode_utf16());
            let bytes: Vec<u8> = units.flat_map(unit).collect();
            assert_eq!(kind(b"k", &mut Cursor::new(bytes)).unwrap(), Some(SecretKind::PrivateKey));
        }
    }
}
