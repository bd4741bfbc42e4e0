use std::io::Cursor;

use data_encoding::BASE64URL_NOPAD;
use model::{Entry, Kind, TreePath};
use proptest::prelude::*;

use super::super::testing::Memory;
use super::*;

const METADATA: &str = "Metadata-Version: 2.1\nName: Some.Project\nVersion: 1.0\n\nName: not this one\n";
const WHEEL: &str = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n";

type Files<'a> = Vec<(&'a str, &'a str, u32)>;

fn files() -> Files<'static> {
    vec![
        ("some_project/__init__.py", "x = 1\n", 0o644),
        ("some_project/__pycache__/evil.pyc", "y", 0o644),
        ("some_project/tool", "#!/bin/sh\n", 0o755),
        ("some_project-1.0.data/scripts/run", "#!pythonw -s\nprint()\n", 0o644),
        ("some_project-1.0.data/headers/a.h", "int a;\n", 0o644),
        ("some_project-1.0.data/data/share/doc,1", "doc", 0o644),
        ("some_project-1.0.data/platlib/native.so", "so", 0o644),
        ("some_project-1.0.dist-info/METADATA", METADATA, 0o644),
        ("some_project-1.0.dist-info/WHEEL", WHEEL, 0o644),
        ("some_project-1.0.dist-info/entry_points.txt", "[console_scripts]\nsome = some_project:main\n", 0o644),
    ]
}

fn line(name: &str, content: &str) -> String {
    let name = if name.contains(',') { format!("\"{name}\"") } else { name.to_owned() };
    format!("{name},sha256={},{}\n", BASE64URL_NOPAD.encode(Digest::of(content.as_bytes()).as_bytes()), content.len())
}

fn record(files: &Files) -> String {
    let lines: String = files.iter().map(|(name, content, _)| line(name, content)).collect();
    lines + "some_project-1.0.dist-info/RECORD,,\n"
}

fn wheel(files: &Files, record: &str) -> Vec<u8> {
    use ::zip::write::SimpleFileOptions;
    let mut zip = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in files.iter().chain([&("some_project-1.0.dist-info/RECORD", record, 0o644)]) {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn scheme() -> WheelScheme {
    let path = |text: &str| text.parse().unwrap();
    WheelScheme {
        purelib: path("usr/lib/python3/pure"),
        platlib: path("usr/lib/python3/plat"),
        headers: path("usr/include/python3"),
        scripts: path("usr/bin"),
        data: path("usr"),
        interpreter: "/usr/bin/python3".into(),
    }
}

fn read(bytes: &[u8], metadata: Option<Digest>) -> Result<(Tree, Memory), Finding> {
    let scheme = scheme();
    let wanted = Wanted {
        scheme: &scheme,
        project: "some-project",
        version: "1.0",
        metadata: metadata.map_or(Metadata::OfWheel, Metadata::Served),
    };
    let mut sink = Memory::default();
    install(Cursor::new(bytes), &wanted, &Limits::default(), &mut sink).map(|tree| (tree, sink))
}

fn refused(files: &Files, record: &str) -> Finding {
    read(&wheel(files, record), None).map(|(tree, _)| tree).unwrap_err()
}

fn entry<'t>(tree: &'t Tree, name: &str) -> &'t Entry {
    tree.get(&name.parse().unwrap()).unwrap_or_else(|| panic!("{name} is not there"))
}

fn content(tree: &Tree, sink: &Memory, name: &str) -> String {
    let Kind::File { digest, .. } = entry(tree, name).node else { panic!("{name}") };
    String::from_utf8(sink.0[&digest].clone()).unwrap()
}

