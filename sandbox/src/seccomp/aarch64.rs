//! System calls of 64-bit ARM alone: none but what every architecture has.

use libc::c_long;

/// What the kernel calls it.
pub(super) const AUDIT: u32 = 0xc000_00b7;

pub(super) const ALLOWED: &[c_long] = &[];
