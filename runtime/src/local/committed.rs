//! Whether files are as a commit has them, asked of the machine's own git.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use model::Digest;

/// No file that is asked for is longer, and no answer.
const LONGEST: u64 = 64 << 20;

/// Address and commit of the repository in a folder, if it has an address that means something elsewhere, and if every file, named
/// from that folder, is in the commit that is checked out just as it was read.
pub fn committed(root: &Path, files: &[(String, Digest)]) -> Option<(String, String)> {
    let commit = line(&git(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?)?;
    let is_there = |(path, digest): &(String, Digest)| {
        git(root, &["cat-file", "blob", &format!("{commit}:./{path}")])
            .is_some_and(|found| Digest::of(&found) == *digest)
    };
    if !files.iter().all(is_there) {
        return None;
    }
    let address = line(&git(root, &["config", "--get", "remote.origin.url"])?)?;
    Some((shareable(&address)?, commit))
}

fn git(root: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]).args(arguments);
    // What the caller's shell says of git is about other repositories.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
        command.env_remove(name);
    }
    // An object that is not there is not fetched, for the repository could say by which command; and none stands in for another.
    command.env("GIT_ALLOW_PROTOCOL", "none").env("GIT_NO_LAZY_FETCH", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut answer = Vec::new();
    let read = child.stdout.take()?.take(LONGEST).read_to_end(&mut answer);
    // What it has left to say is not read: it ends when it notices.
    let ended = child.wait().ok()?;
    (read.is_ok() && ended.success()).then_some(answer)
}

fn line(answer: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(answer).ok()?.trim();
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// An address that others can use: not a path of this machine, and without credentials, which may be in the place of a user's name
/// or behind a question mark.
pub fn shareable(address: &str) -> Option<String> {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let is_plain = address.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b));
    // `helper::address` is what a command on this machine makes of it.
    if !is_plain || address.contains("::") {
        return None;
    }
    if let Some((scheme, rest)) = address.split_once("://") {
        if !["https", "http", "ssh", "git"].contains(&scheme) {
            return None;
        }
        let (authority, path) = rest.split_once('/')?;
        let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
        let user = if scheme == "ssh" && authority.starts_with("git@") { "git@" } else { "" };
        return Some(format!("{scheme}://{user}{host}/{path}"));
    }
    // `git@host:path`, as scp writes it
    let (authority, path) = address.split_once(':')?;
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty() && !host.contains('/'))?;
    let user = if authority.starts_with("git@") { "git@" } else { "" };
    Some(format!("ssh://{user}{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_credentials_and_no_path_of_this_machine_at_all() {
        for (address, shared) in [
            ("https://me:secret@example.com/a.git", Some("https://example.com/a.git")),
            ("https://example.com:8443/a/b", Some("https://example.com:8443/a/b")),
            ("ssh://git@example.com/a.git", Some("ssh://git@example.com/a.git")),
            ("git@example.com:team/a.git", Some("ssh://git@example.com/team/a.git")),
            ("alice@example.com:/srv/a.git", Some("ssh://example.com/srv/a.git")),
            ("https://token@example.com/a.git?private_token=x#y", Some("https://example.com/a.git")),
            ("ext::sh -c x", None),
            ("ext::x:y", None),
            ("/srv/a.git", None),
            ("../a.git", None),
            ("file:///srv/a.git", None),
            ("https://", None),
        ] {
            assert_eq!(shareable(address).as_deref(), shared, "{address}");
        }
    }

    #[test]
    fn a_file_counts_as_committed_only_as_the_commit_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let name = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
            let mut command = Command::new("git");
            command.arg("-C").arg(dir.path()).args(name).args(arguments).stdout(Stdio::null());
            assert!(command.status().unwrap().success(), "{arguments:?}");
        };
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("sub/image.yaml"), "name: a\n").unwrap();
        let file = |text: &str| vec![("sub/image.yaml".to_owned(), Digest::of(text.as_bytes()))];
        assert_eq!(committed(dir.path(), &file("name: a\n")), None);
        git(&["init", "--quiet"]);
        git(&["remote", "add", "origin", "https://me:secret@example.com/a.git"]);
        assert_eq!(committed(dir.path(), &file("name: a\n")), None);
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "a"]);
        let (address, commit) = committed(dir.path(), &file("name: a\n")).unwrap();
        assert_eq!((address.as_str(), commit.len()), ("https://example.com/a.git", 40));
        assert_eq!(committed(dir.path(), &file("name: b\n")), None);
        // What stands in for an object here is not what others have.
        std::fs::write(dir.path().join("other"), "name: c\n").unwrap();
        let hash = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(dir.path()).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["replace", &hash(&["rev-parse", "HEAD:sub/image.yaml"]), &hash(&["hash-object", "-w", "other"])]);
        assert_eq!(committed(dir.path(), &file("name: c\n")), None);
        assert!(committed(dir.path(), &file("name: a\n")).is_some());
        git(&["remote", "set-url", "origin", "/srv/a.git"]);
        assert_eq!(committed(dir.path(), &file("name: a\n")), None);
    }
}
