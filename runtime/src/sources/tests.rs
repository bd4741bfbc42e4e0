//! Discovery on machines that are put together here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[derive(Default)]
struct Fake {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, &'static str>,
    commands: BTreeMap<&'static str, &'static str>,
    started: Arc<AtomicUsize>,
}

impl Machine for Fake {
    fn env(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }
    fn read(&self, path: &Path) -> Option<String> {
        self.files.get(path.to_str()?).map(|text| (*text).to_owned())
    }
    fn run(&self, command: &[&str]) -> Option<String> {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.commands.get(command.join(" ").as_str()).map(|text| (*text).to_owned())
    }
    fn config_dir(&self) -> Option<PathBuf> {
        Some("/home/me/.config".into())
    }
}

const APT: &str = "\
'http://a.example/debian/dists/bookworm/InRelease' a_InRelease 0 
'http://a.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' a_Packages 0 
'https://b.example/sec%20urity/dists/bookworm-security/InRelease' b 0 
'mirror+file:/etc/apt/mirrors/c.list/dists/trixie/InRelease' c 0 
'file:/srv/debian/dists/bookworm/InRelease' d 0 
'cdrom:[Debian]/dists/bookworm/InRelease' e 0 
'http://flat.example/packages/./InRelease' f 0 
";

const HELP: &str = "
Package Index Options:
  -i, --index-url <url>       Base URL of the Python Package Index (default
                              https://in-
                              dex.example/simple). This should point to a
                              repository
  --extra-index-url <url>     Extra URLs
";

fn sources(machine: Fake, given: &[&str]) -> Result<Sources, Finding> {
    Sources::on(Box::new(machine), &SourceArgs { given: given.iter().map(|text| (*text).to_owned()).collect() })
}

#[track_caller]
fn urls(machine: Fake, given: &[&str], origin: Origin) -> Vec<(String, String)> {
    let roots = sources(machine, given).unwrap().roots(origin).unwrap();
    roots.into_iter().map(|root| (root.url.to_string(), root.found_in)).collect()
}

fn pair(url: &str, found_in: &str) -> (String, String) {
    (url.to_owned(), found_in.to_owned())
}

fn full() -> Fake {
    Fake {
        variables: BTreeMap::from([("CLNSTRT_SOURCE_DEBIAN", "http://one.example/d  http://two.example/d")]),
        files: BTreeMap::from([
            (
                "/home/me/.config/clnstrt/sources.yaml",
                "# mine\ndebian: http://file.example/d\npypi: [\"https://p.example/simple\"]\n",
            ),
            (
                "/etc/apt/mirrors/c.list",
                "# mirrors\nhttp://c1.example/debian/\tpriority:1\n\nhttps://c2.example/debian\n",
            ),
        ]),
        commands: BTreeMap::from([
            ("apt-get --print-uris update", APT),
            ("pip config list", ""),
            ("pip install --help", HELP),
        ]),
        started: Arc::default(),
    }
}

#[test]
fn the_first_place_that_names_endpoints_decides() {
    let given = ["debian=http://x.example", "debian=https://y.example/debian"];
    let expected = [pair("http://x.example/", "--source"), pair("https://y.example/debian", "--source")];
    assert_eq!(urls(full(), &given, Origin::Debian), expected);
    let variable = "CLNSTRT_SOURCE_DEBIAN";
    assert_eq!(
        urls(full(), &[], Origin::Debian),
        [pair("http://one.example/d", variable), pair("http://two.example/d", variable)]
    );
    let file = "/home/me/.config/clnstrt/sources.yaml";
    assert_eq!(urls(full(), &[], Origin::Pypi), [pair("https://p.example/simple", file)]);
    let no_variable = Fake { variables: BTreeMap::new(), ..full() };
    assert_eq!(urls(no_variable, &[], Origin::Debian), [pair("http://file.example/d", file)]);
}

#[test]
fn apt_is_asked_last_and_on_use_only() {
    let mut machine = full();
    machine.variables.clear();
    machine.files.remove("/home/me/.config/clnstrt/sources.yaml");
    let started = machine.started.clone();
    let sources = sources(machine, &[]).unwrap();
    assert_eq!(started.load(Ordering::SeqCst), 0);
    for _ in 0..2 {
        let roots = sources.roots(Origin::Debian).unwrap();
        let found: Vec<&str> = roots.iter().map(|root| root.url.as_str()).collect();
        let expected = [
            "http://a.example/debian",
            "https://b.example/sec%20urity",
            "http://c1.example/debian",
            "https://c2.example/debian",
        ];
        assert_eq!(found, expected);
        assert!(roots.iter().all(|root| root.found_in == "apt"));
    }
    assert_eq!(started.load(Ordering::SeqCst), 1);
}

