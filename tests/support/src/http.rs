//! Just enough of HTTP/1.1 for a mirror: GET and HEAD, ranges, conditional requests, kept connections.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const LARGEST_REQUEST: usize = 64 << 10;

/// A request; its header names are in lower case.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: BTreeMap<String, String>,
    length: usize,
}

/// What the mirror has for a path.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn plain(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: "text/plain".to_owned(), body: body.into() }
    }
}

/// How an answer is put on the wire.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    Whole,
    /// The connection closes after half of the announced body.
    Half,
    /// The body comes in sixteen parts with this pause before each.
    Slow(Duration),
}

impl Request {
    /// The next request of a connection, still unread in the socket: closing then resets the connection.
    pub(crate) fn peek(stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut buffer = vec![0; LARGEST_REQUEST];
        let mut before = 0;
        loop {
            let length = stream.peek(&mut buffer)?;
            if let Some(end) = buffer[..length].windows(4).position(|window| window == b"\r\n\r\n") {
                return Self::parse(&buffer[..end + 4]).map(Some);
            }
            if length == 0 || length == LARGEST_REQUEST {
                return Ok(None);
            }
            if length == before {
                std::thread::sleep(Duration::from_millis(1));
            }
            before = length;
        }
    }

    /// Takes the request out of the socket.
    pub(crate) fn consume(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.read_exact(&mut vec![0; self.length])
    }

    fn parse(head: &[u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Err(io::Error::other("no request line"));
        };
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Self { method: method.to_owned(), path: path.to_owned(), headers, length: head.len() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Answers a request.
pub(crate) fn respond(mut stream: &TcpStream, request: &Request, answer: &Answer, pace: Pace) -> io::Result<()> {
    let etag = format!("\"{}\"", crate::files::sha256(&answer.body));
    let total = answer.body.len();
    let range = request
        .header("range")
        .filter(|_| answer.status == 200 && request.header("if-range").is_none_or(|tag| tag == etag))
        .and_then(|text| byte_range(text, total));
    let mut head = String::new();
    let (status, body) = if answer.status == 200 && request.header("if-none-match") == Some(etag.as_str()) {
        (304, &[][..])
    } else if let Some((from, to)) = range {
        head = format!("Content-Range: bytes {from}-{}/{total}\r\n", to - 1);
        (206, &answer.body[from..to])
    } else {
        (answer.status, &answer.body[..])
    };
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Type: {}\r\nContent-Length: {}\r\nETag: {etag}\r\nAccept-Ranges: bytes\r\n{head}\r\n",
        answer.content_type,
        body.len()
    )?;
    if request.method == "HEAD" {
        return Ok(());
    }
    match pace {
        Pace::Whole => stream.write_all(body),
        Pace::Half => {
            stream.write_all(&body[..body.len() / 2])?;
            stream.shutdown(std::net::Shutdown::Both)
        }
        Pace::Slow(pause) => body.chunks(body.len().div_ceil(16).max(1)).try_for_each(|part| {
            std::thread::sleep(pause);
            stream.write_all(part)
        }),
    }
}

/// `bytes=a-b`, `bytes=a-` and `bytes=-n` as a half-open range inside `total`.
fn byte_range(text: &str, total: usize) -> Option<(usize, usize)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from, to) {
        ("", last) => (total.saturating_sub(last.parse().ok()?), total),
        (from, "") => (from.parse().ok()?, total),
        (from, to) => (from.parse().ok()?, to.parse::<usize>().ok()?.saturating_add(1).min(total)),
    };
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::byte_range;

    #[test]
    fn ranges_of_every_form_are_read_and_empty_ones_are_none() {
        assert_eq!(byte_range("bytes=0-0", 10), Some((0, 1)));
        assert_eq!(byte_range("bytes=4-", 10), Some((4, 10)));
        assert_eq!(byte_range("bytes=-3", 10), Some((7, 10)));
        assert_eq!(byte_range("bytes=2-99", 10), Some((2, 10)));
        assert_eq!(byte_range("bytes=10-", 10), None);
        assert_eq!(byte_range("lines=1-2", 10), None);
    }
}
