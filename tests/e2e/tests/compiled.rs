//! A runtime that is compiled here, from the projects' own releases: signed, sealed, hardened, and in FIPS mode.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::{cli, run};

use crate::fixture::{COMPILED, MIRROR, copied, scratch};
use crate::image::{SELF_TEST, bundle, json as read, layout};
use crate::starts::under_runc;

/// Files that programs and libraries are: below these, ELF by their first bytes.
fn elf_files(root: &Path) -> Vec<String> {
    let found = run(Command::new("find").arg(root).args(["-type", "f", "-size", "+20c"])).ok().stdout;
    let elf = |path: &&str| {
        let mut start = [0; 4];
        use std::io::Read as _;
        fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"\x7fELF"
    };
    found.lines().filter(elf).map(str::to_owned).collect()
}

#[test]
fn the_lock_says_who_signed_each_release() {
    let lock = COMPILED.lock();
    let state = |id: &str| lock["nodes"][id]["proof"]["state"].as_str().unwrap_or_default().to_owned();
    assert_eq!(state("pkg:generic/cpython@3.13.5"), "verified-by-signature");
    let nodes = lock["nodes"].as_object().unwrap();
    let of = |name: &str| {
        nodes.keys().filter(|id| id.starts_with(&format!("pkg:generic/{name}@"))).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("openssl").len(), 1);
    assert_eq!(state(&of("openssl")[0]), "verified-by-signature");
    assert_eq!(state(&of("zlib")[0]), "verified-by-dsc");
    // what is compiled takes the place of what Debian built
    let image =
        lock["answers"].as_object().unwrap().values().find(|answer| answer["asked"]["toolchain"] != true).unwrap();
    let inside = image["resolutions"]["amd64"]["nodes"].to_string();
    for replaced in ["deb/debian/libssl3t64@", "deb/debian/zlib1g@", "deb/debian/python3.13@"] {
        assert!(!inside.contains(replaced), "{replaced} is in the image");
    }
    // and what compiles it is no part of it, nor is there anything that fetches in it
    assert!(!inside.contains("deb/debian/gcc@"));
    for fetches in ["curl", "wget", "git", "apt", "dpkg", "perl", "libcurl4t64"] {
        assert!(
            !nodes.contains_key(fetches) && !nodes.keys().any(|id| id.contains(&format!("/{fetches}@"))),
            "{fetches}"
        );
    }
}