#[test]
fn a_wheel_is_installed_as_installer_does_it() {
    let files = files();
    let (tree, sink) = read(&wheel(&files, &record(&files)), Some(Digest::of(METADATA.as_bytes()))).unwrap();
    let paths: Vec<String> =
        tree.entries().iter().filter(|(_, e)| e.node != Kind::Dir).map(|(p, _)| p.display()).collect();
    let dist = "usr/lib/python3/pure/some_project-1.0.dist-info";
    let mut expected = vec![
        "usr/bin/run".to_owned(),
        "usr/bin/some".into(),
        "usr/include/python3/some-project/a.h".into(),
        "usr/lib/python3/plat/native.so".into(),
        "usr/lib/python3/pure/some_project/__init__.py".into(),
        "usr/lib/python3/pure/some_project/tool".into(),
        "usr/share/doc,1".into(),
    ];
    expected
        .extend(["INSTALLER", "METADATA", "RECORD", "WHEEL", "entry_points.txt"].map(|name| format!("{dist}/{name}")));
    expected.sort();
    assert_eq!(paths, expected);
    assert_eq!(content(&tree, &sink, "usr/bin/run"), "#!/usr/bin/python3\nprint()\n");
    assert_eq!(content(&tree, &sink, &format!("{dist}/INSTALLER")), "clnstrt\n");
    let mode = |name: &str| entry(&tree, name).mode;
    assert_eq!((mode("usr/bin/run"), mode("usr/bin/some")), (0o755, 0o755));
    assert_eq!(
        (mode("usr/lib/python3/pure/some_project/tool"), mode("usr/lib/python3/plat/native.so")),
        (0o755, 0o644)
    );

    let record = content(&tree, &sink, &format!("{dist}/RECORD"));
    let some = content(&tree, &sink, "usr/bin/some");
    assert!(record.contains(&line("../../../bin/run", "#!/usr/bin/python3\nprint()\n")), "{record}");
    assert!(record.contains(&line("../../../bin/some", &some)), "{record}");
    assert!(record.contains(&line("../plat/native.so", "so")), "{record}");
    assert!(record.contains(&line("../../../share/doc,1", "doc")), "{record}");
    assert!(record.contains("some_project-1.0.dist-info/RECORD,,\n"), "{record}");
    assert!(!record.contains("__pycache__"), "{record}");
    assert_eq!(record.lines().count(), paths.len());
}

#[test]
fn a_wheel_that_is_not_pure_goes_to_platlib() {
    let mut files = files();
    files[8].1 = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n";
    let (tree, _) = read(&wheel(&files, &record(&files)), None).unwrap();
    entry(&tree, "usr/lib/python3/plat/some_project/__init__.py");
    files[8].1 = "Wheel-Version: 2.0\n";
    assert_eq!(refused(&files, &record(&files)).code, codes::WHEEL_INVALID);
}

#[test]
fn every_difference_from_record_is_found() {
    let files = files();
    let good = record(&files);
    let changed: Files =
        files.iter().map(|f| if f.0.ends_with("__init__.py") { (f.0, "x = 2\n", f.2) } else { *f }).collect();
    let missing: Files = files[1..].to_vec();
    let mut extra = files.clone();
    extra.push(("some_project/extra.py", "", 0o644));
    for (files, expected) in [(changed, "another digest"), (missing, "not there"), (extra, "is not listed")] {
        let finding = refused(&files, &good);
        assert_eq!(finding.code, codes::WHEEL_INVALID);
        assert!(finding.causes.iter().any(|cause| cause.contains(expected)), "{expected}: {finding:?}");
    }
    let size = good.replacen(",6\n", ",7\n", 1);
    assert!(refused(&files, &size).causes[0].contains("another size"));
    let weak = good.replacen("sha256=", "md5=", 1);
    assert!(refused(&files, &weak).causes[0].contains("no SHA-256"));
    assert_eq!(refused(&files, &format!("{good}{}", good.lines().next().unwrap())).code, codes::WHEEL_INVALID);
}

#[test]
fn metadata_must_be_of_the_wanted_version_and_the_one_resolution_read() {
    let files = files();
    let bytes = wheel(&files, &record(&files));
    let finding = read(&bytes, Some(Digest::of(b"other"))).map(|(tree, _)| tree).unwrap_err();
    assert_eq!(finding.code, codes::METADATA_DIFFERS);
    let mut other = files.clone();
    other[7].1 = "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n";
    assert_eq!(refused(&other, &record(&other)).code, codes::WHEEL_INVALID);
    let scheme = scheme();
    let wanted = Wanted { scheme: &scheme, project: "some-project", version: "1.0.1", metadata: Metadata::OfWheel };
    let finding = install(Cursor::new(&bytes), &wanted, &Limits::default(), &mut Memory::default()).unwrap_err();
    assert_eq!(finding.code, codes::WHEEL_INVALID);
}

