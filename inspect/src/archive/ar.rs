use std::io::{self, Read};

/// The next member of an `ar` archive, as far as Debian packages use the format (deb(5)): plain names, no tables.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) size: u64,
}

/// Reads the archive's magic.
pub(super) fn start(input: &mut impl Read) -> io::Result<()> {
    let mut magic = [0; 8];
    input.read_exact(&mut magic)?;
    if &magic == b"!<arch>\n" { Ok(()) } else { Err(io::Error::other("it does not start as an ar archive")) }
}

/// Reads one member's header; `None` at the end.
pub(super) fn next(input: &mut impl Read) -> io::Result<Option<Header>> {
    let mut header = Vec::with_capacity(60);
    input.by_ref().take(60).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(None);
    }
    let bad = || io::Error::other("a member's header is broken");
    let field = |range| header.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim_end);
    if header.get(58..60) != Some(b"`\n") {
        return Err(bad());
    }
    let name = field(0..16).ok_or_else(bad)?;
    let size = field(48..58).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).ok_or_else(bad)?;
    let size = size.parse().map_err(|_| bad())?;
    Ok(Some(Header { name: name.strip_suffix('/').unwrap_or(name).to_owned(), size }))
}

/// Skips what is left of a member and the byte that pads an odd one.
pub(super) fn finish(member: &mut io::Take<impl Read>, size: u64) -> io::Result<()> {
    io::copy(member, &mut io::sink())?;
    if member.limit() > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if size % 2 == 1 {
        member.set_limit(1);
        io::copy(member, &mut io::sink())?;
    }
    Ok(())
}
