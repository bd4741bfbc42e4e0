//! Small files of every format; what each says was read by a person.

use model::dependencies::Dependency;

use super::*;

/// Each package in a line: what is direct has a star, what has a digest a plus. Then what is not read.
fn read(name: &str, text: &str) -> Vec<String> {
    let manifest = manifest(name, text.as_bytes()).unwrap();
    manifest.packages.iter().map(shown).chain(manifest.unread.map(|why| format!("unread: {why}"))).collect()
}

/// Names of files, their texts, and what is read of each.
type Cases<'c> = &'c [(&'c str, &'c str, &'c [&'c str])];

fn check(cases: Cases) {
    for (name, text, expected) in cases {
        assert_eq!(read(name, text), *expected, "{name}: {text}");
    }
}

const COMMIT: &str = "0123456789012345678901234567890123456789";

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
    let text = "# what it needs\nFast_API==1.0 # web\nuvicorn>=0.3,<1 ; python_version > '3.8'\n--no-index\n\
                idna==3.1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nx @ https://example.com/x.zip\n";
    assert_eq!(read("requirements.txt", text), ["fast-api 1.0*", "uvicorn ?*", "idna 3.1*+", "x ?*"]);
    assert_eq!(read("dev-requirements.txt", "a=b"), ["unread: `a=b` is no requirement"]);
    // The library panics on these.
    for odd in ["f-*", "f_", "a[b-]", "a.@ https://x.example/"] {
        assert_eq!(read("dev-requirements.txt", odd), [format!("unread: `{odd}` is no requirement")]);
    }
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

#[test]
fn requirements_that_would_cost_too_much_are_refused() {
    let nested = |depth: usize| format!("{}os_name == 'x'{}", "(".repeat(depth), ")".repeat(depth));
    let alternating = "(os_name == 'a' or os_name == 'b') and ".repeat(12) + "os_name == 'c'";
    for marker in [nested(500), nested(20_000), alternating] {
        let said = |found: Vec<String>| {
            assert_eq!(found.first().map(String::as_str), Some("b 1*"));
            assert!(found[1].starts_with("unread: `a; (") && found[1].len() < 200, "{found:?}");
        };
        said(read("requirements.txt", &format!("a; {marker}\nb==1\n")));
        said(read("pyproject.toml", &format!("[project]\ndependencies = [\"a; {marker}\", 'b==1']\n")));
    }
    assert_eq!(read("requirements.txt", &format!("a==1; {}", nested(20))), ["a 1*"]);
}

#[test]
fn an_odd_line_does_not_cost_the_others() {
    let bad: String = (0..30).map(|n| format!("!{n}\n")).collect();
    let said = read("requirements.txt", &bad).concat();
    assert!(said.contains("`!0` is no requirement; `!1` is") && said.ends_with("; and 20 more"), "{said}");
    check(&[
        ("requirements.txt", "a==1\n./own\n.\n-e ../own\nown/\nown @ file:///x\nb==2", &["a 1*", "b 2*"]),
        ("requirements.txt", "a==${V}\nb==2", &["b 2*", "unread: `a==${V}` is no requirement"]),
        ("requirements.txt", "\u{feff}a==1\t# why\n#b\nc==2 #\n", &["a 1*", "c 2*"]),
        ("requirements.txt", "a>=1,==1.5\nb ~=1.0", &["a 1.5*", "b ?*"]),
        ("requirements.txt", "git+https://example.com/a@main#egg=A\nb==1", &["a ?*", "b 1*"]),
        ("requirements.txt", "--editable=git+https://example.com/a@main", &["git+https://example.com/a@main ?*"]),
        (
            "requirements.txt",
            &format!("-e git+https://example.com/a@{COMMIT}#egg=a\nb @ git+https://example.com/b@{COMMIT}"),
            &["a ?*+", "b ?*+"],
        ),
        ("requirements.txt", "https://example.com/a.whl#sha256=00\n", &["https://example.com/a.whl ?*+"]),
        ("requirements.txt", "a @ https://example.com/a.whl#sha256=00\n", &["a ?*+"]),
        (
            "pyproject.toml",
            "[project]\ndependencies = ['a==1', '!', 'c']\n[dependency-groups]\nd = ['?']",
            &["a 1*", "c ?*", "unread: `!` is no requirement; `?` is no requirement"],
        ),
        ("go.sum", "a v1 h1:x=\n<<<<<<< HEAD\n", &["a v1+", "unread: `<<<<<<< HEAD` is no digest of a module"]),
        ("Gemfile.lock", "GEM\n  specs:\n    a (1)\n    b\n", &["a 1", "unread: `b` names no gem"]),
    ]);
}

