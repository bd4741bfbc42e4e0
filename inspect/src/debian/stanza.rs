//! Control stanzas (Debian Policy §5.1): fields, one per line, continued on lines that start with white space.

use std::io::BufRead;

use model::{Finding, codes};

/// The longest stanza read; the largest ones of Debian's archives have 80 kB.
const MAX_STANZA: usize = 4 << 20;

/// Reads stanzas from a stream, one at a time, in memory bounded by the longest one.
pub struct Stanzas<'r> {
    input: &'r mut dyn BufRead,
    text: Vec<u8>,
    line: u64,
}

/// One stanza. Every line of it belongs to a field.
#[derive(Clone, Copy, Debug)]
pub struct Stanza<'a> {
    text: &'a str,
}

impl<'r> Stanzas<'r> {
    /// Reads from the start of `input`.
    pub fn new(input: &'r mut dyn BufRead) -> Self {
        Self { input, text: Vec::new(), line: 0 }
    }

    /// The next stanza; `None` at the end of the stream.
    pub fn read(&mut self) -> Result<Option<Stanza<'_>>, Finding> {
        self.text.clear();
        loop {
            let start = self.text.len();
            let more = self.line()?;
            if self.text.get(start..).is_some_and(|line| line.trim_ascii().is_empty()) {
                self.text.truncate(start); // the empty line that ends a stanza
                if start > 0 || !more {
                    break;
                }
            }
        }
        if self.text.is_empty() {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.text).map_err(|_| unreadable("is not UTF-8", self.line))?;
        Stanza::new(text).map(Some).map_err(|problem| unreadable(problem, self.line))
    }

    /// Appends the next line with its line feed; `false` at the end of the stream.
    fn line(&mut self) -> Result<bool, Finding> {
        self.line += 1;
        loop {
            let ready = self.input.fill_buf().map_err(|e| unreadable(&format!("cannot be read: {e}"), self.line))?;
            let found = memchr::memchr(b'\n', ready);
            let taken = found.map_or(ready.len(), |at| at + 1);
            let Some(part) = ready.get(..taken).filter(|part| !part.is_empty()) else { return Ok(false) };
            if self.text.len() + taken > MAX_STANZA {
                return Err(unreadable("holds a stanza of more than 4 MiB", self.line));
            }
            self.text.extend_from_slice(part);
            self.input.consume(taken);
            if found.is_some() {
                return Ok(true);
            }
        }
    }
}

fn unreadable(problem: &str, line: u64) -> Finding {
    Finding::error(codes::DEBIAN_CONTROL_UNREADABLE, format!("the control file {problem} (near line {line})"))
}

impl<'a> Stanza<'a> {
    /// A text that is one stanza, without empty lines; the error says what is wrong with it.
    pub fn new(text: &'a str) -> Result<Self, &'static str> {
        if text.starts_with([' ', '\t']) {
            return Err("starts with a continuation line");
        }
        let mut starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        let is_field = |line: &str| line.is_empty() || line.starts_with([' ', '\t']) || field(line).is_some();
        match starts.all(|at| text.get(at..).is_none_or(is_field)) {
            true => Ok(Self { text }),
            false => Err("has a line that is no field (expected `Name: value`)"),
        }
    }

    /// Every field in order: its name, and its value with line breaks kept.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            let (name, after) = field(rest)?;
            let ends = memchr::memchr_iter(b'\n', after.as_bytes()).map(|at| at + 1);
            let end = ends.into_iter().find(|at| !after.get(*at..).is_some_and(|next| next.starts_with([' ', '\t'])));
            let (value, next) = after.split_at_checked(end.unwrap_or(after.len()))?;
            rest = next;
            Some((name, value.trim()))
        })
    }

    /// The value of a field; names are compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The name at the start of a text, and what follows its colon. A name is printable ASCII without space and colon, and
/// does not start with `#` or `-`.
fn field(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| b == b':' || !b.is_ascii_graphic())?;
    let (name, after) = text.split_at_checked(end)?;
    let after = after.strip_prefix(':')?;
    Some((name, after)).filter(|_| !name.is_empty() && !name.starts_with(['#', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(mut text: &[u8]) -> Result<Vec<Vec<(String, String)>>, Finding> {
        let mut stanzas = Stanzas::new(&mut text);
        let mut all = Vec::new();
        while let Some(stanza) = stanzas.read()? {
            all.push(stanza.fields().map(|(name, value)| (name.into(), value.into())).collect());
        }
        Ok(all)
    }

    fn field(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn stanzas_are_divided_by_empty_lines_however_many() {
        let text = b"\n\nA: 1\nB:2\n  more: text\n\t\n\nA: 3";
        let expected = vec![vec![field("A", "1"), field("B", "2\n  more: text")], vec![field("A", "3")]];
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(b""), Ok(vec![]));
    }

    #[test]
    fn a_field_is_found_whatever_its_case() {
        assert_eq!(Stanza::new("sha256: x\n").unwrap().get("SHA256"), Some("x"));
        assert_eq!(Stanza::new("A: x\n").unwrap().get("B"), None);
    }

    #[test]
    fn what_is_no_stanza_is_refused_with_its_line() {
        for bad in [&b" start"[..], b"A: 1\nno field\n", b"A: 1\n: x\n", b"A: \xff\n", b"# comment: x\n"] {
            let finding = read(bad).unwrap_err();
            assert_eq!(finding.code, codes::DEBIAN_CONTROL_UNREADABLE);
            assert!(finding.message.contains("near line "), "{}", finding.message);
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let mut endless = std::io::BufReader::new(std::io::repeat(b'x'));
        assert!(Stanzas::new(&mut endless).read().unwrap_err().message.contains("more than 4 MiB"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn fields_come_back_as_written(
            fields in proptest::collection::vec(("[A-Z][a-z0-9-]{0,8}", "[a-z0-9:.][a-z0-9: .]{0,10}[a-z]"), 1..8),
        ) {
            let text: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            prop_assert_eq!(read(text.as_bytes()), Ok(vec![fields]));
        }
    }
}
