//! What the linker decides.

use model::Arch;
use model::hardening::{BranchCheck, Demand, FileKind, Relro};

use crate::workshop::*;

const PIE: &[&str] = &["-pie", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"];

fn linked(link: &[&str]) -> model::hardening::Hardening {
    program(&["-O2", "-fPIE"], link)
}

#[test]
fn a_position_independent_program_is_one_and_a_fixed_one_is_not() {
    let pie = linked(PIE);
    assert_eq!((pie.kind, pie.dynamic, pie.machine), (FileKind::Pie, true, arch().elf_machine()));
    met(&pie, Demand::Pie);
    let fixed = linked(&["-no-pie"]);
    assert_eq!(fixed.kind, FileKind::Executable);
    assert_eq!(missing(&fixed, Demand::Pie), "it is a program with a fixed address");
}

#[test]
fn relocations_are_protected_wholly_in_part_or_not_at_all() {
    let full = linked(PIE);
    assert_eq!(full.relro, Relro::Full);
    met(&full, Demand::Relro);
    met(&full, Demand::Now);
    let partial = linked(&["-pie", "-Wl,-z,relro", "-Wl,-z,lazy"]);
    assert_eq!(partial.relro, Relro::Partial);
    met(&partial, Demand::Relro);
    assert_eq!(missing(&partial, Demand::Now), "addresses of functions stay writable");
    let none = linked(&["-pie", "-Wl,-z,norelro", "-Wl,-z,now"]);
    assert_eq!(none.relro, Relro::None);
    missing(&none, Demand::Relro);
    missing(&none, Demand::Now);
}

#[test]
fn a_library_that_binds_nothing_lazily_is_protected_without_the_flag() {
    let text = "int answer(void) { return 42; }\n";
    let bytes = Workshop::new().build(
        &[("answer.c", text, &["-O2", "-fPIC"])],
        &["-shared", "-nostdlib", "-Wl,-z,relro", "-Wl,-z,lazy", "-Wl,-soname,libanswer.so.1"],
    );
    let library = facts(&bytes);
    assert_eq!((library.kind, library.relro), (FileKind::Shared, Relro::Full));
    met(&library, Demand::Pie);
    met(&library, Demand::Now);
}

#[test]
fn an_executable_stack_is_found() {
    met(&linked(PIE), Demand::Nx);
    let executable = linked(&["-pie", "-Wl,-z,execstack"]);
    assert!(!executable.nx && !executable.writable_code);
    assert!(missing(&executable, Demand::Nx).contains("stack"));
}

#[test]
fn a_segment_that_is_writable_and_executable_is_found() {
    let units: [(&str, &str, &[&str]); 1] = [("start.c", "int value = 1; void _start(void) { value = 2; }\n", &[])];
    let link = ["-no-pie", "-nostdlib", "-static", "-Wl,-N", "-Wl,-z,noexecstack"];
    let writable = facts(&Workshop::new().build(&units, &link));
    assert!(writable.writable_code);
    assert_eq!(missing(&writable, Demand::Nx), "a segment is writable and executable");
}

#[test]
fn code_that_is_relocated_is_found() {
    met(&linked(PIE), Demand::NoTextRelocations);
    let text = "extern int elsewhere; __asm__(\".text\\n.quad elsewhere\\n\");\n";
    let units: [(&str, &str, &[&str]); 1] = [("relocated.c", text, &["-fPIC"])];
    let library = facts(&Workshop::new().build(&units, &["-shared", "-Wl,-z,notext"]));
    assert!(library.text_relocations);
    missing(&library, Demand::NoTextRelocations);
}

#[test]
fn a_static_program_is_fixed_and_its_own_table_of_functions_may_be_protected() {
    let lazy = linked(&["-static", "-Wl,-z,relro", "-Wl,-z,lazy"]);
    assert_eq!((lazy.kind, lazy.dynamic), (FileKind::Executable, false));
    missing(&lazy, Demand::Pie);
    met(&lazy, Demand::Relro);
    met(&lazy, Demand::Nx);
    let now = linked(&["-static", "-Wl,-z,relro", "-Wl,-z,now"]);
    assert_eq!(now.relro, Relro::Full);
    if arch() == Arch::Amd64 {
        assert_eq!(lazy.relro, Relro::Partial);
    }
    assert_eq!(linked(&["-static", "-Wl,-z,norelro"]).relro, Relro::None);
}

#[test]
fn a_static_program_may_be_position_independent() {
    let program = linked(&["-static-pie", "-Wl,-z,relro", "-Wl,-z,now"]);
    assert_eq!((program.kind, program.dynamic, program.relro), (FileKind::StaticPie, true, Relro::Full));
    for demand in [Demand::Pie, Demand::Relro, Demand::Now, Demand::Nx, Demand::NoTextRelocations] {
        met(&program, demand);
    }
    assert_eq!(linked(&["-static-pie", "-Wl,-z,relro", "-Wl,-z,lazy"]).relro, Relro::Partial);
}

#[test]
fn the_c_library_is_a_shared_object_though_it_can_be_started() {
    let library = Workshop::new();
    let text = "const char interpreter[] __attribute__((section(\".interp\"))) = \"/lib/ld.so\";\n";
    let units: [(&str, &str, &[&str]); 1] = [("started.c", text, &["-fPIC"])];
    let library = facts(&library.build(&units, &["-shared", "-Wl,-soname,libstarted.so.1"]));
    assert_eq!(library.kind, FileKind::Shared);
}

#[test]
fn a_mark_for_checked_branches_is_found_where_everything_in_the_file_has_it() {
    let (full, none, expected): (&str, &str, &[BranchCheck]) = match arch() {
        Arch::Amd64 => ("-fcf-protection=full", "-fcf-protection=none", &[BranchCheck::Ibt, BranchCheck::Shstk]),
        Arch::Arm64 => {
            ("-mbranch-protection=standard", "-mbranch-protection=none", &[BranchCheck::Bti, BranchCheck::Pac])
        }
    };
    // The C library's start files need not be marked.
    let library = |one, other| {
        let units: [(&str, &str, &[&str]); 2] = [
            ("one.c", "int one(void) { return 1; }\n", &["-O2", "-fPIC", one]),
            ("other.c", "int other(void) { return 2; }\n", &["-O2", "-fPIC", other]),
        ];
        facts(&Workshop::new().build(&units, &["-shared", "-nostdlib"]))
    };
    let marked = library(full, full);
    assert_eq!(marked.branch_checks, expected.iter().copied().collect());
    met(&marked, Demand::ControlFlow);
    let half = library(full, none);
    assert!(half.branch_checks.is_empty());
    assert!(missing(&half, Demand::ControlFlow).contains("not prepared"));
}

#[test]
fn directories_and_the_build_id_are_facts() {
    let program =
        linked(&["-pie", "-Wl,--build-id=0x00ff10", "-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/../lib:/opt"]);
    assert_eq!(program.runpath, ["$ORIGIN/../lib", "/opt"]);
    assert_eq!(program.build_id.as_deref(), Some("00ff10"));
    let old = linked(&["-pie", "-Wl,--build-id=none", "-Wl,--disable-new-dtags", "-Wl,-rpath,/opt"]);
    assert_eq!((old.rpath, old.runpath, old.build_id), (vec!["/opt".to_owned()], vec![], None));
}

#[test]
fn what_is_not_linked_yet_proves_nothing() {
    let workshop = Workshop::new();
    workshop.compile(&[("program.c", PROGRAM, &["-g", "-O2", "-fstack-protector-all"])]);
    let object = workshop.facts("program.c.o");
    assert_eq!((object.kind, object.nx, object.stripped), (FileKind::Relocatable, true, false));
    for demand in Demand::ALL {
        unproven(&object, demand);
    }
}
