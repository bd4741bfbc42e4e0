//! Images on their way to registries, and whatever may happen to them there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::Digest;
use serde_json::{Value, json};
use support::{Done, cli, full, run, start};

use crate::fixture::{SMALL, scratch};
use crate::image::{index, json as read, layout};
use crate::registries::{Asked, Fault, From, Judge, Proxy, registry};

fn skopeo(args: &[&str]) -> Done {
    run(Command::new("skopeo").args(args))
}

/// The tags of a repository of a registry that is asked without faults; none where there is no such repository.
fn tags(port: u16, repository: &str) -> Vec<String> {
    let done = skopeo(&["list-tags", "--tls-verify=false", &format!("docker://127.0.0.1:{port}/{repository}")]);
    let Ok(list) = serde_json::from_str::<Value>(&done.stdout) else { return Vec::new() };
    let mut tags: Vec<String> =
        list["Tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect();
    tags.sort();
    tags
}

/// A layout of one image: its layers, the first of them large enough to be sent in pieces, and something that refers to it.
fn made(folder: &Path, name: &str, layers: &[Vec<u8>]) -> PathBuf {
    let root = folder.join(name);
    fs::create_dir_all(root.join("blobs/sha256")).unwrap();
    let put = |kind: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(root.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({"mediaType": format!("application/vnd.oci.{kind}"), "digest": digest, "size": bytes.len()})
    };
    let config = json!({"architecture": "amd64", "os": "linux", "name": name, "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| Digest::of(layer)).collect::<Vec<_>>()}});
    let config = put("image.config.v1+json", config.to_string().as_bytes());
    let layers: Vec<Value> = layers.iter().map(|layer| put("image.layer.v1.tar", layer)).collect();
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers});
    let mut top = put("image.manifest.v1+json", manifest.to_string().as_bytes());
    let paper = put("image.layer.v1.tar", format!("about {name}").as_bytes());
    let referrer = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "application/x-paper",
        "config": put("empty.v1+json", b"{}"), "layers": [paper], "subject": top, "annotations": {"about": name},
    });
    let referrer = put("image.manifest.v1+json", referrer.to_string().as_bytes());
    top["annotations"] = json!({"org.opencontainers.image.ref.name": "1.0", "io.containerd.image.name": format!("localhost/{name}:1.0")});
    let index = json!({"schemaVersion": 2, "manifests": [top, referrer]});
    fs::write(root.join("index.json"), index.to_string()).unwrap();
    fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    root
}

/// Bytes that are different for every seed.
fn noise(seed: u32, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..size).map(|_| next()).collect()
}

fn push(from: &Path, to: &str) -> Command {
    let mut command = cli();
    command.arg("push").arg(from).arg(to);
    command
}

/// What refers to the image of a tag, as the specification's tag has it.
fn referrers(port: u16, repository: &str, tag: &str) -> usize {
    let manifest =
        skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://127.0.0.1:{port}/{repository}:{tag}")]);
    let subject = Digest::of(manifest.ok().stdout.as_bytes()).hex();
    let list = skopeo(&[
        "inspect",
        "--raw",
        "--tls-verify=false",
        &format!("docker://127.0.0.1:{port}/{repository}:sha256-{subject}"),
    ]);
    let list: Value = serde_json::from_str(&list.ok().stdout).unwrap();
    list["manifests"].as_array().unwrap().len()
}

fn sent(asked: &[String]) -> Vec<&String> {
    asked.iter().filter(|line| ["POST", "PUT", "PATCH"].iter().any(|method| line.starts_with(method))).collect()
}

