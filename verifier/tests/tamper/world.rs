//! An image in memory with everything attached that is demanded of it, and how it is gathered.

use std::collections::BTreeMap;

use model::Digest;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::{Value, json};
use verifier::{
    Answer, BUNDLE, Beside, Bundle, Depth, Envelope, Evidence, Expectations, FACTS, IN_TOTO, Limits, Made, Need,
    PublicKey, SIGNATURE, Trust, Verdict, pae,
};

/// When the image is judged: 2027-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_798_761_600;
/// Seconds after which scans are too old.
pub(crate) const MAX_AGE: i64 = 30 * 86_400;

pub(crate) const CLAIM: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(crate) const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A key that signs.
pub(crate) struct Key {
    key: SigningKey,
    pub(crate) public: PublicKey,
}

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32].into()).unwrap();
        let der = key.verifying_key().to_public_key_der().unwrap();
        Self { public: PublicKey::from_der(der.as_bytes()).unwrap(), key }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// A bundle of a statement.
    pub(crate) fn bundle(&self, statement: &[u8]) -> Vec<u8> {
        let envelope = Envelope::new(IN_TOTO, statement, &self.sign(&pae(IN_TOTO, statement)));
        serde_json::to_vec(&Bundle::new(envelope, &self.public)).unwrap()
    }
}

/// The key whose word counts.
pub(crate) fn owner() -> Key {
    Key::new(7)
}

/// One of somebody else.
pub(crate) fn stranger() -> Key {
    Key::new(9)
}

/// A statement that is attached to an image.
#[derive(Clone)]
pub(crate) struct Item {
    /// What the check is called that looks at it.
    pub(crate) check: &'static str,
    /// What it is attached to.
    pub(crate) at: Digest,
    pub(crate) statement: Value,
}

/// A registry with one image.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(crate) referrers: BTreeMap<Digest, Vec<Digest>>,
    pub(crate) beside: BTreeMap<(Digest, Beside), Vec<u8>>,
    pub(crate) index: Digest,
    pub(crate) images: Vec<Digest>,
    pub(crate) configs: Vec<Digest>,
    pub(crate) layers: Vec<Digest>,
}

pub(crate) fn statement(about: &[Digest], kind: &str, predicate: Value) -> Value {
    let subject: Vec<Value> = about.iter().map(|digest| json!({ "digest": { "sha256": digest.hex() } })).collect();
    json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": kind, "predicate": predicate })
}

