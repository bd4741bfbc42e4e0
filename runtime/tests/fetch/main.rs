//! Fetching from servers that answer, misbehave, or stay silent; all of them on the loopback interface.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod documents;
mod environment;
#[path = "../loopback/mod.rs"]
mod loopback;
mod pypi;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loopback::{Reply, Request, Server};
use model::lock::Origin;
use model::{Digest, Finding, Findings, codes};
use runtime::Quiet;
use runtime::fetch::{FetchOptions, Fetcher, Wanted};
use runtime::sources::{SourceArgs, Sources};
use runtime::store::Store;

const BODY: &[u8] = b"the bytes of a package, long enough to be cut in two";

struct Bench {
    dir: tempfile::TempDir,
    store: Arc<Store>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        Self { dir, store }
    }

    fn fetcher(&self, sources: &[String], change: impl FnOnce(&mut FetchOptions)) -> Fetcher {
        let mut options = FetchOptions {
            stall: Duration::from_millis(400),
            backoff: Duration::from_millis(1),
            ..FetchOptions::default()
        };
        change(&mut options);
        let sources = Sources::discover(&SourceArgs { given: sources.to_vec() }).unwrap();
        Fetcher::new(self.store.clone(), sources, options, Arc::new(Quiet))
    }

    fn debian(&self, servers: &[&Server]) -> Fetcher {
        self.fetcher(&roots(servers), |_| {})
    }

    fn partial(&self, sha256: &Digest) -> std::path::PathBuf {
        self.dir.path().join("partial").join(sha256.hex())
    }
}

fn roots(servers: &[&Server]) -> Vec<String> {
    servers.iter().map(|server| format!("debian={}", server.url("/debian"))).collect()
}

fn deb(body: &[u8]) -> Wanted {
    Wanted {
        origin: Origin::Debian,
        name: "x".into(),
        file: "pool/main/x/x_1.0%3a1+b~2_amd64.deb".into(),
        sha256: Digest::of(body),
        size: body.len() as u64,
    }
}

#[track_caller]
fn only(result: Result<(), Findings>) -> Finding {
    let mut findings = result.unwrap_err();
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// Answers like `replies` in turn, and like the last of them from then on.
fn in_turn(replies: Vec<Reply>) -> impl Fn(&Request) -> Reply + Send + Sync {
    let at = AtomicUsize::new(0);
    move |_| replies[at.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)].clone()
}

#[tokio::test]
async fn a_file_is_fetched_once_and_verified() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::ok(BODY)));
    let fetcher = bench.debian(&[&server]);
    fetcher.files(vec![deb(BODY)]).await.unwrap();
    fetcher.files(vec![deb(BODY)]).await.unwrap();
    assert_eq!(bench.store.read(&Digest::of(BODY), 1000).unwrap(), BODY);
    assert_eq!(server.requests()[0].target, "/debian/pool/main/x/x_1.0%253a1+b~2_amd64.deb");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn mirrors_are_tried_in_turn() {
    let bench = Bench::new();
    let (gone, garbage) = (Server::start(|_| Reply::status(404)), Server::start(|_| Reply::ok("something else")));
    let good = Server::start(|_| Reply::ok(BODY));
    bench.debian(&[&gone, &garbage, &good]).files(vec![deb(BODY)]).await.unwrap();
    assert_eq!((gone.count(), garbage.count()), (1, 1), "neither a 404 nor wrong bytes are asked for twice");
    assert!(bench.store.has(&Digest::of(BODY)));
}

#[tokio::test]
async fn a_file_that_every_mirror_dropped_is_not_found() {
    let (bench, one, two) =
        (Bench::new(), Server::start(|_| Reply::status(404)), Server::start(|_| Reply::status(410)));
    let finding = only(bench.debian(&[&one, &two]).files(vec![deb(BODY)]).await);
    assert_eq!(finding.code, codes::FETCH_NOT_FOUND);
    assert_eq!(finding.causes.len(), 2);
    assert!(finding.help.unwrap().contains("CLNSTRT_SOURCE_DEBIAN"));
}

#[tokio::test]
async fn passing_failures_are_retried() {
    let bench = Bench::new();
    let busy = Reply::Answer(429, vec![("Retry-After", "0".into())], Vec::new());
    let server = Server::start(in_turn(vec![Reply::status(500), busy, Reply::ok(BODY)]));
    bench.debian(&[&server]).files(vec![deb(BODY)]).await.unwrap();
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_given_up() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::status(503)));
    let finding = only(bench.debian(&[&server]).files(vec![deb(BODY)]).await);
    assert_eq!(finding.code, codes::FETCH_FAILED);
    assert!(finding.causes[0].contains("503"), "{finding:?}");
    assert_eq!(server.count(), FetchOptions::default().attempts as usize);
}