#[test]
fn an_image_arrives_as_it_is_and_once() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let proxy = Proxy::new(port, Box::new(|_| Fault::None));
    let name = |path: &str| format!("{}/{path}", proxy.address);
    let done = push(&SMALL.archive(), &name("team/app:1.0")).args(["--arch-tags", "--latest"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(tags(port, "team/app"), ["1.0", "1.0-amd64", "1.0-arm64", "latest"]);
    let back = dir.path().join("back");
    skopeo(&[
        "--insecure-policy",
        "copy",
        "--all",
        "--src-tls-verify=false",
        &format!("docker://127.0.0.1:{port}/team/app:latest"),
        &format!("oci:{}:x", back.display()),
    ])
    .ok();
    assert_eq!(index(&layout(&SMALL.archive(), dir.path())), index(&back));

    // Again: only questions.
    let before = proxy.asked().len();
    run(&mut push(&SMALL.archive(), &name("team/app:1.0"))).ok();
    assert_eq!(sent(&proxy.asked()[before..]), [""; 0]);
    // Another name: one manifest. Another repository: nothing but what is mounted there.
    let before = proxy.asked().len();
    run(cli().args(["copy", &name("team/app:1.0"), &name("team/app:2.0"), &name("other/app:1.0")])).ok();
    let asked = proxy.asked();
    let uploads = sent(&asked[before..]);
    assert!(uploads.iter().all(|line| line.contains("mount=") || line.contains("/manifests/")), "{uploads:?}");
    assert_eq!(tags(port, "other/app"), ["1.0"]);

    // A name that is taken is not taken away.
    let other = made(dir.path(), "other", &[noise(1, 1000)]);
    run(&mut push(&other, &name("team/app:1.0"))).fails(1, "CS1407");
    let first = read(&back.join("index.json"))["manifests"][0]["digest"].clone();
    let moved = name(&format!("team/app:2.0@{}", first.as_str().unwrap()));
    run(cli().args(["copy", &moved, &name("third/app")])).ok();
    run(push(&other, &name("team/app:2.0")).arg("--move-tags")).ok();
    run(cli().args(["copy", &moved, &name("fourth/app")])).fails(1, "CS1407");
    assert_eq!(tags(port, "third/app"), ["2.0"]);
}

#[test]
fn many_images_go_to_many_registries_and_what_they_share_goes_once() {
    let dir = scratch();
    let images = dir.path().join("images");
    let shared = noise(0, 300_000);
    for number in 0..100 {
        let image = made(dir.path(), &format!("image{number}"), &[shared.clone(), noise(number, 2 << 20)]);
        fs::create_dir_all(&images).unwrap();
        let tar = images.join(format!("image{number}.tar"));
        run(Command::new("tar").arg("-cf").arg(&tar).arg("-C").arg(&image).args(["index.json", "oci-layout", "blobs"]))
            .ok();
    }
    let (_registry, port) = registry(dir.path());
    let proxy = Proxy::new(port, Box::new(|_| Fault::None));
    let mut pushing = start(&mut push(&images, &format!("{}/all/", proxy.address)));
    // 200 MB are sent; what is held of it at once does not depend on how many images there are.
    let mut peak = 0;
    while !pushing.is_over() {
        let status = fs::read_to_string(format!("/proc/{}/status", pushing.id())).unwrap_or_default();
        let most =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(most.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    pushing.finish(Duration::from_secs(1)).ok();
    assert!((1..120_000).contains(&peak), "{peak} KiB at once");
    let asked = proxy.asked();
    let digest = Digest::of(&shared).to_string().replace(':', "%3A");
    let with = |part: &str| asked.iter().filter(|line| line.contains(&format!("{part}={digest}"))).count();
    assert_eq!((with("digest"), with("mount")), (1, 99));
    for number in [0, 50, 99] {
        assert_eq!(referrers(port, &format!("all/image{number}"), "1.0"), 1);
    }
}

#[test]
fn of_several_registries_one_may_fail_and_the_same_command_finishes_it() {
    let dir = scratch();
    let image = made(dir.path(), "app", &[noise(1, 1000)]);
    let (_registry, port) = registry(dir.path());
    let first = Proxy::new(port, Box::new(|_| Fault::None));
    let second = Proxy::new(port, Box::new(|_| Fault::Status("500 Broken", "")));
    let names = |second: &Proxy| [format!("{}/first:1", first.address), format!("{}/second:1", second.address)];
    let done = run(cli().arg("push").arg(&image).args(names(&second))).fails(3, "CS1402");
    assert!(done.stdout.contains("/first@sha256:") && !done.stdout.contains("/second@sha256:"), "{}", done.stdout);
    assert!(done.stderr.contains("1 of 2 are there"), "{}", done.stderr);
    assert_eq!((tags(port, "first")[0].as_str(), tags(port, "second").len()), ("1", 0));
    let second = Proxy::new(port, Box::new(|_| Fault::None));
    let before = first.asked().len();
    run(cli().arg("push").arg(&image).args(names(&second))).ok();
    assert_eq!(sent(&first.asked()[before..]), [""; 0]);
    assert_eq!(referrers(port, "second", "1"), 1);
}

/// Faults that pass: each once, at the first request it fits.
#[test]
fn what_fails_once_is_done_again_and_a_large_blob_goes_on_where_it_was() {
    let dir = scratch();
    let image = made(dir.path(), "app", &[noise(7, 40 << 20), noise(8, 1000)]);
    let kinds: [(&str, &str, fn() -> Fault); 11] = [
        ("HEAD", "/manifests/", || Fault::Status("502 Bad Gateway", "")),
        ("HEAD", "/blobs/", || Fault::Status("429 Too Many Requests", "Retry-After: 0\r\n")),
        ("POST", "/uploads/", || Fault::Status("500 Internal Server Error", "")),
        ("PATCH", "second", || Fault::Status("500 Internal Server Error", "")),
        ("PATCH", "/uploads/", || Fault::Reset(5 << 20)),
        ("PATCH", "/uploads/", || Fault::Deaf),
        ("PUT", "/uploads/", || Fault::Deaf),
        ("PUT", "/manifests/sha256:", || Fault::Deaf),
        ("PUT", "/manifests/sha256-", || Fault::Status("503 Service Unavailable", "Retry-After: 0\r\n")),
        ("PUT", "/manifests/1.0", || Fault::Deaf),
        ("PUT", "/manifests/1.0", || {
            Fault::Says("400 Bad Request", r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#)
        }),
    ];
    for (number, (method, part, fault)) in kinds.into_iter().enumerate() {
        let folder = dir.path().join(format!("registry{number}"));
        fs::create_dir(&folder).unwrap();
        let (_registry, port) = registry(&folder);
        let left = AtomicUsize::new(1);
        let pieces = AtomicUsize::new(0);
        let judge = move |asked: &Asked| {
            let is_second = asked.method == "PATCH" && pieces.fetch_add(1, Ordering::SeqCst) == 1;
            let now = (asked.is(method, part) || part == "second" && is_second)
                && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            if now { fault() } else { Fault::None }
        };
        let proxy = Proxy::new(port, Box::new(judge));
        run(&mut push(&image, &format!("{}/app:1.0", proxy.address))).ok();
        assert_eq!(referrers(port, "app", "1.0"), 1, "{method} {part}");
        let asked = proxy.asked();
        // 40 MB are two pieces. What broke off between them is gone on with; Debian's registry forgets an upload of which it has
        // another part than it said.
        let begun = asked.iter().filter(|line| line.starts_with("POST") && line.contains("/uploads/")).count();
        let again = usize::from(part == "/uploads/" && method != "HEAD");
        assert!(begun <= 5 + again, "{method} {part}: {begun} uploads");
    }
}

/// Whatever is wrong for good is said, and leaves no tag; when it is mended, the same command comes to its end.
#[test]
fn what_fails_for_good_leaves_no_tag_without_its_evidence() {
    let dir = scratch();
    let image = made(dir.path(), "app", &[noise(9, 1000)]);
    let (_registry, port) = registry(dir.path());
    let faults: [(&str, &str, fn() -> Fault, i32, &str); 8] = [
        ("", "", || Fault::Status("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n"), 3, "CS1403"),
        ("POST", "", || Fault::Status("403 Forbidden", ""), 3, "CS1403"),
        ("PUT", "/manifests/", || Fault::Status("404 Not Found", ""), 3, "CS1402"),
        ("PUT", "/manifests/sha256:", || Fault::Status("400 Bad Request", ""), 3, "CS1402"),
        ("PUT", "/manifests/sha256-", || Fault::Status("403 Forbidden", ""), 3, "CS1403"),
        ("POST", "", || Fault::Status("202 Accepted", ""), 3, "CS1402"),
        ("POST", "", || Fault::Status("202 Accepted", "Location: ftp://127.0.0.1/x\r\n"), 3, "CS1402"),
        (
            "PUT",
            "/manifests/sha256:",
            || {
                Fault::Headers(
                    "Docker-Content-Digest: sha256:0000000000000000000000000000000000000000000000000000000000000000\r\n",
                )
            },
            1,
            "CS1405",
        ),
    ];
    for (number, (method, part, fault, exit, code)) in faults.into_iter().enumerate() {
        let repository = format!("app{number}");
        let judge = move |asked: &Asked| {
            if (method.is_empty() || asked.method == method) && asked.path.contains(part) {
                fault()
            } else {
                Fault::None
            }
        };
        let proxy = Proxy::new(port, Box::new(judge));
        let home = dir.path().join("nobody");
        let mut command = push(&image, &format!("{}/{repository}:1.0", proxy.address));
        run(command.env("HOME", &home).env("DOCKER_CONFIG", &home)).fails(exit, code);
        assert!(!tags(port, &repository).contains(&"1.0".to_owned()), "{method} {part}");
        run(&mut push(&image, &format!("127.0.0.1:{port}/{repository}:1.0"))).ok();
        assert_eq!(referrers(port, &repository, "1.0"), 1, "{method} {part}");
    }
    // A registry that keeps silent is given up.
    let silent = Proxy::new(port, Box::new(|_| Fault::Slow(Duration::from_secs(30))));
    let done = run(push(&image, &format!("{}/silent:1.0", silent.address)).args(["--timeout", "1"]));
    assert!(done.fails(3, "CS1402").stderr.contains("no answer within 1 s"));
}

/// It is never silent for long, and never comes to its end.
#[test]
fn a_registry_that_drips_is_given_up() {
    let dir = scratch();
    let image = made(dir.path(), "app", &[noise(9, 1000)]);
    let (_registry, port) = registry(dir.path());
    run(&mut push(&image, &format!("127.0.0.1:{port}/there:1.0"))).ok();
    let proxy = |from: fn() -> From| {
        let judge =
            move |asked: &Asked| if asked.path.contains("/manifests/") { Fault::Drip(from()) } else { Fault::None };
        Proxy::new(port, Box::new(judge))
    };
    let (heads, bodies) = (proxy(|| From::Head), proxy(|| From::Body));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let done = run(push(&image, &format!("{}/app:1.0", heads.address)).args(["--timeout", "1"]));
            done.fails(3, "CS1402");
            assert_eq!(tags(port, "app"), [""; 0]);
        });
        scope.spawn(|| {
            let from = format!("{}/there:1.0", bodies.address);
            let done = run(cli().args(["copy", &from, &format!("127.0.0.1:{port}/copy:1.0"), "--timeout", "1"]));
            assert!(done.fails(3, "CS1402").stderr.contains("bytes a second"));
            assert_eq!(tags(port, "copy"), [""; 0]);
        });
    });
}

