//! Facts against demands.

use std::collections::{BTreeMap, BTreeSet};

use model::Arch;
use model::hardening::{BranchCheck, Compiled, Demand, FileKind, Hardening, Proof, Relro, Units};

use super::units::LINK_TIME;
use Proof::{Met, Missing, Unproven};

/// What becomes of each demand, by the facts of one file.
///
/// What program headers and dynamic section say is what happens when the file is loaded. The rest is evidence:
/// - `StackProtector`: the flags of every unit, by DWARF, prove it, except for libraries that were stripped before they
///   were linked in. Without debug information a call of `__stack_chk_fail` shows that some function is protected, not
///   which; nothing is ever missing by symbols, because a file may have no function worth protecting. A static file
///   has the C library's own calls, so symbols prove nothing of it.
/// - `Fortify`: the macro leaves no mark. A checking function that is imported, or a fortified header that was used, shows
///   that some unit was compiled with it. That one was not can never be shown: a call whose sizes nobody knows is the
///   same either way. So it is met or unproven.
/// - `ControlFlow`: the mark is the linker's word that all code in the file is prepared. Whether anything checks it when
///   it runs is up to processor, kernel and C library.
pub fn judge(facts: &Hardening, demands: &BTreeSet<Demand>) -> BTreeMap<Demand, Proof> {
    demands.iter().map(|demand| (*demand, one(facts, *demand))).collect()
}

fn one(facts: &Hardening, demand: Demand) -> Proof {
    let kind = match facts.kind {
        FileKind::Executable => "program with a fixed address",
        FileKind::Pie | FileKind::StaticPie => "position-independent program",
        FileKind::Shared => "shared object",
        FileKind::Relocatable => return Unproven("the file is not linked yet".into()),
        FileKind::Debug => return Unproven("the file holds only what was stripped from another".into()),
        FileKind::Core | FileKind::Other => return Unproven("the file is neither a program nor a library".into()),
    };
    match demand {
        Demand::Pie => proof(facts.kind != FileKind::Executable, format!("it is a {kind}"), format!("it is a {kind}")),
        Demand::Relro => proof(
            facts.relro != Relro::None,
            "it has a segment that is read-only after relocation",
            "it has no segment that is read-only after relocation",
        ),
        Demand::Now => proof(
            facts.relro == Relro::Full,
            "nothing of it is bound lazily",
            match facts.relro {
                Relro::None => "it has no segment that is read-only after relocation",
                _ => "addresses of functions stay writable",
            },
        ),
        Demand::Nx if facts.writable_code => Missing("a segment is writable and executable".into()),
        Demand::Nx => {
            proof(facts.nx, "its stack is not executable", "it does not ask for a stack that is not executable")
        }
        Demand::NoTextRelocations => {
            proof(!facts.text_relocations, "its code stays as it is", "its code is changed when it is loaded")
        }
        Demand::ImageCryptography => match &facts.own_openssl {
            Some(own) => Missing(format!("it has its own {own}")),
            None => Met("it has no copy of OpenSSL within".into()),
        },
        Demand::ControlFlow => control_flow(facts),
        Demand::StackProtector => stack_protector(facts),
        Demand::Fortify => fortify(facts),
    }
}

fn proof(met: bool, why: impl Into<String>, why_not: impl Into<String>) -> Proof {
    if met { Met(why.into()) } else { Missing(why_not.into()) }
}

fn control_flow(facts: &Hardening) -> Proof {
    let [amd64, arm64] = [Arch::Amd64, Arch::Arm64].map(Arch::elf_machine);
    let (wanted, marks): (&[_], _) = match facts.machine {
        machine if machine == amd64 => (&[BranchCheck::Ibt, BranchCheck::Shstk], "IBT and SHSTK"),
        machine if machine == arm64 => (&[BranchCheck::Bti], "BTI"),
        machine => return Unproven(format!("nothing is known of machine {machine}")),
    };
    let marked = wanted.iter().all(|check| facts.branch_checks.contains(check));
    let why_not = format!("it is not marked for {marks}: something linked into it is not prepared");
    proof(marked, format!("it is marked for {marks}"), why_not)
}