#[test]
fn every_file_is_hardened_as_our_inspection_and_readelf_say() {
    let flags = read(&COMPILED.artifacts().join("compile-flags-amd64.json"));
    let files = flags["files"].as_object().unwrap();
    let compiled: BTreeSet<&String> =
        files.iter().filter(|(_, file)| file["origin"]["from"] == "compiled").map(|(path, _)| path).collect();
    assert!(compiled.len() > 60, "{compiled:?}");
    for (path, file) in files {
        for (demand, proof) in file["verdict"].as_object().unwrap() {
            assert!(proof.get("missing").is_none(), "{path}: {demand}: {proof}");
        }
    }
    for path in
        ["usr/bin/python3.13", "usr/lib/x86_64-linux-gnu/libcrypto.so.3", "usr/lib/x86_64-linux-gnu/libz.so.1.3.1"]
    {
        let verdict = &files[path]["verdict"];
        for demand in ["pie", "relro", "now", "nx", "stack-protector", "no-text-relocations"] {
            assert!(verdict[demand].get("met").is_some(), "{path}: {demand}: {}", verdict[demand]);
        }
    }
    let dir = scratch();
    let root = bundle(&layout(&COMPILED.archive(), dir.path()), "amd64", dir.path()).join("rootfs");
    let mut seen = 0;
    for path in elf_files(&root) {
        let relative = path.strip_prefix(&format!("{}/", root.display())).unwrap();
        assert!(files.contains_key(relative), "{relative} was not inspected");
        let headers = run(Command::new("readelf").args(["-W", "-h", "-l", "-d"]).arg(&path)).ok().stdout;
        assert!(headers.contains("DYN ("), "{relative} is loaded at a fixed address");
        assert!(headers.contains("GNU_RELRO"), "{relative}");
        let stack = headers.lines().find(|line| line.trim_start().starts_with("GNU_STACK")).unwrap();
        assert!(stack.contains("RW ") && !stack.contains("RWE"), "{relative}: {stack}");
        if compiled.contains(&relative.to_owned()) {
            assert!(headers.contains("NOW"), "{relative} is bound lazily");
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} compiled files are in the image");
}

#[test]
fn it_answers_and_in_fips_mode_weak_hashes_do_not() {
    let dir = scratch();
    let bundle = bundle(&layout(&COMPILED.archive(), dir.path()), "amd64", dir.path());
    // every module of the standard library is there but those that would answer past the provider
    let own = "without = {'_md5', '_sha1', '_sha2', '_sha3', '_blake2'} | apart |";
    let program = SELF_TEST.replace("without = apart |", own) + FIPS + BYTE_CODE;
    assert!(program.contains(own));
    println!("{}", under_runc(&bundle, dir.path(), &program));
}

/// What the image's Python says of itself.
pub const FIPS: &str = r#"
import hashlib, zlib
for refused in (lambda: hashlib.md5(b"x"), lambda: hashlib.new("md5", b"x"), lambda: hashlib.blake2b(b"x")):
    try:
        refused()
    except (ValueError, AttributeError):
        continue
    raise SystemExit("a weak hash answers")
assert hashlib.sha256(b"x").hexdigest().startswith("2d711642b726b044")
print(ssl.OPENSSL_VERSION, "zlib", zlib.ZLIB_VERSION, "md5 refused")
"#;

/// And of what it wrote of its modules.
const BYTE_CODE: &str = r#"
assert sys.version.startswith("3.13.5 "), sys.version
sys.path.insert(0, "/app")
import asyncio.base_events, fastapi.applications, main
for module in (asyncio.base_events, fastapi.applications, main):
    assert os.path.exists(module.__cached__), module.__cached__
"#;

#[test]
fn a_program_at_a_fixed_address_is_refused_by_name_where_maximum_is_asked() {
    let copy = copied("demanding");
    let source = copy.config().join("agent.c");
    fs::write(&source, "int main(void) { return 0; }").unwrap();
    let compile = |arguments: &[&str]| {
        run(Command::new("cc").args(arguments).arg(&source).arg("-o").arg(copy.config().join("agent"))).ok();
    };
    compile(&["-no-pie"]);
    let refused = run(copy.build().args(MIRROR.source_options()).args(["--format", "json"]));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let finding = &serde_json::from_str::<Value>(&refused.stdout).unwrap()["findings"][0];
    assert_eq!(finding["code"], "CS1107", "{finding}");
    let causes = finding["causes"].to_string();
    assert!(causes.contains("/opt/agent") && causes.contains("pie"), "{causes}");
    compile(&["-pie", "-fPIE", "-Wl,-z,relro"]);
    run(copy.build().args(MIRROR.source_options())).ok();
}

#[test]
fn the_distributions_python_does_not_meet_maximum_and_is_named() {
    let copy = copied("demanding");
    let text = "name: demanding\nbase: {language: python, version: \"3.13\", build: prebuilt}\n\
                build_flags: {hardening: maximum}\narchitectures: [amd64]\n";
    fs::write(copy.config().join("image.yaml"), text).unwrap();
    let refused = run(copy.build().args(MIRROR.source_options()));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("/usr/bin/python3.13") && refused.stderr.contains("CS1107"), "{}", refused.stderr);
}

#[test]
fn an_architecture_nothing_here_runs_ends_the_build_before_anything_is_fetched() {
    let copy = COMPILED.copy();
    let config = copy.config().join("image.yaml");
    let text = fs::read_to_string(&config).unwrap().replace("architectures: [amd64]", "architectures: [amd64, arm64]");
    fs::write(&config, text).unwrap();
    let refused = run(copy.build().args(MIRROR.source_options()));
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert!(refused.stderr.contains("CS1103") && refused.stderr.contains("arm64"), "{}", refused.stderr);
    assert!(!copy.output().exists());
}

#[test]
fn other_executors_are_refused_until_they_are_there() {
    for name in ["remote", "emulated"] {
        let refused = run(cli().args(["build", "--output", "x.tar.gz", "--executor", name]));
        assert_eq!(refused.status.code(), Some(2));
        assert!(refused.stderr.contains("CS0204") && refused.stderr.contains(name), "{}", refused.stderr);
    }
}

#[test]
fn a_release_with_another_signature_than_its_own_is_refused() {
    let copy = COMPILED.copy();
    let path = copy.config().join("image.lock.json");
    let mut lock = read(&path);
    let openssl = lock["nodes"].as_object().unwrap().keys().find(|id| id.contains("/openssl@")).unwrap().clone();
    let other = lock["nodes"][&openssl]["proof"].clone();
    lock["nodes"]["pkg:generic/cpython@3.13.5"]["proof"] = json!(other);
    fs::write(&path, serde_json::to_string(&lock).unwrap()).unwrap();
    let refused = run(copy.build().args(MIRROR.source_options()));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("cpython"), "{}", refused.stderr);
}