#[tokio::test]
async fn a_server_that_keeps_failing_gets_one_chance_for_each_further_file() {
    let bench = Bench::new();
    let server = Server::start(|request| match request.target.as_str() {
        "/debian/good" => Reply::ok(BODY),
        _ => Reply::status(500),
    });
    let fetcher = bench.fetcher(&roots(&[&server]), |options| options.jobs = 1);
    let bad = |bytes: &[u8]| Wanted { file: "bad".into(), ..deb(bytes) };
    fetcher.files(vec![bad(b"1"), bad(b"2"), bad(b"3")]).await.unwrap_err();
    let attempts = FetchOptions::default().attempts as usize;
    assert_eq!(server.count(), attempts + 2);
    fetcher.files(vec![Wanted { file: "good".into(), ..deb(BODY) }]).await.unwrap();
    fetcher.files(vec![bad(b"4")]).await.unwrap_err();
    assert_eq!(server.count(), 2 * attempts + 3, "a success makes up for it");
}

#[tokio::test]
async fn every_file_that_fails_is_reported() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::status(404)));
    let findings = bench.debian(&[&server]).files(vec![deb(b"a"), deb(b"b"), deb(b"c")]).await.unwrap_err();
    assert_eq!(findings.len(), 3);
}

#[tokio::test]
async fn wrong_bytes_are_not_kept() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::ok(vec![b'x'; BODY.len()])));
    let finding = only(bench.debian(&[&server]).files(vec![deb(BODY)]).await);
    assert_eq!(finding.code, codes::FETCH_WRONG_DIGEST);
    assert!(!bench.store.has(&Digest::of(BODY)));
    assert!(!bench.partial(&Digest::of(BODY)).exists());
    let report = bench.store.verify().unwrap();
    assert_eq!((report.objects, report.damaged), (0, vec![]));
}

#[tokio::test]
async fn an_endless_body_ends() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::Endless));
    let finding = only(bench.debian(&[&server]).files(vec![deb(BODY)]).await);
    assert_eq!(finding.code, codes::FETCH_WRONG_DIGEST);
    let fetcher = bench.debian(&[&server]);
    let root = fetcher.roots(Origin::Debian).await.unwrap().remove(0);
    let finding = fetcher.document(Origin::Debian, &root, "dists/x/InRelease", 1000).await.unwrap_err();
    assert_eq!(finding.code, codes::FETCH_TOO_LARGE);
}

#[tokio::test]
async fn a_truncated_body_is_resumed() {
    let bench = Bench::new();
    let server = Server::start(|request| match request.range() {
        None => Reply::Truncated(BODY.to_vec(), 20),
        Some(_) => Reply::ranged(request, BODY),
    });
    bench.debian(&[&server]).files(vec![deb(BODY)]).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("range"), Some("bytes=20-"));
}

#[tokio::test]
async fn a_stalled_body_is_resumed() {
    let bench = Bench::new();
    let server = Server::start(|request| match request.range() {
        None => Reply::Stalled(BODY.to_vec(), 7),
        Some(_) => Reply::ranged(request, BODY),
    });
    bench.debian(&[&server]).files(vec![deb(BODY)]).await.unwrap();
    assert_eq!(server.requests()[1].range(), Some((7, None)));
}

#[tokio::test]
async fn the_next_process_goes_on_where_the_last_one_ended() {
    let bench = Bench::new();
    let broken = Server::start(|_| Reply::Truncated(BODY.to_vec(), 20));
    let finding = only(bench.fetcher(&roots(&[&broken]), |options| options.attempts = 1).files(vec![deb(BODY)]).await);
    assert_eq!(finding.code, codes::FETCH_FAILED);
    assert_eq!(std::fs::read(bench.partial(&Digest::of(BODY))).unwrap(), &BODY[..20]);
    let good = Server::start(|request| Reply::ranged(request, BODY));
    bench.debian(&[&good]).files(vec![deb(BODY)]).await.unwrap();
    assert_eq!(good.requests()[0].range(), Some((20, None)));
}

