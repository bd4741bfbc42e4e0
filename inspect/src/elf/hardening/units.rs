//! How the compilation units were compiled, by DWARF's words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gimli::constants as dw;
use gimli::{
    AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugInfo, DebugStrOffsets, DebugStrOffsetsBase, EndianSlice,
    RunTimeEndian, UnitHeader, UnitType,
};
use model::hardening::Units;
use object::read::elf::FileHeader;
use object::{Endianness, ReadRef};

use super::coverage::Coverage;
use super::input::{Input, MAX_COMMAND_LINE, Sections, clipped, terminated};
use super::lines;

/// Units of one file; a browser has some ten thousand.
const MAX_UNITS: usize = 200_000;
/// Different ways to compile units, and bytes of their descriptions.
const MAX_WAYS: usize = 4096;
const MAX_WAYS_BYTES: usize = 4 << 20;
/// Attributes of a unit. They are counted because some take no space.
const MAX_ATTRIBUTES: usize = 64;
/// Bytes of a file's name.
const MAX_NAME: usize = 256;
/// Bytes of a table of abbreviations.
const MAX_ABBREVIATIONS: usize = 1 << 20;

/// What the linker calls the code it makes of units compiled for link-time optimisation. Those stand beside it, with their
/// own flags, and it is their flags the code is made by.
pub(super) const LINK_TIME: &str = "GNU GIMPLE";

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

pub(super) struct Found {
    pub(super) units: Vec<Units>,
    /// Last part of the names of their main files, with how many there are of a name.
    pub(super) names: BTreeMap<String, u64>,
}

/// The sections that are read.
pub(super) struct Debug<'data> {
    pub(super) endian: RunTimeEndian,
    info: Cow<'data, [u8]>,
    abbrev: Cow<'data, [u8]>,
    pub(super) line: Cow<'data, [u8]>,
    pub(super) str: Cow<'data, [u8]>,
    pub(super) line_str: Cow<'data, [u8]>,
    str_offsets: Cow<'data, [u8]>,
}

/// Reads every unit's own entry, and no other; `None` where there is no debug information.
pub(super) fn read<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
) -> Result<Option<Found>, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    if sections.named(".zdebug_info").is_some() {
        return Err("it is compressed in the way that was usual before SHF_COMPRESSED".into());
    }
    let section = |name| sections.named(name).map_or(Ok(Cow::default()), |section| input.content(section));
    let debug = Debug {
        endian: endian(input),
        info: section(".debug_info")?,
        abbrev: section(".debug_abbrev")?,
        line: section(".debug_line")?,
        str: section(".debug_str")?,
        line_str: section(".debug_line_str")?,
        str_offsets: section(".debug_str_offsets")?,
    };
    if debug.info.is_empty() {
        return Ok(None);
    }
    debug.found().map(Some)
}

/// Which code the units account for.
pub(super) fn coverage<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
) -> Result<Coverage, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let Some(section) = sections.named(".debug_aranges") else { return Ok(Coverage::default()) };
    Coverage::read(&input.content(section)?, endian(input)).map_err(broken)
}

fn endian<H: FileHeader, R>(input: &Input<'_, H, R>) -> RunTimeEndian {
    if input.header.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big }
}

/// What is taken from a unit's own entry.
#[derive(Default)]
struct Root<'a> {
    language: String,
    producer: &'a [u8],
    name: &'a [u8],
    lines: Option<usize>,
}

/// What is kept of all units.
#[derive(Default)]
struct Summary {
    /// Language and producer, each with its number.
    ways: BTreeMap<(String, String), usize>,
    bytes: usize,
    /// Way and table of files of each unit.
    units: Vec<(usize, Option<usize>)>,
    names: BTreeMap<String, u64>,
}

impl Summary {
    fn add(&mut self, root: Root<'_>) -> Result<(), String> {
        let way = (root.language, clipped(root.producer));
        let (number, size) = (self.ways.len(), way.0.len() + way.1.len());
        let number = *self.ways.entry(way).or_insert(number);
        self.bytes += if number + 1 == self.ways.len() { size } else { 0 };
        if number >= MAX_WAYS || self.bytes > MAX_WAYS_BYTES {
            return Err("its units are compiled in more ways than are listed".into());
        }
        self.units.push((number, root.lines));
        let last = root.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if last.len() <= MAX_NAME {
            *self.names.entry(String::from_utf8_lossy(last).into_owned()).or_default() += 1;
        }
        Ok(())
    }
}