#[test]
fn nothing_is_lost_without_a_word() {
    check(&[
        (
            "requirements.txt",
            "-r base.txt\n-c=https://example.com/constraints.txt\n-r other-requirements.txt\na==1\n",
            &[
                "a 1*",
                "unread: `-r base.txt` is not followed; `-c=https://example.com/constraints.txt` is not followed",
            ],
        ),
        (
            "pyproject.toml",
            "[tool.poetry.dependencies]\na = {git = 'https://example.com/a', rev = 'main'}\nb = {url = 'https://example.com/b.whl'}\n\
             c = [{version = '1.0', python = '<3'}, {version = '^2'}]\nd = {path = '../d'}\ne = 1\n\
             [tool.poetry.dev-dependencies]\nf = '^7'\n[tool.poetry.group.dev.dependencies]\ng = {version = '1.0'}\n\
             [tool.uv]\ndev-dependencies = ['h']\n[tool.pdm.dev-dependencies]\ntest = ['i==1']\n",
            &[
                "h ?*",
                "i 1*",
                "a ?*",
                "b ?*",
                "c 1.0*",
                "c ?*",
                "f ?*",
                "g 1.0*",
                "unread: `e` asks for what is not known here",
            ],
        ),
        (
            "pyproject.toml",
            "[project]\ndynamic = ['version', 'dependencies']\n[build-system]\nrequires = ['a']\n",
            &["a ?*", "unread: `dependencies` are dynamic: what makes them is not run"],
        ),
        (
            "uv.lock",
            "[[package]]\nname = 'own'\nsource = {editable = '.'}\n[package.optional-dependencies]\nx = [{name = 'a'}]\n\
             [package.dev-dependencies]\ndev = [{name = 'b'}]\n[[package]]\nname = 'a'\nversion = '1'\n\
             [package.optional-dependencies]\ny = [{name = 'b'}]\n[[package]]\nname = 'b'\nversion = '1'\n",
            &["a 1* -> b", "b 1*"],
        ),
        (
            "Pipfile",
            "[[source]]\nname = 'x'\n[packages]\na = '*'\nown = {path = '.', editable = true}\n[docs]\nb = '==1.0'\n[requires]\npython_version = '3'\n",
            &["b 1.0*", "a ?*"],
        ),
        (
            "Pipfile.lock",
            r#"{"_meta": {"hash": {"sha256": "0"}}, "default": {}, "docs": {"a": {"version": "==1"}}}"#,
            &["a 1"],
        ),
        ("Gemfile.lock", "PLUGIN SOURCE\n  specs:\n    a (1)\n\nGEM\n  specs:\n    b (2)\n", &["a 1", "b 2"]),
        (
            "Cargo.toml",
            "[dev_dependencies]\na = '1'\n[build_dependencies]\nb = '1'\n\
             [patch.crates-io]\nc = { git = 'https://example.com/c' }\nd = { path = 'd' }\n",
            &["a ?*", "b ?*", "c ?*"],
        ),
        (
            "go.mod",
            "require (\n\ta v1.0.0\n\tb v1.0.0 // indirect; why\n\tc v1.0.0\n\td v1.0.0\n\te v1.0.0\n)\nreplace a => x v9.0.0\n\
             replace (\n\tb v1.0.0 => y v2.0.0\n\tc => ../c\n\td v1.1.0 => z v1.0.0\n)\n",
            &["x v9.0.0*", "y v2.0.0", "d v1.0.0*", "e v1.0.0*"],
        ),
        (
            "go.sum",
            "a v1 h1:x=\na v1 h1:y=\na v1 h1:x=\nb v1 h1:z=\nb v1 h1:z=\n",
            &["a v1", "b v1+", "unread: `a v1` has several digests"],
        ),
        ("setup.py", "", &["unread: it is a program, and not run"]),
        ("setup.cfg", "[options]\ninstall_requires = a\n", &["unread: what it asks for is not read"]),
        ("setup.cfg", "[flake8]\n", &[]),
        ("bun.lock", "{}", &["unread: locks of bun are not read"]),
        ("pylock.dev.toml", "[[packages]]\nname = 'a'\nversion = '1'\n", &["a 1"]),
    ]);
    assert!(is_manifest("bun.lockb") && manifest("bun.lockb", b"\xff").unwrap().unread.is_some());
}

