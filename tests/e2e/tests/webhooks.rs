//! Whoever is told of releases, on a server that does not always listen.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use support::{cli, run};

use crate::fixture::{SMALL, scratch};
use crate::registries::registry;

/// What was asked: path, headers, body.
type Asked = (String, BTreeMap<String, String>, String);

/// Answers each request with the next of these, and then with the last; remembers what it was told.
fn server(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut all = seen.lock().unwrap();
            all.push(told(&stream));
            let answer = answers[(all.len() - 1).min(answers.len() - 1)];
            let _ = write!(&stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, asked)
}

fn told(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers["content-length"].parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (path, headers, String::from_utf8(body).unwrap())
}

#[test]
fn a_release_is_told_in_every_form_and_no_secret_is_shown() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let (address, asked) = server(&["503 Busy\r\nRetry-After: 0", "200 OK"]);
    let hooks = dir.path().join("webhooks.yaml");
    fs::write(
        &hooks,
        format!(
            "webhooks:\n  - url: http://{address}/release\n    form: json\n    secret: env://HOOK_SECRET\n  \
             - url: http://{address}/register\n    form: registration\n    token: env://HOOK_TOKEN\n  \
             - url: env://CHAT\n    form: slack\n"
        ),
    )
    .unwrap();
    let push = |image: &str| {
        let mut command = cli();
        command.args(["push", SMALL.archive().to_str().unwrap(), image, "--webhooks"]).arg(&hooks);
        command.env("CI_COMMIT_SHA", "0123456789abcdef0123456789abcdef01234567");
        command
            .env("HOOK_SECRET", "s3cret")
            .env("HOOK_TOKEN", "t0ken")
            .env("CHAT", format!("http://{address}/T0P/pr1vate"));
        run(&mut command)
    };
    let done = push(&format!("127.0.0.1:{port}/team/small:1.0")).ok();
    let told = asked.lock().unwrap().clone();
    // All at once; whoever was first is told again.
    assert_eq!(told.len(), 4);
    assert_eq!(told[0], *told[1..].iter().find(|(path, ..)| *path == told[0].0).unwrap());
    let last = |wanted: &str| told.iter().rfind(|(path, ..)| path == wanted).unwrap();
    let [release, register, chat] = ["/release", "/register", "/T0P/pr1vate"].map(last);
    let body = |told: &Asked| serde_json::from_str::<Value>(&told.2).unwrap();
    assert_eq!((&body(release)["event"], &body(release)["tags"][0]), (&"released".into(), &"1.0".into()));
    assert_eq!(body(release)["signed"], false);
    let digest = body(release)["digest"].as_str().unwrap().to_owned();
    assert_eq!(body(register)["image"], format!("127.0.0.1:{port}/team/small@{digest}"));
    assert_eq!(body(register)["git_ref"], "0123456789abcdef0123456789abcdef01234567");
    assert!(body(chat)["text"].as_str().unwrap().contains(&digest));
    // What signs is what others compute.
    let text = dir.path().join("body");
    fs::write(&text, &release.2).unwrap();
    let expected = run(Command::new("openssl").args(["dgst", "-sha256", "-hmac", "s3cret", "-r"]).arg(&text)).ok();
    let expected = expected.stdout.split(' ').next().unwrap();
    assert_eq!(release.1["x-clnstrt-signature-256"], format!("sha256={expected}"));
    assert_eq!(register.1["authorization"], "Bearer t0ken");
    assert!(!release.1.contains_key("authorization") && !register.1.contains_key("x-clnstrt-signature-256"));

    // What the registry has beside the image counts, not what was sent just now.
    let key = dir.path().join("key.pem");
    run(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&key)).ok();
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    run(cli().args(["sign", "--image", &image, "--key"]).arg(&key)).ok();
    push(&image).ok();
    let again = asked.lock().unwrap().iter().rfind(|(path, ..)| path == "/release").map(body).unwrap();
    assert_eq!(again["signed"], true);
    // A proxy is not asked for this machine, and learns nothing.
    let (proxy, proxied) = server(&["200 OK"]);
    let mut through = cli();
    through.args(["push", SMALL.archive().to_str().unwrap(), &image, "--webhooks"]).arg(&hooks);
    through
        .env("HOOK_SECRET", "s3cret")
        .env("HOOK_TOKEN", "t0ken")
        .env("CHAT", format!("http://{address}/T0P/pr1vate"));
    run(through.env("http_proxy", format!("http://{proxy}")).env("all_proxy", format!("http://{proxy}"))).ok();
    assert_eq!(proxied.lock().unwrap().len(), 0);

    let (deaf, _) = server(&["404 Gone"]);
    fs::write(&hooks, format!("webhooks: [{{url: 'http://{deaf}/pr1vate', form: slack}}]\n")).unwrap();
    let failed = push(&format!("127.0.0.1:{port}/team/small:2.0")).fails(3, "CS1504");
    assert!(failed.stdout.contains("2.0"), "it is there all the same: {}", failed.stdout);
    for output in [done.stdout, done.stderr, failed.stdout, failed.stderr] {
        assert!(["s3cret", "t0ken", "pr1vate"].iter().all(|secret| !output.contains(secret)), "{output}");
    }
    // Mistakes are found before anything is sent.
    for (text, code) in [
        ("webhooks: [{url: 'http://hooks.example/x', form: json}]", "CS0205"),
        ("webhooks: [{url: 'https://hooks.example/x', form: jason}]", "CS0205"),
        ("webhooks: [{url: 'https://hooks.example/x', form: json, secret: s3cret}]", "CS0205"),
        ("webhooks: [{url: 'https://hooks.example/x', form: json, token: env://NOT_SET}]", "CS0205"),
        ("webhooks: [{url: 'https://hooks.example/x/s3cret', form: slak}]", "CS0205"),
        ("webhooks: [{form: json}]", "CS0203"),
        ("webhook: []", "CS0201"),
    ] {
        fs::write(&hooks, text).unwrap();
        let refused = push(&format!("127.0.0.1:{port}/team/small:3.0")).fails(2, code);
        assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
    }
    let tag = format!("127.0.0.1:{port}/team/small:3.0");
    run(cli().args(["copy", &tag, &format!("127.0.0.1:{port}/x/y:1")])).fails(1, "CS1404");
}
