use seccompiler::{SeccompAction, SeccompFilter, TargetArch, sock_filter};

use super::program::{Check, program};
use super::{arch, rules};

/// What a filter answers to a call, as the kernel runs it.
fn answer(program: &[sock_filter], audit: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = [number, audit, 0, 0].map(u32::to_le_bytes).concat();
    data.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
    let (mut at, mut value) = (0, 0);
    loop {
        let instruction = &program[at];
        let k = instruction.k;
        at += 1;
        let jumps = match u32::from(instruction.code) {
            0x20 => {
                let from = k as usize;
                value = u32::from_le_bytes(data[from..from + 4].try_into().unwrap());
                continue;
            }
            0x06 => return k,
            0x15 => value == k,
            0x25 => value > k,
            0x35 => value >= k,
            0x45 => value & k != 0,
            0x54 => {
                value &= k;
                continue;
            }
            0x05 => {
                at += k as usize;
                continue;
            }
            other => panic!("instruction {other:#x}"),
        };
        at += usize::from(if jumps { instruction.jt } else { instruction.jf });
    }
}

const ALLOW: u32 = 0x7fff_0000;
const MISSING: u32 = 0x0005_0000 | 38;
const KILL: u32 = 0x8000_0000;

fn own() -> Vec<sock_filter> {
    program(arch::AUDIT, rules()).unwrap()
}

#[test]
fn every_call_is_answered_as_the_rules_say() {
    let (program, rules) = (own(), rules());
    let values = [
        0,
        1,
        2,
        10,
        16,
        17,
        38,
        40,
        0x5412,
        0x541c,
        0x0004_0000,
        0x1000_0000,
        0x4000_0000,
        0xffff_ffff,
        0x1_0000_0002,
    ];
    for number in (0..2000).chain([0x4000_0000, 0x4000_0027, 0x7fff_ffff, 0xffff_ffff]) {
        let check = rules.iter().find(|(known, _)| *known == number).map(|(_, check)| *check);
        for value in values {
            for other in values {
                let arguments = [value, other, 0, 0, 0, 0];
                let low = |argument: u32| u32::try_from(arguments[argument as usize] & 0xffff_ffff).unwrap();
                let allowed = match check {
                    None => false,
                    Some(Check::Nothing) => true,
                    Some(Check::OneOf(argument, known)) => known.contains(&low(argument)),
                    Some(Check::NoneOf(argument, known)) => !known.contains(&low(argument)),
                    Some(Check::NoneOfBits(argument, bits)) => low(argument) & bits == 0,
                };
                let expected = if allowed { ALLOW } else { MISSING };
                assert_eq!(answer(&program, arch::AUDIT, number, arguments), expected, "{number} {arguments:?}");
            }
        }
    }
}

#[test]
fn seccompiler_writes_a_filter_that_answers_alike() {
    let (program, rules) = (own(), rules());
    let plain =
        rules.iter().filter(|(_, check)| *check == Check::Nothing).map(|(number, _)| (i64::from(*number), vec![]));
    let target = if cfg!(target_arch = "x86_64") { TargetArch::x86_64 } else { TargetArch::aarch64 };
    let filter = SeccompFilter::new(plain.collect(), SeccompAction::Errno(38), SeccompAction::Allow, target).unwrap();
    let theirs: Vec<sock_filter> = filter.try_into().unwrap();
    assert!(theirs.len() > 2 * program.len());
    for number in
        (0..1000).filter(|number| !rules.iter().any(|(known, check)| known == number && *check != Check::Nothing))
    {
        let both = [&program, &theirs].map(|program| answer(program, arch::AUDIT, number, [0; 6]));
        assert_eq!(both[0], both[1], "{number}");
    }
}

#[test]
fn calls_of_another_architecture_kill() {
    for audit in [0x4000_0003, 0x4000_0028, 0xc000_003e, 0xc000_00b7].into_iter().filter(|audit| *audit != arch::AUDIT)
    {
        assert_eq!(answer(&own(), audit, 0, [0; 6]), KILL);
    }
}

#[test]
fn a_call_is_named_once() {
    let mut numbers: Vec<u32> = rules().into_iter().map(|(number, _)| number).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[test]
fn a_filter_without_rules_allows_nothing() {
    let program = program(arch::AUDIT, vec![]).unwrap();
    assert_eq!(answer(&program, arch::AUDIT, 0, [0; 6]), MISSING);
    assert_eq!(answer(&program, arch::AUDIT, 60, [0; 6]), MISSING);
}
