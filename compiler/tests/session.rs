//! What is compiled again after an edit is what is compiled from nothing, and only what the edit changed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the recorded lock is a file")]

use std::fs;

use compiler::template::{Document, Library};
use compiler::{Compiled, LocalTrees, Lowerer, Session};
use model::lock::Lock;
use model::{Digest, Finding, Sources, codes};

struct Nothing;

impl Library for Nothing {
    fn read(&self, _: &str) -> Result<(String, String), Finding> {
        Err(Finding::error(codes::TEMPLATE_UNREADABLE, "nothing is there"))
    }
}

fn document(text: &str) -> Document {
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", text);
    let root = grammar::yaml::parse(source, text).root.unwrap();
    let (document, findings) = Document::load("image.yaml", &root, &[], &mut sources, &Nothing);
    assert_eq!(findings, []);
    document
}

fn compile(session: &mut Session, text: &str, local: &LocalTrees) -> Vec<Compiled> {
    let (images, findings) = session.compile(&document(text), local).unwrap();
    assert_eq!(findings, []);
    images
}

fn changed(images: &[Compiled]) -> Vec<&str> {
    images.iter().filter(|image| image.changed).map(|image| image.name.as_str()).collect()
}

#[test]
fn only_what_an_edit_changes_is_compiled_again() {
    let case = cases::place("compile/plan/python-two-architectures");
    let lock = Lock::from_text(&fs::read(case.join("lock.json")).unwrap()).unwrap();
    let image = fs::read_to_string(case.join("image.yaml")).unwrap();
    let text =
        format!("{image}description: \"${{{{ if n == 2 then 'two' else 'other' }}}}\"\nmatrix: {{n: [1, 2, 3]}}\n");
    let edited = text.replace("'two'", "'second'");
    assert_ne!(text, edited);
    let new = || Session::new(Lowerer::new(&lock).unwrap());
    let (mut session, local) = (new(), LocalTrees::default());
    assert_eq!(changed(&compile(&mut session, &text, &local)).len(), 3);
    assert_eq!(changed(&compile(&mut session, &format!("# moved\n{text}"), &local)), [""; 0]);
    let again = compile(&mut session, &edited, &local);
    assert_eq!(changed(&again), [again[1].name.as_str()]);
    for (again, fresh) in again.iter().zip(compile(&mut new(), &edited, &local)) {
        assert_eq!((&again.name, &again.plan), (&fresh.name, &fresh.plan));
    }
    let moved = LocalTrees { source: Some(Digest::of(b"another")), ..LocalTrees::default() };
    assert_eq!(changed(&compile(&mut session, &edited, &moved)).len(), 3, "the author's files changed");
}