#[test]
fn names_and_versions_are_those_that_are_meant() {
    let pom = |head: &str, dependency: &str| {
        let text =
            format!("<project>{head}<dependencies><dependency>{dependency}</dependency></dependencies></project>");
        read("pom.xml", &text).concat()
    };
    let version = |head: &str, version: &str| {
        pom(head, &format!("<groupId>g</groupId><artifactId>a</artifactId><version>{version}</version>"))
    };
    let properties = "<properties><a>${b}</a><b>2</b><x>${y}</x><y>${x}</y><m>${n}${n}</m><n>${m}${m}</n></properties>";
    for (written, meant) in [
        ("1&#46;0", "g:a 1.0*"),
        ("<![CDATA[1.0]]>", "g:a 1.0*"),
        ("1.<!-- -->0&lt;", "g:a 1.0<*"),
        ("&x;", "g:a ?*"),
        ("${a}", "g:a 2*"),
        ("${a}.${b}.3", "g:a 2.2.3*"),
        ("${x}", "g:a ?*"),
        ("${m}", "g:a ?*"),
        ("${unknown}.${b}", "g:a ?*"),
    ] {
        assert_eq!(version(properties, written), meant, "{written}");
    }
    let parent = "<parent><groupId>p</groupId><version>7</version></parent>";
    let own = "<groupId>${project.groupId}</groupId><artifactId>a</artifactId><version>${project.version}</version>";
    assert_eq!(pom(parent, own), "p:a 7*");
    assert_eq!(pom(&format!("<version>8</version>{parent}"), own), "p:a 8*");
    assert_eq!(version(parent, "${project.parent.version}"), "g:a 7*");
    check(&[
        (
            "yarn.lock",
            "# yarn lockfile v1\n\"a@npm:@s/b@^1\", \"a@npm:@s/b@^1.2\":\n  version \"1.2.3\"\n  dependencies:\n    c \"npm:d@1\"\n\
             \"git@git+ssh://git@example.com/x\":\n  version \"1\"\n",
            &["@s/b 1.2.3 -> d", "git 1"],
        ),
        (
            "package.json",
            r#"{"dependencies": {"a": "npm:@s/b@^1.2.3", "c": "npm:d@1.2.3", "e": "npm:^1"}}"#,
            &["@s/b ?*", "d 1.2.3*", "e ?*"],
        ),
        (
            "package-lock.json",
            r#"{"packages": {"": {"dependencies": {"a": "npm:b@^1"}}, "node_modules/a": {"name": "b", "version": "1.0.0", "dependencies": {"c": "npm:d@1"}},
                "own/node_modules/e": {"version": "1.0.0"}, "own": {"dependencies": {"e": "^1"}}}}"#,
            &["b 1.0.0* -> d", "e 1.0.0*"],
        ),
        ("package-lock.json", r#"{"dependencies": {"a": {"version": "npm:b@1.0.0"}}}"#, &["b 1.0.0"]),
    ]);
}