#[tokio::test]
async fn a_server_without_ranges_and_a_wrong_beginning_cost_a_restart() {
    for reply in [|_: &Request| Reply::ok(BODY), |request: &Request| Reply::ranged(request, BODY)] {
        for wrong in [&b"wrong beginning"[..], &[b'x'; BODY.len()], &[b'x'; 500]] {
            let (bench, server) = (Bench::new(), Server::start(reply));
            std::fs::write(bench.partial(&Digest::of(BODY)), wrong).unwrap();
            bench.debian(&[&server]).files(vec![deb(BODY)]).await.unwrap();
            assert_eq!(bench.store.read(&Digest::of(BODY), 1000).unwrap(), BODY);
            let unsized_file = Wanted { size: 0, sha256: Digest::of(b"other"), ..deb(b"other") };
            std::fs::write(bench.partial(&Digest::of(b"other")), wrong).unwrap();
            let other = Server::start(|request| Reply::ranged(request, b"other"));
            bench.debian(&[&other]).files(vec![unsized_file]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_silent_server_is_asked_once() {
    let (bench, silent, good) = (Bench::new(), Server::start(|_| Reply::Silence), Server::start(|_| Reply::ok(BODY)));
    let fetcher = bench.fetcher(&roots(&[&silent]), |options| options.jobs = 1);
    let findings = fetcher.files(vec![deb(b"a"), deb(b"b"), deb(b"c")]).await.unwrap_err();
    assert_eq!(findings.len(), 3);
    assert_eq!(findings[0].code, codes::FETCH_FAILED);
    assert_eq!(silent.count(), 1);
    bench.debian(&[&silent, &good]).files(vec![deb(BODY)]).await.unwrap();
}

#[tokio::test]
async fn nobody_listening_is_a_finding() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bench = Bench::new();
    let fetcher = bench.fetcher(&[format!("debian=http://127.0.0.1:{port}")], |_| {});
    assert_eq!(only(fetcher.files(vec![deb(BODY)]).await).code, codes::FETCH_FAILED);
}

#[tokio::test]
async fn offline_opens_no_connection() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::ok(BODY)));
    let fetcher = bench.fetcher(&roots(&[&server]), |options| options.offline = true);
    let finding = only(fetcher.files(vec![deb(BODY)]).await);
    assert_eq!(finding.code, codes::OFFLINE);
    assert!(finding.message.contains("x_1.0%3a1+b~2_amd64.deb"));
    assert_eq!(
        fetcher.by_digest(Origin::Debian, &["a".into()], &Digest::of(b"a"), 1).await.unwrap_err().code,
        codes::OFFLINE
    );
    assert_eq!(
        fetcher.wheel_metadata("a", "a-1-py3-none-any.whl", &Digest::of(b"a")).await.unwrap_err().code,
        codes::OFFLINE
    );
    let root = fetcher.roots(Origin::Debian).await.unwrap().remove(0);
    assert_eq!(fetcher.document(Origin::Debian, &root, "a", 1).await.unwrap_err().code, codes::OFFLINE);
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn every_path_of_an_object_is_tried_on_every_root() {
    let (bench, empty) = (Bench::new(), Server::start(|_| Reply::status(404)));
    let server =
        Server::start(|request| if request.target == "/debian/plain" { Reply::ok(BODY) } else { Reply::status(404) });
    let paths = ["by-hash".to_owned(), "plain".to_owned()];
    bench.debian(&[&empty, &server]).by_digest(Origin::Debian, &paths, &Digest::of(BODY), 0).await.unwrap();
    assert_eq!((empty.count(), server.count()), (2, 2));
}

#[tokio::test]
async fn two_builders_download_once() {
    let bench = Bench::new();
    let server = Server::start(|_| {
        std::thread::sleep(Duration::from_millis(100));
        Reply::ok(BODY)
    });
    let other = Bench { store: Arc::new(Store::open(bench.dir.path()).unwrap()), dir: tempfile::tempdir().unwrap() };
    let (one, two) = (bench.debian(&[&server]), other.debian(&[&server]));
    let (first, second) = tokio::join!(one.files(vec![deb(BODY)]), two.files(vec![deb(BODY)]));
    first.unwrap();
    second.unwrap();
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn credentials_stay_with_their_server_and_out_of_findings() {
    let bench = Bench::new();
    let other = Server::start(|_| Reply::status(403));
    let target = other.url("/elsewhere?token=hidden");
    let server = Server::start(move |_| Reply::Answer(302, vec![("Location", target.clone())], Vec::new()));
    let root = format!("debian=http://me:s3cret@127.0.0.1:{}/debian", server.port());
    let finding = only(bench.fetcher(&[root], |_| {}).files(vec![deb(BODY)]).await);
    assert_eq!(server.requests()[0].header("authorization"), Some("Basic bWU6czNjcmV0"));
    assert_eq!(other.requests()[0].header("authorization"), None);
    let text = format!("{finding:?}");
    assert!(!text.contains("s3cret") && !text.contains("hidden"), "{text}");
}

#[tokio::test]
async fn redirects_end() {
    let bench = Bench::new();
    let circle = Server::start(|_| Reply::Answer(301, vec![("Location", "/again".into())], Vec::new()));
    let finding = only(bench.debian(&[&circle]).files(vec![deb(BODY)]).await);
    assert!(finding.causes[0].contains("redirects more than"), "{finding:?}");
    let file = Server::start(|_| Reply::Answer(301, vec![("Location", "file:///etc/passwd".into())], Vec::new()));
    let finding = only(bench.debian(&[&file]).files(vec![deb(BODY)]).await);
    assert!(finding.causes[0].contains("not to an address of http or https"), "{finding:?}");
}
