//! Images of registries: of a real one, and of servers that misbehave.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use model::Digest;
use serde_json::{Value, json};
use support::{Done, cli, cli_under, run};

use crate::fixture::{SMALL, scratch};
use crate::image::{json as read, layout};

#[test]
fn an_image_of_a_registry_is_what_was_pushed_there() {
    let dir = scratch();
    let layout = layout(&SMALL.archive(), dir.path());
    let (registry, port) = crate::registries::registry(dir.path());
    let name = format!("127.0.0.1:{port}/team/small:1.0");
    run(Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--all", "--dest-tls-verify=false"])
        .args([format!("oci:{}", layout.display()), format!("docker://{name}")]))
    .ok();

    assert!(run(cli().args(["diff", &name]).arg(SMALL.archive())).ok().stderr.contains("no difference"));
    let shown = run(cli().args(["inspect", &name])).ok().stdout;
    let there = run(cli().arg("inspect").arg(SMALL.archive())).ok().stdout;
    assert_eq!(shown.lines().next(), there.lines().next());
    let purls = |reference: &str| {
        let output = dir.path().join("bill.cdx.json");
        run(cli().args(["generate-sbom", reference, "--arch", "amd64", "--output"]).arg(&output)).ok();
        let components = read(&output)["components"].as_array().unwrap().clone();
        components.iter().map(|one| one["purl"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(purls(&name), purls(SMALL.archive().to_str().unwrap()));
    let digest = shown.split_whitespace().nth(1).unwrap().to_owned();
    run(cli().args(["inspect", &format!("127.0.0.1:{port}/team/small@{digest}")])).ok();
    run(cli().args(["inspect", &format!("127.0.0.1:{port}/team/small:2.0")])).fails(1, "CS1404");
    run(cli().args(["inspect", &format!("{name}@{digest}")])).ok();
    let other = format!("{name}@{}", Digest::of(b"other"));
    run(cli().args(["inspect", &other])).fails(1, "CS1407");
    run(cli().args(["inspect", &format!("127.0.0.1:{port}/team/small")])).fails(2, "CS1401");
    run(cli().args(["inspect", "--offline", &name])).fails(3, "CS0605");
    drop(registry);
    run(cli().args(["inspect", &name])).fails(3, "CS1402");
}

/// How a made-up registry answers a request; headers have lower-case names.
type Answer = dyn Fn(&Asked) -> Said + Send + Sync;

struct Asked {
    path: String,
    headers: BTreeMap<String, String>,
    /// How often this path was asked for before.
    before: usize,
}

struct Said {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
    /// How much of the body is sent before the connection is closed.
    sent: usize,
}

impl Said {
    fn whole(body: &[u8]) -> Self {
        Self { status: "200 OK", headers: String::new(), body: body.to_vec(), sent: body.len() }
    }

    fn status(status: &'static str, headers: &str) -> Self {
        Self { status, headers: headers.to_owned(), ..Self::whole(b"") }
    }
}

/// A server of the loopback that answers until the test ends; its address.
fn serve(answer: Box<Answer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let counts = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let answer: Arc<Answer> = answer.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (counts, answer) = (Arc::clone(&counts), Arc::clone(&answer));
            std::thread::spawn(move || one(stream, &counts, &*answer));
        }
    });
    address
}

fn one(mut stream: TcpStream, counts: &Mutex<BTreeMap<String, usize>>, answer: &Answer) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let headers = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    });
    let headers = headers.collect();
    let before = {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(path.clone()).or_default();
        *count += 1;
        *count - 1
    };
    let said = answer(&Asked { path, headers, before });
    let head = format!(
        "HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
        said.status,
        said.body.len(),
        said.headers
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&said.body[..said.sent]);
}

