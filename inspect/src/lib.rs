//! Pure readers of bytes that come from outside. Every one has limits and answers bad input with a finding.

pub mod archive;
pub mod debian;
pub mod dependencies;
pub mod difference;
pub mod elf;
pub mod inventory;
pub mod pypi;
pub mod statement;
