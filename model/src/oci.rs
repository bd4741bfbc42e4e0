//! How manifests, indexes and configurations are read (image specification 1.1).

use crate::json;
use crate::text::short;

/// Fields that decide what is run, as they are written.
const KNOWN: [&str; 33] = [
    "schemaVersion",
    "mediaType",
    "manifests",
    "digest",
    "size",
    "platform",
    "architecture",
    "os",
    "variant",
    "urls",
    "data",
    "config",
    "layers",
    "subject",
    "artifactType",
    "annotations",
    "rootfs",
    "diff_ids",
    "type",
    "User",
    "Env",
    "Entrypoint",
    "Cmd",
    "WorkingDir",
    "Labels",
    "ExposedPorts",
    "Volumes",
    "StopSignal",
    "Healthcheck",
    "Test",
    "OnBuild",
    "Shell",
    "history",
];
/// Fields below which names are the author's own.
const FREE: [&str; 5] = ["annotations", "Labels", "ExposedPorts", "Volumes", "container_config"];

/// Checks that all programs read a manifest, an index or a configuration alike.
///
/// # Errors
/// What some read otherwise than others.
pub fn unambiguous(bytes: &[u8]) -> Result<(), String> {
    json::check_names(bytes, &KNOWN, &FREE).map_err(short)
}
