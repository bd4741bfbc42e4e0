//! Real images from real packages, started by other projects' programs. Only loopback is asked, through the mirror.

mod batch;
mod bit_for_bit;
mod browser;
mod bundle;
mod commands;
mod compiled;
mod contents;
mod evidence;
mod fixture;
mod image;
mod input;
mod kills;
mod mistakes;
mod older;
mod opa;
mod parts;
mod policy;
mod registry;
mod report;
mod reproducible;
mod servers;
mod starts;
mod tampering;
mod tree;
mod trust;
mod variants;