#[test]
fn files_cannot_leave_the_directory_of_their_scheme() {
    for name in ["some_project-1.0.data/scripts/../../../etc/x", "some_project/../../../../x", "/etc/x"] {
        let mut files = files();
        files.push((name, "x", 0o644));
        let finding = refused(&files, &record(&files));
        assert!([codes::ARCHIVE_ESCAPES, codes::ARCHIVE_INVALID].contains(&finding.code), "{name}: {finding:?}");
    }
    let mut files = files();
    files.push(("some_project-1.0.data/elsewhere/x", "x", 0o644));
    assert_eq!(refused(&files, &record(&files)).code, codes::WHEEL_INVALID);
}

#[test]
fn names_no_file_system_takes_are_refused() {
    for name in ["d/".repeat(200) + "x", "n".repeat(300)] {
        let mut files = files();
        files.push((&name, "x", 0o644));
        assert_eq!(refused(&files, &record(&files)).code, codes::ARCHIVE_TOO_LARGE);
    }
    let deep = "d/".repeat(100) + "x";
    let mut files = files();
    files.push((&deep, "x", 0o644));
    assert!(read(&wheel(&files, &record(&files)), None).is_ok());
}

#[test]
fn a_script_does_not_take_the_place_of_the_interpreter() {
    for (script, taken) in [("python3", true), ("python", true), ("python3.13", true), ("python-x", false)] {
        let mut files = files();
        let name = format!("some_project-1.0.data/scripts/{script}");
        files.push((&name, "#!python\n", 0o644));
        assert_eq!(read(&wheel(&files, &record(&files)), None).is_err(), taken, "{script}");
        files.pop();
        let commands = format!("[console_scripts]\n{script} = some_project:main\n");
        files[9].1 = &commands;
        assert_eq!(read(&wheel(&files, &record(&files)), None).is_err(), taken, "command {script}");
    }
}

#[test]
fn two_files_for_one_place_are_refused() {
    let mut files = files();
    files.push(("some_project-1.0.data/scripts/some", "mine", 0o644));
    assert_eq!(refused(&files, &record(&files)).code, codes::ARCHIVE_INVALID);
}

proptest! {
    #[test]
    fn a_damaged_wheel_never_panics(at: usize, byte: u8) {
        let files = files();
        let mut bytes = wheel(&files, &record(&files));
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok((tree, _)) = read(&bytes, None) {
            prop_assert!(tree.get(&"usr/bin/run".parse::<TreePath>().unwrap()).is_some());
        }
    }
}

#[test]
fn a_wheel_built_from_a_source_needs_no_more_than_that_said() {
    let metadata = METADATA.replace("Version: 1.0\n", "Version: 1.0\nRequires-Dist: other>=1\n");
    let mut files = files();
    let place = files.iter_mut().find(|(name, ..)| name.ends_with("METADATA")).unwrap();
    place.1 = metadata.as_str();
    let bytes = wheel(&files, &record(&files));
    let read = |said: &[&str]| {
        let said =
            CoreMetadata { requires_dist: said.iter().map(|text| (*text).into()).collect(), ..CoreMetadata::default() };
        let scheme = scheme();
        let metadata = Metadata::OfSource(&said);
        let wanted = Wanted { scheme: &scheme, project: "some-project", version: "1.0", metadata };
        install(Cursor::new(bytes.as_slice()), &wanted, &Limits::default(), &mut Memory::default())
    };
    read(&["other >= 1", "unused"]).unwrap();
    let finding = read(&["other>=2"]).unwrap_err();
    assert_eq!(finding.code, codes::METADATA_DIFFERS);
    assert_eq!(finding.causes, ["it needs `other>=1`"]);
}
