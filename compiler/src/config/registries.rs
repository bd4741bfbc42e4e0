//! Where an image is sent to.

use std::collections::BTreeMap;

use grammar::quote;
use grammar::reader::Reader;
use grammar::yaml::Node;
use model::{Reference, Span, Spanned};

/// Places in registries, in each of which the image gets its own name.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Vec<Spanned<String>> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut places = Vec::new();
    let items: Vec<&Node> = reader.list(node, "registries").collect();
    for item in items {
        let Some(place) = reader.line(item, "registries[]") else { continue };
        let (text, span) = (place.value.as_str(), place.span);
        let help = match text.parse::<Reference>() {
            Ok(Reference { registry: Some(_), tag: None, digest: None, .. }) => match seen.get(text) {
                Some(first) => {
                    reader.duplicate(&quote(text), span, *first);
                    continue;
                }
                None => {
                    seen.insert(place.value.clone(), span);
                    places.push(place);
                    continue;
                }
            },
            Ok(Reference { registry: Some(_), .. }) => "leave tag and digest out: images have their own",
            _ => "name the registry, and where in it the image's name stands: `registry.example.com/team`",
        };
        reader.bad_value(span, format!("{} is no place in a registry", quote(text)), help);
    }
    places
}