/// A manifest, its configuration and its layer, by their paths.
fn image() -> BTreeMap<String, Vec<u8>> {
    let layer = vec![0; 200_000];
    let config =
        json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}});
    let config = config.to_string().into_bytes();
    let point = |kind: &str, bytes: &[u8]| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": Digest::of(bytes), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": point("config.v1+json", &config), "layers": [point("layer.v1.tar", &layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let blob = |bytes: &[u8]| format!("/v2/app/blobs/{}", Digest::of(bytes));
    BTreeMap::from([
        (blob(&layer), layer),
        (blob(&config), config),
        (format!("/v2/app/manifests/{}", Digest::of(&manifest)), manifest.clone()),
        ("/v2/app/manifests/1".to_owned(), manifest),
    ])
}

/// The good answer.
fn good(asked: &Asked) -> Said {
    image().get(&asked.path).map_or_else(|| Said::status("404 Not Found", ""), |body| Said::whole(body))
}

fn inspect(answer: Box<Answer>, home: &Path) -> Done {
    let name = format!("{}/app:1", serve(answer));
    run(cli().args(["inspect", &name]).env("DOCKER_CONFIG", home).env("HOME", home))
}

#[test]
fn what_may_work_the_next_time_is_tried_again_and_an_answer_that_breaks_off_is_gone_on_from() {
    let home = scratch();
    let done = inspect(Box::new(good), home.path()).ok();
    assert!(done.stdout.contains("amd64"), "{}", done.stdout);
    for status in ["429 Too Many Requests", "500 Internal Server Error", "502 Bad Gateway"] {
        let busy = move |asked: &Asked| {
            if asked.before == 0 { Said::status(status, "Retry-After: 0\r\n") } else { good(asked) }
        };
        inspect(Box::new(busy), home.path()).ok();
    }
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ranges);
    let breaks = move |asked: &Asked| {
        let whole = good(asked);
        if whole.body.len() < 100_000 {
            return whole;
        }
        match asked.headers.get("range") {
            None => Said { sent: 100_000, ..whole },
            Some(range) => {
                seen.lock().unwrap().push(range.clone());
                let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
                Said { status: "206 Partial Content", ..Said::whole(&whole.body[from..]) }
            }
        }
    };
    inspect(Box::new(breaks), home.path()).ok();
    assert_eq!(*ranges.lock().unwrap(), ["bytes=100000-"]);
}

#[test]
fn a_registry_that_lies_refuses_or_fails_is_said_to() {
    let home = scratch();
    let fails = |answer: Box<Answer>, exit: i32, code: &str| inspect(answer, home.path()).fails(exit, code);
    fails(Box::new(|_| Said::status("404 Not Found", "")), 1, "CS1404");
    fails(Box::new(|_| Said::status("403 Forbidden", "")), 3, "CS1403");
    fails(Box::new(|_| Said::status("502 Bad Gateway", "")), 3, "CS1402");
    fails(Box::new(|_| Said::whole(b"no manifest")), 1, "CS1405");
    let flipped = |asked: &Asked| {
        let mut said = good(asked);
        if asked.path.contains("/blobs/") && said.body.len() > 100_000 {
            said.body[7] ^= 1;
        }
        said
    };
    fails(Box::new(flipped), 1, "CS1405");
    let longer = |asked: &Asked| {
        let said = good(asked);
        if asked.path.contains("/blobs/") { Said::whole(&[said.body, vec![0]].concat()) } else { said }
    };
    fails(Box::new(longer), 1, "CS1405");
}

