use std::collections::BTreeMap;
use std::io::Read as _;

use super::*;
use crate::execute::PackWriter;
use crate::store::Store;

fn input(context: &Context, entries: Vec<(&str, Entry)>, packs: Vec<model::Digest>) -> Input {
    let entries = entries.into_iter().map(|(path, entry)| (path.parse().unwrap(), entry)).collect();
    let record = context.keep_tree(Tree::with_parents(entries).unwrap(), packs, vec![]).unwrap();
    let Value::Tree { tree, packs } = record.value else { panic!() };
    let tree = serde_json::from_slice(&context.store.read(&tree, 1 << 20).unwrap()).unwrap();
    Input { digest: model::digest_of(&tree), tree: Arc::new(tree), packs }
}

/// Name, header, content and pax records.
type Member = (String, tar::Header, Vec<u8>, BTreeMap<String, Vec<u8>>);

fn unpacked(store: &Store, record: &Record) -> Vec<Member> {
    let Value::Layer(layer) = &record.value else { panic!() };
    let mut bytes = Vec::new();
    let gz = store.read(&layer.digest, 1 << 30).unwrap();
    inspect::archive::decompress(gz.as_slice()).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(model::Digest::of(&bytes), layer.diff_id);
    assert!(bytes.len() % 512 == 0 && bytes.ends_with(&[0; 1024]));
    let mut members = Vec::new();
    for member in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut member = member.unwrap();
        let name = String::from_utf8(member.path_bytes().into_owned()).unwrap();
        let pax = member.pax_extensions().unwrap().map(|pax| {
            pax.map(|record| record.unwrap()).map(|r| (r.key().unwrap().to_owned(), r.value_bytes().to_vec())).collect()
        });
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        members.push((name, member.header().clone(), content, pax.unwrap_or_default()));
    }
    members
}

#[test]
fn a_layer_holds_what_its_tree_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let context = Context::new(&store);
    let mut sink = PackWriter::new(&context);
    let (small, large) = (b"small".to_vec(), vec![7; 3 << 20]);
    let file = |(digest, size)| Entry::root(Kind::File { digest, size }, 0o4755);
    let (small_at, large_at) = (sink.put(&small).unwrap(), sink.put(&large).unwrap());
    let packs = sink.finish().unwrap().pack.into_iter().collect();
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let longer = format!("{}/{}", "e".repeat(120), "g".repeat(120));
    let mut owned = file(small_at);
    (owned.uid, owned.gid) = (65532, 3_000_000);
    owned.xattrs = BTreeMap::from([("security.capability".into(), "01000002".into())]);
    let entries = vec![
        ("b", file(large_at)),
        ("a", Entry::root(Kind::Hardlink { to: "b".parse().unwrap() }, 0o4755)),
        ("c", Entry::root(Kind::Symlink { target: "t%25/x".into() }, 0o777)),
        (&long, file(small_at)),
        (&longer, file(small_at)),
        ("owned", owned),
    ];
    let record = run(&context, &[input(&context, entries, packs)], 1_700_000_000, "title").unwrap();
    let members = unpacked(&store, &record);
    let names: Vec<&str> = members.iter().map(|(name, ..)| name.as_str()).collect();
    let (d, e) = (format!("{}/", "d".repeat(90)), format!("{}/", "e".repeat(120)));
    // hard links follow everything they could name
    assert_eq!(names, ["b", "c", &d, &long, &e, &longer, "owned", "a"]);
    let get = |name: &str| members.iter().find(|(n, ..)| n == name).unwrap();
    assert_eq!(get("b").2, large);
    assert_eq!(get(&long).2, small);
    assert_eq!(get("a").1.link_name_bytes().unwrap().as_ref(), b"b");
    assert_eq!(get("c").1.link_name_bytes().unwrap().as_ref(), b"t%/x");
    let header = &get("b").1;
    assert_eq!(
        (header.mode().unwrap(), header.mtime().unwrap(), header.username_bytes()),
        (0o4755, 1_700_000_000, Some(&b""[..]))
    );
    assert_eq!(get(&d).1.mode().unwrap(), 0o755);
    assert!(get(&long).3.is_empty(), "the name fits prefix and name");
    assert_eq!(get("owned").3["SCHILY.xattr.security.capability"], [1, 0, 0, 2]);
    assert_eq!((get("owned").1.uid().unwrap(), get("owned").3["gid"].as_slice()), (65532, &b"3000000"[..]));
}

/// A change of these bytes, also by another version of the compressor, needs a new `v` of the operation.
#[test]
fn a_layer_never_changes_silently() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let context = Context::new(&store);
    let mut sink = PackWriter::new(&context);
    let text: String = (0..200_000).map(|n: u64| format!("{} ", n.wrapping_mul(2_654_435_761) % 9973)).collect();
    let (digest, size) = sink.put(text.as_bytes()).unwrap();
    let packs = sink.finish().unwrap().pack.into_iter().collect();
    let entries = vec![("dir/file", Entry::root(Kind::File { digest, size }, 0o644))];
    let record = run(&context, &[input(&context, entries, packs)], 1_700_000_000, "t").unwrap();
    let Value::Layer(layer) = record.value else { panic!() };
    assert_eq!(layer.digest.to_string(), "sha256:e1e9f2b9b7680a72663104dba5d74187b61893495c89ebb2fec188c0b6594a63");
}

#[test]
fn directories_that_are_below_already_are_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let context = Context::new(&store);
    let home = Entry { uid: 5, ..Entry::root(Kind::Dir, 0o700) };
    let link = |target: &str| Entry::root(Kind::Symlink { target: target.into() }, 0o777);
    let below = input(
        &context,
        vec![("home/user", home), ("opt", Entry::dir()), ("l", link("a")), ("bin", link("usr/bin"))],
        vec![],
    );
    let layer = |entries| {
        let own = input(&context, entries, vec![]);
        run(&context, &[own, Input { digest: below.digest, tree: below.tree.clone(), packs: vec![] }], 0, "top")
    };
    let purpose = Entry::root(Kind::Dir, 0o750);
    let record = layer(vec![("home/user/app", Entry::dir()), ("opt", purpose), ("l", link("b"))]).unwrap();
    let names: Vec<String> = unpacked(&store, &record).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["home/user/app/", "l", "opt/"]);
    assert_eq!(layer(vec![("bin/tool", link("x"))]).unwrap_err().code, codes::TREE_CONFLICT);
    assert_eq!(layer(vec![("opt", link("x"))]).unwrap_err().code, codes::TREE_CONFLICT);
}

#[test]
fn compression_is_within_five_percent_of_one_stream() {
    // text of the kind images are full of, made without help: words drawn by a fixed sequence
    let words = [
        "import", "self", "return", "def", "class", "None", "for", "value", "in", "==", "(", ")", "os.path", "\n    ",
        "\n",
    ];
    let mut state = 1u64;
    let mut text = Vec::new();
    while text.len() < 4 << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let draw = (state >> 33) as usize;
        text.extend(words[draw % words.len()].bytes());
        text.extend(format!(" {:x}", draw % 4096).bytes());
    }
    let mut compressor = Compressor::new(CompressionLvl::new(LEVEL).unwrap());
    let blocks: usize = text.chunks(BLOCK).map(|block| member(&mut compressor, block).unwrap().len()).sum();
    let mut best = Compressor::new(CompressionLvl::new(6).unwrap());
    let whole = member(&mut best, &text).unwrap().len();
    assert!(blocks * 100 <= whole * 105, "{blocks} against {whole}");
}
