//! A root that a test fills itself, with the programs people use: what lies in it is known to the file.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use support::{cli, repository, run};
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::fixture::scratch;
use crate::image::json;

/// Package URLs without what follows a `?`, each with the package's files, sorted.
type Packages = BTreeSet<(String, Vec<String>)>;

/// The root, and what is in it. Made once.
static TREE: LazyLock<(tempfile::TempDir, Packages)> = LazyLock::new(|| {
    let dir = scratch();
    let (root, work) = (dir.path().join("root"), dir.path().join("work"));
    put(&root.join("usr/lib/os-release"), b"ID=debian\nVERSION_ID=\"13\"\n");
    let makers: [fn(&Path, &Path) -> Packages; 6] = [debian, npm, python, java, go, rust];
    let packages = makers.into_iter().flat_map(|make| make(&root, &work)).collect();
    (dir, packages)
});

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn package(purl: impl Into<String>, files: impl IntoIterator<Item = impl Into<String>>) -> (String, Vec<String>) {
    let mut files: Vec<String> = files.into_iter().map(Into::into).collect();
    files.sort();
    (purl.into(), files)
}

/// A hundred packages that dpkg-deb packs and dpkg installs, and one that it removes again all but its configuration.
fn debian(root: &Path, work: &Path) -> Packages {
    let architecture = run(Command::new("dpkg").arg("--print-architecture")).ok().stdout.trim().to_owned();
    let admin = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(admin.join(folder)).unwrap();
    }
    put(&admin.join("status"), b"");
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    let mut packages = Packages::new();
    let mut archives = Vec::new();
    for number in 0..=100 {
        let name = format!("library{number}{}", if number % 11 == 0 { "+x" } else { "" });
        let version = if number % 7 == 0 { format!("1:2.0~rc1+b{number}-3") } else { format!("1.{number}-1") };
        // Where several architectures may be there at once, dpkg names a package's list after its own as well.
        let own = if number % 10 == 0 { format!("{architecture}\nMulti-Arch: same") } else { "all".to_owned() };
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {own}\nMaintainer: A <a@example.com>\nDescription: a package\n"
        );
        let folder = work.join("debs").join(&name);
        put(&folder.join("DEBIAN/control"), control.as_bytes());
        let mut files = vec![format!("usr/share/{name}/data"), format!("usr/share/doc/{name}/copyright")];
        let mut there = files.clone();
        if number % 5 == 0 {
            files.push(format!("etc/{name}.conf"));
            there.push(format!("etc/{name}.conf"));
            put(&folder.join("DEBIAN/conffiles"), format!("/etc/{name}.conf\n").as_bytes());
        }
        if number % 9 == 0 {
            files.push(format!("bin/tool-{name}"));
            there.push(format!("usr/bin/tool-{name}"));
        }
        files.iter().for_each(|file| put(&folder.join(file), name.as_bytes()));
        if number % 4 == 0 {
            symlink("data", folder.join(format!("usr/share/{name}/link"))).unwrap();
            there.push(format!("usr/share/{name}/link"));
        }
        let archive = work.join(format!("{name}.deb"));
        run(Command::new("dpkg-deb").args(["--root-owner-group", "-Znone", "--build"]).arg(&folder).arg(&archive)).ok();
        archives.push(archive);
        if number < 100 {
            let purl = format!("pkg:deb/debian/{name}@{version}").replace('+', "%2B");
            packages.insert(package(purl, there.iter().map(|file| format!("/{file}"))));
        }
    }
    let dpkg = || {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("--root").arg(root).arg("--log").arg(work.join("dpkg.log"));
        dpkg
    };
    run(dpkg().arg("--install").args(&archives)).ok();
    run(dpkg().args(["--remove", "library100"])).ok();
    assert!(root.join("etc/library100.conf").is_file());
    packages
}

