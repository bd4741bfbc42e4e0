//! The built archive in the hands of other projects' programs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::run;

/// Unpacks an archive with tar: an OCI layout.
pub fn layout(archive: &Path, into: &Path) -> PathBuf {
    let layout = into.join("layout");
    fs::create_dir_all(&layout).unwrap();
    run(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(&layout)).ok();
    layout
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

/// A blob of a layout.
pub fn blob(layout: &Path, digest: &Value) -> PathBuf {
    layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"))
}

/// The image index of a layout: the one thing its `index.json` lists.
pub fn index(layout: &Path) -> (String, Value) {
    let listed = json(&layout.join("index.json"));
    let manifests = listed["manifests"].as_array().unwrap();
    assert_eq!(manifests.len(), 1, "{listed}");
    let index = json(&blob(layout, &manifests[0]["digest"]));
    (manifests[0]["digest"].as_str().unwrap().to_owned(), index)
}

/// Manifest and configuration of one architecture.
pub fn manifest(layout: &Path, arch: &str) -> (Value, Value) {
    let (_, index) = index(layout);
    let of_arch = |m: &&Value| m["platform"]["architecture"] == arch && m["platform"]["os"] == "linux";
    let entry = index["manifests"].as_array().unwrap().iter().find(of_arch).unwrap();
    let manifest = json(&blob(layout, &entry["digest"]));
    let config = json(&blob(layout, &manifest["config"]["digest"]));
    (manifest, config)
}

/// A runtime bundle of one architecture: split off with skopeo, unpacked with umoci.
pub fn bundle(layout: &Path, arch: &str, into: &Path) -> PathBuf {
    let single = into.join(format!("single-{arch}"));
    let bundle = into.join(format!("bundle-{arch}"));
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["--insecure-policy", "--override-os", "linux", "--override-arch", arch, "copy"]);
    run(skopeo.arg(format!("oci:{}", layout.display())).arg(format!("oci:{}:x", single.display()))).ok();
    run(Command::new("umoci").args(["unpack", "--image"]).arg(format!("{}:x", single.display())).arg(&bundle)).ok();
    bundle
}

/// Asks `/health` on loopback until something answers.
pub fn health(port: u16, patience: Duration) -> String {
    let deadline = Instant::now() + patience;
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.set_read_timeout(Some(patience)).unwrap();
            write!(stream, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            if stream.read_to_string(&mut answer).is_ok() && !answer.is_empty() {
                return answer;
            }
        }
        assert!(Instant::now() < deadline, "nothing answers on port {port}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Python that asks the image's own `/health` from inside, waiting for it to come up.
pub const ASK_HEALTH: &str = "
import time, urllib.request
for attempt in range(300):
    try:
        with urllib.request.urlopen('http://127.0.0.1:8000/health') as answer:
            print(answer.status, answer.read().decode())
        break
    except OSError:
        time.sleep(0.1)
else:
    raise SystemExit('no answer')
";

/// Python that uses what a base without the right libraries or certificates would fail at.
pub const SELF_TEST: &str = "
import importlib, os, sqlite3, ssl, sys
assert os.getuid() == 65532, os.getuid()
# OpenSSL must find the authorities by itself, not only where the image's environment points.
os.environ.pop('SSL_CERT_FILE', None)
loaded = ssl.create_default_context().cert_store_stats()['x509_ca']
assert loaded > 100, loaded
assert sqlite3.connect(':memory:').execute('select 6*7').fetchone() == (42,)
# Debian packages these apart: graphics, the editor, a converter, pip's installer, another database.
apart = {'tkinter', '_tkinter', 'turtle', 'turtledemo', 'idlelib', 'lib2to3', 'ensurepip', '_gdbm'}
# Other systems have these.
elsewhere = {'_ios_support', '_msi', '_overlapped', '_scproxy', '_winapi', '_wmi', 'msilib', 'msvcrt', 'nt', 'winreg', 'winsound'}
# These act when imported.
without = apart | elsewhere | {'antigravity', 'this'}
failed = []
for name in sorted(sys.stdlib_module_names - without):
    try:
        importlib.import_module(name)
    except Exception as error:
        failed.append(f'{name}: {error!r}')
assert not failed, failed
print('self test passed', loaded, 'authorities')
";
