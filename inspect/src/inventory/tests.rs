use std::io::{Cursor, Write as _};

use model::inventory::Item;
use model::{Digest, Entry, Kind, TreePath};

use super::*;

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// The inventory of files, as a caller makes it; `-> x` is a link.
fn scan(files: &[(&str, &[u8])]) -> Inventory {
    let mut scanner = Scanner::default();
    let mut items = Vec::new();
    for (name, bytes) in files {
        let (path, size) = (path(name), bytes.len() as u64);
        let node = match bytes.strip_prefix(b"-> ") {
            Some(target) => Kind::Symlink { target: String::from_utf8_lossy(target).into_owned() },
            None => Kind::File { digest: Digest::of(bytes), size },
        };
        let entry = Entry::root(node, 0o644);
        if Scanner::wants(&path, &entry, bytes.first_chunk().copied()) {
            scanner.look(&path, &mut Cursor::new(bytes)).unwrap();
        }
        items.push(Item { path, entry, layer: 0, sha1: None, part: None });
    }
    items.sort_by(|a, b| a.path.cmp(&b.path));
    scanner.inventory("amd64", (items, Vec::new()))
}

/// `type:namespace/name@version licence [files] <holder`, one for each package.
fn shown(inventory: &Inventory) -> Vec<String> {
    let name = |found: &Found| {
        let above = found.namespace.iter().map(|above| format!("{above}/")).collect::<String>();
        format!("{}:{above}{}@{}", found.ecosystem.name(), found.name, found.version.as_deref().unwrap_or("?"))
    };
    let line = |found: &Found| {
        let files: Vec<String> = found.files.iter().map(TreePath::display).collect();
        let holder = found
            .holder
            .and_then(|at| inventory.packages.get(at as usize))
            .map(|holder| format!(" < {}", name(holder)));
        format!(
            "{} {} [{}]{}",
            name(found),
            found.licence.as_deref().unwrap_or("-"),
            files.join(" "),
            holder.unwrap_or_default()
        )
    };
    inventory.packages.iter().map(line).collect()
}

