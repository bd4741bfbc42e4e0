//! Files made by the machine's own compiler and linker.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::process::Command;

use inspect::elf;
use model::Arch;
use model::hardening::{Demand, Hardening, Proof};
use tempfile::TempDir;

/// A program with a buffer to overflow and a copy whose size is known.
pub(crate) const PROGRAM: &str = r#"
#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
    char word[16];
    strcpy(word, words[0]);
    printf("%s %d\n", word, count);
    return 0;
}
"#;

/// A library whose copy is of a size nobody knows.
pub(crate) const LIBRARY: &str = r#"
#include <string.h>
void copy(char *to, const char *from, size_t size) { memcpy(to, from, size); }
"#;

/// The architecture of this machine.
pub(crate) fn arch() -> Arch {
    Arch::ALL.into_iter().find(|arch| arch.machine() == std::env::consts::ARCH).expect("a supported architecture")
}

/// A directory to compile in.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a tool in the directory.
    #[track_caller]
    pub(crate) fn run(&self, command: &mut Command) {
        let output = command.current_dir(self.0.path()).output();
        let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}"));
        assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Compiles units, each a file name, its text and its flags, into objects of their names.
    #[track_caller]
    pub(crate) fn compile(&self, units: &[(&str, &str, &[&str])]) {
        for (name, text, flags) in units {
            fs::write(self.path(name), text).unwrap();
            self.run(Command::new("gcc").args(*flags).args(["-c", "-o", &format!("{name}.o"), name]));
        }
    }

    /// Compiles units and links them into the file `out`.
    #[track_caller]
    pub(crate) fn build(&self, units: &[(&str, &str, &[&str])], link: &[&str]) -> Vec<u8> {
        self.compile(units);
        let objects = units.iter().map(|(name, ..)| format!("{name}.o"));
        self.run(Command::new("gcc").args(objects).args(link).args(["-o", "out"]));
        self.bytes("out")
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    #[track_caller]
    pub(crate) fn facts(&self, name: &str) -> Hardening {
        facts(&self.bytes(name))
    }
}

/// A program of one unit, with the flags to compile it and those to link it.
#[track_caller]
pub(crate) fn program(flags: &[&str], link: &[&str]) -> Hardening {
    facts(&Workshop::new().build(&[("program.c", PROGRAM, flags)], link))
}

#[track_caller]
pub(crate) fn facts(bytes: &[u8]) -> Hardening {
    elf::hardening(Cursor::new(bytes)).unwrap()
}

/// The verdict on one demand.
pub(crate) fn verdict(facts: &Hardening, demand: Demand) -> Proof {
    elf::judge(facts, &BTreeSet::from([demand])).remove(&demand).unwrap()
}

/// The demands that are not met, with the reasons.
pub(crate) fn unmet(facts: &Hardening, demands: &BTreeSet<Demand>) -> Vec<(Demand, Proof)> {
    elf::judge(facts, demands).into_iter().filter(|(_, proof)| !matches!(proof, Proof::Met(_))).collect()
}

#[track_caller]
pub(crate) fn met(facts: &Hardening, demand: Demand) -> String {
    match verdict(facts, demand) {
        Proof::Met(why) => why,
        other => panic!("{demand:?}: {other:?}\n{facts:#?}"),
    }
}

#[track_caller]
pub(crate) fn missing(facts: &Hardening, demand: Demand) -> String {
    match verdict(facts, demand) {
        Proof::Missing(why) => why,
        other => panic!("{demand:?}: {other:?}\n{facts:#?}"),
    }
}

#[track_caller]
pub(crate) fn unproven(facts: &Hardening, demand: Demand) -> String {
    match verdict(facts, demand) {
        Proof::Unproven(why) => why,
        other => panic!("{demand:?}: {other:?}\n{facts:#?}"),
    }
}

/// Where a section's bytes are in a file.
#[track_caller]
pub(crate) fn section(bytes: &[u8], name: &str) -> std::ops::Range<usize> {
    use object::Endianness;
    use object::elf::FileHeader64;
    use object::read::elf::{FileHeader as _, SectionHeader as _};
    let header = FileHeader64::<Endianness>::parse(bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, bytes).unwrap();
    let (_, section) = sections.section_by_name(endian, name.as_bytes()).unwrap();
    let (start, size) = section.file_range(endian).unwrap();
    start as usize..(start + size) as usize
}
