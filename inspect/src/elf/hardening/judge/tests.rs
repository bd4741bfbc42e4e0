use super::*;

fn facts() -> Hardening {
    Hardening {
        kind: FileKind::Shared,
        machine: Arch::Amd64.elf_machine(),
        dynamic: true,
        nx: true,
        writable_code: false,
        relro: Relro::Full,
        text_relocations: false,
        symbols: true,
        stack_protector: BTreeSet::new(),
        fortified: BTreeSet::new(),
        unfortified: BTreeSet::new(),
        branch_checks: BTreeSet::new(),
        rpath: vec![],
        runpath: vec![],
        build_id: None,
        stripped: false,
        compiled: Compiled::Unknown,
        own_openssl: None,
        command_lines: BTreeSet::new(),
    }
}

fn of(units: &[(&str, &str)]) -> Hardening {
    let unit = |(language, producer): &(&str, &str)| Units {
        language: (*language).into(),
        producer: (*producer).into(),
        count: 1,
        fortified: 0,
    };
    let compiled = Compiled::Known { units: units.iter().map(unit).collect(), undescribed: Some([].into()) };
    Hardening { compiled, ..facts() }
}

fn stack_protector_of(units: &[(&str, &str)]) -> Proof {
    stack_protector(&of(units))
}

#[test]
fn only_what_is_demanded_is_judged() {
    let demands = BTreeSet::from([Demand::Nx, Demand::Pie]);
    assert!(judge(&facts(), &demands).keys().eq(&demands));
    assert!(judge(&facts(), &BTreeSet::new()).is_empty());
}

#[test]
fn each_architecture_has_its_own_marks() {
    let marked = |arch: Arch, checks: &[BranchCheck]| {
        let facts =
            Hardening { machine: arch.elf_machine(), branch_checks: checks.iter().copied().collect(), ..facts() };
        matches!(one(&facts, Demand::ControlFlow), Met(_))
    };
    assert!(marked(Arch::Amd64, &[BranchCheck::Ibt, BranchCheck::Shstk]));
    assert!(!marked(Arch::Amd64, &[BranchCheck::Shstk]));
    assert!(marked(Arch::Arm64, &[BranchCheck::Bti]));
    assert!(!marked(Arch::Arm64, &[BranchCheck::Pac]));
    let other = Hardening { machine: 243, ..facts() };
    assert!(matches!(one(&other, Demand::ControlFlow), Unproven(why) if why.contains("243")));
}

#[test]
fn a_compiler_that_records_no_flags_leaves_it_to_symbols() {
    let clang = [("C11", "clang version 14.0.6")];
    assert!(matches!(stack_protector_of(&clang), Unproven(_)));
    let called = Hardening { stack_protector: ["__stack_chk_fail".into()].into(), ..of(&clang) };
    assert!(matches!(stack_protector(&called), Met(_)));
    // The symbol may be the other unit's.
    let mixed = [clang[0], ("C11", "GNU C11 12 -g -fstack-protector-strong")];
    let mixed = Hardening { stack_protector: ["__stack_chk_fail".into()].into(), ..of(&mixed) };
    assert!(matches!(stack_protector(&mixed), Unproven(why) if why.contains("clang")));
}

#[test]
fn units_of_languages_that_check_bounds_do_not_excuse_others() {
    let (rust, c) = (("Rust", "clang LLVM (rustc version 1.92.0)"), ("C11", "GNU C11 12 -g -O2"));
    assert!(matches!(stack_protector_of(&[rust]), Met(_)));
    assert!(matches!(stack_protector_of(&[rust, c]), Missing(why) if why.starts_with("1 of 1")));
    // Assembler alone says nothing of what was compiled.
    assert!(matches!(stack_protector_of(&[("Mips_Assembler", "GNU AS 2.40")]), Unproven(_)));
    // Fortran, and a language nobody knows, are compiled with flags like C.
    assert!(matches!(stack_protector_of(&[("Fortran08", "GNU Fortran2008 12 -g")]), Missing(_)));
    assert!(matches!(stack_protector_of(&[("0x9999", "somebody's -fstack-protector-strong")]), Met(_)));
}

#[test]
fn symbols_nobody_has_prove_nothing() {
    let sectionless = Hardening { symbols: false, ..facts() };
    assert!(matches!(fortify(&sectionless), Unproven(_)));
    assert!(matches!(fortify(&facts()), Met(_)));
    for (kind, dynamic) in [(FileKind::Executable, false), (FileKind::StaticPie, true)] {
        let own = Hardening { kind, dynamic, stack_protector: ["__stack_chk_fail".into()].into(), ..facts() };
        assert!(matches!(fortify(&own), Unproven(_)), "{kind:?}");
        assert!(matches!(stack_protector(&own), Unproven(_)), "{kind:?}");
    }
}
