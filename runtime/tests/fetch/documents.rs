//! Documents that change, and what is remembered of them.

use super::*;

async fn get(fetcher: &Fetcher) -> Result<Option<Vec<u8>>, Finding> {
    let root = fetcher.roots(Origin::Debian).await?.remove(0);
    Ok(fetcher.document(Origin::Debian, &root, "dists/x/InRelease", 1000).await?.map(|document| document.bytes))
}

#[tokio::test]
async fn young_ones_are_used_and_old_ones_confirmed() {
    let bench = Bench::new();
    let server = Server::start(|request| match request.header("if-none-match") {
        Some("\"1\"") => Reply::Answer(304, Vec::new(), Vec::new()),
        _ => Reply::Answer(200, vec![("ETag", "\"1\"".into()), ("Content-Type", "text/plain".into())], BODY.to_vec()),
    });
    let sources = roots(&[&server]);
    assert_eq!(get(&bench.fetcher(&sources, |_| {})).await.unwrap().unwrap(), BODY);
    assert_eq!(get(&bench.fetcher(&sources, |_| {})).await.unwrap().unwrap(), BODY);
    assert_eq!(get(&bench.fetcher(&sources, |options| options.offline = true)).await.unwrap().unwrap(), BODY);
    assert_eq!(server.count(), 1);
    let refreshing = bench.fetcher(&sources, |options| options.refresh = true);
    assert_eq!(get(&refreshing).await.unwrap().unwrap(), BODY);
    assert_eq!(get(&refreshing).await.unwrap().unwrap(), BODY);
    assert_eq!(server.count(), 2, "asked again once, not at every use");
    assert_eq!(server.requests()[1].header("if-none-match"), Some("\"1\""));
}

#[tokio::test]
async fn what_came_without_tls_says_so() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::ok(BODY)));
    let fetcher = bench.debian(&[&server]);
    let root = fetcher.roots(Origin::Debian).await.unwrap().remove(0);
    let document = fetcher.document(Origin::Debian, &root, "a", 1000).await.unwrap().unwrap();
    assert!(!document.over_tls);
    assert_eq!((document.digest, document.url.as_str()), (Digest::of(BODY), server.url("/debian/a").as_str()));
}

#[tokio::test]
async fn absence_is_remembered_too() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::status(404)));
    assert_eq!(get(&bench.debian(&[&server])).await.unwrap(), None);
    assert_eq!(get(&bench.fetcher(&roots(&[&server]), |options| options.offline = true)).await.unwrap(), None);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_damaged_one_is_fetched_again() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::ok(BODY)));
    get(&bench.debian(&[&server])).await.unwrap();
    let blob = bench.store.path(&Digest::of(BODY));
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, [b'x'; BODY.len()]).unwrap();
    assert_eq!(get(&bench.debian(&[&server])).await.unwrap().unwrap(), BODY);
    assert_eq!(server.count(), 2);
    assert_eq!(bench.store.verify().unwrap().damaged, vec![]);
    assert_eq!(bench.store.take_damaged(), vec![], "it is mended already");
}

#[tokio::test]
async fn a_failing_server_is_not_an_absent_document() {
    let (bench, server) = (Bench::new(), Server::start(|_| Reply::status(500)));
    assert_eq!(get(&bench.debian(&[&server])).await.unwrap_err().code, codes::FETCH_FAILED);
}
