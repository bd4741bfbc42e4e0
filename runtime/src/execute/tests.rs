use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use model::lock::Origin;
use model::plan::{Addition, ArchiveFormat, Check, ImageConfig, Op, ScriptModel};
use model::{Arch, Code, Digest, TreePath};
use proptest::prelude::*;

use super::*;
use crate::Quiet;

mod inventory;

/// A store in a directory of its own, and a plan over it.
struct World {
    dir: tempfile::TempDir,
    store: Store,
    plan: Plan,
}

fn path(text: &str) -> TreePath {
    text.parse().unwrap()
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { dir, store, plan: Plan::new(1000) }
    }

    fn fetch(&mut self, file: &str, bytes: &[u8]) -> PlanKey {
        let sha256 = self.store.put(bytes).unwrap();
        let op = Op::Fetch {
            origin: Origin::Debian,
            name: file.into(),
            file: file.into(),
            sha256,
            size: bytes.len() as u64,
        };
        self.plan.add(op, vec![])
    }

    fn tar(&mut self, file: &str, members: &[(&str, &[u8])]) -> PlanKey {
        let fetched = self.fetch(file, &tar(members));
        self.plan.add(Op::Unpack { v: 1, format: ArchiveFormat::Tar }, vec![fetched])
    }

    fn compose(&mut self, add: Vec<Addition>, inputs: Vec<PlanKey>) -> PlanKey {
        self.plan.add(Op::Compose { v: 1, add }, inputs)
    }

    /// Two layers, their check and an index over one image.
    fn image(&mut self, base: PlanKey, top: PlanKey) -> PlanKey {
        let layer = |title: &str| Op::Layer { v: 1, epoch: 1000, title: title.into() };
        let layers = [self.plan.add(layer("base"), vec![base]), self.plan.add(layer("top"), vec![top, base])];
        let check = self.plan.add(Op::Check { v: 1, check: Check::Libraries, arch: Arch::Amd64 }, vec![base, top]);
        let config = ImageConfig {
            user: "1:1".into(),
            workdir: "/".into(),
            ports: vec!["80/tcp".into()],
            ..ImageConfig::default()
        };
        let op = Op::Image { v: 1, arch: Arch::Amd64, epoch: 1000, config, annotations: BTreeMap::new() };
        let image = self.plan.add(op, vec![layers[0], layers[1], check]);
        self.plan.add(Op::Index { v: 1, annotations: BTreeMap::new() }, vec![image])
    }

    fn run(&self, jobs: usize) -> Result<BTreeMap<PlanKey, Value>, Findings> {
        let options = Options {
            jobs,
            executors: Executors::default(),
            keep_going: false,
            check_reproducible: false,
            progress: Arc::new(Quiet),
        };
        execute(&self.plan, &self.store, &options)?.all()
    }

    fn codes(&self) -> Vec<Code> {
        self.run(2).unwrap_err().iter().map(|finding| finding.code).collect()
    }

    /// Forgets every action, as a cold cache has.
    fn forget(&self) {
        std::fs::remove_dir_all(self.dir.path().join("actions")).unwrap();
        std::fs::create_dir(self.dir.path().join("actions")).unwrap();
    }

    fn tree(&self, value: &Value) -> model::Tree {
        let Value::Tree { tree, .. } = value else { panic!("{value:?}") };
        serde_json::from_slice(&self.store.read(tree, 1 << 20).unwrap()).unwrap()
    }
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        if let Some(target) = name.strip_suffix('@') {
            header.set_size(0);
            header.set_entry_type(tar::EntryType::Symlink);
            builder.append_link(&mut header, target, std::str::from_utf8(content).unwrap()).unwrap();
        } else {
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn deb(control: &str, scripts: &[(&str, &str)], members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut files: Vec<(&str, &[u8])> = vec![("control", control.as_bytes())];
    files.extend(scripts.iter().map(|(name, text)| (*name, text.as_bytes())));
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in
        [("debian-binary", b"2.0\n".to_vec()), ("control.tar", tar(&files)), ("data.tar", tar(members))]
    {
        writeln!(bytes, "{name:<16}0           0     0     100644  {:<10}`", content.len()).unwrap();
        bytes.extend(content);
    }
    bytes
}

fn flip(file: &std::path::Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 1;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(file, bytes).unwrap();
}

fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

/// A plan of some breadth: contents small and large, shared and not, several batches of layer.
fn broad() -> (World, PlanKey) {
    let mut world = World::new();
    let large = noise(9 << 20, 1);
    let one = world.tar("one.tar", &[("etc/a", b"alpha"), ("usr/big", &large), ("usr/same", b"same")]);
    let two = world.tar("two.tar", &[("etc/b", b"beta"), ("usr/same", b"same"), ("usr/link@", b"same")]);
    let more: Vec<PlanKey> = (0..12)
        .map(|n| world.tar(&format!("{n}.tar"), &[(&format!("usr/share/{n}"), &noise(70_000, n + 2))]))
        .collect();
    let base = world.compose(
        vec![Addition::Symlink { path: path("lib"), target: "usr/lib".into() }],
        [vec![one, two], more].concat(),
    );
    let top = world.tar("top.tar", &[("app/main.py", b"print()")]);
    let index = world.image(base, top);
    (world, index)
}

#[test]
fn the_same_comes_out_whatever_the_number_of_threads() {
    let (world, index) = broad();
    let first = world.run(1).unwrap();
    for jobs in [2, 8] {
        world.forget();
        assert_eq!(world.run(jobs).unwrap(), first, "{jobs}");
    }
    let (other, _) = broad();
    assert_eq!(other.run(3).unwrap()[&index], first[&index]);
}

#[test]
fn what_was_made_is_not_made_again() {
    let (world, index) = broad();
    let first = world.run(2).unwrap();
    let Value::Index { images, .. } = &first[&index] else { panic!() };
    let layer = images[0].layers[0].digest;
    let written = |digest: &Digest| std::fs::metadata(world.store.path(digest)).unwrap().modified().unwrap();
    let before = written(&layer);
    let started = std::time::Instant::now();
    assert_eq!(world.run(2).unwrap(), first);
    assert!(started.elapsed().as_millis() < 200, "{:?}", started.elapsed());
    assert_eq!(written(&layer), before);
    // an object that is gone is made again, and nothing else
    world.store.discard(&images[0].layers[1].digest).unwrap();
    assert_eq!(world.run(2).unwrap(), first);
    assert!(world.store.has(&images[0].layers[1].digest));
    assert_eq!(written(&layer), before);
}

#[test]
fn a_damaged_archive_is_found_before_anything_of_it_counts() {
    for at in [600, 20_000] {
        let mut world = World::new();
        let unpacked = world.tar("a.tar", &[("f", &noise(30_000, 1))]);
        let Op::Fetch { sha256, .. } = &world.plan.steps[&world.plan.steps[&unpacked].inputs[0]].op.clone() else {
            panic!()
        };
        flip(&world.store.path(sha256), at);
        let findings = world.run(2).unwrap_err();
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::STORE_DAMAGED]);
        assert_eq!(world.store.take_damaged(), [*sha256]);
        // put right again, it unpacks
        world.store.put(&tar(&[("f", &noise(30_000, 1))])).unwrap();
        assert!(world.run(2).is_ok());
    }
}

