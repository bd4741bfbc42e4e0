//! A registry that says what a test wants, and an image in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::slice::from_ref;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use model::{Digest, Hasher};
use serde_json::{Value, json};
use support::{Done, cli, run};

use super::{INDEX, KEY, MANIFEST, verify};
use crate::fixture::scratch;
use crate::sign::PASSWORD;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What is in the layer.
const PACKAGE: &str = "pkg:pypi/tiny@1.0";

static SPACES: [u8; 1 << 16] = [b' '; 1 << 16];

/// Bytes, and spaces behind them, which JSON may have.
#[derive(Clone)]
pub(super) struct Document {
    pub(super) bytes: Vec<u8>,
    pub(super) spaces: u64,
}

impl Document {
    pub(super) fn of(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), spaces: 0 }
    }

    /// With as many spaces as it takes to have a size.
    pub(super) fn padded(text: &str, size: u64) -> Self {
        Self { bytes: text.into(), spaces: size - text.len() as u64 }
    }

    pub(super) fn size(&self) -> u64 {
        self.bytes.len() as u64 + self.spaces
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = (0..self.spaces).step_by(SPACES.len());
        let spaces = starts.map(move |start| &SPACES[..SPACES.len().min((self.spaces - start) as usize)]);
        std::iter::once(self.bytes.as_slice()).chain(spaces)
    }

    pub(super) fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        self.pieces().for_each(|piece| hasher.update(piece));
        hasher.finish()
    }
}

/// An index of images, or a list of what refers to one.
pub(super) fn index(entries: &[Value]) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string()
}

/// What is asked for where something is wanted that is described so.
pub(super) fn path(place: &str, described: &Value) -> String {
    format!("{place}/{}", described["digest"].as_str().unwrap())
}

/// A repository, by what is asked for: `manifests/1`.
#[derive(Clone, Default)]
pub(super) struct Held(pub(super) BTreeMap<String, Document>);

impl Held {
    /// Adds a document; what describes it.
    pub(super) fn put(&mut self, place: &str, kind: &str, document: Document) -> Value {
        let described = json!({ "mediaType": kind, "digest": document.digest(), "size": document.size() });
        self.0.insert(path(place, &described), document);
        described
    }

