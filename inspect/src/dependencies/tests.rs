//! Small files of every format; what each says was read by a person.

use model::dependencies::Dependency;

use super::*;

/// Each package in a line: what is direct has a star, what has a digest a plus.
fn read(name: &str, text: &str) -> Vec<String> {
    let manifest = manifest(name, text.as_bytes()).unwrap();
    if let Some(why) = manifest.unread {
        return vec![format!("unread: {why}")];
    }
    manifest.packages.iter().map(shown).collect()
}

fn shown(package: &Dependency) -> String {
    let Dependency { name, version, digest, licence, direct, requires, .. } = package;
    let mark = |is: bool, mark: &'static str| if is { mark } else { "" };
    let version = version.as_deref().unwrap_or("?");
    let licence = licence.iter().map(|licence| format!(" {licence}")).collect::<String>();
    let requires = if requires.is_empty() { String::new() } else { format!(" -> {}", requires.join(" ")) };
    format!("{name} {version}{}{}{licence}{requires}", mark(*direct, "*"), mark(digest.is_some(), "+"))
}

#[test]
fn python() {
    let text = "# what it needs\nFast_API==1.0 # web\nuvicorn>=0.3,<1 ; python_version > '3.8'\n-r other.txt\n\
                idna==3.1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nx @ https://example.com/x.zip\n";
    assert_eq!(read("requirements.txt", text), ["fast-api 1.0*", "uvicorn ?*", "idna 3.1*+", "x ?*"]);
    assert_eq!(read("dev-requirements.txt", "a=b"), ["unread: `a=b` is no requirement"]);
    let text = "[project]\ndependencies = ['a==1.*', 'b===2']\n[project.optional-dependencies]\nt = ['c']\n\
                [dependency-groups]\ndev = ['d>1', {include-group = 't'}]\n[tool.poetry.dependencies]\npython = '^3'\ne = '1.2'\nf = {version = '^1'}\n\
                [build-system]\nrequires = ['hatchling']\n";
    assert_eq!(read("pyproject.toml", text), ["a ?*", "b 2*", "hatchling ?*", "c ?*", "d ?*", "e 1.2*", "f ?*"]);
    let text = "version = 1\n[[package]]\nname = 'own'\nversion = '0.1'\nsource = { virtual = '.' }\ndependencies = [{ name = 'a' }]\n\
                [[package]]\nname = 'a'\nversion = '1'\nsource = { registry = 'r' }\ndependencies = [{ name = 'B' }]\nsdist = { url = 'u', hash = 'sha256:0' }\n\
                [[package]]\nname = 'b'\nversion = '2'\nwheels = [{ hash = 'sha256:1' }]\n";
    assert_eq!(read("uv.lock", text), ["a 1*+ -> b", "b 2+"]);
    let text = "[[package]]\nname = 'a'\nversion = '1'\nfiles = [{file = 'f', hash = 'sha256:0'}]\n[package.dependencies]\nB = '*'\n";
    assert_eq!(read("poetry.lock", text), ["a 1+ -> b"]);
    let text = "[[packages]]\nname = 'a'\nversion = '1'\n[[packages.wheels]]\nurl = 'u'\nhashes = {sha256 = '0'}\n";
    assert_eq!(read("pylock.toml", text), ["a 1+"]);
    let text =
        r#"{"default": {"a": {"version": "==1", "hashes": ["sha256:0"]}}, "develop": {"b": {"version": "==2"}}}"#;
    assert_eq!(read("Pipfile.lock", text), ["a 1+", "b 2"]);
}

#[test]
fn node() {
    let text = r#"{"dependencies": {"a": "^1.0.0", "b": "1.2.3", "own": "workspace:*"}, "devDependencies": {"c": "1.2.3-beta.1", "d": "1.2.3-x || *"}}"#;
    assert_eq!(read("package.json", text), ["a ?*", "b 1.2.3*", "c 1.2.3-beta.1*", "d ?*"]);
    let text = r#"{"lockfileVersion": 3, "packages": {
        "": {"dependencies": {"a": "^1"}},
        "packages/own": {"devDependencies": {"c": "1"}},
        "node_modules/own": {"link": true, "resolved": "packages/own"},
        "node_modules/a": {"version": "1.0.0", "integrity": "sha512-x", "license": "MIT", "dependencies": {"b": "^2"}},
        "node_modules/a/node_modules/b": {"version": "2.0.0"},
        "node_modules/@s/c": {"name": "c", "version": "1.0.0", "resolved": "git+ssh://example.com/c#main"}}}"#;
    assert_eq!(read("package-lock.json", text), ["c 1.0.0*", "a 1.0.0*+ MIT -> b", "b 2.0.0"]);
    let text = r#"{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "integrity": "sha1-x", "requires": {"b": "1"},
        "dependencies": {"b": {"version": "1.0.1"}}}}}"#;
    assert_eq!(read("npm-shrinkwrap.json", text), ["a 1.0.0+ -> b", "b 1.0.1"]);
    let text = "# yarn lockfile v1\n\n\"@s/a@^1.0\", \"@s/a@^1.1\":\n  version \"1.1.0\"\n  resolved \"u\"\n  integrity sha512-x\n  dependencies:\n    b \"^2\"\n\n\
                b@^2:\n  version \"2.0.0\"\n";
    assert_eq!(read("yarn.lock", text), ["@s/a 1.1.0+ -> b", "b 2.0.0"]);
    assert_eq!(
        read("yarn.lock", "__metadata:\n  version: 8\n"),
        ["unread: it is no lock of yarn 1; those of later versions are not read"]
    );
}

