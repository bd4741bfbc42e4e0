//! The recipe of Go, which no image uses yet, run to its end: the release is proved by the description of Debian's source
//! package, compiled in a root of the packages the catalogue names, and compiles a program in a root without those.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test and its helpers may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use model::lock::{Lock, Node, Origin, Proof};
use model::plan::{Addition, ArchiveFormat, Op, Plan, PlanKey};
use model::{Arch, Kind, Tree, codes};
use runtime::Quiet;
use runtime::execute::{Executed, Executors, Options, Value, execute, limits};
use runtime::fetch::{FetchOptions, Fetcher, Wanted};
use runtime::prove::{prove, release};
use runtime::sources::{SourceArgs, Sources};
use runtime::store::Store;
use stdlib::base::Base;
use stdlib::room::Room;
use stdlib::source::{self, Project, Release};
use stdlib::toolchain::Toolchains;
use support::{Mirror, cli, full, run};
use trust::Trust;

const ARCH: Arch = if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::Amd64 };

/// A program with C in it, and what it says.
const HELLO: &str = r#"
package main

// static int twice(int number) { return 2 * number; }
import "C"
import (
	"fmt"
	"runtime"
)

func main() { fmt.Println("hello from", runtime.Version(), C.twice(21)) }
"#;

#[test]
fn go_is_compiled_from_its_release_and_compiles() {
    if !full() {
        return println!("skipped: part of the full tier only, for it takes minutes");
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("store")).unwrap());
    let go = source::project("go").unwrap().unwrap();
    let of_go = go.releases[0].clone();
    let mirror = Mirror::of_this_machine();
    let (lock, locked) = packages(dir.path(), &go, &of_go, &mirror);
    let node = node(&go, &of_go);
    let mut whole = lock.clone();
    whole.nodes.insert(format!("pkg:generic/go@{}", of_go.version), node.clone());

    let given = mirror.source_options().into_iter().filter(|word| word != "--source").collect();
    let sources = Sources::discover(&SourceArgs { given }).unwrap();
    let fetcher = Fetcher::new(store.clone(), sources, FetchOptions::default(), Arc::new(Quiet));
    let network = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    network.block_on(runtime::debian::fetch_proofs(&fetcher, &store, &whole)).unwrap();
    let trust = Trust::builtin().unwrap();
    release(&store, &node, &trust, lock.epoch).unwrap();
    refuses_another_signer_and_other_bytes(&store, &node, &trust, lock.epoch);
    let images = lock.images().map(|(asked, arch, _)| (asked, arch)).collect();
    prove(&store, &lock, &images, &trust).unwrap();

    let mut plan = Plan::new(lock.epoch);
    let room = Room::shipped().unwrap();
    let additions = room.additions(&Base::shipped().unwrap());
    let skeleton = plan.add(Op::Compose { v: 1, add: additions }, Vec::new());
    let (replaced, tools) = trees(&mut plan, &locked, &go, &of_go);
    let root: Vec<PlanKey> = [&[skeleton], tools.as_slice()].concat();
    let made = compile(&mut plan, &room, &go, &of_go, [root.as_slice(), &replaced].concat());
    let image = plan.add(Op::Pick { v: 1, path: "image".parse().unwrap() }, vec![made]);
    let hello = say_hello(&mut plan, &room, [root.as_slice(), &[image]].concat());

    network.block_on(fetcher.files(leaves(&plan))).unwrap();
    let done = executed(&plan, &store);
    let tree = tree(&store, &done, image);
    let entry = |path: &str| tree.get(&path.parse().unwrap()).map(|entry| entry.node.clone());
    assert_eq!(entry("usr/bin/go"), Some(Kind::Symlink { target: "../lib/go-1.24/bin/go".into() }));
    let Some(Kind::File { digest, .. }) = entry("usr/lib/go-1.24/bin/go") else { panic!("there is no go") };
    let program = store.read(&digest, 1 << 28).unwrap();
    assert!(!program.windows(10).any(|bytes| bytes == b"/build/go/"), "the program knows where it was compiled");
    assert!(entry("usr/lib/go-1.24/test").is_none() && entry("usr/lib/go-1.24/src/fmt/print.go").is_some());
    let log = String::from_utf8(store.read(&done.logs[&hello].digest, 1 << 20).unwrap()).unwrap();
    println!("{log}");
    let version = format!("go{}", of_go.version);
    assert!(log.contains(&format!("go version {version} linux/{ARCH}")), "{log}");
    assert!(log.contains(&format!("hello from {version} 42")), "{log}");
}

/// A lock with what is needed to compile a release, and the plan that unpacks it: those of an image of these packages.
fn packages(dir: &Path, go: &Project, of_go: &Release, mirror: &Mirror) -> (Lock, Plan) {
    let toolchains = Toolchains::shipped().unwrap();
    let own = go.recipe.suites[&of_go.suite].toolchain.iter().map(String::as_str);
    let names: Vec<&str> = toolchains.packages("go").chain(own).collect();
    let text = format!(
        "name: toolchain\nbase: {{language: none}}\nsystem_packages: [{}]\narchitectures: [{ARCH}]\n",
        names.join(", ")
    );
    fs::write(dir.join("image.yaml"), text).unwrap();
    let mut command = cli();
    command.args(["plan", "--output", "plan.json", "--store", "store"]).args(mirror.source_options());
    run(command.current_dir(dir)).ok();
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    (Lock::from_text(&read("image.lock.json")).unwrap(), serde_json::from_slice(&read("plan.json")).unwrap())
}