    /// The manifest of an image, which is not added yet.
    pub(super) fn image(&mut self, name: &str, layers: &[Value]) -> String {
        let layer_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": layer_ids },
        });
        let config = self.put("blobs", "application/vnd.oci.image.config.v1+json", Document::of(config.to_string()));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
            "annotations": { "name": name },
        });
        manifest.to_string()
    }

    /// Adds an image; what describes it.
    pub(super) fn add(&mut self, name: &str) -> Value {
        let manifest = self.image(name, &[]);
        self.put("manifests", MANIFEST, Document::of(manifest))
    }

    /// Adds what the tag leads to, signed; what describes it, and the bundle that signs it.
    pub(super) fn release(&mut self, kind: &str, document: Document) -> (Value, Value) {
        self.0.insert("manifests/1".to_owned(), document.clone());
        let image = self.put("manifests", kind, document);
        let bundle = self.say(&image, &["sign"]);
        (image, bundle)
    }

    /// The same of an image with a layer, and a bill of what is in that; what describes the image, and the layer.
    pub(super) fn release_with_layer(&mut self) -> (Value, Value) {
        let layer = self.put("blobs", "application/vnd.oci.image.layer.v1.tar", Document::of(layer()));
        let manifest = self.image("deep", from_ref(&layer));
        let (image, _) = self.release(MANIFEST, Document::of(manifest));
        let folder = scratch();
        let bill = folder.path().join("bill.json");
        fs::write(&bill, json!({ "bomFormat": "CycloneDX", "components": [{ "purl": PACKAGE }] }).to_string()).unwrap();
        self.say(&image, &["attest", "--type", "cyclonedx", "--predicate", bill.to_str().unwrap()]);
        (image, layer)
    }

    /// Has the key's owner say something of an image; what describes the bundle.
    pub(super) fn say(&mut self, image: &Value, command: &[&str]) -> Value {
        let folder = scratch();
        let file = folder.path().join("bundle");
        let digest = image["digest"].as_str().unwrap();
        let mut said = cli();
        said.args(command).args(["--image", digest, "--key"]).arg(&KEY.0).arg("--output-bundle").arg(&file);
        run(said.env("CLNSTRT_PASSWORD", PASSWORD)).ok();
        let bundle = self.put("blobs", BUNDLE, Document::of(fs::read(&file).unwrap()));
        let empty = self.put("blobs", "application/vnd.oci.empty.v1+json", Document::of("{}"));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [bundle], "subject": image,
        });
        let referrer = self.put("manifests", MANIFEST, Document::of(manifest.to_string()));
        self.refer(image, referrer);
        bundle
    }

    /// Adds to the list of what refers to an image.
    pub(super) fn refer(&mut self, image: &Value, referrer: Value) {
        let list = path("referrers", image);
        let listed = self.0.get(&list).map(|list| serde_json::from_slice::<Value>(&list.bytes).unwrap());
        let mut listed = listed.map_or_else(Vec::new, |list| list["manifests"].as_array().unwrap().clone());
        listed.push(referrer);
        self.0.insert(list, Document::of(index(&listed)));
    }

    /// A registry that does no harm.
    pub(super) fn honest(&self) -> Server {
        Server::new(self, Box::new(|_, _| None))
    }

    /// A registry that gives one thing at a pace of its own.
    pub(super) fn paced(&self, path: &str, pace: Pace) -> Server {
        let (path, document) = (path.to_owned(), self.0[path].clone());
        let said = move || Said { pace, ..Said::honest(document.clone()) };
        Server::new(self, Box::new(move |asked, _| (asked == path).then(&said)))
    }

    /// A registry that gives something else for one thing, each time that is meant, by how many there were before.
    pub(super) fn lying(&self, path: &str, document: Document, is_meant: fn(usize) -> bool) -> Server {
        let path = path.to_owned();
        let judge =
            move |asked: &str, before| (asked == path && is_meant(before)).then(|| Said::honest(document.clone()));
        Server::new(self, Box::new(judge))
    }

    /// A registry whose list of what refers to an image has so many pages; this is each of them but the last.
    pub(super) fn paged(&self, list: &str, pages: usize, page: Document) -> Server {
        let list = list.to_owned();
        let judge = move |asked: &str, _: usize| {
            let number: usize = match asked.strip_prefix(list.as_str())? {
                "" => 1,
                query => query.strip_prefix("?page=")?.parse().ok()?,
            };
            let headers = format!("Link: </v2/app/{list}?page={}>; rel=\"next\"\r\n", number + 1);
            (number < pages).then(|| Said { headers, ..Said::honest(page.clone()) })
        };
        Server::new(self, Box::new(judge))
    }
}

/// A signed image, and what is asked for by who wants to know what refers to it.
pub(super) fn listed() -> (Held, String) {
    let mut held = Held::default();
    let manifest = held.image("listed", &[]);
    let (image, _) = held.release(MANIFEST, Document::of(manifest));
    (held, path("referrers", &image))
}

/// A layer with one package.
pub(super) fn layer() -> Vec<u8> {
    let folder = scratch();
    let record = folder.path().join("usr/lib/python3/site-packages/tiny-1.0.dist-info");
    fs::create_dir_all(&record).unwrap();
    fs::write(record.join("METADATA"), "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n").unwrap();
    let layer = folder.path().join("layer.tar");
    run(Command::new("tar").arg("-cf").arg(&layer).arg("-C").arg(folder.path()).arg("usr")).ok();
    fs::read(layer).unwrap()
}

/// How an answer comes.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// Its length first.
    Announced,
    /// In chunks: nobody knows how many.
    Chunked,
    /// In chunks, with spaces behind it for ever.
    Endless,
    /// A byte a second.
    Dripping,
    /// No more than its head.
    Bodyless,
    /// Not at all.
    Silent,
}