#[test]
fn a_fetched_file_that_is_missing_or_of_another_size_is_found() {
    let mut world = World::new();
    let unpacked = world.tar("a.tar", &[("f", b"x")]);
    let Op::Fetch { sha256, .. } = world.plan.steps[&world.plan.steps[&unpacked].inputs[0]].op.clone() else {
        panic!()
    };
    world.store.discard(&sha256).unwrap();
    assert_eq!(world.codes(), [codes::STORE_IO]);
    world.store.put(&tar(&[("f", b"x")])).unwrap();
    let file = world.store.path(&sha256);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&file, b"short").unwrap();
    assert_eq!(world.codes(), [codes::STORE_DAMAGED]);
}

#[test]
fn a_size_that_is_not_the_one_of_the_digest_is_the_locks_mistake() {
    let mut world = World::new();
    let sha256 = world.store.put(b"content").unwrap();
    let op = Op::Fetch { origin: Origin::Debian, name: "a".into(), file: "a.tar".into(), sha256, size: 3 };
    world.plan.add(op, vec![]);
    assert_eq!(world.codes(), [codes::LOCK_INCONSISTENT]);
    assert!(world.store.has(&sha256), "the object is whole and stays");
}

#[test]
fn a_damaged_content_is_found_when_a_layer_reads_it() {
    // a small content lies in a pack, a large one is an object of its own
    for size in [1000, 100_000] {
        let mut world = World::new();
        let content = noise(size, 5);
        let unpacked = world.tar("a.tar", &[("f", &content), ("g", b"other")]);
        let Value::Tree { packs, .. } = world.run(2).unwrap()[&unpacked].clone() else { panic!() };
        let damaged = if size > 65536 { Digest::of(&content) } else { packs[0] };
        flip(&world.store.path(&damaged), 10);
        let layer = world.plan.add(Op::Layer { v: 1, epoch: 0, title: "t".into() }, vec![unpacked]);
        assert_eq!(world.codes(), [codes::STORE_DAMAGED], "{size}");
        assert_eq!(world.store.take_damaged(), [damaged]);
        // thrown away, it is made again from the archive
        world.store.discard(&damaged).unwrap();
        assert!(world.run(2).unwrap().contains_key(&layer));
    }
}

