//! What debug information says of units.

use std::process::Command;

use inspect::elf;
use model::hardening::{Compiled, Demand, Hardening, Units};

use crate::workshop::*;

const OTHER: &str =
    "int other(char *words) { char word[8]; for (int i = 0; (word[i] = words[i]); i++); return word[0]; }\n";

#[track_caller]
fn units(facts: &Hardening) -> &[Units] {
    match &facts.compiled {
        Compiled::Known { units, .. } => units,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_version_of_dwarf_names_the_flags() {
    for version in ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"] {
        let program = program(&[version, "-O2", "-fstack-protector-strong"], &[]);
        let [unit] = units(&program) else { panic!("{version}: {:?}", program.compiled) };
        assert!(unit.producer.starts_with("GNU C") && unit.producer.contains("-fstack-protector-strong"), "{unit:?}");
        assert_eq!(unit.count, 1);
        assert_eq!(met(&program, Demand::StackProtector), "every unit was compiled with it");
    }
}

#[test]
fn one_unit_of_two_without_a_stack_protector_is_found_and_its_flags_are_named() {
    let all = ["-g", "-O2", "-fstack-protector-all"];
    for flag in ["-fno-stack-protector", "-fstack-protector"] {
        let units = [("program.c", PROGRAM, all.as_slice()), ("other.c", OTHER, &["-g", "-O2", flag])];
        let program = facts(&Workshop::new().build(&units, &[]));
        let why = missing(&program, Demand::StackProtector);
        assert!(why.starts_with("1 of 2 units") && why.contains(flag) && !why.contains("-all"), "{why}");
    }
    let both = [("program.c", PROGRAM, all.as_slice()), ("other.c", OTHER, &all)];
    let program = facts(&Workshop::new().build(&both, &[]));
    assert_eq!(units(&program).iter().map(|units| units.count).collect::<Vec<_>>(), [2]);
    met(&program, Demand::StackProtector);
}

#[test]
fn the_last_of_several_flags_counts() {
    let on = program(&["-g", "-O2", "-fno-stack-protector", "-fstack-protector-strong"], &[]);
    met(&on, Demand::StackProtector);
    let off = program(&["-g", "-O2", "-fstack-protector-strong", "-fno-stack-protector"], &[]);
    missing(&off, Demand::StackProtector);
}

#[test]
fn a_unit_without_debug_information_leaves_the_rest_unproven() {
    let units = [
        ("program.c", PROGRAM, ["-g", "-O2", "-fstack-protector-all"].as_slice()),
        ("other.c", OTHER, &["-O2", "-fno-stack-protector"]),
    ];
    let workshop = Workshop::new();
    let program = facts(&workshop.build(&units, &[]));
    assert_eq!(unproven(&program, Demand::StackProtector), "other.c was compiled without debug information");
    // Nor is anything proven once nobody can tell.
    workshop.run(Command::new("objcopy").args(["--strip-unneeded", "--keep-section=.debug*", "out", "blind"]));
    let blind = workshop.facts("blind");
    assert!(matches!(&blind.compiled, Compiled::Known { undescribed: None, .. }), "{blind:?}");
    assert!(unproven(&blind, Demand::StackProtector).starts_with("whether all"));
}

#[test]
fn a_second_file_of_a_name_does_not_hide_behind_the_first() {
    let workshop = Workshop::new();
    std::fs::create_dir(workshop.path("sub")).unwrap();
    let protected = ["-g", "-O2", "-fstack-protector-all"];
    let units = [("unit.c", PROGRAM, protected.as_slice()), ("sub/unit.c", OTHER, &["-O2", "-fno-stack-protector"])];
    let program = facts(&workshop.build(&units, &[]));
    assert_eq!(unproven(&program, Demand::StackProtector), "unit.c was compiled without debug information");
}

#[test]
fn a_file_of_which_the_preprocessor_leaves_nothing_is_nothing_to_prove() {
    let protected = ["-g", "-O2", "-fstack-protector-all"];
    // It uses a function of the C library that is linked in statically, and has no debug information.
    let used = "#include <stdlib.h>\nstatic void last(void) {}\nint other(void) { return atexit(last); }\n";
    let units = [
        ("program.c", PROGRAM, protected.as_slice()),
        ("used.c", used, &protected),
        ("empty.c", "#ifdef ELSEWHERE\n#endif\n", &protected),
    ];
    let program = facts(&Workshop::new().build(&units, &[]));
    assert_eq!(self::units(&program).iter().map(|units| units.count).sum::<u64>(), 2);
    met(&program, Demand::StackProtector);
    // A file with code is, also beside it.
    let units = [units[0], units[2], ("other.c", OTHER, &["-O2"])];
    unproven(&facts(&Workshop::new().build(&units, &[])), Demand::StackProtector);
}

#[test]
fn units_that_do_not_record_their_flags_prove_nothing() {
    let quiet = ["-g", "-O2", "-fstack-protector-all", "-gno-record-gcc-switches"];
    let alone = program(&quiet, &[]);
    assert!(met(&alone, Demand::StackProtector).contains("at least"), "symbols are left");
    let units = [("program.c", PROGRAM, ["-g", "-O2", "-fstack-protector-all"].as_slice()), ("other.c", OTHER, &quiet)];
    let program = facts(&Workshop::new().build(&units, &[]));
    assert!(unproven(&program, Demand::StackProtector).starts_with("a unit does not say"));
}

#[test]
fn units_written_in_assembler_are_not_asked() {
    let assembler = ".globl nothing\nnothing: ret\n.section .note.GNU-stack,\"\"\n";
    let units =
        [("program.c", PROGRAM, ["-g", "-O2", "-fstack-protector-all"].as_slice()), ("nothing.s", assembler, &["-g"])];
    let program = facts(&Workshop::new().build(&units, &[]));
    assert!(self::units(&program).iter().any(|units| units.language == "Mips_Assembler"), "{program:?}");
    met(&program, Demand::StackProtector);
}

#[test]
fn units_for_link_time_optimisation_are_judged_by_their_own_flags() {
    let build = |compile: &str, link: &str| {
        let flags = ["-g", "-O2", "-flto", compile];
        facts(&Workshop::new().build(&[("program.c", PROGRAM, &flags)], &["-g", "-O2", "-flto", link]))
    };
    let protected = build("-fstack-protector-all", "-O2");
    assert!(units(&protected).iter().any(|units| units.producer.starts_with("GNU GIMPLE")), "{protected:?}");
    assert!(protected.stack_protector.contains("__stack_chk_fail"));
    met(&protected, Demand::StackProtector);
    // The flag at the link comes too late.
    let unprotected = build("-fno-stack-protector", "-fstack-protector-all");
    assert!(unprotected.stack_protector.is_empty());
    missing(&unprotected, Demand::StackProtector);
}

#[test]
fn split_debug_information_says_nothing_of_flags() {
    let program = program(&["-g", "-gsplit-dwarf", "-O2", "-fstack-protector-all"], &[]);
    let [unit] = units(&program) else { panic!("{:?}", program.compiled) };
    assert_eq!((unit.language.as_str(), unit.producer.as_str()), ("", ""));
    assert!(met(&program, Demand::StackProtector).contains("at least"));
}

#[test]
fn recorded_command_lines_are_facts() {
    let program = program(&["-O2", "-frecord-gcc-switches"], &[]);
    assert_eq!(program.command_lines.len(), 1, "{program:?}");
    assert!(program.command_lines.first().unwrap().contains(" -O2"));
    assert_eq!(program.compiled, Compiled::Unknown);
}

#[test]
fn compressed_debug_information_reads_like_any_other() {
    let plain = program(&["-g", "-O2"], &["-Wl,--build-id=none"]);
    let workshop = Workshop::new();
    let bytes = workshop.build(
        &[("program.c", PROGRAM, &["-g", "-O2"])],
        &["-Wl,--build-id=none", "-Wl,--compress-debug-sections=zlib"],
    );
    assert!(bytes[section(&bytes, ".debug_str")][0] == 1, "it is compressed");
    assert_eq!(facts(&bytes), plain);

    let at = section(&bytes, ".debug_info");
    let mut other = bytes.clone();
    other[at.start] = 2; // ELFCOMPRESS_ZSTD
    let Compiled::Unreadable(why) = facts(&other).compiled else { panic!("{other:?}") };
    assert!(why.contains("another way than zlib's"), "{why}");
    for (offset, value) in [(8, 0), (12, 1), (15, 0x7f), (30, 0xff)] {
        let mut damaged = bytes.clone();
        damaged[at.start + offset] = value; // another size, a size beyond all limits, other content
        assert!(matches!(facts(&damaged).compiled, Compiled::Unreadable(_)), "byte {offset}");
    }
}

#[test]
fn debug_information_that_cannot_be_read_is_a_fact_and_symbols_are_left() {
    let flags = ["-g", "-O2", "-fstack-protector-all"];
    let mut bytes = Workshop::new().build(&[("program.c", PROGRAM, &flags)], &[]);
    let info = section(&bytes, ".debug_info");
    bytes[info.start + 4] = 77; // its version
    let program = elf::hardening(std::io::Cursor::new(&bytes)).unwrap();
    assert!(matches!(&program.compiled, Compiled::Unreadable(why) if why.contains("version")), "{program:?}");
    met(&program, Demand::StackProtector);
}