impl Debug<'_> {
    fn found(&self) -> Result<Found, String> {
        let summary = self.summary()?;
        let tables = summary.units.iter().filter_map(|(_, lines)| *lines).collect();
        let with = lines::fortified(self, &tables)?;
        let mut counts: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        for (way, lines) in summary.units {
            let (count, fortified) = counts.entry(way).or_default();
            *count += 1;
            *fortified += u64::from(lines.is_some_and(|table| with.contains(&table)));
        }
        let units = summary.ways.into_iter().map(|((language, producer), way)| {
            let (count, fortified) = counts.get(&way).copied().unwrap_or_default();
            Units { language, producer, count, fortified }
        });
        Ok(Found { units: units.collect(), names: summary.names })
    }

    fn summary(&self) -> Result<Summary, String> {
        let mut count = 0;
        let mut tables: BTreeMap<usize, Vec<UnitHeader<Slice<'_>>>> = BTreeMap::new();
        let mut headers = DebugInfo::new(&self.info, self.endian).units();
        while let Some(header) = headers.next().map_err(broken)? {
            count += 1;
            if count > MAX_UNITS {
                return Err(format!("it has more than {MAX_UNITS} units"));
            }
            let table = tables.entry(header.debug_abbrev_offset().0).or_default();
            // Units of types are nothing that was compiled.
            if !matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. }) {
                table.push(header);
            }
        }
        let ends: Vec<usize> = tables.keys().skip(1).copied().chain([self.abbrev.len()]).collect();
        let mut summary = Summary::default();
        for ((start, units), end) in tables.into_iter().zip(ends) {
            // A table ends before the next one begins, or many units could make one long table be read for each of them.
            let end = end.min(start.saturating_add(MAX_ABBREVIATIONS));
            let table = self.abbrev.get(start..end).ok_or("a table of abbreviations lies outside its section")?;
            let table = DebugAbbrev::new(table, self.endian);
            let abbreviations = table.abbreviations(DebugAbbrevOffset(0)).map_err(broken)?;
            for unit in units {
                self.root(&unit, &abbreviations)?.map_or(Ok(()), |root| summary.add(root))?;
            }
        }
        Ok(summary)
    }

    /// A unit's own entry; none for part of a unit that others include.
    fn root<'a>(
        &'a self,
        unit: &UnitHeader<Slice<'a>>,
        abbreviations: &gimli::Abbreviations,
    ) -> Result<Option<Root<'a>>, String> {
        let mut entries = unit.entries_raw(abbreviations, None).map_err(broken)?;
        let Some(abbreviation) = entries.read_abbreviation().map_err(broken)? else { return Ok(None) };
        if !matches!(abbreviation.tag(), dw::DW_TAG_compile_unit | dw::DW_TAG_skeleton_unit) {
            return Ok(None);
        }
        if abbreviation.attributes().len() > MAX_ATTRIBUTES {
            return Err(format!("a unit has more than {MAX_ATTRIBUTES} attributes"));
        }
        let mut root = Root::default();
        let (mut producer, mut name) = (None, None);
        let mut base = DebugStrOffsetsBase::default_for_encoding_and_file(unit.encoding(), Default::default());
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification).map_err(broken)?;
            match (attribute.name(), attribute.value()) {
                (dw::DW_AT_producer, value) => producer = Some(value),
                (dw::DW_AT_name, value) => name = Some(value),
                (dw::DW_AT_language, AttributeValue::Language(language)) => {
                    let named = language.static_string().and_then(|name| name.strip_prefix("DW_LANG_"));
                    root.language = named.map_or_else(|| format!("{:#06x}", language.0), str::to_owned);
                }
                (dw::DW_AT_stmt_list, AttributeValue::DebugLineRef(table)) => root.lines = Some(table.0),
                (dw::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(own)) => base = own,
                _ => {}
            }
        }
        let text = |value| match value {
            AttributeValue::DebugStrOffsetsIndex(index) => {
                let offsets = DebugStrOffsets::from(EndianSlice::new(&self.str_offsets, self.endian));
                let offset = offsets.get_str_offset(unit.format(), base, index).map_err(broken)?;
                Ok(self.text(AttributeValue::DebugStrRef(offset), MAX_COMMAND_LINE))
            }
            value => Ok::<_, String>(self.text(value, MAX_COMMAND_LINE)),
        };
        root.producer = producer.map(text).transpose()?.flatten().unwrap_or_default();
        root.name = name.map(text).transpose()?.flatten().unwrap_or_default();
        Ok(Some(root))
    }

    /// A text that stands in place or in a table of this file; none that is too long or stands in another file.
    pub(super) fn text<'a>(&'a self, value: AttributeValue<Slice<'a>>, limit: usize) -> Option<&'a [u8]> {
        match value {
            AttributeValue::String(text) => Some(text.slice()).filter(|text| text.len() <= limit),
            AttributeValue::DebugStrRef(at) => terminated(&self.str, at.0, limit),
            AttributeValue::DebugLineStrRef(at) => terminated(&self.line_str, at.0, limit),
            _ => None,
        }
    }
}

/// A finding of the reader of DWARF.
pub(super) fn broken(error: gimli::Error) -> String {
    format!("it is damaged: {error}")
}

#[cfg(test)]
mod tests;