#[test]
fn rust() {
    let text = "[dependencies]\na = '1'\nb = { version = '=1.2.3', optional = true }\nown = { path = '../own' }\nshared.workspace = true\n\
                [target.'cfg(unix)'.dependencies]\nc = { git = 'https://example.com/c', rev = 'abc' }\n[workspace.dependencies]\nshared = '2'\n";
    assert_eq!(read("Cargo.toml", text), ["c ?*", "shared ?*", "a ?*", "b 1.2.3*"]);
    let text = "version = 4\n[[package]]\nname = 'own'\nversion = '0.1.0'\ndependencies = ['a', 'b 2.0.0']\n\
                [[package]]\nname = 'a'\nversion = '1.0.0'\nsource = 'registry+r'\nchecksum = '00'\ndependencies = ['c']\n\
                [[package]]\nname = 'c'\nversion = '1.0.0'\nsource = 'git+https://example.com/c?rev=abc#0123456789012345678901234567890123456789'\n";
    assert_eq!(read("Cargo.lock", text), ["a 1.0.0*+ -> c", "c 1.0.0+"]);
}

#[test]
fn go_ruby_and_java() {
    let text = "module example.com/own\n\ngo 1.24\n\nrequire example.com/a v1.0.0\n\nrequire(\n\texample.com/b v0.0.0-1 // indirect\n\texample.com/c/v2 v2.0.0\n)\n\nreplace (\n\texample.com/d v1.0.0 => ../d\n)\n";
    assert_eq!(read("go.mod", text), ["example.com/a v1.0.0*", "example.com/b v0.0.0-1", "example.com/c/v2 v2.0.0*"]);
    let text = "example.com/a v1.0.0 h1:x=\nexample.com/a v1.0.0/go.mod h1:y=\nexample.com/z v1.0.0/go.mod h1:y=\n";
    assert_eq!(read("go.sum", text), ["example.com/a v1.0.0+"]);
    let text = "GEM\n  remote: https://example.com/\n  specs:\n    rack (3.0.0)\n    rails (7.0)\n      rack (>= 2)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails (~> 7.0)\n\nCHECKSUMS\n  rack (3.0.0) sha256=00\n  rails (7.0)\n";
    assert_eq!(read("Gemfile.lock", text), ["rack 3.0.0+", "rails 7.0* -> rack"]);
    let text = "<project xmlns=\"x\"><version>5</version><properties><j>1.2</j></properties><dependencyManagement><dependencies>\
                <dependency><groupId>g</groupId><artifactId>m</artifactId><version>9</version></dependency></dependencies></dependencyManagement><dependencies>\
                <dependency><groupId>g</groupId><artifactId>a</artifactId><version>${j}</version><exclusions><exclusion><groupId>n</groupId></exclusion></exclusions></dependency>\
                <dependency><groupId>g</groupId><artifactId>m</artifactId></dependency>\
                <dependency><groupId>g</groupId><artifactId>r</artifactId><version>[1,2)</version></dependency>\
                <dependency><groupId>g</groupId><artifactId>p</artifactId></dependency></dependencies></project>";
    assert_eq!(read("pom.xml", text), ["g:a 1.2*", "g:m 9*", "g:r ?*", "g:p ?*"]);
    assert_eq!(read("pom.xml", "<project>"), ["unread: it ends early"]);
}

/// What a lock beside a manifest or above it chooses is pinned; the lock itself is asked for digests.
#[test]
fn what_a_lock_chooses_is_settled() {
    let files = [
        ("package.json", r#"{"dependencies": {"a": "^1", "z": "^1"}}"#),
        (
            "package-lock.json",
            r#"{"packages": {"node_modules/a": {"version": "1.0.0", "license": "MIT"}, "node_modules/b": {"version": "1.0.0", "integrity": "x"}}}"#,
        ),
        ("packages/own/package.json", r#"{"dependencies": {"b": "^1"}}"#),
        ("other/requirements.txt", "a==1\nb\n"),
        ("pnpm-lock.yaml", ""),
        ("readme.txt", ""),
    ];
    let found = analyse(&files.map(|(path, text)| (path.to_owned(), text.into())).into());
    let lines = |list: &[Unsettled]| -> Vec<String> {
        list.iter().map(|one| format!("{}: {} {}", one.path, one.name, one.wanted)).collect()
    };
    assert_eq!(lines(&found.unpinned), ["other/requirements.txt: b b", "package.json: z ^1"]);
    assert_eq!(lines(&found.unverified), ["other/requirements.txt: a 1", "package-lock.json: a 1.0.0"]);
    assert_eq!(found.licences, BTreeMap::from([("MIT".to_owned(), 1), ("unknown".to_owned(), 4)]));
    let unread: Vec<&str> =
        found.manifests.iter().filter(|one| one.unread.is_some()).map(|one| one.path.as_str()).collect();
    assert_eq!(unread, ["pnpm-lock.yaml"]);
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_is_guessed() {
    for name in
        ["Cargo.toml", "Cargo.lock", "package.json", "package-lock.json", "uv.lock", "pyproject.toml", "Pipfile.lock"]
    {
        assert!(read(name, "{[").concat().starts_with("unread: "), "{name}");
    }
    assert!(manifest("go.mod", b"\xff").unwrap().unread.is_some());
    assert!(read("package.json", &"[".repeat(100_000)).concat().starts_with("unread: "));
    assert!(read("pom.xml", &"<a>".repeat(100_000)).concat().starts_with("unread: "));
}
