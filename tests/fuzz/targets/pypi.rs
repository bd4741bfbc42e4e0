//! What Python indexes answer: pages in both forms, and metadata.
#![no_main]

use inspect::pypi::{CoreMetadata, Page, WheelName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for content_type in ["text/html", "application/vnd.pypi.simple.v1+json"] {
        if let Ok(page) = Page::parse(bytes, content_type, "lamp") {
            page.releases().for_each(|(version, files)| drop((version.to_string(), files.count())));
        }
    }
    let _ = CoreMetadata::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = WheelName::parse(text);
    }
});
