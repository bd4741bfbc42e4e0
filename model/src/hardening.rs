//! What protects a compiled file from being exploited: what is demanded of it, what was found in it, and what of the
//! demands is proven. `inspect` finds and judges; `stdlib` holds the profiles.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::plan::PlanKey;
use crate::{Arch, TreePath};

/// A property a compiled file can be asked to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// Loadable at any address: a position-independent executable or a shared object.
    Pie,
    /// What the dynamic linker relocates is read-only afterwards.
    Relro,
    /// Nothing is bound lazily, so that this includes the addresses of functions.
    Now,
    /// Stack not executable, and no segment both writable and executable.
    Nx,
    /// Functions notice when their stack frame was overwritten.
    StackProtector,
    /// Calls of the C library check the size of what they write to.
    Fortify,
    /// Marked for the processor's checks of indirect branches: IBT and SHSTK, BTI.
    ControlFlow,
    /// Code is not changed when it is loaded.
    NoTextRelocations,
    /// Its cryptography is the image's: it has no copy of OpenSSL within.
    ImageCryptography,
}

impl Demand {
    /// Every demand, in the order they are reported.
    pub const ALL: [Demand; 9] = [
        Demand::Pie,
        Demand::Relro,
        Demand::Now,
        Demand::Nx,
        Demand::StackProtector,
        Demand::Fortify,
        Demand::ControlFlow,
        Demand::NoTextRelocations,
        Demand::ImageCryptography,
    ];

    /// As written in policies and documents.
    pub fn name(self) -> &'static str {
        match self {
            Demand::Pie => "pie",
            Demand::Relro => "relro",
            Demand::Now => "now",
            Demand::Nx => "nx",
            Demand::StackProtector => "stack-protector",
            Demand::Fortify => "fortify",
            Demand::ControlFlow => "control-flow",
            Demand::NoTextRelocations => "no-text-relocations",
            Demand::ImageCryptography => "image-cryptography",
        }
    }
}

/// What is demanded of the files of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Of what is compiled here.
    pub compiled: BTreeSet<Demand>,
    /// Of what comes compiled: wheels, packages of the distribution.
    pub prebuilt: BTreeSet<Demand>,
}

/// What became of a demand; each with the evidence, or what it lacks, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The file has the property.
    Met(String),
    /// The file does not have it.
    Missing(String),
    /// The file does not tell.
    Unproven(String),
}

/// What kind of ELF file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A program with a fixed address.
    Executable,
    /// A program that is loaded anywhere.
    Pie,
    /// A program that is loaded anywhere and needs no dynamic linker.
    StaticPie,
    /// A library or module.
    Shared,
    /// Input of a linker.
    Relocatable,
    /// Only what was stripped from another file: symbols and debug information.
    Debug,
    /// Memory of a process.
    Core,
    /// None of these.
    Other,
}

/// How much of what the dynamic linker relocates is read-only afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relro {
    /// Nothing.
    None,
    /// All but the addresses of functions, which are bound lazily.
    Partial,
    /// All.
    Full,
}

/// A check of indirect branches a file is marked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BranchCheck {
    /// x86: indirect branch tracking.
    Ibt,
    /// x86: shadow stack.
    Shstk,
    /// ARM: branch target identification.
    Bti,
    /// ARM: pointer authentication of return addresses.
    Pac,
    /// ARM: guarded control stack.
    Gcs,
}

/// Compilation units that were compiled alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Language as DWARF names it: `C11`, `Mips_Assembler` (any assembler), `Rust`, `Go`; a number where it has no name
    /// for it, empty where the unit does not say.
    pub language: String,
    /// `DW_AT_producer`: compiler, version and, as far as it records them, flags. Empty where the unit does not say.
    pub producer: String,
    /// How many there are.
    pub count: u64,
    /// How many of them used a fortified header of the C library.
    pub fortified: u64,
}

/// What the debug information says of the compilation units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compiled {
    /// There is none.
    Unknown,
    /// There is, and it cannot be read; why.
    Unreadable(String),
    /// It was read.
    Known {
        /// Every unit that has debug information, sorted.
        units: Vec<Units>,
        /// C and C++ files that were compiled without debug information, by the symbol table of the linker; `None` where
        /// there is no such table. Libraries that were stripped before they were linked in are not known of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undescribed: Option<BTreeSet<String>>,
    },
}