fn unread(inventory: &Inventory) -> Vec<String> {
    inventory.unread.iter().map(|one| format!("{}: {}", one.path.display(), one.why)).collect()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_directory_of_a_debian_package_that_is_a_link_in_the_image_is_not_its_file() {
    let inventory = scan(&[
        ("var/lib/dpkg/status", b"Package: a\nStatus: install ok installed\nVersion: 1\n"),
        ("var/lib/dpkg/info/a.list", b"/.\n/bin\n/bin/tool\n/usr\n/usr/own-link\n"),
        ("bin", b"-> usr/bin"),
        ("usr/bin/tool", b"x"),
        ("usr/own-link", b"-> elsewhere"),
    ]);
    assert_eq!(shown(&inventory), ["deb:a@1 - [usr/bin/tool usr/own-link]"]);
}

#[test]
fn debian_packages_by_dpkg_and_without_it() {
    let status = b"Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.3-1\nArchitecture: amd64\nSource: zlib (1:1.3)\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n";
    let inventory = scan(&[
        ("var/lib/dpkg/status", status),
        ("var/lib/dpkg/info/zlib1g:amd64.list", b"/.\n/lib/libz.so.1\n/usr/share/doc\n/not/there\n"),
        ("usr/lib/libz.so.1", b"x"),
        ("var/lib/dpkg/status.d/base", b"Package: base\nVersion: 12\n"),
        ("var/lib/dpkg/status.d/zlib1g-dev", b"Package: zlib1g-dev\nVersion: 13\n"),
        ("usr/share/doc/zlib1g-dev", b"-> zlib1g"),
        ("var/lib/dpkg/status.d/base.md5sums", b"d41d8cd98f00b204e9800998ecf8427e  etc/base\n"),
        ("etc/base", b"x"),
        (
            "usr/share/doc/zlib1g/copyright",
            b"Format: x\n\nFiles: *\nLicense: Zlib\n some text\n\nFiles: a\nLicense: Expat\n\nLicense: Expat\n x\n",
        ),
        ("usr/share/doc/base/copyright", b"It is free.\n"),
        ("usr/lib/os-release", b"ID=debian\nVERSION_ID=\"13\"\nHOME_URL=x\n"),
    ]);
    assert_eq!(
        inventory.distribution,
        [("ID", "debian"), ("VERSION_ID", "13")].map(|(a, b)| (a.into(), b.into())).into()
    );
    assert_eq!(
        shown(&inventory),
        [
            "deb:zlib1g@1:1.3-1 Expat, and Zlib [usr/lib/libz.so.1]",
            "deb:base@12 - [etc/base var/lib/dpkg/status.d/base]",
            "deb:zlib1g-dev@13 Expat, and Zlib [var/lib/dpkg/status.d/zlib1g-dev]"
        ]
    );
    assert_eq!(inventory.packages[0].source, Some(("zlib".into(), "1:1.3".into())));
    let broken = scan(&[("var/lib/dpkg/status", b"Package: a\nVersion: 1\n\nVersion: 2\n\n no field\n")]);
    assert_eq!(shown(&broken), ["deb:a@1 - []"]);
    assert_eq!(unread(&broken).len(), 1, "{broken:?}");
}

/// A program may be called as a licence is, and many copies of a text are one.
#[test]
fn what_is_named_like_a_licence_is_a_text_only_if_it_is_one() {
    let inventory = scan(&[
        ("usr/bin/license-detector", b"\x7fELF rest"),
        ("app/LICENSE", b"words"),
        ("app/b/LICENSE", b"words"),
        ("app/NOTICE", b"\0\x01"),
    ]);
    assert_eq!(inventory.texts.values().collect::<Vec<_>>(), ["words"]);
    let long = "x".repeat(512 << 10);
    let texts: Vec<(String, String)> =
        (0..200).map(|n| (format!("{n}/LICENSE"), format!("{n}{}", &long[8..]))).collect();
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let inventory = scan(&files);
    assert!(inventory.texts.len() < 130 && inventory.unread.len() > 70, "{}", inventory.unread.len());
}

#[test]
fn python_distributions_with_those_they_bring_along() {
    let metadata = b"Metadata-Version: 2.1\nName: Set_Tools\nVersion: 70\nLicense: MIT\nSummary: it builds\n\n";
    let inner =
        b"Metadata-Version: 2.1\nName: wheel\nVersion: 1\nClassifier: License :: OSI Approved :: MIT License\n\n";
    let inventory = scan(&[
        ("l/set_tools-70.dist-info/METADATA", metadata),
        (
            "l/set_tools-70.dist-info/RECORD",
            b"set_tools/a.py,,\n../bin/build,,\nset_tools/_vendor/wheel-1.dist-info/METADATA,,\nset_tools-70.dist-info/METADATA,,\ngone.py,,\n",
        ),
        ("l/set_tools/a.py", b"x"),
        ("bin/build", b"x"),
        ("l/set_tools/_vendor/wheel-1.dist-info/METADATA", inner),
        ("l/old.egg-info", b"Metadata-Version: 1.0\nName: old\nVersion: 0.1\n"),
        ("l/bad-1.dist-info/METADATA", b"Name: \xff\xfe\n"),
    ]);
    assert_eq!(
        shown(&inventory),
        [
            "pypi:old@0.1 - [l/old.egg-info]",
            "pypi:set-tools@70 MIT [bin/build l/set_tools-70.dist-info/METADATA l/set_tools/_vendor/wheel-1.dist-info/METADATA l/set_tools/a.py]",
            "pypi:wheel@1 MIT License [l/set_tools/_vendor/wheel-1.dist-info/METADATA] < pypi:set-tools@70",
        ]
    );
    assert_eq!(unread(&inventory), ["l/bad-1.dist-info/METADATA: it is not UTF-8"]);
}

#[test]
fn node_packages_where_npm_and_debian_put_them() {
    let inventory = scan(&[
        ("app/package.json", br#"{"name": "app", "version": "1"}"#),
        ("app/node_modules/a/package.json", br#"{"name": "a", "version": "1.0", "license": {"type": "ISC"}}"#),
        ("app/node_modules/a/esm/package.json", br#"{"type": "module"}"#),
        ("app/node_modules/a/i.js", b"x"),
        (
            "app/node_modules/a/node_modules/b/package.json",
            br#"{"name": "b", "version": "2", "licenses": [{"type": "MIT"}, "X"]}"#,
        ),
        ("app/node_modules/@s/c/package.json", br#"{"name": "@s/c", "version": "3", "license": "MIT"}"#),
        ("usr/share/nodejs/d/package.json", br#"{"name": "d"}"#),
        ("app/node_modules/e/package.json", b"{"),
    ]);
    assert_eq!(
        shown(&inventory),
        [
            "npm:@s/c@3 MIT [app/node_modules/@s/c/package.json]",
            "npm:b@2 MIT OR X [app/node_modules/a/node_modules/b/package.json]",
            "npm:a@1.0 ISC [app/node_modules/a/esm/package.json app/node_modules/a/i.js app/node_modules/a/package.json]",
            "npm:d@? - [usr/share/nodejs/d/package.json]",
        ]
    );
    assert!(unread(&inventory)[0].starts_with("app/node_modules/e/package.json: it is no JSON"));
}

#[test]
fn gems_with_their_files() {
    let text = br#"# stub: rake 13.0 ruby lib
Gem::Specification.new do |s|
  s.name = "rake".freeze
  s.version = "13.0"
  s.licenses = ["MIT".freeze, "Ruby".freeze]
  s.authors = ["A \"B\" C".freeze]
  s.add_runtime_dependency(%q<x>.freeze, [">= 1".freeze, "< 2"])
end
"#;
    let inventory = scan(&[
        ("g/specifications/rake-13.0.gemspec", text),
        ("g/gems/rake-13.0/lib/rake.rb", b"x"),
        ("g/gems/rake-13.0.1/lib/rake.rb", b"x"),
        ("app/rake.gemspec", text),
    ]);
    assert_eq!(
        shown(&inventory),
        ["gem:rake@13.0 MIT OR Ruby [g/gems/rake-13.0/lib/rake.rb g/specifications/rake-13.0.gemspec]"]
    );
    let rake = &inventory.packages[0];
    assert_eq!(rake.supplier.as_deref(), Some("A \"B\" C"));
    assert_eq!(rake.requires, ["x >= 1, < 2"]);
}

#[test]
fn archives_of_java_and_those_within() {
    let pom = |group: &str, name: &str| format!("groupId={group}\nartifactId={name}\nversion=1.5\n").into_bytes();
    let inner = zip(&[(
        "META-INF/MANIFEST.MF",
        b"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.x.inner;a=b\r\nBundle-Version: 2.0\r\n\r\n",
    )]);
    let outer = zip(&[
        ("META-INF/maven/g/app/pom.properties", &pom("g", "app")),
        ("META-INF/maven/h/shaded/pom.properties", &pom("h", "shaded")),
        ("BOOT-INF/lib/inner-2.0.jar", &inner),
        ("BOOT-INF/lib/none.jar", &zip(&[("a.class", b"x")])),
        ("BOOT-INF/lib/broken.jar", b"no zip"),
    ]);
    let inventory = scan(&[("opt/app-1.5.jar", &outer)]);
    assert_eq!(
        shown(&inventory),
        [
            "maven:g/app@1.5 - [opt/app-1.5.jar]",
            "maven:h/shaded@1.5 - [opt/app-1.5.jar] < maven:g/app@1.5",
            "maven:org.x.inner@2.0 - [opt/app-1.5.jar] < maven:g/app@1.5",
            "maven:none@? - [opt/app-1.5.jar] < maven:g/app@1.5",
        ]
    );
    assert_eq!(inventory.packages[2].inside, ["BOOT-INF/lib/inner-2.0.jar"]);
    assert!(unread(&inventory)[0].starts_with("opt/app-1.5.jar: BOOT-INF/lib/broken.jar: "), "{:?}", inventory.unread);
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_not_read() {
    let zeros = vec![0; 80 << 20];
    let bomb = zip(&[("a.jar", &zeros)]);
    let inventory = scan(&[("bomb.jar", &bomb)]);
    assert!(unread(&inventory)[0].contains("unpacks to more than"), "{:?}", inventory.unread);
    // One in another, deeper than any application.
    let deep = (0..8).fold(zip(&[("x", b"x")]), |inner, _| zip(&[("a.jar", &inner)]));
    let inventory = scan(&[("deep.jar", &deep)]);
    assert_eq!(inventory.packages.len(), 5);
    assert!(unread(&inventory)[0].contains("deep"), "{:?}", inventory.unread);
}

#[test]
fn modules_of_go_as_the_linker_writes_them() {
    let modules = "path\tx/cmd\nmod\tx.org/app\t(devel)\t\ndep\tg.org/a/b\tv1.2.3\th1:abc=\ndep\tg.org/c\tv1\n=>\tg.org/d\tv2\th1:def=\n";
    let guarded = ["0123456789abcdef", modules, "0123456789abcdef"].concat();
    let section = |texts: &[&str], flags: u8| {
        let mut bytes = [golang_magic(), &[8, flags], &[0; 16]].concat();
        for text in texts {
            let length = text.len();
            bytes.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8]);
            bytes.extend(text.as_bytes());
        }
        bytes
    };
    let told = golang::modules(&path("bin/app"), &section(&["go1.24.1 X:a", &guarded], 2));
    let names: Vec<String> = told
        .found
        .iter()
        .map(|found| {
            format!("{:?} {} {:?} {:?} {:?}", found.namespace, found.name, found.version, found.checksum, found.holder)
        })
        .collect();
    assert_eq!(
        names,
        [
            r#"Some("x.org") app None None None"#,
            r#"Some("g.org/a") b Some("v1.2.3") Some("h1:abc=") Some(0)"#,
            r#"Some("g.org") d Some("v2") Some("h1:def=") Some(0)"#,
            r#"None stdlib Some("1.24.1") None Some(0)"#,
        ]
    );
    assert!(golang::modules(&path("a"), &section(&["go1.24"], 2)).unread.unwrap().contains("cut off"));
    assert!(golang::modules(&path("a"), &section(&["go1.17"], 0)).unread.unwrap().contains("before 1.18"));
    assert!(golang::modules(&path("a"), b"else").unread.is_some());
}

fn golang_magic() -> &'static [u8] {
    b"\xff Go buildinf:"
}

#[test]
fn crates_of_rust_as_cargo_auditable_writes_them() {
    let json = r#"{"packages":[
        {"name":"a","version":"1.0.0","source":"crates.io"},
        {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[0]},
        {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"}]}"#;
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(json.as_bytes()).unwrap();
    let told = cargo::crates(&path("bin/app"), &writer.finish().unwrap());
    let names: Vec<_> = told.found.iter().map(|found| (found.name.as_str(), found.holder)).collect();
    assert_eq!(names, [("app", None), ("a", Some(0))]);
    assert!(cargo::crates(&path("a"), b"no zlib").unread.is_some());
}

#[test]
fn packages_that_claim_each_other_hold_nobody_twice() {
    let metadata = |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\n\n").into_bytes();
    let both = b"a-1.dist-info/METADATA,,\nb-1.dist-info/METADATA,,\n";
    let inventory = scan(&[
        ("l/a-1.dist-info/METADATA", &metadata("a")),
        ("l/a-1.dist-info/RECORD", both),
        ("l/b-1.dist-info/METADATA", &metadata("b")),
        ("l/b-1.dist-info/RECORD", both),
    ]);
    let holders: Vec<Option<u32>> = inventory.packages.iter().map(|found| found.holder).collect();
    assert_eq!(holders, [None, Some(0)]);
}

#[test]
fn one_stanza_that_cannot_be_read_costs_one_package() {
    let stanza = |name: &str, rest: &str| format!("Package: {name}\nStatus: install ok {rest}\nVersion: 1\n\n");
    let whole = [stanza("a", "installed"), stanza("b", "half-configured"), stanza("c", "not-installed")].concat();
    let read = |status: &[u8]| {
        let inventory = scan(&[("var/lib/dpkg/status", status)]);
        let names = inventory.packages.iter().map(|found| found.name.clone()).collect::<Vec<_>>().join(" ");
        (names, unread(&inventory))
    };
    assert_eq!(read(whole.as_bytes()), ("a b".to_owned(), Vec::new()));
    let broken = whole.replace("Package: a\n", "Package: a\nno field\n");
    let (names, said) = read(broken.as_bytes());
    assert_eq!(names, "b");
    assert!(said[0].contains("`Package: a` has a line that is no field"), "{said:?}");
    let latin = [b"Package: a\nVersion: 1\nMaintainer: \xe9\n\n", whole.as_bytes()].concat();
    assert_eq!(read(&latin).0, "a a b");
    let cut = whole.as_bytes().get(..whole.len() - 20).unwrap();
    assert_eq!(read(cut), ("a b".to_owned(), vec!["var/lib/dpkg/status: it is cut off".to_owned()]));
}

#[test]
fn what_nobody_here_reads_is_said() {
    let inventory = scan(&[
        ("lib/apk/db/installed", b"P:musl\nV:1\n"),
        ("var/lib/rpm/rpmdb.sqlite", b"SQLite"),
        ("var/lib/dpkg", b"-> elsewhere"),
    ]);
    assert_eq!(
        unread(&inventory),
        [
            "lib/apk/db/installed: packages of Alpine are not read yet",
            "var/lib/dpkg: it is a symbolic link, which is not followed",
            "var/lib/rpm/rpmdb.sqlite: packages of RPM are not read yet",
        ]
    );
    let text = [b"Package: a\nVersion: 1\n\n".as_slice(), &vec![b'\n'; 16 << 20]].concat();
    assert_eq!(unread(&scan(&[("var/lib/dpkg/status", &text)])).len(), 1);
}

#[test]
fn names_are_taken_as_they_are_but_for_what_no_document_may_hold() {
    let package = |text: &str| scan(&[("node_modules/x/package.json", text.as_bytes())]);
    assert_eq!(shown(&package(r#"{"name": "unknown"}"#)), ["npm:unknown@? - [node_modules/x/package.json]"]);
    let odd = package("{\"name\": \"a\", \"version\": \"1\\u0001.0\\uffff\\u202e\"}");
    assert_eq!(shown(&odd), ["npm:a@1.0 - [node_modules/x/package.json]"]);
    for nameless in [r#"{"name": "@x/"}"#, r#"{"name": " "}"#] {
        assert_eq!(unread(&package(nameless)), ["node_modules/x/package.json: it names no package"]);
    }
}

#[test]
fn an_archive_of_too_many_archives_is_said_to_be_one() {
    let inner = zip(&[]);
    let names: Vec<String> = (0..5000).map(|number| format!("{number}.jar")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
    let inventory = scan(&[("a.jar", &zip(&members))]);
    assert_eq!(unread(&inventory), ["a.jar: more than 4096 archives lie in it"]);
    assert_eq!(inventory.packages.len(), 4097);
}

/// What layers make together.
fn layered(layers: &[&[(&str, &[u8])]]) -> Inventory {
    let mut filesystem = Filesystem::default();
    let mut scanner = Scanner::default();
    for (number, files) in layers.iter().enumerate() {
        let mut own = Scanner::default();
        let mut changes = Vec::new();
        for (name, bytes) in *files {
            let path = path(name);
            let node = match bytes.strip_prefix(b"=> ") {
                Some(to) => Kind::Hardlink { to: TreePath::new(to).unwrap() },
                None => Kind::File { digest: Digest::of(bytes), size: bytes.len() as u64 },
            };
            let entry = Entry::root(node, 0o644);
            if Scanner::wants(&path, &entry, bytes.first_chunk().copied()) {
                own.look(&path, &mut Cursor::new(bytes)).unwrap();
            }
            changes.push(Change::Put(path, entry));
        }
        if number > 0 {
            filesystem.next_layer();
        }
        changes.iter().for_each(|change| filesystem.apply(change.clone()));
        scanner.cover(&changes, &own);
    }
    scanner.inventory("amd64", filesystem.finish())
}

#[test]
fn another_name_of_a_record_tells_what_the_record_told_when_it_was_made() {
    let package = |name: &str| format!("{{\"name\": \"{name}\", \"version\": \"1\"}}");
    let (first, other) = (package("first"), package("other"));
    let (cached, there) = ("cache/node_modules/a/package.json", "app/node_modules/a/package.json");
    let link = format!("=> {cached}");
    let in_one: &[(&str, &[u8])] = &[(cached, first.as_bytes()), (there, link.as_bytes())];
    let replaced: &[(&str, &[u8])] = &[(cached, other.as_bytes())];
    let is = |name: &str, path: &str| format!("npm:{name}@1 - [{path}]");
    assert_eq!(shown(&layered(&[in_one])), [is("first", there), is("first", cached)]);
    assert_eq!(shown(&layered(&[in_one, replaced])), [is("first", there), is("other", cached)]);
    let across: &[(&str, &[u8])] = &[(there, link.as_bytes())];
    assert_eq!(shown(&layered(&[replaced, across])), [is("other", there), is("other", cached)]);
    // Under a name that asks for nobody it was not read.
    let unread_there: &[(&str, &[u8])] = &[("cache/blob", first.as_bytes()), (there, b"=> cache/blob")];
    assert_eq!(
        unread(&layered(&[unread_there])),
        ["app/node_modules/a/package.json: it is another name of \"cache/blob\", which was not read so"]
    );
}

#[test]
fn a_secret_that_a_later_layer_covers_is_still_there() {
    let key = b"-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END PRIVATE KEY-----\n".as_slice();
    let found = |layers: &[&[(&str, &[u8])]]| -> Vec<String> {
        layered(layers).secrets.iter().map(|secret| format!("{} {:?}", secret.path.display(), secret.kind)).collect()
    };
    assert_eq!(found(&[&[("app/k", key)], &[("app/k", b"nothing")]]), ["app/k PrivateKey"]);
    assert_eq!(found(&[&[("app/k", b"nothing")], &[("app/j", key)]]), ["app/j PrivateKey"]);
    assert!(found(&[&[("app/k", b"nothing")]]).is_empty());
}