/// Seventy packages as npm and pnpm lay them out, two of them with one name and version; and files that are none of these.
fn npm(root: &Path, _: &Path) -> Packages {
    let mut packages = Packages::new();
    let mut add = |at: &str, name: &str, version: &str| {
        let folder = format!("{at}/node_modules/{name}");
        let manifest = serde_json::json!({"name": name, "version": version, "license": "MIT"}).to_string();
        let files = ["package.json", "index.js", "lib/deep/file.js", "dist/esm/package.json", "test/package.json"];
        for file in files {
            let text = match file {
                "package.json" => manifest.as_str(),
                "dist/esm/package.json" => r#"{"type": "module"}"#,
                "test/package.json" => r#"{"name": "made-up-by-a-test", "version": "9.9.9"}"#,
                _ => "0;\n",
            };
            put(&root.join(&folder).join(file), text.as_bytes());
        }
        let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
        packages.insert(package(purl, files.map(|file| format!("/{folder}/{file}"))));
    };
    (0..40).for_each(|number| add("app", &format!("plain{number}"), &format!("1.{number}.0")));
    (0..10).for_each(|number| add("app", &format!("@scope/part{number}"), "2.0.0-beta.1"));
    (0..10).for_each(|number| add("app/node_modules/plain0", &format!("nested{number}"), "0.1.0"));
    add("app/node_modules/@scope/part0", "plain1", "1.1.0");
    add("app/node_modules/plain2", "plain1", "3.0.0");
    (0..7).for_each(|number| {
        add(&format!("app/node_modules/.pnpm/kept{number}@4.0.0"), &format!("kept{number}"), "4.0.0")
    });
    add("usr/lib", "npm", "10.9.0");
    put(
        &root.join("app/package.json"),
        br#"{"name": "app", "version": "1.0.0", "dependencies": {"never-installed": "1"}}"#,
    );
    put(
        &root.join("app/package-lock.json"),
        br#"{"packages": {"node_modules/never-installed": {"version": "1.0.0"}}}"#,
    );
    assert_eq!(packages.len(), 70);
    packages
}

/// Twenty wheels that pip installs, programs and byte code with them.
fn python(root: &Path, work: &Path) -> Packages {
    let mut wheels = Vec::new();
    for letter in 'a'..='t' {
        let module = format!("mod_{letter}");
        let info = format!("{module}-1.0.dist-info");
        let metadata =
            format!("Metadata-Version: 2.1\nName: Mod.{}\nVersion: 1.0\nLicense: MIT\n", letter.to_ascii_uppercase());
        let files = [
            (format!("{module}/__init__.py"), "def main(): pass\n"),
            (format!("{module}/inner/data.txt"), "data\n"),
            (format!("{info}/METADATA"), &metadata),
            (
                format!("{info}/WHEEL"),
                "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            ),
            (format!("{info}/entry_points.txt"), &format!("[console_scripts]\n{module} = {module}:main\n")),
        ];
        let record: String = files.iter().map(|(name, _)| format!("{name},,\n")).collect();
        let record = (format!("{info}/RECORD"), record + &format!("{info}/RECORD,,\n"));
        let members = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
        let wheel = work.join(format!("{module}-1.0-py3-none-any.whl"));
        put(&wheel, &zipped(members.chain([(record.0.as_str(), record.1.as_bytes())])));
        wheels.push(wheel);
    }
    let options = ["--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--ignore-installed"];
    let mut pip = Command::new("pip3");
    pip.env("PIP_BREAK_SYSTEM_PACKAGES", "1").arg("install").args(options).arg("--quiet").arg("--prefix");
    run(pip.arg(root.join("usr/local")).args(&wheels)).ok();
    let files = files_below(root, &root.join("usr/local"));
    let packages = ('a'..='t').map(|letter| {
        let of = |file: &&String| {
            file.split('/').any(|part| part == format!("mod_{letter}") || part.starts_with(&format!("mod_{letter}-")))
        };
        let own: Vec<String> = files.iter().filter(of).cloned().collect();
        // What pip adds is there, so that it is seen to be listed.
        assert!(
            own.iter().any(|file| file.ends_with(".pyc")) && own.iter().any(|file| file.contains("/bin/")),
            "{own:?}"
        );
        package(format!("pkg:pypi/mod-{letter}@1.0"), own)
    });
    packages.collect()
}

fn files_below(root: &Path, folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(root, &entry.path()));
        } else {
            files.push(format!("/{}", entry.path().strip_prefix(root).unwrap().display()));
        }
    }
    files
}

