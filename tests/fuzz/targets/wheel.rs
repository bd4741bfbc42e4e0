//! Zip archives, and wheels.
#![no_main]

use std::io::Cursor;

use inspect::archive::{wheel, zip};
use libfuzzer_sys::fuzz_target;
use model::plan::WheelScheme;

fuzz_target!(|bytes: &[u8]| {
    let _ = zip::unpack(Cursor::new(bytes), &fuzz::LIMITS, &mut fuzz::Counting::default());
    let at = |path: &str| path.parse().expect("it is a path");
    let scheme = WheelScheme {
        purelib: at("usr/lib/python3/dist-packages"),
        platlib: at("usr/lib/python3/dist-packages"),
        scripts: at("usr/bin"),
        headers: at("usr/include"),
        data: at("usr"),
        interpreter: "/usr/bin/python3".to_owned(),
    };
    let wanted = wheel::Wanted { scheme: &scheme, project: "lamp", version: "1.0", metadata: wheel::Metadata::OfWheel };
    let _ = wheel::install(Cursor::new(bytes), &wanted, &fuzz::LIMITS, &mut fuzz::Counting::default());
});
