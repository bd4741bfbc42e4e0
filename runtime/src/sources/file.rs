//! The user's `sources.yaml`: `debian: [URL…]`, one URL or a list for each source.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser};
use model::lock::Origin;
use model::{Finding, codes};

use super::root::Root;

/// Reads the file; `found_in` is its path as people know it.
pub(super) fn parse(text: &str, found_in: &str) -> Result<BTreeMap<Origin, Vec<Root>>, Finding> {
    let invalid = |cause: String| {
        Finding::error(codes::SOURCE_INVALID, format!("{found_in} cannot be read as a list of sources"))
            .because(cause)
            .help("Expected lines like `debian: [URL, URL]` or `pypi: URL`.")
    };
    let shape = |line: usize| invalid(format!("line {line}: expected a source's name with a URL or a list of URLs"));
    let mut roots: BTreeMap<Origin, Vec<Root>> = BTreeMap::new();
    // (mapping entered, key whose value comes next, inside that key's list)
    let (mut entered, mut key, mut listing) = (false, None::<Origin>, false);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| invalid(e.to_string()))?;
        let line = span.start.line();
        match event {
            Event::MappingStart(..) if !entered => entered = true,
            Event::SequenceStart(..) if key.is_some() && !listing => listing = true,
            Event::SequenceEnd => (listing, key) = (false, None),
            Event::Scalar(value, ..) if entered => match key {
                Some(origin) => {
                    roots.entry(origin).or_default().push(Root::parse(&value, found_in)?);
                    key = key.filter(|_| listing);
                }
                None => {
                    let origin = super::origin_named(&value, found_in)?;
                    if roots.insert(origin, Vec::new()).is_some() {
                        return Err(invalid(format!("line {line}: {value} is given twice")));
                    }
                    key = Some(origin);
                }
            },
            // An empty file, or one with nothing but comments, names no source.
            Event::Scalar(value, ..) if value == "~" || value.is_empty() => {}
            Event::Scalar(..)
            | Event::MappingStart(..)
            | Event::SequenceStart(..)
            | Event::Alias(..)
            | Event::UnresolvedAlias(..) => return Err(shape(line)),
            _ => {}
        }
    }
    roots.retain(|_, roots| !roots.is_empty());
    Ok(roots)
}
