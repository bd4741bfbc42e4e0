//! Which addresses the units account for: `.debug_aranges`, which gcc writes.

use std::collections::BTreeMap;

use gimli::{EndianSlice, Reader as _, RunTimeEndian};

/// Ranges of addresses, the end by the start, none touching another.
#[derive(Default)]
pub(super) struct Coverage(BTreeMap<u64, u64>);

impl Coverage {
    /// Reads the section (DWARF 5, section 6.1.2).
    ///
    /// # Errors
    /// It ends in the middle of something.
    pub(super) fn read(section: &[u8], endian: RunTimeEndian) -> gimli::Result<Self> {
        let mut ranges = Vec::new();
        let mut rest = EndianSlice::new(section, endian);
        while !rest.is_empty() {
            let start = rest;
            let (length, format) = rest.read_initial_length()?;
            let mut set = rest.split(length)?;
            set.skip(2)?; // version
            set.read_offset(format)?; // unit
            let (width, segment) = (set.read_address_size()?, set.read_u8()?);
            if segment != 0 {
                return Err(gimli::Error::UnsupportedSegmentSize(segment));
            }
            // The pairs are aligned to their own size, counted from the start of the set.
            let (header, pair) = (set.offset_from(start), 2 * usize::from(width));
            set.skip(header.next_multiple_of(pair) - header)?;
            while set.len() >= pair {
                let (address, length) = (set.read_address(width)?, set.read_address(width)?);
                ranges.extend(address.checked_add(length).map(|end| (address, end)));
            }
        }
        ranges.sort_unstable();
        let mut joined = BTreeMap::new();
        let mut current: Option<(u64, u64)> = None;
        for (start, end) in ranges {
            match &mut current {
                Some((_, last)) if start <= *last => *last = end.max(*last),
                _ => joined.extend(current.replace((start, end))),
            }
        }
        joined.extend(current);
        Ok(Self(joined))
    }

    /// Whether a piece of code lies inside.
    pub(super) fn has(&self, address: u64, size: u64) -> bool {
        let before = self.0.range(..=address).next_back();
        before.is_some_and(|(_, end)| address.checked_add(size).is_some_and(|ends| ends <= *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set of DWARF 2 with addresses of 8 bytes.
    fn set(pairs: &[(u64, u64)]) -> Vec<u8> {
        let pairs = pairs.iter().chain(&[(0, 0)]).flat_map(|(start, size)| [*start, *size]);
        let mut body = vec![2, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        body.extend(pairs.flat_map(u64::to_le_bytes));
        (body.len() as u32).to_le_bytes().into_iter().chain(body).collect()
    }

    fn read(section: &[u8]) -> gimli::Result<Coverage> {
        Coverage::read(section, RunTimeEndian::Little)
    }

    #[test]
    fn ranges_of_all_units_are_joined() {
        let coverage = read(&[set(&[(100, 10), (0, 0), (200, 5)]), set(&[(110, 10)])].concat()).unwrap();
        assert!(coverage.has(100, 20) && coverage.has(105, 15) && coverage.has(200, 5));
        assert!(!coverage.has(99, 1) && !coverage.has(115, 10) && !coverage.has(204, 2) && !coverage.has(300, 1));
        assert!(!coverage.has(100, u64::MAX) && !Coverage::default().has(1, 1));
    }

    #[test]
    fn a_range_past_the_end_of_memory_covers_nothing() {
        let coverage = read(&set(&[(u64::MAX - 1, 10)])).unwrap();
        assert!(!coverage.has(u64::MAX - 1, 1));
    }

    #[test]
    fn a_damaged_section_is_an_error() {
        let whole = set(&[(100, 10)]);
        assert!((1..20).all(|end| read(&whole[..end]).is_err()));
        let with = |at: usize, value| {
            let mut bytes = whole.clone();
            bytes[at] = value;
            read(&bytes).is_err()
        };
        assert!(with(10, 0) && with(10, 3) && with(11, 4));
    }

    /// Each such pair would be a call of its own to a reader that takes them for an end.
    #[test]
    fn a_million_empty_pairs_are_read() {
        read(&set(&vec![(0, 0); 1 << 20])).unwrap();
    }
}