pub(crate) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl World {
    /// An image for two platforms, and nothing said of it. `salt` makes it another one.
    pub(crate) fn bare(salt: &str) -> Self {
        let mut world = Self {
            blobs: BTreeMap::new(),
            referrers: BTreeMap::new(),
            beside: BTreeMap::new(),
            index: Digest::of(b""),
            images: Vec::new(),
            configs: Vec::new(),
            layers: Vec::new(),
        };
        let mut entries = Vec::new();
        for arch in ["amd64", "arm64"] {
            let layers: Vec<Digest> =
                (0..2).map(|number| world.put(format!("{salt} {arch} layer {number}").into_bytes())).collect();
            let config = world.put_json(&json!({
                "architecture": arch, "os": "linux",
                "config": { "User": "65532", "Env": ["A=b"], "Entrypoint": ["/app"], "ExposedPorts": { "8000/tcp": {} } },
                "rootfs": { "type": "layers", "diff_ids": layers },
            }));
            let size = |digest: &Digest| world.blobs[digest].len();
            let described = |digest: &Digest| json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": size(digest) });
            let manifest = json!({
                "schemaVersion": 2, "mediaType": MANIFEST,
                "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size(&config) },
                "layers": layers.iter().map(described).collect::<Vec<_>>(),
            });
            let manifest = world.put_json(&manifest);
            entries.push(json!({
                "mediaType": MANIFEST, "digest": manifest, "size": world.blobs[&manifest].len(),
                "platform": { "architecture": arch, "os": "linux" },
            }));
            world.images.push(manifest);
            world.configs.push(config);
            world.layers.extend(layers);
        }
        let index =
            json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries });
        world.index = world.put_json(&index);
        world
    }

    /// The image that is accepted.
    pub(crate) fn good() -> Self {
        let mut world = Self::bare("good");
        for item in world.items() {
            world.attach(&item.at, &owner().bundle(item.statement.to_string().as_bytes()));
        }
        world
    }

    /// The same as cosign kept it before version 3.
    pub(crate) fn legacy() -> Self {
        let mut world = Self::bare("good");
        for item in world.items() {
            if item.check == "signature" {
                let claim = claim(&world.index);
                world.beside(&item.at, Beside::Signatures, &claim, &owner().sign(&claim));
            } else {
                world.attest_beside(&item.at, item.statement.to_string().as_bytes(), &owner());
            }
        }
        world
    }

    /// Everything that is said of it.
    pub(crate) fn items(&self) -> Vec<Item> {
        let everything = [vec![self.index], self.images.clone()].concat();
        let item = |check, at: &Digest, kind: &str, predicate| {
            let about = if *at == self.index { everything.clone() } else { vec![*at] };
            Item { check, at: *at, statement: statement(&about, kind, predicate) }
        };
        let finished = time(NOW - 86_400);
        let files = ["amd64", "arm64"].map(|arch| {
            json!({ "path": "/app", "architecture": arch, "built_here": true, "has": ["pie"], "lacks": [], "unknown": [] })
        });
        let mut items = vec![
            item("signature", &self.index, SIGNATURE, json!({})),
            item(
                "provenance",
                &self.index,
                "https://slsa.dev/provenance/v1",
                json!({
                    "buildDefinition": {
                        "buildType": "urn:clnstrt:build:v1",
                        "externalParameters": {
                            "config": { "path": "image.yaml", "repository": "https://git.example.com/app", "commit": "3".repeat(40) },
                            "parameters": { "python": "3.13" }, "architectures": ["amd64", "arm64"],
                        },
                        "resolvedDependencies": [{ "name": "image.yaml", "digest": { "sha256": "4".repeat(64) } }],
                    },
                    "runDetails": {
                        "builder": { "id": "urn:clnstrt:builder:local", "version": { "clnstrt": "1" } },
                        "metadata": { "startedOn": time(NOW - 86_500), "finishedOn": finished },
                    },
                }),
            ),
            item(
                "vex",
                &self.index,
                "https://openvex.dev/ns",
                json!({
                    "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vex.example.com/1", "author": "a", "version": 1,
                    "timestamp": finished,
                    "statements": [{
                        "vulnerability": { "name": "CVE-2026-0001" }, "status": "not_affected",
                        "justification": "vulnerable_code_not_in_execute_path",
                        "products": [{ "@id": format!("pkg:oci/app@sha256:{}", self.index.hex()) }],
                    }],
                }),
            ),
            item(
                "tests",
                &self.index,
                "https://in-toto.io/attestation/test-result/v0.1",
                json!({
                    "result": "PASSED", "configuration": [{ "name": "gates", "digest": { "sha256": "5".repeat(64) } }],
                    "passedTests": ["archive", "sbom"], "warnedTests": [], "failedTests": [], "finishedOn": finished,
                }),
            ),
            item(
                "fips",
                &self.index,
                FACTS,
                json!({
                    "image": { "name": "app", "variant": "prod", "read_only_root": true, "health_check": false, "shell": false },
                    "build": { "hardening": "maximum", "fips": true, "strip": true, "compiles": true, "flags": [], "commands": 0, "tests": 0 },
                    "hardening": { "files": files },
                }),
            ),
        ];
        for image in &self.images {
            items.push(item("sbom", image, "https://cyclonedx.org/bom", json!({
                "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
                "metadata": { "component": { "type": "container", "name": "app", "hashes": [{ "alg": "SHA-256", "content": image.hex() }] } },
                "components": [{ "type": "library", "name": "libc6", "version": "2.41", "purl": "pkg:deb/debian/libc6@2.41?arch=any" }],
            })));
            items.push(item("vulnerabilities", image, "https://in-toto.io/attestation/vulns/v0.1", json!({
                "scanner": {
                    "uri": "https://scanner.example.com", "version": "1", "db": { "uri": "https://db.example.com", "lastUpdate": finished },
                    "result": [
                        { "id": "CVE-2026-0001", "severity": [{ "method": "CVSS_V3", "score": "9.8" }] },
                        { "id": "CVE-2026-0002", "severity": [{ "method": "CVSS_V3", "score": "7.5" }] },
                    ],
                },
                "metadata": { "scanStartedOn": time(NOW - 86_500), "scanFinishedOn": finished },
            })));
        }
        items
    }

    pub(crate) fn put(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, bytes);
        digest
    }

    pub(crate) fn put_json(&mut self, value: &Value) -> Digest {
        self.put(value.to_string().into_bytes())
    }

    pub(crate) fn json(&self, digest: &Digest) -> Value {
        serde_json::from_slice(&self.blobs[digest]).unwrap()
    }

    /// Attaches a bundle as cosign 3 does; answers the manifest.
    pub(crate) fn attach(&mut self, at: &Digest, bundle: &[u8]) -> Digest {
        let manifest = self.referrer(at, bundle);
        self.referrers.entry(*at).or_default().push(manifest);
        manifest
    }

    /// The manifest of what refers to something, which no list has yet.
    pub(crate) fn referrer(&mut self, at: &Digest, bundle: &[u8]) -> Digest {
        let nothing = self.put(b"{}".to_vec());
        let blob = self.put(bundle.to_vec());
        self.put_json(&json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": nothing, "size": 2 },
            "layers": [{ "mediaType": BUNDLE, "digest": blob, "size": bundle.len() }],
            "subject": { "mediaType": MANIFEST, "digest": at, "size": 1 },
        }))
    }

    pub(crate) fn attest_beside(&mut self, at: &Digest, statement: &[u8], key: &Key) {
        let envelope = Envelope::new(IN_TOTO, statement, &key.sign(&pae(IN_TOTO, statement)));
        self.beside(at, Beside::Attestations, &serde_json::to_vec(&envelope).unwrap(), b"");
    }

    /// Adds a layer to what lies under a tag beside an image.
    pub(crate) fn beside(&mut self, at: &Digest, beside: Beside, layer: &[u8], signature: &[u8]) {
        let digest = self.put(layer.to_vec());
        let config = self.put(b"{}".to_vec());
        let kind = if beside == Beside::Signatures { CLAIM } else { ENVELOPE };
        let empty = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": { "digest": config, "size": 2 }, "layers": [] });
        let before = self.beside.get(&(*at, beside)).map(|bytes| serde_json::from_slice(bytes).unwrap());
        let mut manifest: Value = before.unwrap_or(empty);
        let signature = data_encoding::BASE64.encode(signature);
        manifest["layers"].as_array_mut().unwrap().push(json!({
            "mediaType": kind, "digest": digest, "size": layer.len(),
            "annotations": { "dev.cosignproject.cosign/signature": signature },
        }));
        self.beside.insert((*at, beside), manifest.to_string().into_bytes());
    }

    /// All that the verifier asks for. Whoever asks for more than this is told.
    pub(crate) fn gather(&self, depth: Depth) -> Evidence {
        let mut evidence = Evidence::new("registry.example/app:1", self.index, depth);
        for _ in 0..100 {
            let needs = evidence.needs();
            if needs.is_empty() {
                return evidence;
            }
            for need in needs {
                let answer = self.answer(&need);
                evidence.give(need.read(answer, depth));
            }
        }
        panic!("there is no end to what is needed");
    }

    fn answer(&self, need: &Need) -> Answer {
        match need {
            Need::Manifest(digest) | Need::Referrer(digest) | Need::Config(digest, _) | Need::Document(digest, _) => {
                self.blobs.get(digest).map_or(Answer::Missing, |bytes| Answer::Bytes(bytes.clone()))
            }
            Need::Layer(digest, size) => match self.blobs.get(digest) {
                None => Answer::Missing,
                Some(bytes) if Digest::of(bytes) != *digest => Answer::Wrong("it is something else".into()),
                Some(bytes) if bytes.len() as u64 != *size => Answer::Wrong("it has another size".into()),
                Some(_) => Answer::Holds,
            },
            Need::Referrers(digest) => Answer::Listed(self.referrers.get(digest).cloned().unwrap_or_default()),
            Need::Beside(digest, beside) => {
                self.beside.get(&(*digest, *beside)).map_or(Answer::Missing, |bytes| Answer::Bytes(bytes.clone()))
            }
        }
    }

    /// What the verifier says of it.
    pub(crate) fn judged_at(&self, now: i64) -> Verdict {
        let evidence = self.gather(Depth { layers: true, legacy: true, ..Depth::default() });
        verifier::verify(&evidence, &trust(), &expectations(), now).verdict
    }

    pub(crate) fn judged(&self) -> Verdict {
        self.judged_at(NOW)
    }
}

pub(crate) fn claim(digest: &Digest) -> Vec<u8> {
    let claim = json!({ "critical": {
        "identity": { "docker-reference": "registry.example/app" },
        "image": { "docker-manifest-digest": digest },
        "type": "cosign container image signature",
    }, "optional": null });
    claim.to_string().into_bytes()
}

pub(crate) fn trust() -> Trust {
    Trust { keys: vec![("owner.pub".to_owned(), owner().public)], ..Trust::default() }
}

/// Everything is demanded.
pub(crate) fn expectations() -> Expectations {
    Expectations {
        signatures: 1,
        sbom: true,
        provenance: true,
        vex: true,
        tests: true,
        fips: true,
        vulnerabilities: Limits { is_required: true, total: Some(1), critical: 0, high: 1 },
        max_age: Some(MAX_AGE),
        made: Made {
            source: Some("https://git.example.com/app.git".into()),
            builders: vec!["urn:clnstrt:builder:local".into()],
            hermetic: true,
            ..Made::default()
        },
        facts: true,
    }
}
