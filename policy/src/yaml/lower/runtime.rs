use super::text::{Say, Text};
use crate::yaml::Asked;

/// `runtime: {root: forbidden, shell: forbidden, …}`: what the image is when it runs.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    type Clause = (&'static str, &'static [&'static str], &'static str, &'static str, &'static str);
    const CLAUSES: &[Clause] = &[
        (
            "root",
            &["input.image.user == 0"],
            "\"its process starts as root\"",
            "[\"image\", \"user\"]",
            "\"write `run: {user: 65532}`, or leave it out\"",
        ),
        (
            "shell",
            &["input.image.shell"],
            "\"it has a shell\"",
            "[\"image\", \"variant\"]",
            "\"use the variant `prod`, and no package that brings a shell\"",
        ),
        (
            "read_only_root",
            &["not input.image.read_only_root"],
            "\"it needs a root file system that can be written to\"",
            "[\"image\", \"read_only_root\"]",
            "\"write `run: {read_only_root: true}`, and keep what changes in volumes\"",
        ),
        (
            "health_check",
            &["not input.image.health_check"],
            "\"nobody can learn whether it works\"",
            "[\"image\", \"health_check\"]",
            "\"write `run: {health: {http: /health, port: 8000}}`\"",
        ),
        (
            "privileged_ports",
            &["some number, port in input.image.ports", "port < 1024"],
            "sprintf(\"it listens on port %d, which only root may\", [port])",
            "[\"image\", \"ports\", number]",
            "\"listen on one from 1024 on\"",
        ),
        (
            "setuid",
            &["some path in input.image.setuid_files"],
            "sprintf(\"%s gives whoever starts it the rights of its owner\", [path])",
            "[\"image\", \"setuid_files\"]",
            "\"leave it out, or take the bit away\"",
        ),
        (
            "secrets",
            &["some secret in input.image.secrets"],
            "sprintf(\"%s looks like a secret: %s\", [secret.path, secret.kind])",
            "[\"image\", \"secrets\"]",
            "\"keep it out of the image, and give it when it starts\"",
        ),
    ];
    for (name, conditions, msg, fact, remedy) in CLAUSES {
        if asked.word(name).is_some() {
            let rule = format!("runtime.{name}");
            text.deny(conditions, Say { rule: &rule, msg, fact, remedy, more: &[] });
        }
    }
}
