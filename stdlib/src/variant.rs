//! Variants of an image: the one that is declared, and those with tools besides.

use serde::Deserialize;

/// What an image of a variant has besides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Debian packages.
    pub packages: Vec<String>,
}
