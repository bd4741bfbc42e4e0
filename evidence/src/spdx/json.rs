use std::io::{self, Write};

use super::Document;

/// Writes the document as JSON.
pub(crate) fn write(document: &Document, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, document)?;
    writeln!(to)
}
