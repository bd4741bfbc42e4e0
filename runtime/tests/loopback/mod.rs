//! A small HTTP server on the loopback interface that misbehaves as told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// First and, if given, last byte of a `Range` header.
    pub(crate) fn range(&self) -> Option<(usize, Option<usize>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, further headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The whole length is announced, this many bytes are sent, then the connection is closed.
    Truncated(Vec<u8>, usize),
    /// This many bytes are sent, then nothing while the client waits.
    Stalled(Vec<u8>, usize),
    /// Nothing at all.
    Silence,
    /// A body that does not end.
    Endless,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), b"an error page".to_vec())
    }

    /// As a server that knows byte ranges answers.
    pub(crate) fn ranged(request: &Request, body: &[u8]) -> Self {
        let total = body.len();
        let (first, last) = match request.header("range") {
            None => return Self::ok(body),
            Some(range) => match range.strip_prefix("bytes=-") {
                Some(suffix) => (total.saturating_sub(suffix.parse().unwrap()), total - 1),
                None => {
                    let (first, last) = request.range().unwrap();
                    (first, last.unwrap_or(total - 1).min(total - 1))
                }
            },
        };
        if first >= total {
            return Self::status(416);
        }
        let range = format!("bytes {first}-{last}/{total}");
        Self::Answer(206, vec![("Content-Range", range)], body[first..=last].to_vec())
    }
}

/// A running server; its thread ends with the test process.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(Some, handler)
    }

    /// `wrap` may put TLS around the connection.
    fn start_with<S: Read + Write + 'static>(
        wrap: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (seen, handler, wrap) = (requests.clone(), Arc::new(handler), Arc::new(wrap));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, handler, wrap) = (seen.clone(), handler.clone(), wrap.clone());
                std::thread::spawn(move || {
                    let Some(stream) = wrap(stream) else { return };
                    let mut stream = BufReader::new(stream);
                    let Some(request) = read_request(&mut stream) else {
                        return;
                    };
                    seen.lock().unwrap().push(request.clone());
                    // The client may have left already.
                    let _ = send(stream.get_mut(), handler(&request));
                });
            }
        });
        Self { address, requests }
    }

    /// A server with the certificate in `tests/tls`.
    pub(crate) fn start_tls(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let fixture = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name);
        let certificate = CertificateDer::from_pem_file(fixture("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let wrap = move |stream| {
            let connection = rustls::ServerConnection::new(config.clone()).ok()?;
            Some(rustls::StreamOwned::new(connection, stream))
        };
        Self::start_with(wrap, handler)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.requests().len()
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let target = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            return Some(Request { target, headers });
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

fn send(stream: &mut impl Write, reply: Reply) -> std::io::Result<()> {
    let head = |status: u16, length: usize| {
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n")
    };
    let wait = || std::thread::sleep(Duration::from_secs(60));
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut text = if status == 304 {
                format!("HTTP/1.1 {status} X\r\nConnection: close\r\n")
            } else {
                head(status, body.len())
            };
            for (name, value) in headers {
                text += &format!("{name}: {value}\r\n");
            }
            stream.write_all((text + "\r\n").as_bytes())?;
            if status != 304 {
                stream.write_all(&body)?;
            }
        }
        Reply::Truncated(body, sent) => {
            stream.write_all((head(200, body.len()) + "\r\n").as_bytes())?;
            stream.write_all(&body[..sent])?;
        }
        Reply::Stalled(body, sent) => {
            stream.write_all((head(200, body.len()) + "\r\n").as_bytes())?;
            stream.write_all(&body[..sent])?;
            stream.flush()?;
            wait();
        }
        Reply::Silence => wait(),
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")?;
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
    }
    stream.flush()
}
