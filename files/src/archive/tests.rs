use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::{Digest, canonical_json, codes};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::oci::{self, Descriptor};

struct World {
    dir: tempfile::TempDir,
    /// A folder, as `docker save` writes it besides.
    layout: PathBuf,
    index: Descriptor,
    images: Vec<Image>,
}

struct Image {
    manifest: Descriptor,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// Two images that share a layer of so many bytes.
fn world(shared: usize) -> World {
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    let put = |kind: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(layout.join(oci::path(&digest)), bytes).unwrap();
        Descriptor::new(kind, digest, bytes.len() as u64)
    };
    let shared = put(oci::LAYER, &vec![9; shared]);
    let image = |arch: &str| {
        let layers = vec![shared.clone(), put(oci::LAYER, arch.as_bytes())];
        let configuration = json!({
            "architecture": arch, "os": "linux",
            "config": {"Env": ["A=b"], "Entrypoint": ["/x"], "Labels": {"l": "\u{1b}[31mred"}},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"base"), Digest::of(b"packages")]},
            "history": [{"comment": "base"}, {"created_by": "env", "empty_layer": true}, {"comment": "packages"}],
        });
        let config = put(oci::CONFIG, &canonical_json(&configuration));
        let manifest = oci::Manifest {
            schema_version: 2,
            media_type: oci::MANIFEST.into(),
            config: config.clone(),
            layers: layers.clone(),
            annotations: BTreeMap::new(),
        };
        Image { manifest: put(oci::MANIFEST, &canonical_json(&manifest)), config, layers }
    };
    let images = Vec::from(["amd64", "arm64"].map(image));
    let list = |manifests| oci::Index {
        schema_version: 2,
        media_type: oci::INDEX.into(),
        manifests,
        annotations: BTreeMap::new(),
    };
    let index = list(images.iter().map(|image| image.manifest.clone()).collect());
    let index = put(oci::INDEX, &canonical_json(&index));
    let file = |blob: &Descriptor| oci::path(&blob.digest);
    let loadable = |image: &Image| oci::Loadable {
        config: file(&image.config),
        repo_tags: None,
        layers: image.layers.iter().map(file).collect(),
    };
    let loadable: Vec<oci::Loadable> = images.iter().map(loadable).collect();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(layout.join("index.json"), canonical_json(&list(vec![index.clone()]))).unwrap();
    fs::write(layout.join("manifest.json"), canonical_json(&loadable)).unwrap();
    World { dir, layout, index, images }
}

impl World {
    fn out(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn blob(&self, blob: &Descriptor) -> PathBuf {
        self.layout.join(oci::path(&blob.digest))
    }

    /// The layout as an archive.
    fn packed(&self) -> Vec<u8> {
        let archive = self.out("packed.tar");
        pack(&self.layout, &archive).unwrap();
        fs::read(archive).unwrap()
    }
}

#[test]
fn an_archive_is_read_back_in_every_form() {
    let world = world(700_000);
    let plain = world.packed();
    fs::write(world.out("a.tar"), &plain).unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&plain).unwrap();
    fs::write(world.out("a.tar.gz"), packed.finish().unwrap()).unwrap();
    for name in ["a.tar", "a.tar.gz", "layout"] {
        let found = inspect_archive(&world.out(name)).unwrap();
        assert_eq!(found.index, Some(world.index.digest));
        let arches: Vec<&str> = found.images.iter().map(|image| image.arch.as_str()).collect();
        assert_eq!(arches, ["amd64", "arm64"]);
        assert_eq!(found.images[1].manifest, Some(world.images[1].manifest.digest));
        let titles: Vec<(&str, u64)> = found.images[0].layers.iter().map(|l| (l.title.as_str(), l.size)).collect();
        assert_eq!(titles, [("base", 700_000), ("packages", 5)]);
        assert_eq!(
            (&found.images[0].env[..], &found.images[0].entrypoint[..]),
            (&["A=b".to_owned()][..], &["/x".to_owned()][..])
        );
        assert!(!found.to_string().contains('\u{1b}'), "a label must not steer the terminal");
    }
    // without the OCI documents it is what docker saves
    fs::remove_file(world.layout.join("index.json")).unwrap();
    let found = inspect_archive(&world.layout).unwrap();
    assert_eq!((found.index, found.images.len(), found.images[1].layers[0].size), (None, 2, 700_000));
    assert_eq!(found.images[0].config, world.images[0].config.digest);
}

#[test]
fn what_is_no_image_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x");
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::INPUT_IO);
    for bytes in [&b"neither"[..], b"", &[0; 4096], b"\x1f\x8bbroken"] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN, "{bytes:?}");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN);
    let itself = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{}","size":2}}]}}"#,
        oci::INDEX,
        Digest::of(b"{}")
    );
    fs::write(file.join("index.json"), itself).unwrap();
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN);
    let outside = r#"[{"Config":"../../etc/passwd","Layers":[]}]"#;
    fs::remove_file(file.join("index.json")).unwrap();
    fs::write(file.join("manifest.json"), outside).unwrap();
    assert_eq!(inspect_archive(&file).unwrap_err().code, codes::ARCHIVE_UNKNOWN);
}

#[test]
fn a_damaged_document_is_not_shown() {
    let world = world(1);
    let config = world.blob(&world.images[0].config);
    let text = fs::read_to_string(&config).unwrap().replace("A=b", "A=c");
    fs::write(&config, text).unwrap();
    let finding = inspect_archive(&world.layout).unwrap_err();
    assert!(finding.message.contains("damaged"), "{finding:?}");
}

/// None of these layers is a tar archive, which is said unless they are damaged besides.
#[test]
fn a_damaged_layer_is_that_first_and_only_layers_that_are_wanted_are_read() {
    let world = world(700_000);
    let read = |number: usize| {
        let images = Images::at(&world.layout).unwrap();
        let wanted = &images.summary.images[number];
        images.inventories(&[wanted], false).unwrap_err()
    };
    fs::remove_file(world.blob(&world.images[1].layers[1])).unwrap();
    let finding = read(0);
    assert_eq!(finding.code, codes::ARCHIVE_INVALID, "{finding:?}");
    assert!(finding.causes.iter().any(|cause| cause.contains("the layer is")), "{finding:?}");
    assert!(finding.causes.iter().any(|cause| cause.contains("the image is")), "{finding:?}");
    for _ in 0..20 {
        assert_eq!(read(0), finding, "the same is said each time");
    }
    fs::write(world.blob(&world.images[0].layers[0]), vec![8; 700_000]).unwrap();
    let finding = read(0);
    assert!(finding.message.contains("damaged"), "{finding:?}");
}

#[test]
fn an_image_of_more_layers_than_any_has_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let layers = vec!["l"; 1001];
    let files = [
        ("manifest.json", json!([{"Config": "c", "Layers": layers}]).to_string()),
        ("c", r#"{"architecture": "amd64"}"#.to_owned()),
        ("l", String::new()),
    ];
    files.iter().for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
    assert!(inspect_archive(dir.path()).unwrap_err().message.contains("more than 1000 layers"));
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
        fs::write(&file, &bytes).unwrap();
        if let Ok(found) = inspect_archive(&file) {
            prop_assert!(found.images.len() <= 2);
        }
    }
}

fn small() -> Vec<u8> {
    static SMALL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SMALL.get_or_init(|| world(1).packed()).clone()
}