#[test]
fn an_unknown_source_names_the_variable_to_set() {
    for origin in [Origin::Debian, Origin::Pypi] {
        let finding = sources(Fake::default(), &[]).unwrap().roots(origin).unwrap_err();
        assert_eq!(finding.code, codes::SOURCE_UNKNOWN);
        let variable = format!("CLNSTRT_SOURCE_{}", origin.name().to_uppercase());
        assert!(finding.help.unwrap().contains(&variable));
    }
    // the standard library knows where releases are; an endpoint is a mirror of those places
    assert_eq!(sources(Fake::default(), &[]).unwrap().roots(Origin::Upstream).unwrap(), []);
}

#[test]
fn wrong_settings_are_refused_without_repeating_passwords() {
    for given in [
        "debian",
        "npm=http://a.example",
        "debian=ftp://me:s3cret@a.example",
        "debian=me:s3cret@a.example/x y",
        "pypi=",
    ] {
        let finding = sources(Fake::default(), &[given]).err().unwrap_or_else(|| panic!("{given}"));
        assert_eq!(finding.code, codes::SOURCE_INVALID, "{given}");
        assert!(!format!("{finding:?}").contains("s3cret"));
    }
    let machine = Fake { variables: BTreeMap::from([("CLNSTRT_SOURCE_PYPI", "nonsense")]), ..Fake::default() };
    assert_eq!(sources(machine, &[]).err().unwrap().code, codes::SOURCE_INVALID);
}

#[test]
fn a_wrong_sources_file_is_refused() {
    let texts = [
        "- http://a.example",
        "debian: {a: b}",
        "npm: http://a.example",
        "debian: [[http://a.example]]",
        "debian: [http://a.example",
        "debian: http://a.example\ndebian: http://b.example",
        "debian: not a url",
        "debian: *x",
        "just text",
    ];
    for text in texts {
        let machine =
            Fake { files: BTreeMap::from([("/home/me/.config/clnstrt/sources.yaml", text)]), ..Fake::default() };
        let finding = sources(machine, &[]).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
        assert_eq!(finding.code, codes::SOURCE_INVALID, "{text:?}");
    }
    for text in ["", "# nothing\n", "debian: []\n", "---\n"] {
        let machine =
            Fake { files: BTreeMap::from([("/home/me/.config/clnstrt/sources.yaml", text)]), ..Fake::default() };
        let finding = sources(machine, &[]).unwrap().roots(Origin::Debian).unwrap_err();
        assert_eq!(finding.code, codes::SOURCE_UNKNOWN, "{text:?}");
    }
}

fn pip_only(commands: &[(&'static str, &'static str)]) -> Fake {
    Fake { commands: commands.iter().copied().collect(), ..Fake::default() }
}

#[test]
fn pip_is_read_from_its_variable_its_settings_and_its_help() {
    let machine = Fake {
        variables: BTreeMap::from([
            ("PIP_INDEX_URL", "https://i.example/simple/"),
            ("PIP_EXTRA_INDEX_URL", "https://e.example/s"),
        ]),
        ..pip_only(&[("pip config list", "global.index-url='https://other.example'\n")])
    };
    let expected =
        [pair("https://i.example/simple/", "PIP_INDEX_URL"), pair("https://e.example/s", "PIP_EXTRA_INDEX_URL")];
    assert_eq!(urls(machine, &[], Origin::Pypi), expected);

    let settings = "global.extra-index-url='\\nhttps://x.example/a\\nhttps://x.example/b'\nglobal.index-url='https://i.example/s'\nuser.x='1'\n";
    let found = urls(pip_only(&[("pip3 config list", settings)]), &[], Origin::Pypi);
    let found: Vec<&str> = found.iter().map(|(url, _)| url.as_str()).collect();
    assert_eq!(found, ["https://i.example/s", "https://x.example/a", "https://x.example/b"]);

    // extra ones alone come after pip's own, and a variable counts beside a setting
    let settings = "global.extra-index-url='https://x.example/a'\n";
    let machine = pip_only(&[("pip config list", settings), ("pip install --help", HELP)]);
    let expected = [
        pair("https://in-dex.example/simple", "pip's built-in default"),
        pair("https://x.example/a", "pip's configuration"),
    ];
    assert_eq!(urls(machine, &[], Origin::Pypi), expected);
    let machine = Fake {
        variables: BTreeMap::from([("PIP_INDEX_URL", "https://i.example/s")]),
        ..pip_only(&[("pip config list", settings)])
    };
    let expected = [pair("https://i.example/s", "PIP_INDEX_URL"), pair("https://x.example/a", "pip's configuration")];
    assert_eq!(urls(machine, &[], Origin::Pypi), expected);

    let machine =
        pip_only(&[("python3 -m pip config list", "global.cert='/x'\n"), ("python3 -m pip install --help", HELP)]);
    assert_eq!(urls(machine, &[], Origin::Pypi), [pair("https://in-dex.example/simple", "pip's built-in default")]);
}

