//! A Debian archive for tests, signed with a test key.

use std::collections::BTreeMap;
use std::io::Write as _;

use jiff::Timestamp;
use liblzma::write::XzEncoder;
use model::lock::{self, Kept};
use model::{Arch, Digest};
use trust::{Trust, suite_scope};

use crate::openpgp::testing::{DAY, MADE, Quirks, TestKey};
use crate::store::Store;

/// The suite every test is about.
pub(crate) const SUITE: &str = "one";
/// The index of its packages for amd64.
pub(crate) const INDEX: &str = "main/binary-amd64/Packages.xz";
/// The time tests judge by.
pub(crate) const NOW: i64 = MADE + 10 * DAY;

/// What an archive says of itself.
pub(crate) struct TestArchive {
    pub(crate) key: TestKey,
    pub(crate) label: &'static str,
    pub(crate) codename: &'static str,
    pub(crate) date: i64,
    pub(crate) valid_until: Option<i64>,
    pub(crate) by_hash: bool,
    /// Name, version, architecture.
    pub(crate) packages: Vec<(&'static str, &'static str, &'static str)>,
}

impl Default for TestArchive {
    fn default() -> Self {
        Self {
            key: TestKey::new(1, Quirks::default()),
            label: "Test",
            codename: SUITE,
            date: MADE + 9 * DAY,
            valid_until: Some(MADE + 16 * DAY),
            by_hash: true,
            packages: vec![("hello", "1.0-1+b2", "amd64"), ("data", "2", "all")],
        }
    }
}

/// The digest the archive gives for a package's file.
pub(crate) fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// Where the archive has a package's file.
pub(crate) fn pool(name: &str, version: &str, architecture: &str) -> String {
    format!("pool/main/{name}_{version}_{architecture}.deb")
}

impl TestArchive {
    /// Trust data that lets its key sign the suite.
    pub(crate) fn trust(&self) -> Trust {
        TestKey::new(1, Quirks::default()).trusted(&[&suite_scope(SUITE)])
    }

    /// The index of its packages.
    pub(crate) fn packages_xz(&self) -> Vec<u8> {
        let mut xz = XzEncoder::new(Vec::new(), 6);
        for (name, version, architecture) in &self.packages {
            let file = pool(name, version, architecture);
            let sha256 = digest(name).hex();
            write!(
                xz,
                "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Nobody\n\
                 Filename: {file}\nSize: 5\nSHA256: {sha256}\n\n"
            )
            .unwrap();
        }
        xz.finish().unwrap()
    }

    /// Its signed release.
    pub(crate) fn in_release(&self) -> Vec<u8> {
        let packages = self.packages_xz();
        let valid_until = self.valid_until.map_or_else(String::new, |until| format!("Valid-Until: {}\n", date(until)));
        let text = format!(
            "Origin: Test\nLabel: {}\nSuite: stable\nCodename: {}\nDate: {}\n{valid_until}Acquire-By-Hash: {}\n\
             Architectures: amd64\nComponents: main\nSHA256:\n {} {} {INDEX}\n",
            self.label,
            self.codename,
            date(self.date),
            if self.by_hash { "yes" } else { "no" },
            Digest::of(&packages).hex(),
            packages.len()
        );
        self.key.sign(&text, self.date + 60).into_bytes()
    }

    /// Its files by path, as a server has them.
    pub(crate) fn served(&self) -> BTreeMap<String, Vec<u8>> {
        let packages = self.packages_xz();
        let path = match self.by_hash {
            true => format!("/dists/{SUITE}/main/binary-amd64/by-hash/SHA256/{}", Digest::of(&packages).hex()),
            false => format!("/dists/{SUITE}/{INDEX}"),
        };
        BTreeMap::from([(format!("/dists/{SUITE}/InRelease"), self.in_release()), (path, packages)])
    }

    /// Puts release and index into a store and says what a lock keeps of them.
    pub(crate) fn kept(&self, store: &Store) -> lock::Release {
        let (in_release, packages) = (self.in_release(), self.packages_xz());
        let index = Kept { digest: store.put(&packages).unwrap(), size: packages.len() as u64 };
        lock::Release {
            label: self.label.to_owned(),
            codename: self.codename.to_owned(),
            date: self.date,
            in_release: store.put(&in_release).unwrap(),
            size: in_release.len() as u64,
            signed_by: vec![self.key.fingerprint()],
            expired_accepted: false,
            indexes: BTreeMap::from([(super::index_path(Arch::Amd64), index)]),
        }
    }
}

/// Flips a bit in the middle of a file.
pub(crate) fn damage(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap().strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}