/// What a unit's producer says of the stack protector.
#[derive(PartialEq, Eq)]
enum Protector {
    /// Every function that could be attacked has it.
    On,
    /// Off, or only where arrays of characters are.
    Off,
    /// It records no flags.
    Unknown,
}

fn protector(producer: &str) -> Protector {
    let mut protector = Protector::Unknown;
    for flag in producer.split_ascii_whitespace().filter(|flag| flag.starts_with('-')) {
        protector = match flag {
            "-fstack-protector-all" | "-fstack-protector-strong" => Protector::On,
            "-fstack-protector" | "-fstack-protector-explicit" | "-fno-stack-protector" => Protector::Off,
            // flags are recorded and none so far was about it
            _ if protector == Protector::Unknown => Protector::Off,
            _ => continue,
        };
    }
    protector
}

/// Compiled from something a stack protector is for. Assembler has none, Rust and Go check bounds themselves.
fn concerned(units: &Units) -> bool {
    !matches!(units.language.as_str(), "Mips_Assembler" | "Rust" | "Go") && !units.producer.starts_with(LINK_TIME)
}

/// Every unit is known, and none is of C or another language that relies on flags.
fn all_check_themselves(facts: &Hardening) -> bool {
    let Compiled::Known { units, undescribed: Some(undescribed) } = &facts.compiled else { return false };
    undescribed.is_empty()
        && !units.iter().any(concerned)
        && units.iter().any(|units| matches!(units.language.as_str(), "Rust" | "Go"))
}

/// Its symbols say what it takes from the C library: that is not in the file itself.
fn takes_from_libraries(facts: &Hardening) -> bool {
    facts.dynamic && facts.symbols && facts.kind != FileKind::StaticPie
}

fn stack_protector(facts: &Hardening) -> Proof {
    if all_check_themselves(facts) {
        return Met("all of its units are of languages that check bounds".into());
    }
    if let Compiled::Known { units, undescribed } = &facts.compiled {
        let units: Vec<_> = units.iter().filter(|units| concerned(units)).collect();
        let of = |wanted| units.iter().filter(move |units| protector(&units.producer) == wanted);
        if let Some(first) = of(Protector::Off).next() {
            let count: u64 = of(Protector::Off).map(|units| units.count).sum();
            let all: u64 = units.iter().map(|units| units.count).sum();
            return Missing(format!("{count} of {all} units have none or little: {}", first.producer));
        }
        if of(Protector::On).next().is_some() {
            return match (of(Protector::Unknown).next(), undescribed) {
                (Some(unit), _) => Unproven(format!("a unit does not say how it was compiled: {}", unit.producer)),
                (None, None) => Unproven("whether all of it has debug information is not known".into()),
                (None, Some(files)) => match files.first() {
                    Some(file) => Unproven(format!("{file} was compiled without debug information")),
                    None => Met("every unit was compiled with it".into()),
                },
            };
        }
    }
    match takes_from_libraries(facts) && !facts.stack_protector.is_empty() {
        true => Met("a function of it, at least, is protected: __stack_chk_fail".into()),
        false => Unproven("neither debug information nor symbols show it".into()),
    }
}

fn fortify(facts: &Hardening) -> Proof {
    if let Some(function) = facts.fortified.first() {
        return Met(format!("it uses checking functions of the C library: {function}"));
    }
    if let Compiled::Known { units, .. } = &facts.compiled {
        let fortified: u64 = units.iter().map(|units| units.fortified).sum();
        if fortified > 0 {
            return Met(format!("{fortified} of its units used fortified headers of the C library"));
        }
    }
    if all_check_themselves(facts) {
        return Met("all of its units are of languages that check sizes".into());
    }
    if !takes_from_libraries(facts) {
        return Unproven("what it uses of the C library is not known".into());
    }
    match facts.unfortified.first() {
        Some(function) => Unproven(format!("it uses functions that could check, and none that does: {function}")),
        None => Met("it uses no function of the C library that could check sizes".into()),
    }
}

#[cfg(test)]
mod tests;
