//! Data shipped with the compiler, read into types. Every file is reviewable as it stands in `stdlib/`.

pub mod base;
pub mod debian;
pub mod hardening;
pub mod language;
pub mod policy;
pub mod room;
pub mod source;
pub mod template;
pub mod toolchain;
pub mod variant;

use model::{Finding, codes};

fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Finding> {
    toml::from_str(text)
        .map_err(|e| Finding::error(codes::STDLIB_UNREADABLE, format!("{name} cannot be read: {}", e.message())))
}