/// An archive in an archive in an archive, one with two packages in it, and two without Maven's record.
fn java(root: &Path, _: &Path) -> Packages {
    let pom = |group: &str, name: &str, version: &str| {
        let text = format!("#comment\ngroupId={group}\nartifactId={name}\nversion={version}\n");
        (format!("META-INF/maven/{group}/{name}/pom.properties"), text.into_bytes())
    };
    let jar = |members: Vec<(String, Vec<u8>)>| {
        let manifest = ("META-INF/MANIFEST.MF", &b"Manifest-Version: 1.0\n\n"[..]);
        zipped([manifest].into_iter().chain(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))))
    };
    let inner = jar(vec![pom("org.inner", "inner", "0.1")]);
    let library = jar(vec![pom("org.lib", "library", "1.2"), ("META-INF/lib/inner-0.1.jar".into(), inner)]);
    let shaded = jar(vec![pom("org.shade", "shaded", "2.0"), pom("org.lib", "hidden", "3.3")]);
    let war = [("WEB-INF/lib/library-1.2.jar".to_owned(), library), ("WEB-INF/lib/shaded-2.0.jar".to_owned(), shaded)];
    put(&root.join("opt/app/shop-5.0.war"), &jar(war.to_vec()));
    put(&root.join("opt/app/bare-7.1.jar"), &jar(Vec::new()));
    let manifest = b"Manifest-Version: 1.0\nBundle-SymbolicName: org.bundle;singleton:=true\nBundle-Version: 4.5.6\n\n";
    put(&root.join("opt/app/bundle.jar"), &zipped([("META-INF/MANIFEST.MF", &manifest[..])]));
    let war = "/opt/app/shop-5.0.war";
    let (library, shaded) =
        (format!("{war}!/WEB-INF/lib/library-1.2.jar"), format!("{war}!/WEB-INF/lib/shaded-2.0.jar"));
    Packages::from([
        package("pkg:maven/shop@5.0", [war]),
        package("pkg:maven/org.lib/library@1.2", [library.clone()]),
        package("pkg:maven/org.inner/inner@0.1", [library + "!/META-INF/lib/inner-0.1.jar"]),
        package("pkg:maven/org.shade/shaded@2.0", [shaded.clone()]),
        package("pkg:maven/org.lib/hidden@3.3", [shaded]),
        package("pkg:maven/bare@7.1", ["/opt/app/bare-7.1.jar"]),
        package("pkg:maven/org.bundle@4.5.6", ["/opt/app/bundle.jar"]),
    ])
}

fn zipped<'m>(members: impl IntoIterator<Item = (&'m str, &'m [u8])>) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A program with a module of somebody else. What is in it is what Go says of it.
fn go(root: &Path, work: &Path) -> Packages {
    let (folder, program) = (work.join("go"), root.join("usr/bin/go-tool"));
    put(&folder.join("go.mod"), b"module example.com/tools/tool\n\ngo 1.24\n");
    let main = "package main\n\nimport \"github.com/google/uuid\"\n\nfunc main() { println(uuid.New().String()) }\n";
    put(&folder.join("main.go"), main.as_bytes());
    let go = |args: &[&str]| run(Command::new("go").args(args).current_dir(&folder)).ok().stdout;
    go(&["get", "github.com/google/uuid@v1.6.0"]);
    go(&["build", "-trimpath", "-o", program.to_str().unwrap(), "."]);
    let said = go(&["version", "-m", program.to_str().unwrap()]);
    let compiler = said.lines().next().unwrap().rsplit_once(": go").unwrap().1;
    let modules = said.lines().filter_map(|line| match *line.trim().split('\t').collect::<Vec<_>>() {
        ["mod" | "dep", name, "(devel)", ..] => Some(format!("pkg:golang/{name}")),
        ["mod" | "dep", name, version, ..] => Some(format!("pkg:golang/{name}@{version}")),
        _ => None,
    });
    let mut purls: Vec<String> = modules.collect();
    assert_eq!(purls, ["pkg:golang/example.com/tools/tool", "pkg:golang/github.com/google/uuid@v1.6.0"]);
    purls.push(format!("pkg:golang/stdlib@{compiler}"));
    purls.into_iter().map(|purl| package(purl, ["/usr/bin/go-tool"])).collect()
}

