//! Writers that are killed after each of their steps.

use std::sync::atomic::Ordering::Relaxed;

use super::*;

/// A log of which a writer is killed after some steps.
fn weak(dir: &Path, steps: usize) -> Log {
    let log = Log::open(dir).unwrap();
    log.folder.steps.store(steps, Relaxed);
    log
}

fn has_line(dir: &Path, name: &str) -> bool {
    let text = fs::read_to_string(dir.join(LINES)).unwrap_or_default();
    text.ends_with('\n') && text.lines().any(|line| line.contains(name))
}

#[test]
fn a_kill_while_a_line_is_added_loses_no_whole_line() {
    for size in [0, 1, 254, 255, 256] {
        let base = at(size);
        let mut steps = 0;
        loop {
            let dir = copy(base.path());
            let is_done = weak(dir.path(), steps).append(record(1001)).is_ok();
            let is_promised = dir.path().join(PENDING).exists() || is_done;
            let was_written = has_line(dir.path(), "app:1001");
            assert!(is_promised || !was_written);
            let killed = verify(dir.path(), None, None).unwrap();
            assert_eq!(killed.is_unfinished, is_promised && !is_done, "{size} lines, {steps} steps");
            Log::open(dir.path()).unwrap().append(record(1002)).unwrap();
            assert!(!verify(dir.path(), None, None).unwrap().is_unfinished);
            let mut wanted: Vec<String> = (1..=size).map(|n| format!("app:{n}")).collect();
            wanted.extend(is_promised.then(|| "app:1001".to_owned()));
            wanted.push("app:1002".to_owned());
            assert_eq!(names(dir.path()), wanted, "{size} lines, {steps} steps");
            if is_done {
                break;
            }
            steps += 1;
        }
        assert!(steps > 12, "{steps}");
    }
}

#[test]
fn a_kill_while_a_line_is_completed_loses_nothing_either() {
    let base = at(2);
    for first in 3.. {
        let killed = copy(base.path());
        if weak(killed.path(), first).append(record(3)).is_ok() {
            break;
        }
        for second in 0.. {
            let dir = copy(killed.path());
            let is_done = weak(dir.path(), second).append(record(4)).is_ok();
            verify(dir.path(), None, None).unwrap();
            Log::open(dir.path()).unwrap().append(record(5)).unwrap();
            verify(dir.path(), None, None).unwrap();
            let found = names(dir.path());
            assert_eq!(found[..3], ["app:1", "app:2", "app:3"]);
            assert!(found.len() == 4 || found[3] == "app:4", "{found:?}");
            assert_eq!(found.last().unwrap(), "app:5");
            if is_done {
                break;
            }
        }
    }
}

#[test]
fn a_kill_while_a_log_is_begun_leaves_one_that_can_be_begun() {
    for steps in 0.. {
        let dir = TempDir::new().unwrap();
        let folder = Folder::make(dir.path()).unwrap();
        folder.steps.store(steps, Relaxed);
        let is_done = Log::open_in(folder).is_ok();
        begin(dir.path(), 2);
        assert_eq!(verify(dir.path(), None, None).unwrap().checkpoint.size, 2);
        if is_done {
            assert!(steps > 6, "{steps}");
            break;
        }
    }
}

/// A log of two lines, of which a writer was killed before it wrote the line that it promised.
fn promised() -> (TempDir, String, String) {
    let base = at(2);
    let before = read(base.path(), LINES);
    for steps in 0.. {
        let dir = copy(base.path());
        weak(dir.path(), steps).append(record(3)).unwrap_err();
        if dir.path().join(PENDING).exists() {
            assert_eq!(read(dir.path(), LINES), before);
            let line = read(dir.path(), PENDING).lines().nth(3).unwrap().to_owned();
            return (dir, before, line);
        }
    }
    unreachable!()
}

#[test]
fn a_line_that_was_begun_is_completed() {
    let (base, before, line) = promised();
    let line = format!("{line}\n");
    for length in 0..=line.len() {
        let dir = copy(base.path());
        fs::write(dir.path().join(LINES), format!("{before}{}", &line[..length])).unwrap();
        assert!(verify(dir.path(), None, None).unwrap().is_unfinished);
        assert_eq!(names(dir.path()).len(), 2);
        let to = TempDir::new().unwrap();
        export(dir.path(), &to.path().join("copy"), None).unwrap();
        assert_eq!(names(&to.path().join("copy")).len(), 2);
        Log::open(dir.path()).unwrap().append(record(4)).unwrap();
        assert!(!verify(dir.path(), None, None).unwrap().is_unfinished);
        assert_eq!(names(dir.path()), ["app:1", "app:2", "app:3", "app:4"]);
    }
}

#[test]
fn behind_a_kill_too_no_other_line_is_accepted() {
    let (base, before, line) = promised();
    let other = line.replace("tester", "nobody");
    for tail in [format!("{other}\n"), other.clone(), format!("{line}\n{other}\n"), format!("{line} "), "\n".to_owned()]
    {
        let dir = copy(base.path());
        fs::write(dir.path().join(LINES), format!("{before}{tail}")).unwrap();
        let findings = verify(dir.path(), None, None).unwrap_err();
        assert!(findings[0].message.contains("line 3 of the audit trail was added by hand"), "{findings:?}");
        let finding = Log::open(dir.path()).err().unwrap();
        assert!(finding.message.contains("line 3 of the audit trail was added by hand"), "{finding:?}");
    }
    // Nor is a promise that somebody wrote, or that was one of another time.
    let note = read(base.path(), PENDING);
    for (forged, wanted) in [
        (note.replace("tester", "nobody"), "was not promised by its key"),
        (read(base.path(), CHECKPOINT), "was not promised by its key"),
        ("x".repeat(1 << 20), "was not promised by its key"),
    ] {
        let dir = copy(base.path());
        fs::write(dir.path().join(PENDING), forged).unwrap();
        let findings = verify(dir.path(), None, None).unwrap_err();
        assert!(findings[0].message.contains(wanted), "{findings:?}");
        assert_eq!(Log::open(dir.path()).err().unwrap(), findings[0]);
    }
    let dir = copy(base.path());
    let log = Log::open(dir.path()).unwrap();
    log.append(record(4)).unwrap();
    fs::write(dir.path().join(PENDING), note).unwrap();
    let findings = verify(dir.path(), None, None).unwrap_err();
    assert!(findings[0].message.contains("is not its next line"), "{findings:?}");
    assert_eq!(log.append(record(5)).unwrap_err(), findings[0]);
}
