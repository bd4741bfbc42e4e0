use std::collections::BTreeMap;
use std::fmt;

use model::Digest;
use model::text::printable;
use serde::Serialize;
use serde_json::Value;

/// What an image archive holds. Everything in it comes from the archive; nothing of it is vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageSummary {
    /// Digest of the image index, or of the manifest where there is no index.
    pub index: Option<Digest>,
    /// The names it gives its images.
    pub names: Vec<String>,
    /// The images.
    pub images: Vec<ImageEntry>,
}

/// One image of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageEntry {
    /// Architecture, as its configuration names it.
    pub arch: String,
    /// Digest of its manifest; absent where only `docker load` documents are there.
    pub manifest: Option<Digest>,
    /// Digest of its configuration.
    pub config: Digest,
    /// Layers, bottom first.
    pub layers: Vec<LayerEntry>,
    /// When its configuration says it was made.
    #[serde(skip)]
    pub created: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Environment, `NAME=value`.
    pub env: Vec<String>,
    /// Entrypoint.
    pub entrypoint: Vec<String>,
    /// Default arguments.
    pub command: Vec<String>,
    /// User.
    pub user: String,
    /// Working directory.
    pub workdir: String,
    /// Documented ports, `8000/tcp`.
    pub ports: Vec<String>,
    /// What else the configuration says of how it is started: health checks, volumes, signals.
    pub other: BTreeMap<String, Value>,
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerEntry {
    /// Its file in the archive.
    #[serde(skip)]
    pub file: String,
    /// Digest of the layer as it is in the archive, where a manifest gives it.
    pub digest: Option<Digest>,
    /// The digest of what it unpacks to, as the configuration has it.
    pub diff_id: Option<Digest>,
    /// Its size in bytes.
    pub size: u64,
    /// What its history entry says it is.
    pub title: String,
}

impl fmt::Display for ImageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = &self.index {
            writeln!(f, "index       {index}")?;
        }
        for name in &self.names {
            writeln!(f, "name        {}", printable(name))?;
        }
        for image in &self.images {
            writeln!(f, "\n{}", printable(&image.arch))?;
            if let Some(manifest) = &image.manifest {
                writeln!(f, "  manifest  {manifest}")?;
            }
            writeln!(f, "  config    {}", image.config)?;
            for layer in &image.layers {
                let digest = layer.digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
                writeln!(f, "  layer     {digest}  {:>11}  {}", layer.size, printable(&layer.title))?;
            }
            let rows =
                [("user", &image.user), ("workdir", &image.workdir)].into_iter().filter(|(_, value)| !value.is_empty());
            for (name, value) in rows {
                writeln!(f, "  {name:<9} {}", printable(value))?;
            }
            for (name, list) in [("entry", &image.entrypoint), ("command", &image.command), ("ports", &image.ports)] {
                if !list.is_empty() {
                    writeln!(f, "  {name:<9} {list:?}")?;
                }
            }
            for value in &image.env {
                writeln!(f, "  env       {}", printable(value))?;
            }
            for (name, value) in &image.labels {
                writeln!(f, "  label     {}={}", printable(name), printable(value))?;
            }
        }
        Ok(())
    }
}