#[test]
fn what_has_a_digest_or_a_commit_or_is_of_the_tree_needs_no_other() {
    check(&[
        (
            "poetry.lock",
            &format!(
                "[[package]]\nname = 'a'\nversion = '1'\n[[package]]\nname = 'b'\nversion = '1'\nfiles = []\n[package.source]\ntype = 'git'\nresolved_reference = '{COMMIT}'\n\
                 [[package]]\nname = 'own'\nversion = '1'\n[package.source]\ntype = 'directory'\nurl = '../own'\n\
                 [metadata.files]\na = [{{file = 'f', hash = 'sha256:0'}}]\n"
            ),
            &["a 1+", "b 1+"],
        ),
        (
            "uv.lock",
            &format!(
                "[[package]]\nname = 'a'\nversion = '1'\nsource = {{git = 'https://example.com/a?rev=main#{COMMIT}'}}\n"
            ),
            &["a 1+"],
        ),
        (
            "pylock.toml",
            &format!(
                "[[packages]]\nname = 'a'\n[packages.vcs]\ntype = 'git'\ncommit-id = '{COMMIT}'\n[[packages]]\nname = 'b'\n\
                 archive = {{hashes = {{sha256 = '0'}}}}\n[[packages]]\nname = 'own'\ndirectory = {{path = '.'}}\n"
            ),
            &["a ?+", "b ?+"],
        ),
        (
            "Pipfile.lock",
            &format!(
                r#"{{"default": {{"a": {{"git": "https://example.com/a", "ref": "{COMMIT}"}}, "own": {{"path": ".", "editable": true}}}}}}"#
            ),
            &["a ?+"],
        ),
        (
            "pyproject.toml",
            &format!("[tool.poetry.dependencies]\na = {{git = 'https://example.com/a', rev = '{COMMIT}'}}\n"),
            &["a ?*+"],
        ),
        (
            "pyproject.toml",
            "[project]\nname = 'Own'\ndependencies = ['member', 'a']\n[project.optional-dependencies]\nall = ['own[x]']\n\
             [tool.uv.sources]\nmember = {workspace = true}\na = {index = 'x'}\n",
            &["a ?*"],
        ),
        (
            "Gemfile.lock",
            &format!(
                "GIT\n  remote: https://example.com/a\n  revision: {COMMIT}\n  specs:\n    a (1)\n\nGEM\n  specs:\n    b (1)\n"
            ),
            &["a 1+", "b 1"],
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = 'a'\nversion = '1.0.0'\nsource = 'registry+r'\n[metadata]\n'checksum a 1.0.0 (registry+r)' = '00'\n",
            &["a 1.0.0+"],
        ),
        (
            "Cargo.toml",
            &format!(
                "[dependencies]\nown = {{ version = '1', path = '../own' }}\na = {{ git = 'g', rev = '{COMMIT}' }}"
            ),
            &["a ?*+"],
        ),
        (
            "yarn.lock",
            &format!(
                "# yarn lockfile v1\na@^1:\n  version \"1.0.0\"\n  resolved \"https://example.com/a.tgz#{COMMIT}\"\n\
                 \"own@link:../own\":\n  version \"0.0.0\"\n"
            ),
            &["a 1.0.0+"],
        ),
        (
            "package-lock.json",
            r#"{"packages": {"node_modules/a": {"version": "1.0.0", "integrity": "x"}, "node_modules/a/node_modules/b": {"version": "1.0.0", "inBundle": true},
                "node_modules/a/node_modules/b/node_modules/c": {"version": "1.0.0", "inBundle": true}, "node_modules/d": {"version": "1.0.0"},
                "node_modules/d/node_modules/e": {"version": "1.0.0", "inBundle": true}}}"#,
            &["a 1.0.0+", "b 1.0.0+", "c 1.0.0+", "d 1.0.0", "e 1.0.0"],
        ),
        (
            "package-lock.json",
            &format!(
                r#"{{"dependencies": {{"a": {{"version": "1.0.0", "integrity": "x", "dependencies": {{"b": {{"version": "1.0.0", "bundled": true}}}}}},
                    "c": {{"version": "git+https://example.com/c#{COMMIT}"}}, "own": {{"version": "file:../own"}}}}}}"#
            ),
            &["a 1.0.0+", "b 1.0.0+", &format!("c git+https://example.com/c#{COMMIT}+")],
        ),
        (
            "package.json",
            &format!(
                r#"{{"dependencies": {{"a": "v1.2.3", "b": "=1.2.3", "c": "git+https://example.com/c#{COMMIT}", "own": "link:../own", "d": ">=1.2.3"}}}}"#
            ),
            &["a 1.2.3*", "b 1.2.3*", "c ?*+", "d ?*"],
        ),
    ]);
}

