//! CycloneDX in XML. The library's writer leaves out where components were found, which it writes in JSON; here that is put in.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer, XmlVersion};

use super::{document, locations};
use crate::bill::Bill;

/// Elements above a component of the document's list.
const ABOVE: usize = 2;

/// Writes the document as XML.
pub(crate) fn write(bill: &Bill<'_>, to: &mut dyn Write) -> io::Result<()> {
    let mut without = Vec::new();
    document(bill).output_as_xml_v1_5(&mut without).map_err(io::Error::other)?;
    let places: BTreeMap<&[u8], usize> =
        bill.components.iter().enumerate().map(|(at, component)| (component.id.as_bytes(), at)).collect();

    let mut reader = Reader::from_reader(without.as_slice());
    let mut writer = Writer::new(to);
    let (mut depth, mut current) = (0, None);
    loop {
        let event = reader.read_event().map_err(io::Error::other)?;
        match &event {
            Event::Start(start) => {
                if depth == ABOVE && start.name().as_ref() == "component" {
                    let reference = start.try_get_attribute("bom-ref").map_err(io::Error::other)?;
                    let reference =
                        reference.map(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0)).transpose();
                    let reference = reference.map_err(io::Error::other)?;
                    current = reference.and_then(|id| places.get(id.as_bytes()).copied());
                }
                depth += 1;
            }
            Event::End(_) => {
                depth -= 1;
                if let Some(component) = current.take_if(|_| depth == ABOVE).and_then(|at| bill.components.get(at)) {
                    occurrences(&mut writer, &locations(bill, component))?;
                }
            }
            Event::Eof => return writeln!(writer.into_inner()),
            _ => {}
        }
        writer.write_event(event)?;
    }
}

fn occurrences(writer: &mut Writer<&mut dyn Write>, locations: &[String]) -> io::Result<()> {
    if locations.is_empty() {
        return Ok(());
    }
    for name in ["evidence", "occurrences"] {
        writer.write_event(Event::Start(BytesStart::new(name)))?;
    }
    for location in locations {
        writer.write_event(Event::Start(BytesStart::new("occurrence")))?;
        writer.create_element("location").write_text_content(BytesText::new(location))?;
        writer.write_event(Event::End(BytesEnd::new("occurrence")))?;
    }
    for name in ["occurrences", "evidence"] {
        writer.write_event(Event::End(BytesEnd::new(name)))?;
    }
    Ok(())
}