/// A program with a crate of somebody else, compiled by `cargo auditable`; another crate is only needed to compile it.
fn rust(root: &Path, work: &Path) -> Packages {
    let folder = work.join("rust");
    let manifest = "[package]\nname = \"rust-tool\"\nversion = \"0.3.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
                    [dependencies]\nitoa = \"=1.0.15\"\n\n[build-dependencies]\ncfg-if = \"=1.0.1\"\n";
    put(&folder.join("Cargo.toml"), manifest.as_bytes());
    put(&folder.join("build.rs"), b"fn main() {}\n");
    put(&folder.join("src/main.rs"), b"fn main() { println!(\"{}\", itoa::Buffer::new().format(1)); }\n");
    let auditable = repository().join("target/tools/cargo-auditable-0.7.7/bin/cargo-auditable");
    assert!(auditable.is_file(), "{} is missing: `cargo xtask test` builds it", auditable.display());
    let mut build = Command::new(auditable);
    build.args(["auditable", "build", "--quiet", "--release", "--target-dir", "built"]).current_dir(&folder);
    run(&mut build).ok();
    fs::copy(folder.join("built/release/rust-tool"), root.join("usr/bin/rust-tool")).unwrap();
    let purls = ["pkg:cargo/rust-tool@0.3.0", "pkg:cargo/itoa@1.0.15"];
    purls.into_iter().map(|purl| package(purl, ["/usr/bin/rust-tool"])).collect()
}

/// The packages of a bill in CycloneDX.
fn packages(bill: &Value) -> Packages {
    let components = bill["components"].as_array().unwrap().iter();
    let packages = components.filter_map(|one| {
        let purl = one["purl"].as_str()?.split('?').next()?;
        let occurrences = one["evidence"]["occurrences"].as_array().into_iter().flatten();
        Some(package(purl, occurrences.map(|one| one["location"].as_str().unwrap())))
    });
    packages.collect()
}

fn bill_of(reference: &str, work: &Path) -> Value {
    let output = work.join("bill.cdx.json");
    run(cli().args(["generate-sbom", reference, "--output"]).arg(&output)).ok();
    json(&output)
}

/// Says what is missing, and what nobody put there.
#[track_caller]
fn assert_same(found: &Packages, expected: &Packages) {
    let missing: Vec<_> = expected.difference(found).collect();
    let invented: Vec<_> = found.difference(expected).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:#?}\ninvented: {invented:#?}");
}

#[test]
fn nothing_in_a_root_is_missed_and_nothing_invented() {
    let (dir, expected) = &*TREE;
    let bill = bill_of(dir.path().join("root").to_str().unwrap(), dir.path());
    let found = packages(&bill);
    assert_same(&found, expected);
    let count = |kind: &str| found.iter().filter(|(purl, _)| purl.starts_with(&format!("pkg:{kind}/"))).count();
    let counts = ["deb", "npm", "pypi", "maven", "golang", "cargo"].map(count);
    assert_eq!(counts, [100, 70, 20, 7, 3, 2]);
    assert_eq!(bill["components"].as_array().unwrap().len(), counts.into_iter().sum::<usize>());
}

/// The same as layers that another program makes; a second one takes some away again.
#[test]
fn layers_of_another_program_say_the_same_and_what_a_layer_takes_away_is_gone() {
    let (dir, expected) = &*TREE;
    let work = scratch();
    let umoci = |args: &[&str]| run(Command::new("umoci").args(args).current_dir(work.path())).ok();
    umoci(&["init", "--layout", "layout"]);
    umoci(&["new", "--image", "layout:x"]);
    umoci(&["unpack", "--image", "layout:x", "bundle"]);
    let rootfs: PathBuf = work.path().join("bundle/rootfs");
    run(Command::new("cp").arg("-a").arg(dir.path().join("root/.")).arg(&rootfs)).ok();
    umoci(&["repack", "--refresh-bundle", "--image", "layout:x", "bundle"]);
    let layout = format!("oci:{}", work.path().join("layout").display());
    assert_same(&packages(&bill_of(&layout, work.path())), expected);

    fs::remove_dir_all(rootfs.join("app/node_modules/plain3")).unwrap();
    fs::remove_file(rootfs.join("opt/app/bare-7.1.jar")).unwrap();
    fs::remove_file(rootfs.join("usr/share/library1/data")).unwrap();
    umoci(&["repack", "--image", "layout:x", "bundle"]);
    let left =
        expected.iter().filter(|(purl, _)| !["pkg:npm/plain3@1.3.0", "pkg:maven/bare@7.1"].contains(&purl.as_str()));
    let left = left.map(|(purl, files)| {
        let files = files.iter().filter(|file| *file != "/usr/share/library1/data").cloned().collect();
        (purl.clone(), files)
    });
    assert_same(&packages(&bill_of(&layout, work.path())), &left.collect());
}
