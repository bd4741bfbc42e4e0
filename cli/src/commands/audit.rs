use std::path::{Path, PathBuf};

use audit::proof::ProofError;
use audit::{Checkpoint, Growth, Proof, Record, VerifierKey};
use files::input;
use model::{Finding, codes};
use serde_json::json;

use crate::args::{AuditCommand, Format, Machine};
use crate::report::{self, Failure};
use crate::{project, trail};

/// Bytes of a key, a checkpoint or a proof.
const LARGEST: u64 = 1 << 20;

/// `audit`: looks at what was done on this machine.
pub(super) fn run(machine: &Machine, command: &AuditCommand, format: Format) -> Result<(), Failure> {
    match command {
        AuditCommand::Show => show(&trail::folder(machine)?, format),
        AuditCommand::Verify { key, checkpoint, proof: None } => {
            verify(&trail::folder(machine)?, key.as_deref(), checkpoint.as_deref(), format)
        }
        AuditCommand::Verify { key, checkpoint, proof: Some(proof) } => {
            let key = trusted(key.as_deref().unwrap_or_default())?;
            match checkpoint {
                None => check(&key, proof, format),
                Some(older) => check_growth(&key, older, proof, format),
            }
        }
        AuditCommand::Prove { line, since } => {
            let folder = trail::folder(machine)?;
            let proof = match since {
                None => audit::prove(&folder, line.unwrap_or_default())?.to_string(),
                Some(older) => audit::prove_growth(&folder, &text(older)?)?.to_string(),
            };
            Ok(report::data(proof.as_bytes())?)
        }
        AuditCommand::Export { output, key } => {
            let verified =
                audit::export(&trail::folder(machine)?, output, key.as_deref().map(trusted).transpose()?.as_ref())?;
            Ok(report::line(format_args!("exported {} lines to {}", verified.checkpoint.size, output.display()))?)
        }
    }
}

fn show(folder: &Path, format: Format) -> Result<(), Failure> {
    let mut all = Vec::new();
    audit::records(folder, |line, record| {
        if format == Format::Json {
            all.push(json!({ "line": line, "record": record }));
            return Ok(());
        }
        shown(line, &record)
    })?;
    if format == Format::Json { Ok(report::print_json(&all)?) } else { Ok(()) }
}

fn shown(line: u64, record: &Record) -> Result<(), Finding> {
    let Record { when, who, what, of, how, why, .. } = record;
    let of: Vec<String> = of.iter().map(|subject| format!("{}@{}", safe(&subject.name), subject.digest)).collect();
    let words = [how.get("tags"), why.reason.as_ref(), why.commit.as_ref(), why.run.as_ref()];
    let words: String = words.into_iter().flatten().map(|word| format!("  {}", safe(word))).collect();
    report::line(format_args!("{line:>6}  {when}  {}  {what:<6}  {}{words}", safe(&who.name), of.join(" ")))
}

fn verify(folder: &Path, key: Option<&str>, checkpoint: Option<&Path>, format: Format) -> Result<(), Failure> {
    let older = checkpoint.map(text).transpose()?;
    let verified = audit::verify(folder, key.map(trusted).transpose()?.as_ref(), older.as_deref())?;
    let (lines, root, key) = (verified.checkpoint.size, verified.checkpoint.root, verified.key.to_string());
    if format == Format::Json {
        return Ok(report::print_json(
            &json!({ "lines": lines, "root": root, "key": key, "checkpoint": verified.note }),
        )?);
    }
    report::line(format_args!("lines    {lines}, as they were written"))?;
    report::line(format_args!("root     {root}"))?;
    if verified.is_unfinished {
        report::line("pending  one more line, which the next command that writes finishes")?;
    }
    Ok(report::line(format_args!("key      {key}"))?)
}

/// A proof that somebody else holds against a key of theirs, without the log.
fn check(key: &VerifierKey, proof: &Path, format: Format) -> Result<(), Failure> {
    let proven = Proof::parse(&text(proof)?).and_then(|proof| proof.check(key));
    let proven = proven.map_err(|why| proves_nothing(proof, &why))?;
    if format == Format::Json {
        return Ok(report::print_json(&json!({ "line": proven.line, "record": proven.record }))?);
    }
    report::line(format_args!("line     {} of {}, as it was written", proven.line, proven.checkpoint.size))?;
    Ok(shown(proven.line, &proven.record)?)
}

/// A proof that a log goes on from a checkpoint that somebody kept.
fn check_growth(key: &VerifierKey, older: &Path, proof: &Path, format: Format) -> Result<(), Failure> {
    let older = Checkpoint::open(&text(older)?, key).map_err(|why| {
        Finding::error(codes::AUDIT_BROKEN, format!("{} is no checkpoint of this log", older.display()))
            .because(why.to_string())
    })?;
    let newer = Growth::parse(&text(proof)?).and_then(|proof| proof.check(&older, key));
    let newer = newer.map_err(|why| proves_nothing(proof, &why))?;
    let (before, lines, root) = (older.size, newer.size, newer.root);
    if format == Format::Json {
        return Ok(report::print_json(&json!({ "before": before, "lines": lines, "root": root }))?);
    }
    report::line(format_args!("lines    {lines}, of which the first {before} are as they were"))?;
    Ok(report::line(format_args!("root     {root}"))?)
}

fn proves_nothing(proof: &Path, why: &ProofError) -> Finding {
    Finding::error(codes::AUDIT_BROKEN, format!("{} proves nothing", proof.display())).because(why.to_string())
}

/// A key as it is written, or the file that has it.
fn trusted(key: &str) -> Result<VerifierKey, Finding> {
    if let Ok(key) = VerifierKey::parse(key) {
        return Ok(key);
    }
    let parsed = VerifierKey::parse(text(&PathBuf::from(key))?.trim());
    parsed.map_err(|why| {
        Finding::error(codes::KEY_UNUSABLE, format!("{key} is no key of an audit trail"))
            .because(why.to_string())
            .help("name the file `key.pub` of the log, or write the key itself: NAME+ID+KEY")
    })
}

fn text(path: &Path) -> Result<String, Finding> {
    let bytes = input::read(path, LARGEST).map_err(|e| project::unreadable(path, &e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Nothing in a line may act on the terminal it is shown on.
fn safe(text: &str) -> String {
    let acts = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().flat_map(|c| if acts(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}