fn node(go: &Project, of_go: &Release) -> Node {
    Node {
        origin: Origin::Upstream,
        name: go.name.clone(),
        version: of_go.version.clone(),
        file: of_go.source.file.clone(),
        size: of_go.source.size,
        sha256: of_go.source.sha256,
        metadata: None,
        build: None,
        license: Some(go.licence.clone()),
        proof: of_go.proof(),
        requires: Vec::new(),
        omits: Vec::new(),
    }
}

fn refuses_another_signer_and_other_bytes(store: &Store, node: &Node, trust: &Trust, at: i64) {
    let mut other = node.clone();
    let Proof::VerifiedByDsc { signed_by, .. } = &mut other.proof else { panic!("{:?}", node.proof) };
    *signed_by = "3f2568aac26998f9e813a1c5c3f436ca30f5d8eb".into();
    let bytes = Node { sha256: model::Digest::of(b"other"), ..node.clone() };
    for wrong in [other, bytes] {
        assert_eq!(release(store, &wrong, trust, at).unwrap_err().code, codes::PROOF_NOT_HELD);
    }
}

/// The trees of the toolchain's packages: those that the result replaces, and the others.
fn trees(plan: &mut Plan, locked: &Plan, go: &Project, of_go: &Release) -> (Vec<PlanKey>, Vec<PlanKey>) {
    let replaces = &go.recipe.suites[&of_go.suite].replaces;
    let (mut replaced, mut others) = (Vec::new(), Vec::new());
    for (key, step) in &locked.steps {
        if let Op::Unpack { format: ArchiveFormat::Deb { package, .. }, .. } = &step.op {
            let list = if replaces.contains(package) { &mut replaced } else { &mut others };
            list.push(*key);
            let inputs = step.inputs.iter().map(|input| (*input, locked.steps[input].clone()));
            plan.steps.extend(inputs.chain([(*key, step.clone())]));
        }
    }
    assert_eq!(replaced.len(), replaces.len());
    (replaced, others)
}

/// The step that runs the recipe, as the compiler would make it.
fn compile(plan: &mut Plan, room: &Room, go: &Project, of_go: &Release, mut inputs: Vec<PlanKey>) -> PlanKey {
    let source = &of_go.source;
    let (name, file) = (go.name.clone(), source.file.clone());
    let fetch = Op::Fetch { origin: Origin::Upstream, name, file, sha256: source.sha256, size: source.size };
    let fetch = plan.add(fetch, Vec::new());
    let unpack = plan.add(Op::Unpack { v: 1, format: ArchiveFormat::Release }, vec![fetch]);
    let mut add = vec![Addition::Move { input: 0, to: "build/go".parse().unwrap() }];
    add.extend(go.recipe.scripts.iter().map(|script| Addition::File {
        path: format!("recipe/{}", script.rsplit('/').next().unwrap()).parse().unwrap(),
        text: source::script(script).unwrap().to_owned(),
        mode: 0o644,
    }));
    inputs.push(plan.add(Op::Compose { v: 1, add }, vec![unpack]));
    let line = of_go.version.rsplit_once('.').unwrap().0;
    let op = Op::Run {
        v: 1,
        arch: ARCH,
        title: format!("compile go {}", of_go.version),
        commands: go.recipe.commands.clone(),
        env: environment(room, &[("LINE", line)]),
        workdir: "/build/go".into(),
    };
    plan.add(op, inputs)
}

/// A step that compiles a program with the result, and runs it.
fn say_hello(plan: &mut Plan, room: &Room, mut inputs: Vec<PlanKey>) -> PlanKey {
    let file = Addition::File { path: "build/hello.go".parse().unwrap(), text: HELLO.into(), mode: 0o644 };
    inputs.push(plan.add(Op::Compose { v: 1, add: vec![file] }, Vec::new()));
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let op = Op::Run {
        v: 1,
        arch: ARCH,
        title: "compile with go".into(),
        commands: vec![
            argv(&["go", "version"]),
            argv(&["go", "build", "-o", "/out/hello", "hello.go"]),
            argv(&["/out/hello"]),
        ],
        env: environment(room, &[("CGO_ENABLED", "1")]),
        workdir: "/build".into(),
    };
    plan.add(op, inputs)
}

fn environment(room: &Room, own: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    room.environment.clone().into_iter().chain(own).collect()
}

fn leaves(plan: &Plan) -> Vec<Wanted> {
    let leaf = |op: &Op| match op {
        Op::Fetch { origin, name, file, sha256, size } => {
            Some(Wanted { origin: *origin, name: name.clone(), file: file.clone(), sha256: *sha256, size: *size })
        }
        _ => None,
    };
    plan.steps.values().filter_map(|step| leaf(&step.op)).collect()
}

fn executed(plan: &Plan, store: &Store) -> Executed {
    let executors = Executors::local(support::cli_path(), limits());
    let options =
        Options { jobs: 2, executors, keep_going: false, check_reproducible: false, progress: Arc::new(Quiet) };
    let done = execute(plan, store, &options).unwrap();
    assert!(done.failed.is_empty(), "{:#?}", done.failed);
    done
}

fn tree(store: &Store, done: &Executed, step: PlanKey) -> Tree {
    let Some(Value::Tree { tree, .. }) = done.values.get(&step) else { panic!("{:?}", done.values.get(&step)) };
    serde_json::from_slice(&store.read(tree, 1 << 28).unwrap()).unwrap()
}
