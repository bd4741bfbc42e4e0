//! The older Python, compiled here with what bookworm has for it: hardened in FIPS mode, and without either. Minutes each, so
//! part of the full tier only.

use support::full;

use crate::compiled::FIPS;
use crate::fixture::{COMPILED_OLDER, COMPILED_PLAIN, Fixture, scratch};
use crate::image::{SELF_TEST, bundle, json, layout};
use crate::starts::under_runc;

/// What a build of an image says of it, and what its own Python says in a container; `missing` are modules it does not have.
fn looked_at(fixture: &Fixture, missing: &str, program: &str) -> String {
    let lock = fixture.lock();
    let nodes = lock["nodes"].as_object().unwrap();
    let state = |name: &str| {
        let of = |(id, _): &(&String, _)| id.starts_with(&format!("pkg:generic/{name}@"));
        nodes.iter().find(of).unwrap().1["proof"]["state"].as_str().unwrap().to_owned()
    };
    let states = ["cpython", "openssl", "zlib"].map(state);
    assert_eq!(states, ["verified-by-dsc", "verified-by-signature", "verified-by-dsc"]);

    let flags = json(&fixture.artifacts().join("compile-flags-amd64.json"));
    let files = flags["files"].as_object().unwrap();
    let compiled = files.values().filter(|file| file["origin"]["from"] == "compiled").count();
    assert!(compiled > 60, "only {compiled} compiled files are in the image");

    let dir = scratch();
    let bundle = bundle(&layout(&fixture.archive(), dir.path()), "amd64", dir.path());
    let without = format!("without = {missing} | apart |");
    let self_test = SELF_TEST.replace("without = apart |", &without);
    assert!(self_test.contains(&without));
    let certificates = format!("AUTHORITY = {AUTHORITY:?}\nSERVER = {SERVER:?}\n");
    let program = [&self_test, &certificates, TLS, program].concat();
    under_runc(&bundle, dir.path(), &program)
}

/// A throw-away authority, and key and certificate of a server it vouches for.
const AUTHORITY: &str = include_str!("../../../runtime/tests/tls/authority.pem");
const SERVER: &str = concat!(
    include_str!("../../../runtime/tests/tls/server.key"),
    include_str!("../../../runtime/tests/tls/server.pem")
);

/// A client that believes the authority, and the server, over a pair of buffers; then a client that does not.
const TLS: &str = r#"
import hashlib, sys, zlib
assert sys.version.startswith("3.11.2 "), sys.version
assert ssl.OPENSSL_VERSION.startswith("OpenSSL 3.0."), ssl.OPENSSL_VERSION
assert hashlib.sha256(b"x").hexdigest().startswith("2d711642b726b044")
assert zlib.decompress(zlib.compress(b"x" * 1000)) == b"x" * 1000

def shaken(client):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with open("/dev/shm/server.pem", "w") as file:
        file.write(SERVER)
    server.load_cert_chain("/dev/shm/server.pem")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    while waiting:
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    ends[0].write(b"over TLS")
    assert ends[1].read() == b"over TLS"
    return ends[0].version(), ends[0].cipher()[0]

print(*shaken(ssl.create_default_context(cadata=AUTHORITY)))
try:
    shaken(ssl.create_default_context())
    raise SystemExit("a certificate nobody vouches for is believed")
except ssl.SSLCertVerificationError:
    pass
"#;

#[test]
fn hardened_and_in_fips_mode() {
    if !full() {
        return println!("skipped: part of the full tier only");
    }
    let own = "{'_md5', '_sha1', '_sha256', '_sha512', '_sha3', '_blake2'}";
    println!("{}", looked_at(&COMPILED_OLDER, own, FIPS));
}

#[test]
fn with_the_compilers_own_defaults_and_no_provider_but_the_usual() {
    if !full() {
        return println!("skipped: part of the full tier only");
    }
    println!("{}", looked_at(&COMPILED_PLAIN, "set()", PLAIN));
}

const PLAIN: &str = r#"
assert hashlib.md5(b"x").hexdigest() == "9dd4e461268c8034f5c8564e155c67a6"
assert hashlib.blake2b(b"x").name == "blake2b"
assert not os.path.exists("/usr/lib/ssl/fipsmodule.cnf")
print(ssl.OPENSSL_VERSION, "zlib", zlib.ZLIB_VERSION)
"#;