#[test]
fn a_layout_whose_blobs_are_others_is_not_sent() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    for (number, what) in ["layer", "manifest", "gone"].into_iter().enumerate() {
        let layer = noise(3, 2000);
        let image = made(dir.path(), &format!("app{number}"), std::slice::from_ref(&layer));
        let blob = |digest: &str| image.join("blobs").join(digest.replace(':', "/"));
        let manifest = read(&image.join("index.json"))["manifests"][0]["digest"].as_str().unwrap().to_owned();
        match what {
            "layer" => support::flip_byte(&blob(&Digest::of(&layer).to_string())),
            "manifest" => support::flip_byte(&blob(&manifest)),
            _ => fs::remove_file(blob(&Digest::of(&layer).to_string())).unwrap(),
        }
        run(&mut push(&image, &format!("127.0.0.1:{port}/bad:{number}"))).fails(1, "CS0906");
    }
    assert_eq!(tags(port, "bad"), [""; 0]);
}

/// Killed at moments spread over all requests of a push, and then again.
#[test]
fn a_push_that_is_killed_at_any_moment_is_finished_by_the_next() {
    let dir = scratch();
    let image = made(dir.path(), "app", &[noise(11, 9 << 20), noise(12, 1000), noise(13, 1000)]);
    let requests = {
        let folder = dir.path().join("whole");
        fs::create_dir(&folder).unwrap();
        let (_registry, port) = registry(&folder);
        let proxy = Proxy::new(port, Box::new(|_| Fault::None));
        run(&mut push(&image, &format!("{}/app:1.0", proxy.address))).ok();
        proxy.asked().len()
    };
    let moments = if full() { 50 } else { 10 };
    let (_registry, port) = registry(dir.path());
    let mut phases = BTreeSet::new();
    for moment in 0..moments {
        let at = moment * requests / moments;
        let repository = format!("app{moment}");
        let reached = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&reached);
        let judge = move |asked: &Asked| {
            seen.fetch_max(asked.before + 1, Ordering::SeqCst);
            // The request that it is killed in is answered too late, and those beside it.
            if asked.before >= at { Fault::Slow(Duration::from_secs(20)) } else { Fault::None }
        };
        let judge: Box<Judge> = Box::new(judge);
        let proxy = Proxy::new(port, judge);
        let mut running = start(&mut push(&image, &format!("{}/{repository}:1.0", proxy.address)));
        while reached.load(Ordering::SeqCst) <= at {
            assert!(!running.is_over(), "moment {moment} of {requests} requests: {}", running.stderr());
            std::thread::sleep(Duration::from_millis(2));
        }
        running.kill();
        phases.insert(proxy.asked().get(at).map(|line| line.split(['?', ':']).next().unwrap_or_default().to_owned()));
        // A tag, if it is there, has all.
        if tags(port, &repository).contains(&"1.0".to_owned()) {
            assert_eq!(referrers(port, &repository, "1.0"), 1, "moment {moment}");
        }
        let there = uploaded(&proxy.asked()[..at]);
        let again = Proxy::new(port, Box::new(|_| Fault::None));
        run(&mut push(&image, &format!("{}/{repository}:1.0", again.address))).ok();
        assert_eq!(referrers(port, &repository, "1.0"), 1, "moment {moment}");
        let twice: Vec<String> = uploaded(&again.asked()).intersection(&there).cloned().collect();
        assert_eq!(twice, [""; 0], "moment {moment}");
    }
    assert!(phases.len() > 4, "{phases:?}");
}

/// The digests of blobs and manifests whose sending came to its end.
fn uploaded(asked: &[String]) -> BTreeSet<String> {
    let puts = asked.iter().filter_map(|line| line.strip_prefix("PUT "));
    let digests = puts.filter_map(|path| {
        let blob = path.split_once("digest=").map(|(_, digest)| digest.replace("%3A", ":"));
        blob.or_else(|| Some(path.split_once("/manifests/")?.1.to_owned()).filter(|name| name.starts_with("sha256:")))
    });
    digests.collect()
}
