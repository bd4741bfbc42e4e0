use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use files::archive::inspect_archive;
use files::oci;
use model::{Arch, Digest, canonical_json, codes};

use super::*;
use crate::execute::{Image, Layer, Object, Value};
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
fn an_archive_is_read_back() {
    let world = world();
    let Value::Index { digest, images, .. } = &world.index else { panic!() };
    for name in ["a.tar", "a.tar.gz"] {
        world.write(name).unwrap();
        let found = inspect_archive(&world.out(name)).unwrap();
        assert_eq!((found.index, &found.names[..]), (Some(*digest), &["localhost/app:1.0".to_owned()][..]));
        let manifests: Vec<_> = found.images.iter().map(|image| image.manifest).collect();
        assert_eq!(manifests, images.iter().map(|image| Some(image.manifest.digest)).collect::<Vec<_>>());
    }
}