#[test]
fn uv_comes_before_the_default_of_pip() {
    let uv = |text| Fake {
        files: BTreeMap::from([("/home/me/.config/uv/uv.toml", text)]),
        ..pip_only(&[("pip config list", ""), ("pip install --help", HELP)])
    };
    let first = |text| urls(uv(text), &[], Origin::Pypi).remove(0).0;
    assert_eq!(first("index-url = \"https://u.example/simple\""), "https://u.example/simple");
    assert_eq!(first("[pip]\nindex-url = \"https://v.example/simple\""), "https://v.example/simple");
    assert_eq!(first("[[index]]\nurl = \"https://w.example/s\"\ndefault = true"), "https://w.example/s");
    assert_eq!(first("[[index]]\nurl = \"https://extra.example/s\""), "https://in-dex.example/simple");
    assert_eq!(first("broken ["), "https://in-dex.example/simple");
}

#[test]
fn passwords_are_kept_apart_and_masked_ones_are_none() {
    let root = Root::parse("https://me:p%40ss@i.example/simple?x=1#y", "x").unwrap();
    assert_eq!(root.url.as_str(), "https://i.example/simple");
    let credentials = root.credentials.clone().unwrap();
    assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("me", "p@ss"));
    assert!(!format!("{root:?}").contains("p@ss"));
    assert!(Root::parse("https://me:****@i.example/simple", "x").unwrap().credentials.is_none());
}

#[test]
fn joined_paths_stay_below_their_root() {
    let root = Root::parse("http://a.example/debian/", "x").unwrap();
    assert_eq!(root.join("dists/x").as_str(), "http://a.example/debian/dists/x");
    assert_eq!(root.join("../../etc/./x").as_str(), "http://a.example/debian/etc/x");
    assert_eq!(
        root.join("http://b.example/?x#y").as_str(),
        "http://a.example/debian/http:%2F%2Fb.example/%3Fx%23y".replace("%2F%2F", "//")
    );
}

#[test]
fn expired_indexes_are_accepted_where_apt_accepts_them() {
    let accepts = |printed| {
        let machine = pip_only(&[("apt-config dump Acquire::Check-Valid-Until", printed)]);
        sources(machine, &[]).unwrap().accepts_expired()
    };
    assert!(accepts("Acquire::Check-Valid-Until \"false\";\n"));
    assert!(accepts("Acquire::Check-Valid-Until \"No\";\n"));
    assert!(!accepts("Acquire::Check-Valid-Until \"true\";\n"));
    assert!(!accepts(""));
    assert!(!sources(Fake::default(), &[]).unwrap().accepts_expired());
}

#[test]
fn a_slow_clients_answer_is_remembered_while_its_configuration_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let ask = |settings: &'static str, index: Option<&'static str>| {
        let mut machine = pip_only(&[("pip config list", settings)]);
        machine.files.extend(index.map(|text| ("/etc/pip.conf", text)));
        let started = machine.started.clone();
        let mut sources = sources(machine, &[]).unwrap();
        sources.remember_in(store.clone());
        let roots = sources.roots(Origin::Pypi).unwrap();
        (roots[0].url.to_string(), started.load(Ordering::SeqCst))
    };
    assert_eq!(ask("global.index-url='https://a.example/s'", None), ("https://a.example/s".into(), 1));
    assert_eq!(ask("global.index-url='https://b.example/s'", None), ("https://a.example/s".into(), 0));
    let changed = ask("global.index-url='https://me:pw@b.example/s'", Some("[global]"));
    assert_eq!(changed, ("https://b.example/s".into(), 1));
    assert_eq!(ask("global.index-url='https://c.example/s'", Some("[global]")).1, 1, "passwords are not written down");
}

#[test]
fn a_command_that_fails_hangs_or_is_not_there_answers_nothing() {
    let here = Here { time_limit: Duration::from_secs(20) };
    assert_eq!(here.run(&["false"]), None);
    assert_eq!(here.run(&["clnstrt-no-such-program"]), None);
    assert_eq!(here.run(&["sh", "-c", "echo $LC_ALL; cat"]).as_deref(), Some("C\n"));
    let impatient = Here { time_limit: Duration::from_millis(50) };
    // The second one closes its output, and goes on; the first has a child that holds it.
    assert_eq!(impatient.run(&["sh", "-c", "sleep 1000; true"]), None);
    assert_eq!(impatient.run(&["sh", "-c", "exec >&-; sleep 1000"]), None);
}
