//! An OCI layout in a folder as an archive.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use model::{Finding, codes};

use crate::Output;

/// Writes a layout as an archive that follows from its bytes alone, whole or not at all.
///
/// # Errors
/// `OUTPUT_IO`.
pub fn pack(folder: &Path, output: &Path) -> Result<(), Finding> {
    written(folder, output)
        .map_err(|e| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", output.display())))
}

fn written(folder: &Path, output: &Path) -> io::Result<()> {
    let blobs = fs::read_dir(folder.join("blobs/sha256"))?;
    let blobs = blobs.map(|blob| Ok(format!("blobs/sha256/{}", blob?.file_name().to_string_lossy())));
    let mut blobs = blobs.collect::<io::Result<Vec<_>>>()?;
    blobs.sort();
    let documents = ["oci-layout", "index.json"].map(str::to_owned);
    let mut tar = tar::Builder::new(BufWriter::new(Output::create(output)?));
    for name in documents.into_iter().chain(blobs) {
        let file = File::open(folder.join(&name))?;
        let mut header = tar::Header::new_ustar();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        tar.append_data(&mut header, &name, file)?;
    }
    tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
}
