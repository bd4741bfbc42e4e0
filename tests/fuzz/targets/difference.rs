//! Two files that should be the same: the input in two halves.
#![no_main]

use std::io::Cursor;

use inspect::difference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let lines = difference::explain(&mut Cursor::new(first), &mut Cursor::new(second)).expect("memory can be read");
    assert_eq!(lines.is_empty(), first == second);
    assert!(lines.len() < 20 && lines.iter().all(|line| line.len() < 2000 && !line.contains('\n')));
});