#[test]
fn a_damaged_pack_table_is_found() {
    for from_end in [1, 12, 30] {
        let mut world = World::new();
        let unpacked = world.tar("a.tar", &[("f", b"x")]);
        let Value::Tree { packs, .. } = world.run(2).unwrap()[&unpacked].clone() else { panic!() };
        let file = world.store.path(&packs[0]);
        flip(&file, std::fs::metadata(&file).unwrap().len() as usize - from_end);
        world.plan.add(Op::Layer { v: 1, epoch: 0, title: "t".into() }, vec![unpacked]);
        assert_eq!(world.codes(), [codes::STORE_DAMAGED], "{from_end}");
    }
}

fn control(name: &str) -> String {
    format!("Package: {name}\nVersion: 1.0\nDescription: a\n b\n")
}

fn debian(world: &mut World, name: &str, bytes: &[u8], scripts: BTreeMap<String, Vec<ScriptModel>>) -> PlanKey {
    let fetched = world.fetch(&format!("pool/{name}_1.0.deb"), bytes);
    let format = ArchiveFormat::Deb { package: name.into(), version: "1.0".into(), scripts };
    world.plan.add(Op::Unpack { v: 1, format }, vec![fetched])
}

#[test]
fn a_package_leaves_its_status_and_the_effects_of_its_scripts() {
    let mut world = World::new();
    let script = "#!/bin/sh\nadduser x\n";
    let bytes = deb(
        &control("hello"),
        &[("postinst", script), ("prerm", "x"), ("md5sums", "00  bin/x\n")],
        &[("bin/hello", b"hi")],
    );
    let effects = vec![
        Addition::Dir { path: path("var/lib/hello"), mode: 0o700, uid: 5, gid: 6 },
        Addition::Concat { path: path("etc/all"), from: path("usr/bin"), suffix: "lo".into(), extra: "end".into() },
    ];
    let models =
        BTreeMap::from([("postinst".to_owned(), vec![ScriptModel { sha256: Digest::of(script.as_bytes()), effects }])]);
    let key = debian(&mut world, "hello", &bytes, models);
    let values = world.run(2).unwrap();
    let tree = world.tree(&values[&key]);
    let names: Vec<String> =
        tree.entries().iter().filter(|(_, e)| e.node != model::Kind::Dir).map(|(p, _)| p.display()).collect();
    assert_eq!(
        names,
        ["etc/all", "usr/bin/hello", "var/lib/dpkg/status.d/hello", "var/lib/dpkg/status.d/hello.md5sums"]
    );
    let dir = tree.get(&path("var/lib/hello")).unwrap();
    assert_eq!((dir.mode, dir.uid, dir.gid), (0o700, 5, 6));
    let model::Kind::File { digest, .. } = tree.get(&path("etc/all")).unwrap().node else { panic!() };
    assert_eq!(digest, Digest::of(b"hi\nend"));
    let model::Kind::File { digest, .. } = tree.get(&path("var/lib/dpkg/status.d/hello")).unwrap().node else {
        panic!()
    };
    assert_eq!(digest, Digest::of(control("hello").as_bytes()));
}

#[test]
fn scripts_nobody_modelled_are_all_reported() {
    let mut world = World::new();
    for name in ["one", "two"] {
        let bytes = deb(&control(name), &[("preinst", "changed")], &[]);
        let old = ScriptModel { sha256: Digest::of(b"as it was"), effects: vec![] };
        debian(&mut world, name, &bytes, BTreeMap::from([("preinst".into(), vec![old])]));
    }
    let findings = world.run(2).unwrap_err();
    assert_eq!(findings.len(), 2);
    for (finding, name) in findings.iter().zip(["one", "two"]) {
        assert_eq!(finding.code, codes::SCRIPT_NOT_MODELLED);
        assert!(finding.message.contains(&format!("preinst of {name}")), "{finding:?}");
        assert!(finding.causes[0].contains(&Digest::of(b"changed").to_string()));
    }
}

#[test]
fn a_package_must_be_the_one_the_plan_names() {
    let mut world = World::new();
    debian(&mut world, "hello", &deb(&control("other"), &[], &[]), BTreeMap::new());
    assert_eq!(world.codes(), [codes::ARCHIVE_INVALID]);
}

