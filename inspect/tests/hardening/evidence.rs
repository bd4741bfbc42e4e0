//! What symbols and whole profiles show.

use std::process::Command;

use inspect::elf;
use model::hardening::{Compiled, Demand, FileKind};
use stdlib::hardening::{Flags, Hardening as Profiles};

use crate::workshop::*;

fn maximum(level: &str) -> Flags {
    let profiles = Profiles::shipped().unwrap();
    profiles.profile("maximum").unwrap().flags(arch(), profiles.optimization(level).unwrap())
}

/// One library and one program as a build system makes them: the same flags for both, and `-fPIC -shared` for the library.
fn library_and_program(flags: &Flags) -> [model::hardening::Hardening; 2] {
    let compile: Vec<&str> = flags.cppflags.iter().chain(&flags.cflags).map(String::as_str).collect();
    let link: Vec<&str> = compile.iter().copied().chain(flags.ldflags.iter().map(String::as_str)).collect();
    let library = [compile.as_slice(), &["-fPIC"]].concat();
    let shared = [link.as_slice(), &["-shared"]].concat();
    [
        facts(&Workshop::new().build(&[("library.c", LIBRARY, &library)], &shared)),
        facts(&Workshop::new().build(&[("program.c", PROGRAM, &compile)], &link)),
    ]
}

#[test]
fn what_is_compiled_with_maximum_meets_all_that_maximum_demands() {
    let demands = Profiles::shipped().unwrap().profile("maximum").unwrap().demands();
    for level in ["O1", "O2", "O3", "Os", "Og"] {
        let [library, program] = library_and_program(&maximum(level));
        assert_eq!((library.kind, program.kind), (FileKind::Shared, FileKind::Pie));
        for facts in [library, program] {
            assert_eq!(unmet(&facts, &demands.compiled), [], "{level}");
            assert_eq!(unmet(&facts, &demands.prebuilt), [], "{level}");
        }
    }
}

