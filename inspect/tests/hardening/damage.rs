//! Files that are cut off or changed.

use std::io::Cursor;
use std::sync::LazyLock;

use inspect::elf;
use model::hardening::{Compiled, Demand};
use proptest::prelude::*;

use crate::workshop::*;

/// A small library with everything in it that is read.
static LIBRARY_BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let flags = ["-gdwarf-5", "-O2", "-fPIC", "-D_FORTIFY_SOURCE=2", "-fstack-protector-all", "-frecord-gcc-switches"];
    let units = [("library.c", LIBRARY, flags.as_slice()), ("old.c", LIBRARY, &["-gdwarf-4", "-Dcopy=old", "-fPIC"])];
    Workshop::new().build(&units, &["-shared", "-nostdlib", "-Wl,-rpath,/a:/b"])
});

/// The same, compressed.
static COMPRESSED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let units: [(&str, &str, &[&str]); 1] = [("library.c", LIBRARY, &["-g", "-O2", "-fPIC"])];
    Workshop::new().build(&units, &["-shared", "-nostdlib", "-Wl,--compress-debug-sections=zlib"])
});

fn look(bytes: &[u8]) {
    if let Ok(facts) = elf::hardening(Cursor::new(bytes)) {
        assert_eq!(elf::judge(&facts, &Demand::ALL.into()).len(), Demand::ALL.len());
    }
}

#[test]
fn a_truncated_file_is_an_error_or_less_is_known_of_it() {
    let whole = facts(&LIBRARY_BYTES);
    assert!(matches!(&whole.compiled, Compiled::Known { units, .. } if units.len() == 2), "{whole:?}");
    for end in (0..LIBRARY_BYTES.len()).step_by(13) {
        // section headers stand at the end, and what has none has no unit either
        match elf::hardening(Cursor::new(&LIBRARY_BYTES[..end])) {
            Ok(facts) => assert_ne!(facts, whole, "{end} bytes"),
            Err(why) => assert!(!why.is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_file_never_panics(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        compressed: bool,
    ) {
        let mut bytes = if compressed { COMPRESSED.clone() } else { LIBRARY_BYTES.clone() };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        look(&bytes);
    }

    /// Numbers at the ends of their ranges, where sums overflow.
    #[test]
    fn a_file_with_extreme_numbers_never_panics(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..4, any::<bool>()), 1..5),
    ) {
        let mut bytes = LIBRARY_BYTES.clone();
        for (at, width, high) in changes {
            let width = 1 << width;
            let at = at.index(bytes.len() / width) * width;
            bytes[at..at + width].fill(if high { 0xff } else { 0 });
        }
        look(&bytes);
    }
}
