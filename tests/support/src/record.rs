//! What upstreams answered, kept on disk: asked once, served ever after.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::http::Answer;
use crate::page;

/// The real endpoints behind a mirror.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upstreams {
    /// Roots of Debian archives; the mirror serves the n-th below `/debian<n>/`.
    pub(crate) debian: Vec<String>,
    /// Root of a Python index, served below `/simple/`.
    pub(crate) pypi: Option<String>,
}

pub(crate) struct Record {
    folder: PathBuf,
    upstreams: Upstreams,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

struct Kept {
    answer: Answer,
    /// Where it was found in the end.
    url: String,
}

impl Record {
    pub(crate) fn new(folder: &Path, upstreams: Upstreams) -> Self {
        fs::create_dir_all(folder.join("locks")).unwrap();
        // Another mirror of this process may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            folder: folder.to_owned(),
            upstreams,
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
            client: reqwest::Client::new(),
        }
    }

    /// The answer to a path, as a client of the mirror sees it.
    pub(crate) fn answer(&self, path: &str, accept: &str) -> Answer {
        if let Some(rest) = path.strip_prefix("/files/") {
            return self.file(path, rest);
        }
        let Some(url) = self.upstream_url(path) else {
            return Answer::plain(404, "no such root");
        };
        match self.kept(path, || self.fetch(&url, accept)) {
            Ok(kept) if path.starts_with("/simple/") && kept.answer.status == 200 => {
                let name = path.trim_matches('/').rsplit('/').next().unwrap_or_default();
                let body = page::relative(&kept.answer.body, &kept.answer.content_type, name);
                Answer { body, ..kept.answer }
            }
            Ok(kept) => kept.answer,
            Err(error) => Answer::plain(502, format!("the mirror could not fetch it: {error}")),
        }
    }

    /// `NAME/FILE`, or `NAME/FILE.metadata`: its address stands on the project's page.
    fn file(&self, path: &str, rest: &str) -> Answer {
        let find = || -> io::Result<Kept> {
            let (name, file) = rest.split_once('/').ok_or_else(|| io::Error::other("no project in the path"))?;
            let (file, suffix) = file.strip_suffix(".metadata").map_or((file, ""), |file| (file, ".metadata"));
            let index =
                self.load(&format!("/simple/{name}/")).ok_or_else(|| io::Error::other("its page is unknown"))?;
            let page_url = Url::parse(&index.url).map_err(io::Error::other)?;
            let url = page::address(&index.answer.body, &index.answer.content_type, &page_url, file)
                .ok_or_else(|| io::Error::other("its page does not list it"))?;
            self.fetch(&format!("{url}{suffix}"), "*/*")
        };
        match self.kept(path, find) {
            Ok(kept) => kept.answer,
            Err(error) => Answer::plain(502, error.to_string()),
        }
    }

    fn upstream_url(&self, path: &str) -> Option<String> {
        let below = |root: &str, rest: &str| format!("{}/{rest}", root.trim_end_matches('/'));
        if let Some(rest) = path.strip_prefix("/simple/") {
            return Some(below(self.upstreams.pypi.as_deref()?, rest));
        }
        let (number, rest) = path.strip_prefix("/debian")?.split_once('/')?;
        Some(below(self.upstreams.debian.get(number.parse::<usize>().ok()?)?, rest))
    }

    /// From disk, or from `find` and then on disk. The lock makes test binaries that share the folder agree.
    fn kept(&self, path: &str, find: impl FnOnce() -> io::Result<Kept>) -> io::Result<Kept> {
        if let Some(kept) = self.load(path) {
            return Ok(kept);
        }
        let lock = fs::File::create(self.folder.join("locks").join(crate::files::sha256(path.as_bytes())))?;
        lock.lock()?;
        if let Some(kept) = self.load(path) {
            return Ok(kept);
        }
        let kept = find()?;
        if matches!(kept.answer.status, 200 | 404) {
            self.save(path, &kept)?;
        }
        Ok(kept)
    }

    fn fetch(&self, url: &str, accept: &str) -> io::Result<Kept> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = self.runtime.block_on(async {
                let response = self.client.get(url).header("accept", accept).send().await?;
                let status = response.status().as_u16();
                let url = response.url().to_string();
                let content_type = response.headers().get("content-type").and_then(|v| v.to_str().ok());
                let content_type = content_type.unwrap_or("application/octet-stream").to_owned();
                let body = response.bytes().await?.to_vec();
                Ok::<_, reqwest::Error>(Kept { answer: Answer { status, content_type, body }, url })
            });
            match result {
                Ok(kept) if kept.answer.status < 500 || attempt == 4 => return Ok(kept),
                Err(error) if attempt == 4 => return Err(io::Error::other(error)),
                _ => std::thread::sleep(std::time::Duration::from_millis(500 * attempt)),
            }
        }
    }

    /// What never changes under its name outlives a test run; the rest is forgotten by `cargo xtask test`.
    fn file_of(&self, path: &str) -> PathBuf {
        let forever = path.contains("/by-hash/") || path.contains("/pool/") || path.starts_with("/files/");
        self.folder.join(if forever { "forever" } else { "run" }).join(crate::files::sha256(path.as_bytes()))
    }

    fn load(&self, path: &str) -> Option<Kept> {
        let bytes = fs::read(self.file_of(path)).ok()?;
        let end = bytes.iter().position(|b| *b == b'\n')?;
        let head: serde_json::Value = serde_json::from_slice(&bytes[..end]).ok()?;
        let answer = Answer {
            status: u16::try_from(head["status"].as_u64()?).ok()?,
            content_type: head["type"].as_str()?.to_owned(),
            body: bytes[end + 1..].to_vec(),
        };
        Some(Kept { answer, url: head["url"].as_str()?.to_owned() })
    }

    fn save(&self, path: &str, kept: &Kept) -> io::Result<()> {
        let file = self.file_of(path);
        fs::create_dir_all(file.parent().unwrap())?;
        let head = serde_json::json!({"status": kept.answer.status, "type": kept.answer.content_type, "url": kept.url, "path": path});
        let mut bytes = head.to_string().into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&kept.answer.body);
        let unfinished = file.with_extension(format!("{}.part", std::process::id()));
        fs::write(&unfinished, bytes)?;
        fs::rename(unfinished, file)
    }
}
