//! Writes a filter as the kernel reads it.
//!
//! The kernel runs a new filter once for every call there is, to remember which need no look at their arguments. So the
//! program is a tree of comparisons: one comparison after another, as `seccompiler` would write it, took the kernel 0.9 ms,
//! a fifth of a room's start.

use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W};
use seccompiler::{BpfProgram, sock_filter};

/// What the arguments of an allowed call must be; only their lower halves, which is all these calls look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Anything.
    Nothing,
    /// The argument with this number is one of these values.
    OneOf(u32, &'static [u32]),
    /// It is none of them.
    NoneOf(u32, &'static [u32]),
    /// It has none of these bits.
    NoneOfBits(u32, u32),
}

/// Where the kernel puts the number and the architecture of a call, and its arguments, eight bytes each.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const MISSING: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();

/// From a number on, up to the next segment's, calls are treated alike.
type Segment = (u32, Option<Check>);

/// A filter that allows what the rules say, on the architecture with this number.
pub(super) fn program(audit: u32, mut rules: Vec<(u32, Check)>) -> Result<BpfProgram, std::num::TryFromIntError> {
    rules.sort_unstable_by_key(|(number, _)| *number);
    let mut segments: Vec<Segment> = Vec::with_capacity(rules.len());
    let mut next = 0;
    for (number, check) in rules {
        if number > next || segments.is_empty() {
            segments.push((next, None));
        }
        let last = segments.last().map(|(_, last)| *last);
        if check != Check::Nothing || last != Some(Some(check)) {
            segments.push((number, Some(check)));
        }
        next = number + 1;
    }
    segments.push((next, None));
    let mut program = Vec::with_capacity(4 * segments.len());
    program.extend([load(ARCHITECTURE), jump(BPF_JEQ, audit, 1, 0), ret(libc::SECCOMP_RET_KILL_PROCESS), load(NUMBER)]);
    tree(&segments, &mut program)?;
    Ok(program)
}

fn tree(segments: &[Segment], program: &mut BpfProgram) -> Result<(), std::num::TryFromIntError> {
    let (left, right) = segments.split_at(segments.len() / 2);
    match right {
        [] | [(_, None)] if left.is_empty() => program.push(ret(MISSING)),
        [(_, Some(check))] if left.is_empty() => leaf(*check, program)?,
        [(start, _), ..] => {
            let at = program.len();
            program.push(jump(BPF_JGE, *start, 0, 0));
            tree(left, program)?;
            let over = u8::try_from(program.len() - at - 1)?;
            if let Some(jump) = program.get_mut(at) {
                jump.jt = over;
            }
            tree(right, program)?;
        }
        [] => {}
    }
    Ok(())
}

/// Looks at the arguments of one call. Every way through it ends in an answer.
fn leaf(check: Check, program: &mut BpfProgram) -> Result<(), std::num::TryFromIntError> {
    let argument = |number: u32| load(ARGUMENTS + 8 * number);
    let mut one_of = |number, values: &[u32], found, else_| {
        program.push(argument(number));
        for (at, value) in values.iter().enumerate() {
            program.push(jump(BPF_JEQ, *value, u8::try_from(values.len() - at)?, 0));
        }
        program.extend([ret(else_), ret(found)]);
        Ok(())
    };
    match check {
        Check::OneOf(number, values) => one_of(number, values, ALLOW, MISSING),
        Check::NoneOf(number, values) => one_of(number, values, MISSING, ALLOW),
        Check::Nothing => {
            program.push(ret(ALLOW));
            Ok(())
        }
        Check::NoneOfBits(number, bits) => {
            program.extend([argument(number), jump(BPF_JSET, bits, 1, 0), ret(ALLOW), ret(MISSING)]);
            Ok(())
        }
    }
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0)
}

fn jump(condition: u32, value: u32, then: u8, else_: u8) -> sock_filter {
    instruction(BPF_JMP | condition | BPF_K, value, then, else_)
}

fn ret(answer: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, answer, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    // Codes are less than 256.
    sock_filter { code: u16::try_from(code).unwrap_or_default(), jt, jf, k }
}
