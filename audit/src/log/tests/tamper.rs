//! What somebody does to a log who has no key, and the line that is named.

use super::*;

fn lines(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join(LINES)).unwrap_or_default(); // an empty log has no such file
    text.lines().map(str::to_owned).collect()
}

fn put(dir: &Path, lines: &[String]) {
    fs::write(dir.join(LINES), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// Gives every line the hash of the one before, as somebody does who knows how lines follow one another.
fn chained(lines: &mut [String]) {
    let mut previous = None;
    for line in lines {
        let record = Record { previous, ..Record::parse(line.as_bytes()).unwrap() };
        *line = String::from_utf8(record.line().unwrap()).unwrap();
        previous = Some(tree::leaf(line.as_bytes()));
    }
}

#[track_caller]
fn refused(dir: &Path, older: Option<&str>, wanted: &str) {
    let findings = verify(dir, None, older).unwrap_err();
    assert_eq!(findings[0].code, codes::AUDIT_BROKEN);
    assert!(findings[0].message.contains(wanted), "wanted {wanted:?}, found {findings:#?}");
}

fn flip(dir: &Path, name: &str, at: usize) {
    let mut bytes = fs::read(dir.join(name)).unwrap();
    bytes[at] ^= 1;
    fs::write(dir.join(name), bytes).unwrap();
}

/// Another line, like one that a user would have written.
fn foreign() -> String {
    String::from_utf8(record(999).line().unwrap()).unwrap()
}

fn edited(line: &str) -> String {
    line.replace("tester", "nobody")
}

#[test]
fn what_was_done_to_lines_is_named_with_the_line() {
    type Change = fn(&mut Vec<String>);
    let table: [(&str, Change); 21] = [
        ("line 300 of the audit trail was cut off", |lines| drop(lines.pop())),
        ("lines 256 to 300 of the audit trail were cut off", |lines| lines.truncate(255)),
        ("lines 1 to 300 of the audit trail were cut off", Vec::clear),
        ("line 5 of the audit trail was taken out", |lines| drop(lines.remove(4))),
        ("line 1 of the audit trail was taken out", |lines| drop(lines.remove(0))),
        ("lines 5 to 260 of the audit trail were taken out", |lines| drop(lines.drain(4..260))),
        ("line 17 of the audit trail was edited", |lines| lines[16] = edited(&lines[16])),
        ("line 300 of the audit trail was edited", |lines| lines[299] = edited(&lines[299])),
        ("line 300 of the audit trail was edited", |lines| lines[299] = foreign()),
        ("line 256 of the audit trail was edited", |lines| lines[255].push(' ')),
        ("line 2 of the audit trail was edited", |lines| lines[1].push('\r')),
        ("line 9 of the audit trail was edited", |lines| lines[8] = "x".repeat(1 << 20)),
        ("line 17 of the audit trail was edited", |lines| {
            lines[16] = edited(&lines[16]);
            chained(lines);
        }),
        ("line 5 of the audit trail was edited", |lines| {
            drop(lines.remove(4));
            chained(lines);
        }),
        ("lines 3 and 4 of the audit trail have changed places", |lines| lines.swap(2, 3)),
        ("lines 3 and 299 of the audit trail have changed places", |lines| lines.swap(2, 298)),
        ("lines 10 to 20 of the audit trail stand in another order", |lines| lines[9..20].rotate_left(1)),
        ("lines 10 to 20 of the audit trail stand in another order", |lines| lines[9..20].rotate_right(1)),
        ("line 9 of the audit trail was put in", |lines| lines.insert(8, foreign())),
        ("line 9 of the audit trail was put in", |lines| lines.insert(8, lines[2].clone())),
        ("lines 9 to 10 of the audit trail were put in", |lines| {
            lines.insert(8, foreign());
            lines.insert(8, String::new());
        }),
    ];
    for (wanted, change) in table {
        let dir = long();
        let mut lines = lines(dir.path());
        change(&mut lines);
        put(dir.path(), &lines);
        refused(dir.path(), None, wanted);
    }
}

#[test]
fn a_line_added_by_hand_is_refused_even_if_it_follows() {
    for size in [0, 1, 256] {
        let base = at(size);
        let log = Log::open(base.path()).unwrap();
        let mut chain = lines(base.path());
        chain.push(foreign());
        chained(&mut chain);
        put(base.path(), &chain);
        let wanted = format!("line {} of the audit trail was added by hand", size + 1);
        refused(base.path(), None, &wanted);
        let finding = log.append(record(7)).unwrap_err();
        assert!(finding.message.contains(&wanted), "{finding:?}");
        // Nor does it matter how it ends.
        fs::write(base.path().join(LINES), read(base.path(), LINES).trim_end()).unwrap();
        refused(base.path(), None, &wanted);
    }
}

#[test]
fn a_missing_line_break_is_named() {
    let dir = long();
    let text = read(dir.path(), LINES);
    fs::write(dir.path().join(LINES), text.trim_end()).unwrap();
    refused(dir.path(), None, "line 300 of the audit trail is cut off");
    fs::write(dir.path().join(LINES), &text[..text.len() - 9]).unwrap();
    refused(dir.path(), None, "line 300 of the audit trail was edited");
    fs::remove_file(dir.path().join(LINES)).unwrap();
    refused(dir.path(), None, "lines 1 to 300 of the audit trail were cut off");
}

#[test]
fn a_later_line_hides_nothing() {
    let dir = long();
    let mut all = lines(dir.path());
    all[16] = edited(&all[16]);
    put(dir.path(), &all);
    Log::open(dir.path()).unwrap().append(record(301)).unwrap();
    refused(dir.path(), None, "line 17 of the audit trail was edited");
    // Where the end of the log was altered, nothing is added, and the line is named.
    for change in [|all: &mut Vec<String>| all[298] = edited(&all[298]), |all: &mut Vec<String>| drop(all.pop())] {
        let dir = long();
        let mut all = lines(dir.path());
        change(&mut all);
        put(dir.path(), &all);
        let finding = Log::open(dir.path()).err().unwrap();
        assert!(finding.message.contains("line 299 of") || finding.message.contains("line 300 of"), "{finding:?}");
    }
}

#[test]
fn altered_tiles_are_named() {
    for (name, at) in [("tile/0/000", 8191), ("tile/0/001.p/44", 0), ("tile/1/000.p/1", 31)] {
        let dir = long();
        flip(dir.path(), name, at);
        refused(dir.path(), None, &format!("{name} of the audit trail was altered"));
        fs::write(dir.path().join(name), [0; 8193]).unwrap();
        refused(dir.path(), None, &format!("{name} of the audit trail was altered"));
        fs::remove_file(dir.path().join(name)).unwrap();
        refused(dir.path(), None, &format!("{name} of the audit trail was altered"));
    }
    for (name, at, line) in [("tile/entries/000", 9, 1), ("tile/entries/001.p/44", 9, 257)] {
        let dir = long();
        flip(dir.path(), name, at);
        refused(dir.path(), None, &format!("{name} of the audit trail was altered: it has another line {line}"));
        flip(dir.path(), name, 0);
        refused(dir.path(), None, &format!("{name} of the audit trail was altered"));
        fs::remove_file(dir.path().join(name)).unwrap();
        refused(dir.path(), None, &format!("{name} of the audit trail was altered"));
    }
}

#[test]
fn nothing_is_added_where_the_last_tiles_were_altered() {
    for (size, names) in [
        (255, ["tile/0/000.p/255", "tile/entries/000.p/255"]),
        (256, ["tile/0/000", "tile/entries/000"]),
        (300, ["tile/1/000.p/1", "tile/entries/001.p/44"]),
    ] {
        for name in names {
            let dir = at(size);
            flip(dir.path(), name, 5);
            let finding = Log::open(dir.path()).err().unwrap();
            assert!(finding.message.contains(name), "{name}: {finding:?}");
        }
    }
}

#[test]
fn of_lines_and_tiles_that_were_altered_what_is_left_is_asked() {
    let dir = long();
    let mut all = lines(dir.path());
    all[16] = edited(&all[16]);
    put(dir.path(), &all);
    flip(dir.path(), "tile/0/000", 7);
    refused(dir.path(), None, "line 17 of the audit trail was edited");
    fs::remove_file(dir.path().join("tile/entries/000")).unwrap();
    refused(dir.path(), None, "line 18 of the audit trail does not follow the line before it");
}

/// Everything that needs no key: the chain, the tiles and the bundles.
#[test]
fn a_log_that_was_written_anew_is_not_what_is_signed() {
    let dir = long();
    let older = read(at(100).path(), CHECKPOINT);
    let mut all = lines(dir.path());
    all[200] = edited(&all[200]);
    chained(&mut all);
    put(dir.path(), &all);
    fs::remove_dir_all(dir.path().join("tile")).unwrap();
    let folder = Folder::at(dir.path());
    for (size, line) in (0..).zip(&all) {
        tiles::add(&folder, size, line.as_bytes()).unwrap();
    }
    refused(dir.path(), None, "was written anew behind line 0");
    refused(dir.path(), Some(&older), "was written anew behind line 100");
}

#[test]
fn an_older_checkpoint_shows_what_the_owner_of_the_key_did() {
    let (early, dir) = (at(5), long());
    let (fifth, newest) = (read(early.path(), CHECKPOINT), read(dir.path(), CHECKPOINT));
    let key = &verify(dir.path(), None, None).unwrap().key;
    for older in [&fifth, &newest] {
        verify(dir.path(), Some(key), Some(older)).unwrap();
    }
    // The log as it was is a log, and only who kept the newer checkpoint knows better.
    verify(early.path(), Some(key), Some(&fifth)).unwrap();
    refused(early.path(), Some(&newest), "was shortened: it has 5 lines, and an older checkpoint has 300");
    let anew = TempDir::new().unwrap();
    fs::copy(dir.path().join("key"), anew.path().join("key")).unwrap();
    let empty = Log::open(anew.path()).unwrap();
    let none = read(anew.path(), CHECKPOINT);
    for n in 0..10 {
        empty.append(record(n)).unwrap();
    }
    verify(anew.path(), Some(key), None).unwrap();
    verify(anew.path(), Some(key), Some(&none)).unwrap();
    refused(anew.path(), Some(&fifth), "its first 5 lines are not those of an older checkpoint");
    refused(anew.path(), Some("nothing"), "the older checkpoint is not one of");
}

#[test]
fn a_checkpoint_of_another_key_is_refused() {
    let (dir, other) = (long(), TempDir::new().unwrap());
    let stranger = begin(other.path(), 3);
    let key = verify(dir.path(), None, None).unwrap().key;
    let is_refused = |dir: &Path, key: Option<&VerifierKey>| {
        let findings = verify(dir, key, None).unwrap_err();
        assert!(findings[0].message.contains("the checkpoint of the audit trail is not one of"), "{findings:?}");
    };
    is_refused(dir.path(), Some(stranger.key()));
    is_refused(other.path(), Some(&key));
    fs::copy(other.path().join(CHECKPOINT), dir.path().join(CHECKPOINT)).unwrap();
    is_refused(dir.path(), None);
    let text = read(other.path(), CHECKPOINT);
    fs::write(other.path().join(CHECKPOINT), text.replacen("\n3\n", "\n2\n", 1)).unwrap();
    is_refused(other.path(), None);
    assert_eq!(stranger.append(record(4)).unwrap_err().code, codes::AUDIT_BROKEN);
    // What is not a checkpoint although the key signed it is none.
    let note = Signer::sign(&stranger.key, &format!("{}/pending\n3\n0\n{{}}\n", stranger.key().name()));
    fs::write(other.path().join(CHECKPOINT), note).unwrap();
    is_refused(other.path(), None);
    fs::remove_file(other.path().join(CHECKPOINT)).unwrap();
    refused(other.path(), None, "has no checkpoint any more");
    assert_eq!(Log::open(other.path()).err().unwrap().code, codes::AUDIT_BROKEN);
    fs::write(other.path().join(CHECKPOINT), [0xff; 10]).unwrap();
    refused(other.path(), None, "checkpoint of the audit trail was altered");
}

#[test]
fn other_keys_beside_a_log_are_refused() {
    let (dir, other) = (long(), TempDir::new().unwrap());
    let stranger = begin(other.path(), 0);
    fs::write(dir.path().join(PUBLIC), format!("{}\n", stranger.key())).unwrap();
    assert_eq!(Log::open(dir.path()).err().unwrap().code, codes::AUDIT_BROKEN);
    refused(dir.path(), None, "the checkpoint of the audit trail is not one of");
    fs::write(dir.path().join(PUBLIC), "nothing").unwrap();
    refused(dir.path(), None, "key.pub of the audit trail cannot be read");
}

#[test]
fn a_pipe_is_not_waited_for() {
    for name in [LINES, CHECKPOINT, "tile/0/000", "lock"] {
        let dir = long();
        fs::remove_file(dir.path().join(name)).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, dir.path().join(name), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        assert_eq!(verify(dir.path(), None, None).unwrap_err()[0].code, codes::AUDIT_UNUSABLE, "{name}");
    }
}