#[test]
fn two_inputs_may_not_bring_different_files_under_one_name() {
    let mut world = World::new();
    let one = world.tar("one.tar", &[("etc/x", b"1"), ("etc/y", b"same")]);
    let two = world.tar("two.tar", &[("etc/x", b"2"), ("etc/y", b"same")]);
    world.compose(vec![], vec![one, two]);
    let findings = world.run(2).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, codes::TREE_CONFLICT);
    assert!(findings[0].message.contains("/etc/x is brought by one.tar and, differently, by two.tar"), "{findings:?}");
}

#[test]
fn directories_made_on_purpose_win_over_those_that_only_have_to_be_there() {
    let dir = |mode| Addition::Dir { path: path("tmp"), mode, uid: 0, gid: 0 };
    let mut world = World::new();
    let tree = world.tar("one.tar", &[("tmp/x", b"")]);
    let composed = world.compose(vec![dir(0o1777)], vec![tree]);
    let values = world.run(2).unwrap();
    assert_eq!(world.tree(&values[&composed]).get(&path("tmp")).unwrap().mode, 0o1777);
    world.compose(vec![dir(0o1777), dir(0o700)], vec![tree]);
    assert_eq!(world.codes(), [codes::TREE_CONFLICT]);
}

#[test]
fn inputs_move_and_additions_stay_in_place() {
    let mut world = World::new();
    let app = world.tar("app.tar", &[("main.py", b"x"), ("lib/a", b"y")]);
    let moved = world.compose(vec![Addition::Move { input: 0, to: path("srv/app") }], vec![app]);
    let values = world.run(2).unwrap();
    let names: Vec<String> = world.tree(&values[&moved]).entries().keys().map(TreePath::display).collect();
    assert_eq!(names, ["srv", "srv/app", "srv/app/lib", "srv/app/lib/a", "srv/app/main.py"]);
    world.compose(vec![Addition::Move { input: 7, to: path("x") }], vec![app]);
    assert_eq!(world.codes(), [codes::LOCK_INCONSISTENT]);
}

#[test]
fn a_file_below_a_link_does_not_fit() {
    let mut world = World::new();
    let tree = world.tar("one.tar", &[("lib/x", b"")]);
    world.compose(vec![Addition::Symlink { path: path("lib"), target: "usr/lib".into() }], vec![tree]);
    assert_eq!(world.codes(), [codes::TREE_CONFLICT]);
}

#[test]
fn plans_no_compiler_makes_are_refused() {
    let mut world = World::new();
    let fetched = world.fetch("x", b"x");
    for (op, inputs) in [
        (Op::Unpack { v: 2, format: ArchiveFormat::Tar }, vec![fetched]),
        (Op::Unpack { v: 1, format: ArchiveFormat::Tar }, vec![]),
        (Op::Layer { v: 1, epoch: 0, title: String::new() }, vec![fetched]),
        (Op::Index { v: 1, annotations: BTreeMap::new() }, vec![fetched]),
    ] {
        world.plan = Plan::new(0);
        let fetched = world.fetch("x", b"x");
        world.plan.add(op, inputs.iter().map(|_| fetched).collect());
        assert_eq!(world.codes(), [codes::LOCK_INCONSISTENT]);
    }
    let step = world.plan.steps.values().next().unwrap().clone();
    world.plan.steps.insert(Digest::of(b"elsewhere"), step);
    assert_eq!(world.codes(), [codes::LOCK_INCONSISTENT]);
}

#[test]
fn a_full_store_stops_everything() {
    let mut world = World::new();
    world.tar("a.tar", &[("f", b"x")]);
    std::fs::remove_dir_all(world.dir.path().join("blobs")).unwrap();
    assert_eq!(world.codes(), [codes::STORE_IO]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn contents_come_back_as_they_were(sizes in proptest::collection::vec(0usize..150_000, 1..8)) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let contents: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(n, size)| noise(*size, n as u64)).collect();
        let writing = Context::new(&store);
        let mut sink = PackWriter::new(&writing);
        let kept: Vec<_> = contents.iter().map(|content| sink.put(content).unwrap()).collect();
        let packs: Vec<Digest> = sink.finish().unwrap().pack.into_iter().collect();
        // once by the process that wrote them, once by one that has to verify
        for context in [&writing, &Context::new(&store)] {
            let content = content::Content::open(context, &packs).unwrap();
            for ((digest, size), bytes) in kept.iter().zip(&contents) {
                prop_assert_eq!(*digest, Digest::of(bytes));
                prop_assert!(content.bytes(digest, *size).unwrap() == *bytes);
            }
        }
    }
}
