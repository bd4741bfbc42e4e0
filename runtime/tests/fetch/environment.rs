//! What the process's environment decides: certificates, proxies, credentials.

use super::*;

/// Fetches through settings that only a process of its own can have; what it prints is in the answer.
fn elsewhere(root: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "environment::child", "--ignored", "--nocapture"]).env("ROOT", root);
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "NETRC"] {
        command.env_remove(name);
    }
    let output = command.envs(environment.iter().copied()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Not a test of its own: what [`elsewhere`] starts.
#[tokio::test]
#[ignore = "started by other tests"]
async fn child() {
    let bench = Bench::new();
    let fetcher = bench.fetcher(&[format!("debian={}", std::env::var("ROOT").unwrap())], |_| {});
    let root = fetcher.roots(Origin::Debian).await.unwrap().remove(0);
    let document = fetcher.document(Origin::Debian, &root, "x", 1000).await.unwrap().unwrap();
    assert_eq!(document.bytes, BODY);
    println!("over_tls: {}", document.over_tls);
}

#[test]
fn a_server_is_believed_to_be_who_the_system_roots_say() {
    let server = Server::start_tls(|_| Reply::ok(BODY));
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/authority.pem");
    let root = format!("https://localhost:{}", server.port());
    let (fetched, output) = elsewhere(&root, &[("SSL_CERT_FILE", authority)]);
    assert!(fetched && output.contains("over_tls: true"), "{output}");
    let (fetched, output) = elsewhere(&root, &[("SSL_CERT_FILE", "/dev/null")]);
    assert!(!fetched && output.contains("UnknownIssuer"), "{output}");
    let (plain, output) = elsewhere(&Server::start(|_| Reply::ok(BODY)).url(""), &[("SSL_CERT_FILE", "/dev/null")]);
    assert!(plain && output.contains("over_tls: false"), "{output}");
}

#[test]
fn a_redirect_out_of_tls_is_refused() {
    let plain = Server::start(|_| Reply::ok(BODY));
    let target = plain.url("/x");
    let server = Server::start_tls(move |_| Reply::Answer(302, vec![("Location", target.clone())], Vec::new()));
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/authority.pem");
    let (fetched, output) = elsewhere(&format!("https://localhost:{}", server.port()), &[("SSL_CERT_FILE", authority)]);
    assert!(!fetched && output.contains("from https to http"), "{output}");
    assert_eq!(plain.count(), 0);
}

#[test]
fn the_environments_proxy_and_its_exceptions_are_honoured() {
    let proxy = Server::start(|_| Reply::ok(BODY));
    let (fetched, output) = elsewhere("http://mirror.invalid/debian", &[("http_proxy", &proxy.url(""))]);
    assert!(fetched, "{output}");
    assert_eq!(proxy.requests()[0].target, "http://mirror.invalid/debian/x");
    let direct = Server::start(|_| Reply::ok(BODY));
    let (fetched, output) = elsewhere(&direct.url(""), &[("http_proxy", &proxy.url("")), ("no_proxy", "127.0.0.1")]);
    assert!(fetched, "{output}");
    assert_eq!((proxy.count(), direct.count()), (1, 1));
}

#[test]
fn credentials_come_from_netrc() {
    let server = Server::start(|request| match request.header("authorization") {
        Some("Basic bWU6czNjcmV0") => Reply::ok(BODY),
        _ => Reply::status(401),
    });
    let mut netrc = tempfile::NamedTempFile::new().unwrap();
    netrc.write_all(b"machine 127.0.0.1 login me password s3cret").unwrap();
    let (fetched, output) = elsewhere(&server.url(""), &[("NETRC", netrc.path().to_str().unwrap())]);
    assert!(fetched, "{output}");
    let (fetched, output) = elsewhere(&server.url(""), &[("NETRC", "/dev/null")]);
    assert!(!fetched && output.contains("netrc"), "{output}");
}
