use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::http::{Answer, Pace, Request, respond};
use crate::record::{Record, Upstreams};

/// What a mirror does instead of answering properly.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status and a few words.
    Status(u16),
    /// Other bytes, status 200.
    Body(Vec<u8>),
    /// Half of the body, then the connection closes.
    Truncated,
    /// The body in sixteen parts with a pause before each.
    Slow(Duration),
    /// Takes the request and never answers.
    Silent,
    /// Resets the connection.
    Reset,
}

/// A loopback HTTP server that serves what the machine's real package sources answered, each asked once.
///
/// Several mirrors may share one folder; faults and the list of requests belong to one mirror.
pub struct Mirror {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    record: Record,
    debian_roots: usize,
    faults: Mutex<Vec<(String, Fault, usize)>>,
    requests: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Mirror {
    /// A mirror of these endpoints, with its record in `target/mirror`.
    pub fn of(debian: Vec<String>, pypi: Option<String>) -> Self {
        Self::in_folder(&crate::repository().join("target/mirror"), Upstreams { debian, pypi })
    }

    /// A mirror of the endpoints this machine is configured with.
    pub fn of_this_machine() -> Self {
        let sources = crate::sources();
        let of = |name: &str| sources.iter().filter(|(n, _)| n == name).map(|(_, url)| url.clone()).collect::<Vec<_>>();
        Self::of(of("debian"), of("pypi").into_iter().next())
    }

    fn in_folder(folder: &Path, upstreams: Upstreams) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            debian_roots: upstreams.debian.len(),
            record: Record::new(folder, upstreams),
            faults: Mutex::default(),
            requests: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if server.over.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), server) = (stream, Arc::clone(&server)) else {
                    continue;
                };
                // A client that goes away in the middle is what some tests are about.
                std::thread::spawn(move || server.serve(&stream));
            }
        });
        Self { shared, address }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many Debian roots it mirrors; they are below `/debian0`, `/debian1` and so on.
    pub fn debian_roots(&self) -> usize {
        self.shared.debian_roots
    }

    /// The `--source` options that make the command line use this mirror and nothing else.
    pub fn source_options(&self) -> Vec<String> {
        let debian = (0..self.debian_roots()).map(|n| format!("debian={}", self.url(&format!("/debian{n}"))));
        let pypi = format!("pypi={}", self.url("/simple/"));
        debian.chain([pypi]).flat_map(|source| ["--source".to_owned(), source]).collect()
    }

    /// Answers the next `times` requests whose path contains `pattern` with a fault.
    pub fn fault(&self, pattern: &str, fault: Fault, times: usize) {
        self.shared.faults.lock().unwrap().push((pattern.to_owned(), fault, times));
    }

    /// Every path that was asked for, in order.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// What the mirror would answer to a path with nothing wrong.
    pub fn body(&self, path: &str) -> Vec<u8> {
        self.shared.record.answer(path, "*/*").body
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the listener so that it sees the flag; if nobody listens any more, all the better.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        while let Some(request) = Request::peek(stream)? {
            self.requests.lock().unwrap().push(request.path.clone());
            let fault = self.next_fault(&request.path);
            if matches!(fault, Some(Fault::Reset)) {
                // Closing with the request unread makes the kernel send a reset.
                return Ok(());
            }
            request.consume(stream)?;
            let proper = || self.record.answer(&request.path, request.header("accept").unwrap_or("*/*"));
            let (answer, pace) = match fault {
                None | Some(Fault::Reset) => (proper(), Pace::Whole),
                Some(Fault::Status(status)) => (Answer::plain(status, "a fault on purpose"), Pace::Whole),
                Some(Fault::Body(body)) => (Answer { body, ..proper() }, Pace::Whole),
                Some(Fault::Truncated) => (proper(), Pace::Half),
                Some(Fault::Slow(pause)) => (proper(), Pace::Slow(pause)),
                Some(Fault::Silent) => {
                    // Until the client gives up.
                    Request::peek(stream)?;
                    return Ok(());
                }
            };
            respond(stream, &request, &answer, pace)?;
            if matches!(pace, Pace::Half) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn next_fault(&self, path: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (_, fault, times) =
            faults.iter_mut().find(|(pattern, _, times)| *times > 0 && path.contains(pattern.as_str()))?;
        *times = times.saturating_sub(1);
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn ask(mirror: &Mirror, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(mirror.address)?;
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(text),
                Ok(length) => text.push_str(&String::from_utf8_lossy(&buffer[..length])),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !text.is_empty() => return Ok(text),
                Err(error) => return Err(error),
            }
        }
    }

    /// One mirror stands before another, so nothing but loopback is asked.
    #[test]
    fn answers_are_recorded_and_replayed_and_faults_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let front = {
            let upstream = Mirror::in_folder(&folder.path().join("none"), Upstreams::default());
            upstream.fault("/d/", Fault::Status(404), 9);
            let upstreams = Upstreams { debian: vec![upstream.url("/d")], pypi: None };
            let front = Mirror::in_folder(&folder.path().join("kept"), upstreams);
            assert!(ask(&front, "/debian0/dists/a").unwrap().starts_with("HTTP/1.1 404"));
            assert!(ask(&front, "/debian1/dists/a").unwrap().starts_with("HTTP/1.1 404"));
            front
        };
        // The upstream is gone; what it said is not.
        assert!(ask(&front, "/debian0/dists/a").unwrap().contains("a fault on purpose"));

        front.fault("/a", Fault::Status(500), 1);
        assert!(ask(&front, "/debian0/dists/a").unwrap().starts_with("HTTP/1.1 500"));
        assert!(ask(&front, "/debian0/dists/a").unwrap().starts_with("HTTP/1.1 404"));
        front.fault("/a", Fault::Reset, 1);
        assert_eq!(ask(&front, "/debian0/dists/a").unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        front.fault("/a", Fault::Silent, 1);
        assert_eq!(ask(&front, "/debian0/dists/a").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        front.fault("/a", Fault::Truncated, 1);
        let half = ask(&front, "/debian0/dists/a").unwrap();
        assert!(half.contains("Content-Length: 18") && half.ends_with("a fault o"), "{half}");
        assert_eq!(front.requests().len(), 8);
    }
}
