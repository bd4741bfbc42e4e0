use std::io::{self, Read};

/// The next member of an `ar` archive, as far as Debian packages use the format (deb(5)): plain names, no tables.
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) size: u64,
    /// As written: seconds since 1970, user and group, and mode in octal digits.
    pub(crate) time: String,
    pub(crate) owner: String,
    pub(crate) mode: String,
}

/// Reads the archive's magic.
pub(crate) fn start(input: &mut impl Read) -> io::Result<()> {
    let mut magic = [0; 8];
    input.read_exact(&mut magic)?;
    if &magic == b"!<arch>\n" { Ok(()) } else { Err(io::Error::other("it does not start as an ar archive")) }
}

/// Reads one member's header; `None` at the end.
pub(crate) fn next(input: &mut impl Read) -> io::Result<Option<Header>> {
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
    let written = |range| field(range).unwrap_or_default().to_owned();
    let (time, owner, mode) = (written(16..28), written(28..40), written(40..48));
    Ok(Some(Header { name: name.strip_suffix('/').unwrap_or(name).to_owned(), size, time, owner, mode }))
}

/// Skips what is left of a member and the byte that pads an odd one.
pub(crate) fn finish(member: &mut io::Take<impl Read>, size: u64) -> io::Result<()> {
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
