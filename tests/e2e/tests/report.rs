//! The report for people, in a browser: what its readers ask, clicked through. Pictures are kept in `target/report` to be looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use evidence::{Bill, Image, LayerFacts, Licences, Locked, Page};
use model::inventory::{Ecosystem, Found, Inventory, Item};
use model::lock::{Asker, Edge, Lock, Node, Origin, Proof, Resolution, Root};
use model::plan::ImageConfig;
use model::{Digest, Entry, Kind, TreePath};
use support::{cli, repository, run};

use crate::browser::Browser;
use crate::fixture::{COMPILED, EXAMPLE, scratch};

/// Where pictures of a report are kept.
fn pictures(name: &str) -> PathBuf {
    let folder = repository().join("target/report").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Follows every link of the navigation; each leads to a page of its own.
fn visit_every_section(browser: &Browser) {
    let count = browser.count("#nav a");
    assert!(count >= 9, "{count} sections");
    let mut titles = Vec::new();
    for number in 1..=count {
        browser.click(&format!("#nav li:nth-child({number}) a"));
        browser.until("a page with a title of its own", |browser| {
            let title = browser.run("return document.title").as_str().unwrap().to_owned();
            let is_new = !titles.contains(&title);
            titles.extend(is_new.then_some(title));
            is_new
        });
        assert!(!browser.text("#main").is_empty(), "section {number} is empty");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Types a package, takes the first match, and answers the names on the shortest way to it.
fn why(browser: &Browser, package: &str) -> Vec<String> {
    browser.click("#nav a[href='#/']");
    browser.enter("#why-q", package);
    browser.click("#why-matches button");
    browser.until("a chain", |browser| browser.count("#why-answer ol.chain li") > 0);
    let count = browser.count("#why-answer ol.chain:first-of-type li");
    (1..=count).map(|at| browser.text(&format!("#why-answer ol.chain li:nth-child({at})"))).collect()
}

/// Light, dark, narrow and on paper; on a narrow screen nothing goes beyond its side.
fn picture_all(browser: &Browser, folder: &Path, routes: &[(&str, &str)]) {
    for (name, route) in routes {
        browser.run(&format!("location.hash = {}", serde_json::json!(route)));
        for (scheme, width, height) in [("light", 1280, 800), ("dark", 1280, 800), ("light", 400, 800)] {
            browser.resize(width, height);
            browser.show(scheme, "screen");
            browser.picture(&folder.join(format!("{name}-{scheme}-{width}.png")));
            let wide = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= u64::from(width), "{name} is {wide} pixels wide on a screen of {width}");
        }
        browser.resize(1280, 800);
        browser.show("light", "print");
        browser.picture(&folder.join(format!("{name}-print.png")));
        browser.show("light", "screen");
    }
}

#[test]
fn the_example_answers_what_is_in_it_why_and_whether_to_trust_it() {
    let browser = Browser::start(1280, 800);
    browser.resize(1280, 800);
    browser.open(&EXAMPLE.artifacts().join("report.html"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // The three questions are answered without scrolling.
    for id in ["what", "why", "trust"] {
        let script = format!(
            "const box = document.getElementById('{id}').getBoundingClientRect(); return box.top < innerHeight && box.left < innerWidth && box.height > 0"
        );
        assert_eq!(browser.run(&script), true, "#{id} is not on the first screen");
    }
    assert!(browser.text("#what").contains("fastapi") || browser.text("h1").contains("fastapi"));
    assert!(browser.text("#trust").contains("signed releases"), "{}", browser.text("#trust"));
    visit_every_section(&browser);

    let chain = why(&browser, "starlette");
    assert!(chain.first().unwrap().contains("fastapi"), "{chain:?}");
    assert!(chain.last().unwrap().contains("starlette"), "{chain:?}");

    // The graph can be walked: a neighbour becomes the centre.
    browser.click("#nav a[href^='#/graph']");
    let before = browser.text("#graph-centre");
    browser.run("document.querySelector('#graph a.node').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))");
    browser.until("another centre", |browser| browser.text("#graph-centre") != before);

    // From the list to a package, to one of its files, and back.
    browser.click("#nav a[href='#/packages']");
    browser.enter("#packages-q", "uvicorn");
    browser.until("the one row", |browser| browser.count("#main tbody tr") == 1);
    browser.click("#main tbody a[href^='#/package/']");
    browser.click("#main a[href^='#/file/']");
    browser.until("the page of a file", |browser| browser.run("return location.hash").to_string().contains("#/file/"));
    browser.until("its package", |browser| browser.text("#main").contains("uvicorn"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // The keyboard alone finds its way: from the start of the page to the content.
    browser.run("location.hash = '#/'");
    assert_eq!(browser.run("return document.querySelectorAll('h1').length"), 1);
    let unnamed = browser.run(
        "return [...document.querySelectorAll('a, button, input')].filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length)).length",
    );
    assert_eq!(unnamed, 0, "some links, buttons or fields have no name");
    let routes = [
        ("summary", "#/"),
        ("packages", "#/packages"),
        ("graph", "#/graph"),
        ("files", "#/files"),
        ("licences", "#/licences"),
        ("layers", "#/layers"),
        ("provenance", "#/provenance"),
        ("documents", "#/documents"),
    ];
    picture_all(&browser, &pictures("example"), &routes);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn hardening_is_shown_file_by_file() {
    let browser = Browser::start(1280, 800);
    browser.open(&COMPILED.artifacts().join("report.html"));
    visit_every_section(&browser);
    browser.click("#nav a[href='#/hardening']");
    for words in ["loaded anywhere", "maximum"] {
        browser.until(words, |browser| browser.text("#main").contains(words));
    }
    picture_all(&browser, &pictures("compiled"), &[("hardening", "#/hardening")]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn of_an_image_of_somebody_else_nothing_is_claimed() {
    let dir = scratch();
    let page = dir.path().join("report.html");
    run(cli().arg("generate-report").arg(EXAMPLE.archive()).arg("--output").arg(&page)).ok();
    let browser = Browser::start(1280, 800);
    browser.open(&page);
    assert!(browser.text("#trust").contains("not known"), "{}", browser.text("#trust"));
    visit_every_section(&browser);
    browser.click("#nav a[href='#/provenance']");
    browser.until("what is not known", |browser| browser.text("#main").contains("not known"));
}

#[test]
fn two_thousand_packages_can_be_walked_through() {
    let dir = scratch();
    let page = dir.path().join("report.html");
    fs::write(&page, large(2000, 10)).unwrap();
    let browser = Browser::start(1280, 800);
    browser.open(&page);
    visit_every_section(&browser);
    // The last package is needed by way of the tenth part of all numbers.
    let chain = why(&browser, "package1999");
    assert_eq!(chain.len(), 4, "{chain:?}");
    browser.click("#nav a[href='#/packages']");
    browser.until("a table", |browser| browser.count("#main tbody tr") > 10);
    let shown = browser.count("#main tbody tr");
    assert!(shown < 2000, "all rows are made at once");
    browser.click("button.more");
    browser.until("more rows", |browser| browser.count("#main tbody tr") > shown);
    browser.enter("#packages-q", "package1234");
    browser.until("the one row", |browser| browser.count("#main tbody tr") == 1);
    assert!(browser.text("#packages-count").contains('1'), "{}", browser.text("#packages-count"));
    browser.click("#nav a[href^='#/graph']");
    browser.until("a graph", |browser| browser.count("#graph a.node") > 0);
    assert!(browser.count("#graph a.node") < 60);
    picture_all(&browser, &pictures("large"), &[("summary", "#/"), ("graph", "#/graph/0")]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// What is in an image comes from outside, and is shown as it is.
#[test]
fn names_that_are_programs_stay_names() {
    let dir = scratch();
    let page = dir.path().join("report.html");
    let name = "</script><img src=x onerror=document.title='broken'>";
    fs::write(&page, made(1, 1, |_| name.to_owned())).unwrap();
    let browser = Browser::start(1280, 800);
    browser.open(&page);
    browser.click("#nav a[href='#/packages']");
    browser.until(name, |browser| browser.text("#main").contains(name));
    assert_eq!(browser.count("img"), 0);
    assert_ne!(browser.run("return document.title"), "broken");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn large(packages: usize, files: usize) -> String {
    made(packages, files, |number| format!("package{number}"))
}

/// A report about made-up Debian packages, each with files. The first is asked for; each needs ten others, whose numbers begin with
/// its own.
fn made(packages: usize, files: usize, name: impl Fn(usize) -> String) -> String {
    let id = |number: usize| format!("pkg:deb/debian/package{number}@1.{number}");
    let edge = |number: usize| Edge {
        origin: Origin::Debian,
        name: name(number),
        requirement: format!("{} (>= 1)", name(number)),
    };
    let mut lock = Lock { format: model::lock::FORMAT, ..Lock::default() };
    let mut inventory = Inventory {
        format: Inventory::FORMAT,
        architecture: "amd64".into(),
        distribution: BTreeMap::new(),
        parts: (0..packages).map(id).collect(),
        items: Vec::new(),
        packages: Vec::new(),
        texts: BTreeMap::new(),
        unread: Vec::new(),
        secrets: Vec::new(),
    };
    for number in 0..packages {
        let digest = Digest::of(&number.to_le_bytes());
        let needed = (number * 10..number * 10 + 10).filter(|needed| *needed > number && *needed < packages);
        let node = Node {
            origin: Origin::Debian,
            name: name(number),
            version: format!("1.{number}"),
            file: format!("pool/{number}.deb"),
            size: 1,
            sha256: digest,
            metadata: None,
            build: None,
            license: None,
            proof: Proof::IndexHash,
            requires: needed.map(&edge).collect(),
            omits: Vec::new(),
        };
        lock.nodes.insert(id(number), node);
        let part = u32::try_from(number).ok();
        for file in 0..files {
            let path: TreePath = format!("usr/lib/{number}/{file}").parse().unwrap();
            let entry = Entry::root(Kind::File { digest, size: 100 }, 0o644);
            inventory.items.push(Item { path, entry, layer: 0, sha1: None, part });
        }
        let record: TreePath = format!("var/lib/dpkg/status.d/{number}").parse().unwrap();
        let entry = Entry::root(Kind::File { digest, size: 10 }, 0o644);
        inventory.items.push(Item { path: record.clone(), entry, layer: 0, sha1: None, part });
        let mut found = Found::new(Ecosystem::Deb, name(number), &record);
        found.licence = Some("MIT".into());
        inventory.packages.push(found);
    }
    inventory.items.sort_by(|one, other| one.path.cmp(&other.path));
    let roots = (0..10.min(packages)).map(|number| Root { by: Asker::Config, edge: edge(number) }).collect();
    let resolution = Resolution { language_version: None, roots, nodes: lock.nodes.keys().cloned().collect() };
    let image = Image {
        name: "made".into(),
        version: None,
        architecture: "amd64".into(),
        manifest: None,
        layers: Vec::new(),
        created: 0,
    };
    let bills = [Bill::new(image, &inventory, Some(Locked { lock: &lock, resolution: &resolution }))];
    let licences = Licences::of(&bills);
    evidence::report(&Page {
        bills: &bills,
        layers: &[vec![LayerFacts { digest: None, size: None, title: None }]],
        runs: &[ImageConfig::default()],
        licences: &licences,
        build: None,
        flags: &[],
        repeated: None,
        warnings: &[],
        documents: &[],
    })
}
