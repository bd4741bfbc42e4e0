use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use model::{Arch, Digest, canonical_json, codes};
use proptest::prelude::*;

use super::*;
use crate::execute::{Image, Layer, Object, Value, oci};
use crate::store::Store;

struct World {
    dir: tempfile::TempDir,
    store: Store,
    index: Value,
}

/// Two images that share a layer.
fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let put = |bytes: &[u8]| Object { digest: store.put(bytes).unwrap(), size: bytes.len() as u64 };
    let layer = |bytes: &[u8], title: &str| {
        let Object { digest, size } = put(bytes);
        Layer { digest, size, diff_id: Digest::of(title.as_bytes()), title: title.into() }
    };
    let shared = layer(&vec![9; 700_000], "base");
    let images: Vec<Image> = Arch::ALL
        .map(|arch| {
            let layers = vec![shared.clone(), layer(arch.name().as_bytes(), "packages")];
            let configuration = serde_json::json!({
                "architecture": arch.name(), "os": "linux",
                "config": {"Env": ["A=b"], "Entrypoint": ["/x"], "Labels": {"l": "\u{1b}[31mred"}},
                "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|l| l.diff_id).collect::<Vec<_>>()},
                "history": [{"comment": "base"}, {"created_by": "env", "empty_layer": true}, {"comment": "packages"}],
            });
            let config = put(&canonical_json(&configuration));
            let manifest = oci::Manifest {
                schema_version: 2,
                media_type: oci::MANIFEST.into(),
                config: oci::Descriptor::new(oci::CONFIG, config.digest, config.size),
                layers: layers.iter().map(|l| oci::Descriptor::new(oci::LAYER, l.digest, l.size)).collect(),
                annotations: BTreeMap::new(),
            };
            Image { arch, manifest: put(&canonical_json(&manifest)), config, layers }
        })
        .to_vec();
    let manifests =
        images.iter().map(|i| oci::Descriptor::new(oci::MANIFEST, i.manifest.digest, i.manifest.size)).collect();
    let index =
        oci::Index { schema_version: 2, media_type: oci::INDEX.into(), manifests, annotations: BTreeMap::new() };
    let Object { digest, size } = put(&canonical_json(&index));
    World { dir, store, index: Value::Index { digest, size, images } }
}

fn options() -> ArchiveOptions {
    ArchiveOptions { name: "app".into(), tag: "1.0".into(), plain_arch: Arch::Arm64, epoch: 1000 }
}

impl World {
    fn out(&self, name: &str) -> PathBuf {
        let out = self.dir.path().join("out");
        std::fs::create_dir_all(&out).unwrap();
        out.join(name)
    }

    fn write(&self, name: &str) -> Result<Written, model::Finding> {
        write_archive(&self.store, &self.index, &options(), &self.out(name))
    }

    fn left(&self) -> usize {
        std::fs::read_dir(self.out("x").parent().unwrap()).unwrap().count()
    }
}

fn members(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(inspect::archive::decompress(bytes).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mtime().unwrap(), 1000);
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content)
    });
    entries.collect()
}

#[test]
fn the_archive_is_a_layout_and_loadable() {
    let world = world();
    let written = world.write("a.tar.gz").unwrap();
    let bytes = std::fs::read(world.out("a.tar.gz")).unwrap();
    assert_eq!(written, Written { sha256: Digest::of(&bytes), size: bytes.len() as u64 });
    let found = members(&bytes);
    assert_eq!(found["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: serde_json::Value = serde_json::from_slice(&found["index.json"]).unwrap();
    let Value::Index { digest, images, .. } = &world.index else { panic!() };
    assert_eq!(index["manifests"][0]["digest"], digest.to_string());
    assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "1.0");
    let loadable: serde_json::Value = serde_json::from_slice(&found["manifest.json"]).unwrap();
    assert_eq!(loadable[0]["RepoTags"], serde_json::json!(["app-amd64:1.0"]));
    assert_eq!(loadable[1]["RepoTags"], serde_json::json!(["app-arm64:1.0", "app:1.0"]));
    assert_eq!(loadable[1]["Config"], format!("blobs/sha256/{}", images[1].config.digest.hex()));
    for (name, content) in &found {
        if let Some(hex) = name.strip_prefix("blobs/sha256/").filter(|hex| !hex.is_empty()) {
            assert_eq!(Digest::of(content).hex(), hex);
        }
    }
    assert_eq!(found.keys().filter(|name| name.len() > 64).count(), 8);
    let mode = std::fs::metadata(world.out("a.tar.gz")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, world.left()), (0o644, 1));
}

