use std::collections::BTreeMap;

use inspect::archive::ContentSink as _;
use model::{Entry, Tree};

use super::*;
use crate::execute::PackWriter;
use crate::store::Store;

mod scheduling;

/// What a run made: names, contents and modes; a name that ends in `@` is a link.
fn made(context: &Context, files: &[(&str, &[u8], u32)]) -> Value {
    let mut sink = PackWriter::new(context);
    let mut entries = BTreeMap::new();
    for (name, content, mode) in files {
        let (name, node) = match name.strip_suffix('@') {
            Some(name) => (name, Kind::Symlink { target: String::from_utf8(content.to_vec()).unwrap() }),
            None => {
                let (digest, size) = sink.store(&mut &**content).unwrap();
                (*name, Kind::File { digest, size })
            }
        };
        entries.insert(name.parse().unwrap(), Entry::root(node, *mode));
    }
    let packed = sink.finish().unwrap();
    let tree = Tree::with_parents(entries).unwrap();
    context.keep_tree(tree, packed.pack.into_iter().collect(), packed.objects).unwrap().value
}

fn compared(first: &[(&str, &[u8], u32)], second: &[(&str, &[u8], u32)]) -> Repeated {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let context = Context::new(&store);
    let (first, second) = (made(&context, first), made(&context, second));
    // read by one that has to verify what it reads
    compare(&Context::new(&store), "the step", &first, &second).unwrap()
}

#[test]
fn every_kind_of_difference_is_named() {
    let large = vec![0xff; 100_000];
    let mut changed = large.clone();
    changed[99_999] = 0;
    let first: &[(&str, &[u8], u32)] = &[
        ("equal", b"x", 0o644),
        ("gone", b"x", 0o644),
        ("kind", b"x", 0o644),
        ("large", &large, 0o644),
        ("link@", b"here", 0o777),
        ("mode", b"x", 0o644),
        ("size", b"one\n", 0o644),
        ("text", b"at 10:00\n", 0o644),
    ];
    let second: &[(&str, &[u8], u32)] = &[
        ("equal", b"x", 0o644),
        ("kind@", b"x", 0o777),
        ("large", &changed, 0o644),
        ("link@", b"there", 0o777),
        ("mode", b"x", 0o755),
        ("new/file", b"x", 0o644),
        ("size", b"three\n", 0o644),
        ("text", b"at 10:02\n", 0o644),
    ];
    let repeated = compared(first, second);
    let text = repeated.to_string();
    let expected = "\
/out/gone
  a file, made by the first run only
/out/kind
  a file, and a link to x
  mode 644 and 777
/out/large
  from byte 99999 on
  - 00018690  ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff  |................|
  + 00018690  ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff 00  |................|
/out/link
  a link to here, and a link to there
/out/mode
  mode 644 and 755
/out/new
  a directory, made by the second run only
/out/new/file
  a file, made by the second run only
/out/size
  4 bytes and 6
  line 1:
  - one
  + three
/out/text
  line 1:
  - at 10:00
  + at 10:02
";
    let (head, body) = text.split_once('\n').unwrap();
    assert_eq!(head, format!("different: {} and {}", repeated.first, repeated.second));
    assert_eq!(body, expected);
    let finding = repeated.finding().unwrap();
    assert_eq!(finding.code, codes::NOT_REPRODUCIBLE);
    assert!(finding.message.contains("`the step`") && finding.message.contains("9 of its files"), "{finding:?}");
    assert_eq!(finding.causes.last().unwrap(), "and 4 more");
    assert!(finding.causes.iter().any(|cause| cause == "/out/large"), "{finding:?}");
}

#[test]
fn equal_trees_are_no_finding() {
    let files: &[(&str, &[u8], u32)] = &[("a", b"x", 0o644), ("b@", b"a", 0o777)];
    let repeated = compared(files, files);
    assert_eq!(repeated.finding(), None);
    assert_eq!(repeated.to_string(), format!("equal: {}\n", repeated.first));
}

#[test]
fn of_many_files_the_rest_is_counted() {
    let names: Vec<String> = (0..500).map(|n| format!("{n:03}")).collect();
    let of = |content| names.iter().map(|name| (name.as_str(), content, 0o644)).collect::<Vec<(&str, &[u8], u32)>>();
    let repeated = compared(&of(b"1"), &of(b"2"));
    let text = repeated.to_string();
    assert_eq!(text.lines().filter(|line| line.starts_with("/out/")).count(), FILES);
    assert!(text.ends_with("and 400 more\n"), "{text}");
    let finding = repeated.finding().unwrap();
    assert!(finding.message.contains("500 of its files"), "{finding:?}");
    assert!(finding.causes.len() <= NAMED * (LINES + 1) + 1);
}

#[test]
fn names_do_not_command_a_terminal() {
    let repeated = compared(&[("\x1b[1m", b"x", 0o644)], &[]);
    assert!(!repeated.to_string().contains('\x1b') && !repeated.finding().unwrap().causes[0].contains('\x1b'));
}
