//! Files and metadata of Python packages.

use super::*;

const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n";
const FILE: &str = "a-1-py3-none-any.whl";

fn wheel() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    // Not compressible, and longer than what is asked for at first.
    let mut noise = Digest::of(b"").as_bytes().to_vec();
    while noise.len() < 300_000 {
        let next = Digest::of(&noise[noise.len() - 32..]);
        noise.extend_from_slice(next.as_bytes());
    }
    for (name, bytes) in [("a-1.dist-info/METADATA", METADATA), ("a/data", &noise)] {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn page(sha256: &Digest) -> Reply {
    let text = format!(
        "<!DOCTYPE html><html><body><a href=\"../../files/{FILE}#sha256={}\">{FILE}</a></body></html>",
        sha256.hex()
    );
    Reply::Answer(200, vec![("Content-Type", "text/html".into())], text.into_bytes())
}

/// An index with one wheel; `serve` answers everything but its page.
fn index(serve: impl Fn(&Request, &[u8]) -> Reply + Send + Sync + 'static) -> (Server, Digest) {
    let wheel = wheel();
    let sha256 = Digest::of(&wheel);
    let server = Server::start(move |request| match request.target.as_str() {
        "/simple/a/" => page(&sha256),
        _ => serve(request, &wheel),
    });
    (server, sha256)
}

fn source(server: &Server) -> String {
    format!("pypi={}", server.url("/simple"))
}

#[tokio::test]
async fn a_file_is_found_through_the_page_of_its_project() {
    let (bench, empty) = (Bench::new(), Server::start(|_| Reply::status(404)));
    let (server, sha256) = index(|request, wheel| {
        assert_eq!(request.target, format!("/files/{FILE}"));
        Reply::ok(wheel)
    });
    let wanted = Wanted { origin: Origin::Pypi, name: "a".into(), file: FILE.into(), sha256, size: 0 };
    bench.fetcher(&[source(&empty), source(&server)], |_| {}).files(vec![wanted]).await.unwrap();
    assert!(bench.store.has(&sha256));
    assert_eq!(empty.requests()[0].target, "/simple/a/");
}

#[tokio::test]
async fn a_file_that_is_not_listed_is_not_found_and_another_digest_is_wrong() {
    let bench = Bench::new();
    let (server, sha256) = index(|_, wheel| Reply::ok(wheel));
    let wanted = Wanted { origin: Origin::Pypi, name: "a".into(), file: "a-2.whl".into(), sha256, size: 0 };
    let finding = only(bench.fetcher(&[source(&server)], |_| {}).files(vec![wanted.clone()]).await);
    assert_eq!(finding.code, codes::FETCH_NOT_FOUND);
    let wanted = Wanted { file: FILE.into(), sha256: Digest::of(b"locked"), ..wanted };
    let finding = only(bench.fetcher(&[source(&server)], |_| {}).files(vec![wanted]).await);
    assert_eq!(finding.code, codes::FETCH_WRONG_DIGEST);
}

#[tokio::test]
async fn an_unknown_project_is_absent_but_a_broken_index_is_a_finding() {
    let (bench, absent, broken) =
        (Bench::new(), Server::start(|_| Reply::status(404)), Server::start(|_| Reply::status(500)));
    assert_eq!(bench.fetcher(&[source(&absent)], |_| {}).pypi_page("a").await.unwrap(), None);
    let finding = bench.fetcher(&[source(&broken), source(&absent)], |_| {}).pypi_page("a").await.unwrap_err();
    assert_eq!(finding.code, codes::FETCH_FAILED);
    let (good, _) = index(|_, _| Reply::status(404));
    assert!(bench.fetcher(&[source(&broken), source(&good)], |_| {}).pypi_page("a").await.unwrap().is_some());
}

/// Fetches the metadata, then once more offline, which must be answered from the store.
async fn metadata(bench: &Bench, server: &Server, sha256: &Digest) -> Vec<u8> {
    let first = bench.fetcher(&[source(server)], |_| {}).wheel_metadata("a", FILE, sha256).await.unwrap();
    let offline = bench.fetcher(&[source(server)], |options| options.offline = true);
    assert_eq!(offline.wheel_metadata("a", FILE, sha256).await.unwrap(), first);
    first
}

#[tokio::test]
async fn metadata_beside_the_wheel_is_used() {
    let bench = Bench::new();
    let (server, sha256) = index(|request, _| match request.target.ends_with(".whl.metadata") {
        true => Reply::ok(METADATA),
        false => Reply::status(404),
    });
    assert_eq!(metadata(&bench, &server, &sha256).await, METADATA);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn else_it_is_read_out_of_byte_ranges() {
    let bench = Bench::new();
    let (server, sha256) = index(|request, wheel| match request.target.ends_with(".whl") {
        true => Reply::ranged(request, wheel),
        // A server that answers everything with some page.
        false => Reply::ok("<html>welcome</html>"),
    });
    assert_eq!(metadata(&bench, &server, &sha256).await, METADATA);
    assert!(!bench.store.has(&sha256), "the wheel was not fetched");
    let ranges = server.requests().iter().filter(|request| request.header("range").is_some()).count();
    assert!((2..5).contains(&ranges), "{ranges} ranges");
}

#[tokio::test]
async fn else_out_of_the_whole_wheel() {
    let bench = Bench::new();
    let (server, sha256) = index(|request, wheel| match request.target.ends_with(".whl") {
        true => Reply::ok(wheel),
        false => Reply::status(404),
    });
    assert_eq!(metadata(&bench, &server, &sha256).await, METADATA);
    assert!(bench.store.has(&sha256));
}

#[tokio::test]
async fn what_one_index_said_of_a_wheel_does_not_count_for_another_nor_for_the_wheel() {
    let bench = Bench::new();
    let beside = |text: &'static [u8]| {
        index(move |request, wheel| match request.target.ends_with(".whl.metadata") {
            true => Reply::ok(text),
            false => Reply::ok(wheel),
        })
    };
    let ((wrong, sha256), (right, _)) = (beside(b"Metadata-Version: 2.1\nName: a\nVersion: 666\n"), beside(METADATA));
    assert_ne!(metadata(&bench, &wrong, &sha256).await, METADATA);
    assert_eq!(metadata(&bench, &right, &sha256).await, METADATA);
    bench.store.put(&wheel()).unwrap();
    assert_eq!(metadata(&bench, &wrong, &sha256).await, METADATA);
}

#[tokio::test]
async fn a_wheel_that_is_no_zip_archive_is_a_finding() {
    let bench = Bench::new();
    let sha256 = bench.store.put(b"no archive").unwrap();
    let finding = bench.fetcher(&[], |_| {}).wheel_metadata("a", FILE, &sha256).await.unwrap_err();
    assert_eq!(finding.code, codes::WHEEL_INVALID);
}
