//! Registries to push to: Debian's, and one that misbehaves in front of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::{Running, repository, start};

use crate::image::free_port;
use crate::starts::wait_for;

/// Debian's registry, which keeps what it has in a folder; and its port.
pub fn registry(folder: &Path) -> (Running, u16) {
    let port = free_port();
    let settings = folder.join(format!("registry-{port}.yml"));
    let text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
        folder.join("data").display()
    );
    fs::write(&settings, text).unwrap();
    let mut registry = start(Command::new("docker-registry").arg("serve").arg(&settings));
    wait_for(&mut registry, "registry", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (registry, port)
}

/// A registry that lists what refers to an image by itself, and keeps all in memory; and its address.
pub fn lister() -> (Running, String) {
    let program = repository().join("target/tools/lister");
    assert!(program.is_file(), "{} is missing: `cargo xtask test` builds it", program.display());
    let mut registry = start(&mut Command::new(program));
    loop {
        if let Some((address, _)) = registry.stderr().split_once('\n') {
            return (registry, address.to_owned());
        }
        assert!(!registry.is_over(), "it ended: {}", registry.stderr());
        thread::sleep(Duration::from_millis(20));
    }
}

/// A request on its way to the registry.
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// How many were asked before, of all.
    pub before: usize,
    headers: BTreeMap<String, String>,
}

impl Asked {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What is done to a request.
pub enum Fault {
    None,
    /// The registry is not asked; this is its answer: a status and headers.
    Status(&'static str, &'static str),
    /// The same with a status and a body.
    Says(&'static str, &'static str),
    /// The connection ends after so many bytes of the request's body.
    Reset(usize),
    /// The registry did it, and nobody hears of it.
    Deaf,
    /// The answer has these headers as well.
    Headers(&'static str),
    /// The answer takes so long.
    Slow(Duration),
    /// The answer comes byte by byte, each after a pause: from its first on, or from that of its body on.
    Drip(From),
}

/// Where an answer begins to drip.
pub enum From {
    Head,
    Body,
}

pub type Judge = dyn Fn(&Asked) -> Fault + Send + Sync;

/// Stands in front of a registry, and remembers requests as `PUT /v2/…`.
pub struct Proxy {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn new(registry: u16, judge: Box<Judge>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, judge): (_, Arc<Judge>) = (Arc::clone(&asked), judge.into());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, judge) = (Arc::clone(&seen), Arc::clone(&judge));
                // A client that was killed breaks off, too.
                thread::spawn(move || drop(pass(stream, registry, &seen, &*judge)));
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn pass(client: TcpStream, registry: u16, seen: &Mutex<Vec<String>>, judge: &Judge) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(format!("{method} {path}"));
        seen.len() - 1
    };
    let asked = Asked { method, path, before, headers };
    let fault = judge(&asked);
    let length: u64 = asked.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let answer = match fault {
        Fault::Status(status, more) => Some((status, more, "")),
        Fault::Says(status, body) => Some((status, "", body)),
        _ => None,
    };
    if let Some((status, more, body)) = answer {
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let length = body.len();
        return write!(
            client,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
        );
    }
    let mut server = TcpStream::connect(("127.0.0.1", registry))?;
    write!(server, "{} {} HTTP/1.1\r\nConnection: close\r\n", asked.method, asked.path)?;
    for (name, value) in asked.headers.iter().filter(|(name, _)| *name != "connection") {
        write!(server, "{name}: {value}\r\n")?;
    }
    server.write_all(b"\r\n")?;
    if let Fault::Reset(bytes) = fault {
        std::io::copy(&mut reader.by_ref().take(bytes as u64), &mut server)?;
        server.shutdown(Shutdown::Both)?;
        return client.shutdown(Shutdown::Both);
    }
    std::io::copy(&mut reader.by_ref().take(length), &mut server)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    match fault {
        Fault::Deaf => return client.shutdown(Shutdown::Both),
        Fault::Headers(more) => {
            let end = answer.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
            answer.splice(end..end, more.bytes());
        }
        Fault::Slow(pause) => thread::sleep(pause),
        Fault::Drip(from) => {
            let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let (whole, drops) = answer.split_at(if matches!(from, From::Head) { 0 } else { body });
            client.write_all(whole)?;
            return drops.iter().try_for_each(|drop| {
                thread::sleep(Duration::from_millis(500));
                client.write_all(std::slice::from_ref(drop))
            });
        }
        _ => {}
    }
    client.write_all(&answer)
}