/// An answer.
pub(super) struct Said {
    pub(super) document: Document,
    pub(super) pace: Pace,
    /// Headers besides, each with the end of its line.
    pub(super) headers: String,
}

impl Said {
    pub(super) fn honest(document: Document) -> Self {
        Self { document, pace: Pace::Announced, headers: String::new() }
    }
}

/// The answer to who asks for something that was asked for so often before; `None` for the one that does no harm.
pub(super) type Judge = dyn Fn(&str, usize) -> Option<Said> + Send + Sync;

/// A registry of the loopback that answers until the tests end.
pub(super) struct Server {
    /// Its one repository.
    pub(super) name: String,
    /// What it was asked for, and how many bytes of the answer it got rid of.
    pub(super) requests: Arc<Mutex<Vec<(String, u64)>>>,
}

impl Server {
    pub(super) fn new(held: &Held, judge: Box<Judge>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("{}/app", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (held, judge): (_, Arc<Judge>) = (Arc::new(held.clone()), judge.into());
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (held, judge, seen) = (Arc::clone(&held), Arc::clone(&judge), Arc::clone(&seen));
                // Whoever has enough of an answer breaks off.
                thread::spawn(move || drop(answer(stream, &held, &*judge, &seen)));
            }
        });
        Self { name, requests }
    }

    /// What comes of the image that the tag leads to.
    pub(super) fn judged(&self, options: &[&str]) -> Done {
        verify(&format!("{}:1", self.name), options)
    }

    /// How often something was asked for.
    pub(super) fn count(&self, path: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|(asked, _)| asked.split('?').next() == Some(path)).count()
    }

    /// Bytes of the longest answer, as far as anybody took it: what is on the way counts.
    pub(super) fn taken(&self) -> u64 {
        self.requests.lock().unwrap().iter().map(|(_, bytes)| *bytes).max().unwrap_or_default()
    }
}

pub(super) fn answer(
    mut stream: TcpStream,
    held: &Held,
    judge: &Judge,
    requests: &Mutex<Vec<(String, u64)>>,
) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches("/v2/app/").to_owned();
    while !lines.next().transpose()?.unwrap_or_default().is_empty() {}
    let (number, before) = {
        let mut requests = requests.lock().unwrap();
        let before = requests.iter().filter(|(asked, _)| *asked == path).count();
        requests.push((path.clone(), 0));
        (requests.len() - 1, before)
    };
    let plain = path.split('?').next().unwrap_or_default();
    let honest = || held.0.get(plain).cloned().map(Said::honest);
    let Some(Said { document, pace, headers }) = judge(&path, before).or_else(honest) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let is_chunked = matches!(pace, Pace::Chunked | Pace::Endless);
    let announced = format!("Content-Length: {}", document.size());
    let length = if is_chunked { "Transfer-Encoding: chunked" } else { &announced };
    if !matches!(pace, Pace::Silent) {
        // Of lists this is what they are; of all else it counts for nothing.
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {INDEX}\r\nConnection: close\r\n");
        write!(stream, "{head}{headers}{length}\r\n\r\n")?;
    }
    if matches!(pace, Pace::Silent | Pace::Bodyless) {
        // Until the client has waited long enough.
        return io::copy(&mut stream, &mut io::sink()).map(drop);
    }
    let mut give = |piece: &[u8]| -> io::Result<()> {
        if is_chunked {
            write!(stream, "{:x}\r\n", piece.len())?;
        }
        stream.write_all(piece)?;
        if is_chunked {
            stream.write_all(b"\r\n")?;
        }
        requests.lock().unwrap()[number].1 += piece.len() as u64;
        Ok(())
    };
    match pace {
        Pace::Endless => document.pieces().chain(std::iter::repeat(SPACES.as_slice())).try_for_each(give),
        Pace::Dripping => document.pieces().flatten().try_for_each(|byte| {
            thread::sleep(Duration::from_secs(1));
            give(from_ref(byte))
        }),
        _ => {
            document.pieces().try_for_each(&mut give)?;
            // The last chunk is the empty one.
            if is_chunked { give(&[]) } else { Ok(()) }
        }
    }
}