/// Programs of a folder before all others.
fn path(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn accounts_are_dockers_and_no_password_is_shown() {
    let let_in = |asked: &Asked| if asked.path == "/v2/" { Said::whole(b"{}") } else { good(asked) };
    let wants = |header: &'static str| -> Box<Answer> {
        Box::new(move |asked: &Asked| {
            if asked.path.starts_with("/token") {
                let is_ours = asked.headers.get("authorization").is_some_and(|value| value == "Basic bWU6czNjcmV0");
                return if is_ours {
                    Said::whole(br#"{"token": "t0ken"}"#)
                } else {
                    Said::status("401 Unauthorized", "")
                };
            }
            match asked.headers.get("authorization").map(String::as_str) {
                Some("Basic bWU6czNjcmV0") if header.contains("Basic") => let_in(asked),
                Some("Bearer t0ken") if header.contains("Bearer") => let_in(asked),
                _ => {
                    let host = &asked.headers["host"];
                    Said::status("401 Unauthorized", &format!("WWW-Authenticate: {}\r\n", header.replace("HOST", host)))
                }
            }
        })
    };
    let headers = ["Basic realm=\"x\"", "Bearer realm=\"http://HOST/token\",service=\"s\""];
    for header in headers {
        let nobody = scratch();
        inspect(wants(header), nobody.path()).fails(3, "CS1403");
        // The address is not known before: the account is for any server.
        let home = scratch();
        fs::write(home.path().join(".netrc"), "default login me password s3cret\n").unwrap();
        inspect(wants(header), home.path()).ok();
    }
    let home = scratch();
    let name = format!("{}/app:1", serve(wants(headers[0])));
    let host = name.split('/').next().unwrap();
    let config = |text: Value| {
        fs::write(home.path().join("config.json"), text.to_string()).unwrap();
        run(cli().args(["inspect", &name]).env("DOCKER_CONFIG", home.path()).env("HOME", home.path()))
    };
    config(json!({"auths": {host: {"auth": BASE64.encode(b"me:s3cret")}}})).ok();
    let done = config(json!({"auths": {host: {"auth": BASE64.encode(b"me:wr0ng")}}})).fails(3, "CS1403");
    assert!(!done.stderr.contains("wr0ng"), "{}", done.stderr);
    config(json!({"credHelpers": {host: "nobody-has-this"}})).fails(3, "CS1406");

    // What the server takes is kept, by a helper if there is one, and nothing else is.
    for header in headers {
        let (home, host) = (scratch(), serve(wants(header)));
        let file = home.path().join("config.json");
        let login = |password: &str| {
            let mut command = cli_under(&["sh", "-c", "printf '%s\\n' \"$0\" | exec \"$@\"", password]);
            command.args(["login", &host, "--username", "me", "--password-stdin"]);
            run(command.env("DOCKER_CONFIG", home.path()).env("HOME", home.path()).env("PATH", path(home.path())))
        };
        login("wr0ng").fails(3, "CS1403");
        assert!(!file.exists());
        fs::write(&file, json!({"auths": {"other.example": {"auth": "eDp5"}}, "psFormat": "x"}).to_string()).unwrap();
        let done = login("s3cret").ok();
        assert!(
            !done.stdout.contains("s3cret") && done.stderr.contains("not encrypted"),
            "{}{}",
            done.stdout,
            done.stderr
        );
        let kept =
            json!({"auths": {"other.example": {"auth": "eDp5"}, &host: {"auth": "bWU6czNjcmV0"}}, "psFormat": "x"});
        assert_eq!(serde_json::from_slice::<Value>(&fs::read(&file).unwrap()).unwrap(), kept);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        run(cli().args(["inspect", &format!("{host}/app:1")]).env("DOCKER_CONFIG", home.path())).ok();

        fs::write(&file, json!({"credsStore": "test"}).to_string()).unwrap();
        let helper = home.path().join("docker-credential-test");
        fs::write(&helper, "#!/bin/sh\ncat > \"$HOME/told\"\n").unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(login("s3cret").ok().stdout.contains("docker-credential-test"));
        let told: Value = serde_json::from_slice(&fs::read(home.path().join("told")).unwrap()).unwrap();
        assert_eq!(told, json!({"ServerURL": &host, "Username": "me", "Secret": "s3cret"}));
        fs::write(&helper, "#!/bin/sh\nexit 1\n").unwrap();
        login("s3cret").fails(3, "CS1406");
    }
    run(cli().args(["login", "registry.example", "--username", "me"])).fails(2, "CS0907");
    run(cli().args(["login", "registry.example", "--offline", "--username", "me", "--password-stdin"]))
        .fails(3, "CS0605");
    fs::write(home.path().join("config.json"), "{").unwrap();
    run(cli().args(["inspect", &name]).env("DOCKER_CONFIG", home.path())).fails(3, "CS1406");
}