/// Only what somebody holds the bytes against is a digest.
#[test]
fn what_looks_like_a_digest_may_be_none() {
    check(&[
        (
            "requirements.txt",
            &format!("https://example.com/a@{COMMIT}\nb @ git+https://example.com/b@main#sha256=00"),
            &[&format!("https://example.com/a@{COMMIT} ?*"), "b ?*"],
        ),
        ("package.json", &format!(r#"{{"dependencies": {{"a": "https://example.com/a.tgz#{COMMIT}"}}}}"#), &["a ?*"]),
        (
            "package-lock.json",
            &format!(
                r#"{{"packages": {{"node_modules/a": {{"version": "1.0.0", "resolved": "https://example.com/a.tgz#{COMMIT}"}}}}}}"#
            ),
            &["a 1.0.0"],
        ),
        ("Gemfile.lock", &format!("GEM\n  revision: {COMMIT}\n  specs:\n    a (1)\n"), &["a 1"]),
        ("Gemfile.lock", "GIT\n  revision: main\n  specs:\n    a (1)\n", &["a 1"]),
        ("Cargo.toml", &format!("[dependencies]\na = {{ version = '1', rev = '{COMMIT}' }}"), &["a ?*"]),
        (
            "poetry.lock",
            "[[package]]\nname = 'a'\nversion = '1'\n[package.source]\ntype = 'git'\nresolved_reference = 'main'\n",
            &["a 1"],
        ),
    ]);
}

/// What has a digest is settled, whatever its version; a name in the lock is that of the package, not the alias.
#[test]
fn what_is_settled_is_not_listed() {
    let files = [
        ("a/package.json", r#"{"dependencies": {"x": "npm:y@^1"}}"#),
        (
            "a/package-lock.json",
            r#"{"packages": {"node_modules/x": {"name": "y", "version": "1.0.0", "integrity": "z"}}}"#,
        ),
        ("b/requirements.txt", "x @ git+https://example.com/x@0123456789012345678901234567890123456789"),
        ("c/pylock.toml", "[[packages]]\nname = 'a'\narchive = {hashes = {sha256 = '0'}}\n"),
        ("d/go.mod", "require a v1.0.0\nreplace a => b v2.0.0\n"),
        ("d/go.sum", "b v2.0.0 h1:x=\n"),
    ];
    let found = analyse(&files.map(|(path, text)| (path.to_owned(), text.into())).into());
    assert_eq!((found.unpinned, found.unverified), (vec![], vec![]));
}

/// Some locks do not say what is asked for directly; the manifests that they belong to do.
#[test]
fn what_is_direct_is_learned_from_the_manifest() {
    let lock =
        "# yarn lockfile v1\na@^1:\n  version \"1.0.0\"\nb@^1:\n  version \"1.0.0\"\nc@^1:\n  version \"1.0.0\"\n";
    let python = "[[package]]\nname = 'a'\nversion = '1'\n[[package]]\nname = 'b'\nversion = '1'\n";
    let files = [
        ("go.mod", "require (\n\ta v1\n\tb v1 // indirect\n)\n"),
        ("go.sum", "a v1 h1:x=\nb v1 h1:x=\n"),
        ("old/package-lock.json", r#"{"dependencies": {"a": {"version": "1.0.0"}}}"#),
        ("new/package-lock.json", r#"{"packages": {}}"#),
        ("pip/Pipfile", "[packages]\nb = '*'\n"),
        ("pip/Pipfile.lock", r#"{"default": {"a": {"version": "==1"}, "b": {"version": "==1"}}}"#),
        ("poetry/poetry.lock", python),
        ("poetry/pyproject.toml", "[tool.poetry.dependencies]\nB = '*'\n"),
        ("poetry/requirements.txt", "a\n"),
        ("yarn/package.json", r#"{"dependencies": {"a": "^1"}}"#),
        ("yarn/packages/own/package.json", r#"{"dependencies": {"b": "^1"}}"#),
        ("yarn/example/package.json", r#"{"dependencies": {"c": "^1"}}"#),
        ("yarn/example/yarn.lock", lock),
        ("yarn/yarn.lock", lock),
    ];
    let found = analyse(&files.map(|(path, text)| (path.to_owned(), text.into())).into());
    let locks = found.manifests.iter().filter(|manifest| manifest.is_lock);
    let shown = locks.map(|lock| {
        let direct = lock.packages.iter().filter(|package| package.direct).map(|package| package.name.as_str());
        let direct = direct.collect::<Vec<_>>().join(" ");
        format!("{}: {}", lock.path, if lock.direct_unknown { "?" } else { &direct })
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "go.sum: a",
            "new/package-lock.json: ",
            "old/package-lock.json: ?",
            "pip/Pipfile.lock: b",
            "poetry/poetry.lock: b",
            "yarn/example/yarn.lock: c",
            "yarn/yarn.lock: a b",
        ]
    );
}
