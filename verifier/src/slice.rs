//! A part of bytes that are kept whole: bills of materials are large, and nothing of them is copied.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes in others.
#[derive(Clone, Debug)]
pub struct Slice {
    whole: Arc<Vec<u8>>,
    part: Range<usize>,
}

impl Slice {
    /// A part of the whole; nothing where there is no such part.
    pub(crate) fn of(whole: Vec<u8>, part: Range<usize>) -> Self {
        Self { whole: Arc::new(whole), part }
    }

    /// A text that was borrowed of it.
    pub(crate) fn within(&self, text: &str) -> Self {
        let start = text.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr());
        Self { whole: Arc::clone(&self.whole), part: start..start + text.len() }
    }
}

impl From<Vec<u8>> for Slice {
    fn from(whole: Vec<u8>) -> Self {
        let part = 0..whole.len();
        Self::of(whole, part)
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.whole.get(self.part.clone()).unwrap_or_default()
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_within_is_found_where_it_stands() {
        let slice = Slice::of(b"-words and more-".to_vec(), 1..15);
        assert_eq!(*slice, *b"words and more");
        let text = str::from_utf8(&slice).unwrap();
        assert_eq!(*slice.within(&text[6..9]), *b"and");
        assert_eq!(slice.within(text), slice);
        assert_eq!(*Slice::of(b"a".to_vec(), 1..3), *b"");
    }
}