#[test]
fn the_same_archive_comes_out_each_time() {
    let world = world();
    let first = world.write("a.tar.gz").unwrap();
    // the second time its digest is known, and must still be right
    let second = world.write("b.tar.gz").unwrap();
    assert_eq!(first, second);
    assert_eq!(std::fs::read(world.out("a.tar.gz")).unwrap(), std::fs::read(world.out("b.tar.gz")).unwrap());
    world.write("c.tar").unwrap();
    let plain = std::fs::read(world.out("c.tar")).unwrap();
    assert_eq!(members(&plain), members(&std::fs::read(world.out("a.tar.gz")).unwrap()));
    // A change of these bytes needs a new VERSION, for their digest is remembered.
    assert_eq!(first.sha256.to_string(), "sha256:5780cec942a6e5178c0703f53379168f220b3ff7dcd3c978c43eac2ccbb0ce73");
}

#[test]
fn damage_is_found_while_writing_and_leaves_nothing() {
    let world = world();
    world.write("good.tar.gz").unwrap();
    let Value::Index { digest, images, .. } = &world.index else { panic!() };
    for blob in [images[0].layers[0].digest, images[1].layers[1].digest, images[0].config.digest, *digest] {
        let file = world.store.path(&blob);
        let before = std::fs::read(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut flipped = before.clone();
        flipped[0] ^= 1;
        for bytes in [&flipped, &before[..before.len() - 1].to_vec(), &[before.as_slice(), b"x"].concat()] {
            std::fs::write(&file, bytes).unwrap();
            let finding = world.write("bad.tar.gz").unwrap_err();
            assert_eq!((finding.code, world.store.take_damaged()), (codes::STORE_DAMAGED, vec![blob]));
            assert_eq!(world.left(), 1);
        }
        std::fs::write(&file, before).unwrap();
    }
    world.store.discard(&images[0].config.digest).unwrap();
    assert_eq!(world.write("bad.tar").unwrap_err().code, codes::STORE_IO);
    assert_eq!(world.left(), 1);
}

#[test]
fn an_output_that_cannot_be_written_is_said_so() {
    let world = world();
    assert_eq!(world.write("no/such/dir.tar").unwrap_err().code, codes::OUTPUT_IO);
    std::fs::create_dir(world.out("directory")).unwrap();
    assert_eq!(world.write("directory").unwrap_err().code, codes::OUTPUT_IO);
    assert_eq!(world.left(), 1);
    let full = write_archive(&world.store, &world.index, &options(), Path::new("/dev/full/x")).unwrap_err();
    assert_eq!(full.code, codes::OUTPUT_IO);
}

#[test]
fn an_archive_is_read_back_in_every_form() {
    let world = world();
    world.write("a.tar.gz").unwrap();
    world.write("a.tar").unwrap();
    let layout = world.out("layout");
    tar::Archive::new(std::fs::File::open(world.out("a.tar")).unwrap()).unpack(&layout).unwrap();
    let Value::Index { digest, images, .. } = &world.index else { panic!() };
    for name in ["a.tar", "a.tar.gz", "layout"] {
        let found = inspect_archive(&world.out(name)).unwrap();
        assert_eq!(found.index, Some(*digest));
        let arches: Vec<&str> = found.images.iter().map(|image| image.arch.as_str()).collect();
        assert_eq!(arches, ["amd64", "arm64"]);
        assert_eq!(found.images[1].manifest, Some(images[1].manifest.digest));
        let titles: Vec<(&str, u64)> = found.images[0].layers.iter().map(|l| (l.title.as_str(), l.size)).collect();
        assert_eq!(titles, [("base", 700_000), ("packages", 5)]);
        assert_eq!(
            (&found.images[0].env[..], &found.images[0].entrypoint[..]),
            (&["A=b".to_owned()][..], &["/x".to_owned()][..])
        );
        assert!(!found.to_string().contains('\u{1b}'), "a label must not steer the terminal");
    }
    // without the OCI documents it is what docker saves
    std::fs::remove_file(layout.join("index.json")).unwrap();
    let found = inspect_archive(&layout).unwrap();
    assert_eq!((found.index, found.images.len(), found.images[1].layers[0].size), (None, 2, 700_000));
    assert_eq!(found.images[0].config, images[0].config.digest);
}

#[test]
fn what_is_no_image_is_said_so() {
    let world = world();
    let file = world.out("x");
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::INPUT_IO);
    for bytes in [&b"neither"[..], b"", &[0; 4096], b"\x1f\x8bbroken"] {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN, "{bytes:?}");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN);
    let itself = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{}","size":2}}]}}"#,
        oci::INDEX,
        Digest::of(b"{}")
    );
    std::fs::write(file.join("index.json"), itself).unwrap();
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN);
    let outside = r#"[{"Config":"../../etc/passwd","Layers":[]}]"#;
    std::fs::remove_file(file.join("index.json")).unwrap();
    std::fs::write(file.join("manifest.json"), outside).unwrap();
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN);
}

