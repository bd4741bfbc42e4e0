//! Images on their way to layouts and archives.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use files::archive::pack;
use model::{Digest, Finding, Reference, codes};
use registry::{Source, Top, Wanted, save};
use serde::Serialize;

use crate::located::waiting;

/// Where images are saved.
pub(crate) enum File<'f> {
    /// `oci:DIR`
    Layout(&'f str),
    /// `FILE.tar`
    Archive(&'f str),
}

/// An image that was saved.
#[derive(Serialize)]
pub(crate) struct Saved {
    pub(crate) to: String,
    pub(crate) digest: Digest,
}

impl<'f> File<'f> {
    /// A name with `oci:` before it, or one that ends in `.tar` and names no registry.
    pub(crate) fn named(text: &'f str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("oci:") {
            return Some(File::Layout(path));
        }
        let names_registry = text.parse::<Reference>().is_ok_and(|reference| reference.registry.is_some());
        (text.ends_with(".tar") && !names_registry).then_some(File::Archive(text))
    }

    /// Its path.
    pub(crate) fn text(&self) -> &'f str {
        let (File::Layout(path) | File::Archive(path)) = self;
        path
    }

    /// Writes images and what is said of them, whole or not at all. An archive takes the place of another; a folder has to be empty.
    pub(crate) fn write(&self, source: &Source<'_>, tops: &[Top]) -> Result<(), Finding> {
        let path = Path::new(self.text());
        let failed = |e: io::Error| unwritable(path, &e);
        if let File::Layout(_) = self {
            match path.read_dir().map(|mut folder| folder.next().is_none()) {
                Ok(true) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Ok(false) => {
                    let message = format!("something lies in {}", path.display());
                    return Err(Finding::error(codes::OUTPUT_IO, message).help("name a folder that is empty or new"));
                }
                Err(e) => return Err(failed(e)),
            }
        }
        let beside = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let staged = tempfile::Builder::new().prefix(".clnstrt-").tempdir_in(beside).map_err(failed)?;
        // The temporary folder itself is its owner's alone.
        let layout = staged.path().join("layout");
        waiting()?.block_on(save(source, tops, Wanted::All, &layout))?;
        match self {
            File::Layout(_) => fs::rename(&layout, path).map_err(failed),
            File::Archive(_) => pack(&layout, path),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Finding {
    Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_and_archives_are_told_from_images_of_registries() {
        let named = |text| File::named(text).map(|file| (matches!(file, File::Layout(_)), file.text().to_owned()));
        assert_eq!(named("oci:some/dir"), Some((true, "some/dir".to_owned())));
        for archive in ["app.tar", "./app.tar", "/out/app.tar", "out/app.tar", "./registry.example/app.tar"] {
            assert_eq!(named(archive), Some((false, archive.to_owned())));
        }
        for image in ["registry.example/app.tar", "registry.example/app:1.tar", "localhost:5000/app", "team/app:1.2"] {
            assert_eq!(named(image), None, "{image}");
        }
    }
}
