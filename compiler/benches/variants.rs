//! 19,200 images from one template: two versions, two architectures, three flavours and 1,600 sets of packages, each image over a
//! graph of 60 packages. Prints one line for each phase: its name, seconds, and the peak memory in MiB so far.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may panic")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads files and a clock")]
#![expect(clippy::disallowed_types, clippy::disallowed_macros, reason = "a benchmark measures and prints")]

mod matrix;

use std::collections::BTreeMap;
use std::time::Instant;

use compiler::template::{Document, Expanded, Library};
use compiler::{LocalTrees, Lowerer, Session};
use matrix::{LIBRARIES, PYTHON};
use model::lock::{Answer, Asker, Edge, Lock, Node, Origin, Proof, Resolution, Root};
use model::{Arch, Digest, Finding, Sources};

const SETS: usize = 1600;
/// Libraries that every set needs besides: with the 17 to 19 Debian packages that makes 60.
const COMMON: usize = 36;

struct Template;

impl Library for Template {
    fn read(&self, path: &str) -> Result<(String, String), Finding> {
        Ok((path.to_owned(), matrix::TEMPLATE.to_owned()))
    }
}

/// What a set asks for; `edited` is one that has one library more.
fn set(number: usize, edited: Option<usize>) -> Vec<String> {
    let mut chosen = matrix::libraries(number);
    if edited == Some(number) {
        chosen.insert((number * 7 + LIBRARIES / 2) % LIBRARIES);
    }
    chosen.into_iter().map(matrix::requirement).collect()
}

fn load(text: &str) -> Document {
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", text);
    let root = grammar::yaml::parse(source, text).root.unwrap();
    let (document, findings) = Document::load("image.yaml", &root, &[], &mut sources, &Template);
    assert_eq!(findings, []);
    document
}

/// A lock over recorded Debian packages and made-up wheels that answers every image of the template, edited or not.
fn lock(edited: usize) -> Lock {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/compile/plan/python-two-architectures/lock.json");
    let recorded = Lock::from_text(&std::fs::read(recorded).unwrap()).unwrap();
    let mut lock = recorded.clone();
    let wheel = |number: usize| {
        let name = format!("library-{number:02}");
        let node = Node {
            origin: Origin::Pypi,
            file: format!("library_{number:02}-1.0-py3-none-any.whl"),
            version: "1.0".into(),
            size: 1000,
            sha256: Digest::of(name.as_bytes()),
            metadata: None,
            build: None,
            license: None,
            proof: Proof::IndexHash,
            requires: vec![],
            omits: vec![],
            name: name.clone(),
        };
        (format!("pkg:pypi/{name}@1.0"), node)
    };
    let wheels: BTreeMap<String, Node> = (0..LIBRARIES + COMMON).map(wheel).collect();
    let question = recorded.answers.values().next().unwrap().asked.clone();
    lock.answers.clear();
    for edited in [None, Some(edited)] {
        for number in 0..SETS {
            for version in PYTHON {
                for arch in Arch::ALL {
                    let of = recorded.images().find(|(_, of, _)| *of == arch).unwrap().2;
                    let is_debian = |id: &&String| id.starts_with("pkg:deb/");
                    let packages = set(number, edited);
                    let chosen = packages.iter().map(|package| format!("pkg:pypi/{}", package.replace("==", "@")));
                    let common = wheels.keys().skip(LIBRARIES).cloned();
                    let mut nodes: Vec<String> =
                        of.nodes.iter().filter(is_debian).cloned().chain(chosen).chain(common).collect();
                    nodes.sort();
                    let asked = packages.iter().map(|requirement| Root {
                        by: Asker::Config,
                        edge: Edge {
                            origin: Origin::Pypi,
                            name: requirement.trim_end_matches("==1.0").into(),
                            requirement: requirement.clone(),
                        },
                    });
                    let debian = of.roots.iter().filter(|root| root.edge.origin == Origin::Debian).cloned();
                    let resolution = Resolution { roots: debian.chain(asked).collect(), nodes, ..of.clone() };
                    let question = model::lock::Asked {
                        version: Some(version.into()),
                        packages,
                        architectures: vec![arch],
                        ..question.clone()
                    };
                    let answer = Answer { asked: question, resolutions: BTreeMap::from([(arch, resolution)]) };
                    lock.answers.insert(answer.asked.digest(), answer);
                }
            }
        }
    }
    lock.nodes.retain(|id, _| id.starts_with("pkg:deb/"));
    lock.nodes.extend(wheels);
    lock
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn phase<T>(name: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = run();
    println!("{name}\t{:.4}\t{:.1}", start.elapsed().as_secs_f64(), peak_mib());
    done
}

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("threads start");
    let edited = 17;
    let text = lock(edited).to_text();
    let lock = phase("lock", || Lock::from_text(text.as_bytes()).unwrap());
    drop(text);
    let mut session = Session::new(Lowerer::new(&lock).unwrap());
    let mut compile = |document: &Document| {
        let (images, findings) = session.compile(document, &LocalTrees::default()).unwrap();
        assert_eq!(findings, []);
        images
    };
    let document = phase("load", || load(&matrix::image(SETS)));
    let expand = |_: &_, expanded: Expanded| (serde_json::to_string(&expanded.json()).unwrap().len(), Vec::new());
    let expanded = phase("expand", || document.expand_all(&[], expand).unwrap().0.iter().sum::<usize>());
    let images = phase("plans", || compile(&document));
    assert_eq!(images.len(), 2 * 2 * 3 * SETS);
    let written = |set: &[String]| format!("[\"{}\"]", set.join("\", \""));
    let text = matrix::image(SETS).replace(&written(&set(edited, None)), &written(&set(edited, Some(edited))));
    let again = phase("edit", || compile(&load(&text)));
    let changed = again.iter().filter(|image| image.changed).count();
    assert!((1..100).contains(&changed), "{changed}");
    let steps: usize = images.iter().map(|image| image.plan.steps.len()).sum();
    println!("# {} plans, {steps} steps, {expanded} bytes of JSON, {changed} images changed", images.len());
}