#[test]
fn a_damaged_document_is_not_shown() {
    let world = world();
    world.write("a.tar").unwrap();
    let layout = world.out("layout");
    tar::Archive::new(std::fs::File::open(world.out("a.tar")).unwrap()).unpack(&layout).unwrap();
    let Value::Index { images, .. } = &world.index else { panic!() };
    let config = layout.join("blobs/sha256").join(images[0].config.digest.hex());
    let text = std::fs::read_to_string(&config).unwrap().replace("A=b", "A=c");
    std::fs::write(&config, text).unwrap();
    let finding = inspect_archive(&layout).unwrap_err();
    assert!(finding.message.contains("damaged"), "{finding:?}");
}

/// None of these layers is a tar archive, which is said unless they are damaged besides.
#[test]
fn a_damaged_layer_is_that_first_and_only_layers_that_are_wanted_are_read() {
    let world = world();
    world.write("a.tar").unwrap();
    let layout = world.out("layout");
    tar::Archive::new(std::fs::File::open(world.out("a.tar")).unwrap()).unpack(&layout).unwrap();
    let read = |number: usize| {
        let images = Images::at(&layout).unwrap();
        let wanted = &images.summary.images[number];
        images.inventories(&[wanted], false).unwrap_err()
    };
    let Value::Index { images, .. } = &world.index else { panic!() };
    let file = |layer: &Layer| layout.join("blobs/sha256").join(layer.digest.hex());
    std::fs::remove_file(file(&images[1].layers[1])).unwrap();
    let finding = read(0);
    assert_eq!(finding.code, codes::ARCHIVE_INVALID, "{finding:?}");
    assert!(finding.causes.iter().any(|cause| cause.contains("the layer is")), "{finding:?}");
    assert!(finding.causes.iter().any(|cause| cause.contains("the image is")), "{finding:?}");
    for _ in 0..20 {
        assert_eq!(read(0), finding, "the same is said each time");
    }
    std::fs::write(file(&images[0].layers[0]), vec![8; 700_000]).unwrap();
    let finding = read(0);
    assert!(finding.message.contains("damaged"), "{finding:?}");
}

#[test]
fn an_image_of_more_layers_than_any_has_is_refused() {
    let world = world();
    let layers = vec!["l"; 1001];
    let files = [
        ("manifest.json", serde_json::json!([{"Config": "c", "Layers": layers}]).to_string()),
        ("c", r#"{"architecture": "amd64"}"#.to_owned()),
        ("l", String::new()),
    ];
    let layout = world.out("many");
    std::fs::create_dir(&layout).unwrap();
    files.iter().for_each(|(name, text)| std::fs::write(layout.join(name), text).unwrap());
    assert!(inspect_archive(&layout).unwrap_err().message.contains("more than 1000 layers"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_changed_archive_never_panics(at: usize, byte: u8) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.tar");
        let mut bytes = small();
        let at = at % bytes.len();
        bytes[at] = byte;
        std::fs::File::create(&file).unwrap().write_all(&bytes).unwrap();
        if let Ok(found) = inspect_archive(&file) {
            prop_assert!(found.images.len() <= 2);
        }
    }
}

fn small() -> Vec<u8> {
    static SMALL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let make = || {
        let world = world();
        world.write("a.tar").unwrap();
        let mut bytes = std::fs::read(world.out("a.tar")).unwrap();
        bytes.truncate(64 << 10);
        bytes
    };
    SMALL.get_or_init(make).clone()
}