/// Facts of one ELF file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardening {
    /// What it is.
    pub kind: FileKind,
    /// `e_machine`; compare with [`Arch::elf_machine`].
    pub machine: u16,
    /// It has a dynamic section: a dynamic linker, or its own start code, relocates it.
    pub dynamic: bool,
    /// It asks for a stack that is not executable.
    pub nx: bool,
    /// A segment is both writable and executable.
    pub writable_code: bool,
    /// What is read-only after relocation.
    pub relro: Relro,
    /// Code is changed when it is loaded.
    pub text_relocations: bool,
    /// It has a symbol table, of the dynamic linker or of the linker. Without one the following three lists say nothing.
    pub symbols: bool,
    /// Which of the stack protector's symbols it has.
    pub stack_protector: BTreeSet<String>,
    /// Checking functions of the C library it imports: `__memcpy_chk`.
    pub fortified: BTreeSet<String>,
    /// Functions it imports that have a checking variant: `memcpy`.
    pub unfortified: BTreeSet<String>,
    /// Checks of branches it is marked for.
    pub branch_checks: BTreeSet<BranchCheck>,
    /// `DT_RPATH` directories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rpath: Vec<String>,
    /// `DT_RUNPATH` directories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runpath: Vec<String>,
    /// Build id in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// It has no symbol table of the linker, `.symtab`.
    pub stripped: bool,
    /// What its debug information says.
    pub compiled: Compiled,
    /// The copy of OpenSSL, or of what was made from it, that is a part of the file itself, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_openssl: Option<String>,
    /// What `.GCC.command.line` says (`-frecord-gcc-switches`); equal lines are one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub command_lines: BTreeSet<String>,
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Provenance {
    /// A step of the plan compiled it.
    Compiled {
        /// The step.
        step: PlanKey,
        /// What it compiles, as in the lock.
        package: String,
    },
    /// It came compiled.
    Prebuilt {
        /// The package that brought it, as in the lock.
        package: String,
    },
}

/// What is known of one file of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Where it comes from.
    pub origin: Provenance,
    /// What was found.
    pub facts: Hardening,
    /// What was demanded, and what became of it.
    pub verdict: BTreeMap<Demand, Proof>,
}

/// The document `compile-flags.json`: how everything compiled in an image of one architecture was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompileFlags {
    /// [`CompileFlags::FORMAT`].
    pub format: u32,
    /// Architecture.
    pub arch: Arch,
    /// Name of the hardening profile.
    pub profile: String,
    /// Every ELF file of the image.
    pub files: BTreeMap<TreePath, Judged>,
}

impl CompileFlags {
    /// The only format there is so far.
    pub const FORMAT: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, canonical_json};

    #[test]
    fn a_demand_is_written_as_it_is_named() {
        for demand in Demand::ALL {
            assert_eq!(serde_json::to_value(demand).unwrap(), demand.name());
        }
        assert!(Demand::ALL.is_sorted());
        assert!(serde_json::from_str::<Demand>("\"bind-now\"").is_err());
    }

    #[test]
    fn the_document_of_compile_flags_reads_back_and_is_always_written_alike() {
        let facts = Hardening {
            kind: FileKind::Pie,
            machine: Arch::Amd64.elf_machine(),
            dynamic: true,
            nx: true,
            writable_code: false,
            relro: Relro::Full,
            text_relocations: false,
            symbols: true,
            stack_protector: ["__stack_chk_fail".into()].into(),
            fortified: BTreeSet::new(),
            unfortified: ["strcpy".into(), "memcpy".into()].into(),
            branch_checks: [BranchCheck::Shstk, BranchCheck::Ibt].into(),
            rpath: vec![],
            runpath: vec!["$ORIGIN".into()],
            build_id: Some("00ff".into()),
            stripped: true,
            compiled: Compiled::Known {
                units: vec![Units {
                    language: "C11".into(),
                    producer: "GNU C17 12.2.0 -O2".into(),
                    count: 2,
                    fortified: 1,
                }],
                undescribed: Some(["extra.c".into()].into()),
            },
            own_openssl: None,
            command_lines: BTreeSet::new(),
        };
        let verdict = [
            (Demand::StackProtector, Proof::Missing("one unit of two".into())),
            (Demand::Pie, Proof::Met("it is a position-independent executable".into())),
        ];
        let origin = Provenance::Compiled { step: Digest::of(b"step"), package: "python".into() };
        let judged = Judged { origin, facts, verdict: verdict.into() };
        let prebuilt =
            Judged { origin: Provenance::Prebuilt { package: "libc6".into() }, verdict: [].into(), ..judged.clone() };
        let files = [("usr/lib/libc.so.6".parse().unwrap(), prebuilt), ("usr/bin/python".parse().unwrap(), judged)];
        let document = CompileFlags {
            format: CompileFlags::FORMAT,
            arch: Arch::Amd64,
            profile: "maximum".into(),
            files: files.into(),
        };
        let text = canonical_json(&document);
        assert_eq!(serde_json::from_slice::<CompileFlags>(&text).unwrap(), document);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(r#""verdict":{"pie":{"met":"#), "{text}");
        assert!(text.contains(r#""unfortified":["memcpy","strcpy"]"#), "{text}");
        assert!(text.contains(r#""origin":{"from":"prebuilt","package":"libc6"}"#), "{text}");
    }
}
