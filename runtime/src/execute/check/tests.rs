use super::*;

fn tree(entries: &[(&str, Kind)]) -> BTreeMap<TreePath, Entry> {
    let entries = entries.iter().map(|(path, node)| (path.parse().unwrap(), Entry::root(node.clone(), 0o755)));
    model::Tree::with_parents(entries.collect()).unwrap().into_entries()
}

fn file() -> Kind {
    Kind::File { digest: model::Digest::of(b""), size: 0 }
}

fn link(target: &str) -> Kind {
    Kind::Symlink { target: target.into() }
}

fn elf(needed: &[&str]) -> Elf {
    Elf { is_64: true, machine: 62, kind: 3, needed: needed.iter().map(|n| (*n).into()).collect(), ..Elf::default() }
}

fn missing_of(entries: &[(&str, Kind)], elves: &[(&str, Elf)]) -> Vec<String> {
    let tree = tree(entries);
    let paths: Vec<TreePath> = elves.iter().map(|(path, _)| path.parse().unwrap()).collect();
    let elves: Vec<(&TreePath, Elf)> = paths.iter().zip(elves).map(|(path, (_, elf))| (path, elf.clone())).collect();
    missing(&Root(tree.iter().collect()), &elves, Arch::Amd64).into_keys().collect()
}

#[test]
fn paths_are_followed_as_the_kernel_does() {
    let tree = tree(&[
        ("lib", link("usr/lib")),
        ("usr/lib/a", file()),
        ("usr/lib/b", link("../lib/./a")),
        ("usr/lib/c", link("/lib/b")),
        ("up", link("../../lib/a")),
        ("loop", link("loop")),
        ("usr/lib/hard", Kind::Hardlink { to: "usr/lib/a".parse().unwrap() }),
    ]);
    let root = Root(tree.iter().collect());
    for path in ["usr/lib/a", "/lib/a", "lib/b", "lib//c", "up", "usr/../lib/a", "lib/hard"] {
        assert!(root.is_file(path.as_bytes()), "{path}");
    }
    for path in ["", "lib", "loop", "lib/a/b", "lib/none", "usr/lib/"] {
        assert!(!root.is_file(path.as_bytes()), "{path}");
    }
}

#[test]
fn libraries_are_found_where_the_dynamic_linker_looks() {
    let entries = [
        ("usr/lib/x86_64-linux-gnu/libc.so.6", file()),
        ("opt/app/libs/libown.so", file()),
        ("opt/app/bin/tool", file()),
        ("elsewhere/libfar.so", file()),
    ];
    assert_eq!(
        missing_of(&entries, &[("opt/app/bin/tool", elf(&["libc.so.6", "libown.so", "libfar.so"]))]),
        ["libfar.so", "libown.so"]
    );
    let own = Elf {
        runpath: vec!["${ORIGIN}/../libs".into()],
        rpath: vec!["/elsewhere".into()],
        ..elf(&["libown.so", "libfar.so"])
    };
    // a runpath makes the rpath count for nothing
    assert_eq!(missing_of(&entries, &[("opt/app/bin/tool", own)]), ["libfar.so"]);
    let old = Elf { rpath: vec!["/elsewhere".into()], ..elf(&["libfar.so"]) };
    assert_eq!(missing_of(&entries, &[("opt/app/bin/tool", old)]), [""; 0]);
    // a library of that name that something else loads first
    let far = Elf { soname: Some("libfar.so".into()), ..elf(&[]) };
    assert_eq!(
        missing_of(&entries, &[("opt/app/bin/tool", elf(&["libfar.so"])), ("elsewhere/libfar.so", far)]),
        [""; 0]
    );
}

#[test]
fn the_interpreter_must_be_there() {
    let program = Elf { interpreter: Some("/lib64/ld.so".into()), ..elf(&[]) };
    let entries = [("lib64", link("usr/lib64")), ("usr/lib64/ld.so", file()), ("usr/bin/x", file())];
    assert_eq!(missing_of(&entries, &[("usr/bin/x", program.clone())]), [""; 0]);
    assert_eq!(missing_of(&entries[..1], &[("usr/bin/x", program)]), ["/lib64/ld.so"]);
}
