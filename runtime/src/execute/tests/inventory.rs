//! Taking stock of layers. A layer is made from one tree and held against another: so it is as if somebody had changed it.

use model::inventory::{Ecosystem, Inventory};
use model::plan::{Brought, Promised};

use super::*;

const STATUS: &[u8] = b"Package: hello\nVersion: 1.0\nArchitecture: all\n";
const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: tool\nVersion: 2.0\n\n";

type Members<'m> = Vec<(&'m str, &'m [u8])>;

fn hello<'m>() -> Members<'m> {
    vec![("usr/bin/hello", b"hi"), ("usr/share/doc/hello/copyright", b"MIT"), ("var/lib/dpkg/status.d/hello", STATUS)]
}

fn tool<'m>() -> Members<'m> {
    vec![
        ("usr/lib/tool.py", b"x"),
        ("usr/lib/tool-2.0.dist-info/METADATA", METADATA),
        ("usr/lib/vendored-1.dist-info/METADATA", b"Metadata-Version: 2.1\nName: vendored\nVersion: 1\n\n"),
    ]
}

fn brought(by: &str, promised: Option<(Ecosystem, &str, &str)>) -> Brought {
    let promised = promised.map(|(ecosystem, name, version)| Promised {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
    });
    Brought { by: by.to_owned(), promised }
}

/// Takes stock of a layer with `delivered` that was made from two packages and a line of the base.
fn stock(delivered: Option<Members<'_>>, promised: (&str, &str)) -> Result<Inventory, Findings> {
    let mut world = World::new();
    let (hello, tool) = (world.tar("hello", &hello()), world.tar("tool", &tool()));
    let line = Addition::File { path: path("etc/passwd"), text: "root".into(), mode: 0o644 };
    let cache =
        Addition::File { path: path("usr/lib/__pycache__/tool.cpython-313.pyc"), text: "code".into(), mode: 0o644 };
    let tree = world.compose(vec![line, cache], vec![hello, tool]);
    let from = match delivered {
        Some(members) => world.tar("other", &members),
        None => tree,
    };
    let layer = world.plan.add(Op::Layer { v: 1, epoch: 1000, title: "base".into() }, vec![from]);
    let (name, version) = promised;
    let parts = vec![
        brought("pkg:deb/debian/hello@1.0", Some((Ecosystem::Deb, "hello", "1.0"))),
        brought("pkg:pypi/tool@2", Some((Ecosystem::Pypi, name, version))),
    ];
    let op = Op::Inventory { v: 4, arch: Arch::Amd64, layers: 1, parts };
    let inventory = world.plan.add(op, vec![layer, tree, hello, tool]);
    let values = world.run(2)?;
    let Value::Blob(object) = &values[&inventory] else { panic!("{values:?}") };
    Ok(serde_json::from_slice(&world.store.read(&object.digest, 1 << 20).unwrap()).unwrap())
}

/// What `stock` delivers where nothing was changed.
fn everything<'m>() -> Members<'m> {
    let rest: Members<'_> = vec![("etc/passwd", b"root"), ("usr/lib/__pycache__/tool.cpython-313.pyc", b"code")];
    [hello(), tool(), rest].concat()
}

#[test]
fn every_file_has_somebody_who_put_it_there() {
    let inventory = stock(None, ("tool", "2")).unwrap();
    assert_eq!(stock(Some(everything()), ("tool", "2")).unwrap(), inventory);
    let of = |path: &str| {
        let item = inventory.items.iter().find(|item| item.path.display() == path).unwrap();
        inventory.parts[item.part.unwrap() as usize].as_str()
    };
    assert_eq!(of("usr/bin/hello"), "pkg:deb/debian/hello@1.0");
    assert_eq!(of("usr/lib/tool.py"), "pkg:pypi/tool@2");
    assert_eq!(of("usr/lib/__pycache__/tool.cpython-313.pyc"), "pkg:pypi/tool@2");
    assert_eq!(of("etc/passwd"), "base");
    let names: Vec<(&str, usize, Option<u32>)> =
        inventory.packages.iter().map(|found| (found.name.as_str(), found.files.len(), found.holder)).collect();
    // What came along with a package is listed under it.
    assert_eq!(names, [("tool", 4, None), ("vendored", 1, Some(0)), ("hello", 3, None)]);
}

#[test]
fn whatever_was_changed_in_a_layer_is_noticed_and_named() {
    let changed = |change: &dyn Fn(&mut Members<'_>)| {
        let mut members = everything();
        change(&mut members);
        let findings = stock(Some(members), ("tool", "2")).unwrap_err();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].code, codes::LAYER_CHANGED);
        findings[0].causes.join("; ")
    };
    let without = |name: &'static str| move |members: &mut Members<'_>| members.retain(|(path, _)| *path != name);
    let planted = changed(&|members| members.push(("usr/bin/planted", b"x")));
    assert_eq!(planted, "nobody put /usr/bin/planted there");
    let package = changed(&|members| members.push(("usr/lib/evil-1.dist-info/METADATA", b"Name: evil")));
    assert_eq!(
        package,
        "nobody put /usr/lib/evil-1.dist-info there; nobody put /usr/lib/evil-1.dist-info/METADATA there"
    );
    let edited = changed(&|members| {
        let status = members.iter_mut().find(|(path, _)| path.ends_with("status.d/hello")).unwrap();
        status.1 = b"Package: hello\nVersion: 1.1\nArchitecture: all\n";
    });
    assert_eq!(edited, "/var/lib/dpkg/status.d/hello is not as it was made");
    assert_eq!(changed(&without("usr/share/doc/hello/copyright")), "/usr/share/doc/hello/copyright is missing");
    assert_eq!(changed(&without("var/lib/dpkg/status.d/hello")), "/var/lib/dpkg/status.d/hello is missing");
    assert!(changed(&|members| members.push(("etc/.wh.passwd", b""))).contains("/etc"));
}

#[test]
fn a_promised_package_without_its_record_stops_the_build() {
    for promised in [("tool", "3"), ("tooth", "2")] {
        let findings = stock(None, promised).unwrap_err();
        assert_eq!(findings[0].code, codes::PACKAGE_MISSING);
        let (name, version) = promised;
        assert_eq!(findings[0].causes, [format!("no record of {name} {version} came with pkg:pypi/tool@2")]);
    }
}