#[test]
fn what_is_compiled_with_none_of_the_flags_is_found_out() {
    let demands = Profiles::shipped().unwrap().profile("maximum").unwrap().demands();
    let program = program(
        &["-g", "-O2", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE"],
        &["-no-pie", "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack"],
    );
    let unmet: Vec<Demand> = unmet(&program, &demands.compiled).into_iter().map(|(demand, _)| demand).collect();
    let expected = [Demand::Pie, Demand::Relro, Demand::Now, Demand::Nx, Demand::StackProtector, Demand::Fortify];
    assert_eq!(unmet, expected);
}

#[test]
fn checking_functions_prove_that_something_is_fortified() {
    let fortified = program(&["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"], &[]);
    assert!(fortified.fortified.contains("__strcpy_chk"), "{fortified:?}");
    assert!(met(&fortified, Demand::Fortify).contains("_chk"));
    let plain = program(&["-O2", "-U_FORTIFY_SOURCE"], &[]);
    assert!(plain.fortified.is_empty() && plain.unfortified.contains("printf"), "{plain:?}");
    assert!(unproven(&plain, Demand::Fortify).ends_with(plain.unfortified.first().unwrap()));
}

#[test]
fn a_call_without_a_known_size_is_proven_by_the_headers_that_were_used() {
    let library = |flag: &str, debug: &str| {
        let flags = [debug, "-O2", "-fPIC", "-U_FORTIFY_SOURCE", flag];
        facts(&Workshop::new().build(&[("library.c", LIBRARY, &flags)], &["-shared"]))
    };
    for debug in ["-gdwarf-4", "-gdwarf-5"] {
        let fortified = library("-D_FORTIFY_SOURCE=3", debug);
        assert!(fortified.fortified.is_empty() && fortified.unfortified.contains("memcpy"));
        assert_eq!(met(&fortified, Demand::Fortify), "1 of its units used fortified headers of the C library");
        unproven(&library("-D_FORTIFY_SOURCE=0", debug), Demand::Fortify);
    }
    unproven(&library("-D_FORTIFY_SOURCE=3", "-g0"), Demand::Fortify);
}

#[test]
fn what_uses_nothing_that_could_check_needs_no_proof() {
    let text = "int answer(void) { return 42; }\n";
    let units: [(&str, &str, &[&str]); 1] = [("answer.c", text, &["-O2", "-fPIC"])];
    let library = facts(&Workshop::new().build(&units, &["-shared"]));
    assert_eq!(met(&library, Demand::Fortify), "it uses no function of the C library that could check sizes");
}

#[test]
fn without_debug_information_a_protected_function_is_what_symbols_show() {
    let protected = program(&["-O2", "-fstack-protector-all"], &[]);
    assert_eq!(protected.compiled, Compiled::Unknown);
    assert!(met(&protected, Demand::StackProtector).contains("at least"));
    let unprotected = program(&["-O2", "-fno-stack-protector"], &[]);
    assert!(unproven(&unprotected, Demand::StackProtector).starts_with("neither"));
}

#[test]
fn the_c_librarys_own_calls_in_a_static_program_prove_nothing() {
    for mode in ["-static", "-static-pie"] {
        let program = program(&["-O2", "-fno-stack-protector", "-fPIE"], &[mode]);
        unproven(&program, Demand::StackProtector);
        unproven(&program, Demand::Fortify);
    }
    let fixed = program(&["-O2", "-fno-stack-protector"], &["-static"]);
    assert!(fixed.stack_protector.contains("__stack_chk_fail"), "{fixed:?}");
}

#[test]
fn a_stripped_file_and_what_was_stripped_from_it_are_judged_together() {
    let workshop = Workshop::new();
    let flags = ["-g", "-O2", "-fstack-protector-all"];
    workshop.build(&[("program.c", PROGRAM, &flags)], &["-Wl,--build-id"]);
    workshop.run(Command::new("objcopy").args(["--only-keep-debug", "out", "out.debug"]));
    workshop.run(Command::new("strip").args(["-o", "stripped", "out"]));
    let [whole, debug, stripped] = ["out", "out.debug", "stripped"].map(|name| workshop.facts(name));
    assert_eq!((stripped.stripped, &stripped.compiled, debug.kind), (true, &Compiled::Unknown, FileKind::Debug));
    for demand in Demand::ALL {
        unproven(&debug, demand);
    }
    assert!(met(&stripped, Demand::StackProtector).contains("at least"));
    let described = elf::described(stripped.clone(), debug.clone()).unwrap();
    assert_eq!(met(&described, Demand::StackProtector), "every unit was compiled with it");
    assert_eq!(described, model::hardening::Hardening { stripped: true, ..whole });

    let other = Workshop::new();
    other.build(&[("program.c", PROGRAM, &["-g", "-O1"])], &["-Wl,--build-id"]);
    assert!(elf::described(stripped.clone(), other.facts("out")).unwrap_err().contains("the file is of"));
    let nameless = model::hardening::Hardening { build_id: None, ..debug };
    assert!(elf::described(stripped, nameless).is_err());
}

#[test]
fn a_go_program_is_all_go() {
    let workshop = Workshop::new();
    std::fs::write(workshop.path("main.go"), "package main\n\nfunc main() { println(\"hello\") }\n").unwrap();
    for (mode, kind) in [("exe", FileKind::Executable), ("pie", FileKind::Pie)] {
        let mode = format!("-buildmode={mode}");
        // Where the go command is missing, the project was not set up, and the test fails.
        let mut go = Command::new("go");
        go.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
        workshop.run(go.args(["build", &mode, "-o", "out", "main.go"]));
        let program = workshop.facts("out");
        assert_eq!(program.kind, kind);
        let Compiled::Known { units, undescribed } = &program.compiled else { panic!("{:?}", program.compiled) };
        assert!(units.iter().any(|u| u.language == "Go" && u.producer.starts_with("Go cmd/compile")), "{units:?}");
        assert!(units.iter().all(|units| ["Go", "Mips_Assembler"].contains(&units.language.as_str())), "{units:?}");
        assert_eq!(undescribed, &Some([].into()));
        assert!(met(&program, Demand::StackProtector).contains("check bounds"));
        met(&program, Demand::Fortify);
        met(&program, Demand::Nx);
    }
    workshop.run(Command::new("strip").args(["-o", "stripped", "out"]));
    unproven(&workshop.facts("stripped"), Demand::StackProtector);
}

#[test]
fn a_rust_program_is_all_rust_until_something_else_is_linked_in() {
    let workshop = Workshop::new();
    let text = "unsafe extern \"C\" { fn helper() -> i32; }\nfn main() { println!(\"{}\", unsafe { helper() }) }\n";
    std::fs::write(workshop.path("mixed.rs"), text).unwrap();
    std::fs::write(workshop.path("pure.rs"), "fn main() { println!(\"hello\") }\n").unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    workshop.run(Command::new(&rustc).args(["--edition=2024", "-g", "pure.rs"]));
    let pure = workshop.facts("pure");
    assert_eq!(pure.kind, FileKind::Pie);
    let Compiled::Known { units, .. } = &pure.compiled else { panic!("{:?}", pure.compiled) };
    assert!(units.iter().all(|units| units.language == "Rust" && units.producer.contains("rustc")), "{units:?}");
    assert!(met(&pure, Demand::StackProtector).contains("check bounds"));

    workshop.compile(&[("helper.c", "int helper(void) { return 1; }\n", &["-O2"])]);
    workshop.run(Command::new(&rustc).args(["--edition=2024", "-g", "mixed.rs", "-Clink-arg=helper.c.o"]));
    unproven(&workshop.facts("mixed"), Demand::StackProtector);
}
