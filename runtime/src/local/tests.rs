use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

struct World {
    _dir: tempfile::TempDir,
    store: Store,
    app: std::path::PathBuf,
}

fn world(files: &[(&str, &str, u32)]) -> World {
    let dir = tempfile::tempdir().unwrap();
    let app = dir.path().join("app");
    fs::create_dir(&app).unwrap();
    let world = World { store: Store::open(&dir.path().join("store")).unwrap(), app, _dir: dir };
    for (name, content, mode) in files {
        world.write(name, content, *mode);
    }
    world
}

impl World {
    fn write(&self, name: &str, content: &str, mode: u32) {
        let path = self.app.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn folder(&self) -> Folder {
        Folder::open(&self.app, &[&self.app.join("image.yaml")]).unwrap()
    }

    fn capture(&self, path: &str) -> Result<Digest, Findings> {
        capture(&self.store, &self.folder(), path)
    }

    fn tree(&self, digest: &Digest) -> Tree {
        serde_json::from_slice(&self.store.read(digest, 1 << 20).unwrap()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.tree(&self.capture(".").unwrap()).entries().keys().map(TreePath::display).collect()
    }

    fn refusals(&self) -> Vec<String> {
        let findings = self.capture(".").unwrap_err();
        assert!(findings.iter().all(|f| f.code == codes::SOURCE_FILE), "{findings:?}");
        findings.into_iter().map(|f| f.message).collect()
    }
}

#[test]
fn modes_and_owners_are_normalised() {
    let world = world(&[("a", "a", 0o600), ("d/run", "r", 0o710), ("d/odd", "o", 0o4676)]);
    symlink("d/run", world.app.join("link")).unwrap();
    let digest = world.capture(".").unwrap();
    let tree = world.tree(&digest);
    let entry = |name: &str| tree.get(&name.parse().unwrap()).unwrap();
    let modes: Vec<u32> = ["a", "d", "d/run", "d/odd", "link"].map(|name| entry(name).mode).to_vec();
    assert_eq!(modes, [0o644, 0o755, 0o755, 0o644, 0o777]);
    assert!(tree.entries().values().all(|entry| (entry.uid, entry.gid) == (0, 0)));
    assert_eq!(entry("link").node, Kind::Symlink { target: "d/run".into() });
    // the same files elsewhere, with other modes that mean the same, are the same tree
    let other = super::tests::world(&[("d/odd", "o", 0o644), ("d/run", "r", 0o755), ("a", "a", 0o640)]);
    symlink("d/run", other.app.join("link")).unwrap();
    assert_eq!(other.capture(".").unwrap(), digest);
}

#[test]
fn secrets_caches_and_what_the_author_names_stay_out() {
    let world = world(&[
        (".git/config", "", 0o644),
        (".gitignore", "kept.txt\n", 0o644),
        (".env", "SECRET=1", 0o644),
        (".env.local", "SECRET=1", 0o644),
        (".environment", "", 0o644),
        ("pkg/__pycache__/m.pyc", "", 0o644),
        ("pkg/m.py", "", 0o644),
        ("pkg/.env", "", 0o644),
        ("m.pyc", "", 0o644),
        ("venv/bin/python", "", 0o755),
        (".venv/x", "", 0o644),
        ("kept.txt", "", 0o644),
        (".clnstrtignore", "*.log\n/only-here\n!important.log\n", 0o644),
        ("a.log", "", 0o644),
        ("pkg/b.log", "", 0o644),
        ("important.log", "", 0o644),
        ("only-here", "", 0o644),
        ("pkg/only-here", "", 0o644),
        ("pkg/.clnstrtignore", "tests/\n", 0o644),
        ("pkg/tests/t.py", "", 0o644),
    ]);
    let expected = [".environment", ".gitignore", "important.log", "kept.txt", "pkg", "pkg/m.py", "pkg/only-here"];
    assert_eq!(world.names(), expected);
}

#[test]
fn links_out_of_the_directory_and_special_files_are_all_reported() {
    let world = world(&[("d/f", "", 0o644)]);
    symlink("/etc/passwd", world.app.join("absolute")).unwrap();
    symlink("../../secret", world.app.join("d/out")).unwrap();
    symlink("../d/f", world.app.join("d/in")).unwrap();
    let _socket = UnixListener::bind(world.app.join("socket")).unwrap();
    let refusals = world.refusals();
    assert_eq!(refusals.len(), 3, "{refusals:?}");
    for name in ["absolute", "d/out", "socket"] {
        assert!(refusals.iter().any(|message| message.starts_with(name)), "{name}: {refusals:?}");
    }
}

#[test]
fn a_directory_that_is_none_is_refused() {
    let world = world(&[("f", "", 0o644)]);
    for path in ["none", "f"] {
        let findings = world.capture(path).unwrap_err();
        assert_eq!(findings[0].code, codes::SOURCE_FILE);
    }
}

#[test]
fn a_captured_tree_is_found_by_the_plan() {
    use model::plan::{Op, Plan};
    let world = world(&[("f", "content", 0o644), ("large", &"x".repeat(100_000), 0o644)]);
    let tree = world.capture(".").unwrap();
    let mut plan = Plan::new(0);
    let local = plan.add(Op::Local { tree }, vec![]);
    plan.add(Op::Layer { v: 1, epoch: 0, title: "application".into() }, vec![local]);
    let options = crate::execute::Options {
        jobs: 1,
        executors: crate::execute::Executors::default(),
        keep_going: false,
        check_reproducible: false,
        progress: std::sync::Arc::new(crate::Quiet),
    };
    assert_eq!(crate::execute::execute(&plan, &world.store, &options).unwrap().values.len(), 2);
    world.store.discard(&Digest::of("x".repeat(100_000).as_bytes())).unwrap();
    let findings = crate::execute::execute(&plan, &world.store, &options).unwrap().all().unwrap_err();
    assert_eq!(findings[0].code, codes::STORE_IO);
}

#[test]
fn one_file_goes_where_its_author_says() {
    let world = world(&[("init.toml", "x", 0o600)]);
    let digest = capture_file(&world.store, &world.folder(), "init.toml", "/etc/app/init.toml", 0o640).unwrap();
    let tree = world.tree(&digest);
    let names: Vec<String> = tree.entries().keys().map(TreePath::display).collect();
    assert_eq!(names, ["etc", "etc/app", "etc/app/init.toml"]);
    assert_eq!(tree.get(&"etc/app/init.toml".parse().unwrap()).unwrap().mode, 0o640);
    for (from, to) in [("none", "/x"), (".", "/x"), ("init.toml", "/../x"), ("init.toml", "/")] {
        assert_eq!(capture_file(&world.store, &world.folder(), from, to, 0o644).unwrap_err().code, codes::SOURCE_FILE);
    }
}

#[test]
fn only_certificates_are_taken_from_pem_files() {
    let block = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----");
    let body = data_encoding::BASE64.encode(&[0x30; 90]);
    let read = |text: &str| {
        let world = world(&[("ca.pem", text, 0o644)]);
        read_certificates(&world.folder(), "ca.pem")
    };
    let (first, rest) = body.split_at(64);
    let expected = format!("{}\n", block(&format!("{first}\n{rest}")));
    assert_eq!(read(&format!("subject: x\r\n{}\r\n", block(&body))).unwrap(), expected);
    assert_eq!(read(&format!("{}\n{}\n", block(&body), block(&body))).unwrap(), expected.repeat(2));
    let key = format!("{}\n-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n", block(&body));
    for bad in ["", "text", &key, &block("!!!!"), &block("AAAA"), "-----BEGIN CERTIFICATE-----\nMA=="] {
        assert_eq!(read(bad).unwrap_err().code, codes::SOURCE_FILE, "{bad}");
    }
}

#[test]
fn nothing_outside_the_folder_is_taken_whatever_leads_there() {
    let world = world(&[("in/f", "inside", 0o644)]);
    let outside = world.app.with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("f"), "outside").unwrap();
    symlink(&outside, world.app.join("ld")).unwrap();
    symlink(outside.join("f"), world.app.join("lf")).unwrap();
    symlink("in", world.app.join("inner")).unwrap();
    assert_eq!(world.capture("inner").unwrap(), world.capture("in").unwrap());
    assert_eq!(world.capture("ld").unwrap_err()[0].code, codes::SOURCE_FILE);
    for file in ["lf", "ld/f", "../outside/f"] {
        assert_eq!(
            capture_file(&world.store, &world.folder(), file, "/f", 0o644).unwrap_err().code,
            codes::SOURCE_FILE
        );
        let finding = read_certificates(&world.folder(), file).unwrap_err();
        assert!(finding.message.contains("outside the configuration's folder"), "{}", finding.message);
    }
}

#[test]
fn what_the_program_reads_and_writes_itself_is_no_application() {
    let world = world(&[("image.yaml", "name: x", 0o644), ("main.py", "", 0o644)]);
    assert_eq!(world.names(), ["main.py"]);
    let plain = b"oci-layout\0".to_vec();
    let gzip = [&crate::archive::GZIP_START[..], &[1, 0, 0, 0, 0], &plain].concat();
    let bundle = [crate::bundle::LOCK.as_bytes(), b"\0"].concat();
    for bytes in [plain, gzip, bundle] {
        fs::write(world.app.join("out"), bytes).unwrap();
        assert_eq!(world.refusals(), ["out was written by this program"]);
    }
    world.write(".clnstrtignore", "out\n", 0o644);
    assert_eq!(world.names(), ["main.py"]);
}

#[test]
fn ignore_rules_are_read_from_regular_files_of_a_sensible_size() {
    let world = world(&[("kept", "", 0o644), ("a/x", "", 0o644), ("b/x", "", 0o644)]);
    let pipe = world.app.join("a").join(IGNORE_FILE);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    symlink("/dev/zero", world.app.join("b").join(IGNORE_FILE)).unwrap();
    let refusals = world.refusals();
    assert_eq!(refusals.len(), 2, "{refusals:?}");
    assert!(refusals.iter().all(|refusal| refusal.ends_with(".clnstrtignore is no regular file")), "{refusals:?}");
    let long = "#".repeat(usize::try_from(MAX_RULES).unwrap() + 1);
    world.write(IGNORE_FILE, &long, 0o644);
    assert!(world.refusals()[0].ends_with(".clnstrtignore has more than 1048576 bytes"));
}
