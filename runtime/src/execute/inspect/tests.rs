use std::fs;
use std::path::Path;
use std::process::Command;

use model::plan::PlanKey;
use model::{Digest, Entry};

use super::*;
use crate::execute::PackWriter;
use crate::store::Store;

/// A compiler that is asked for everything the profile demands, behind a wrapper that may change what it is told.
fn compiled(dir: &Path, wrapper: &str) -> Vec<u8> {
    let script = dir.join("cc");
    fs::write(&script, format!("#!/bin/sh\n{wrapper}\n")).unwrap();
    fs::write(
        dir.join("a.c"),
        "#include <stdio.h>\nint main(void) { char b[64]; puts(fgets(b, 64, stdin)); return 0; }",
    )
    .unwrap();
    let flags = [
        "-O2",
        "-g",
        "-fPIE",
        "-pie",
        "-fstack-protector-all",
        "-D_FORTIFY_SOURCE=2",
        "-Wl,-z,relro,-z,now",
        "a.c",
        "-o",
        "a",
    ];
    let status = Command::new("sh").arg(&script).args(flags).current_dir(dir).status().unwrap();
    assert!(status.success());
    fs::read(dir.join("a")).unwrap()
}

fn inspected(wrapper: &str, part: Part, demands: &Profile) -> Result<CompileFlags, Finding> {
    inspected_as(wrapper, &[part], demands)
}

/// The same file, taken for each of these one after another.
fn inspected_as(wrapper: &str, parts: &[Part], demands: &Profile) -> Result<CompileFlags, Finding> {
    let dir = tempfile::tempdir().unwrap();
    let bytes = compiled(dir.path(), wrapper);
    let store = Store::open(&dir.path().join("store")).unwrap();
    let context = Context::new(&store);
    let mut sink = PackWriter::new(&context);
    let (digest, size) = sink.put(&bytes).unwrap();
    let packed = sink.finish().unwrap();
    let entries = [("bin/a".parse().unwrap(), Entry::root(Kind::File { digest, size }, 0o755))];
    let tree = model::Tree::with_parents(entries.into()).unwrap();
    let tree = std::sync::Arc::new(tree);
    let packs: Vec<Digest> = packed.pack.into_iter().collect();
    let input = |_| Input { digest: Digest::of(b"tree"), tree: tree.clone(), packs: packs.clone() };
    let inputs: Vec<Input> = parts.iter().map(input).collect();
    let arch = if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::Amd64 };
    let Value::Blob(document) = run(&context, &inputs, parts, "maximum", demands, arch)?.value else { panic!() };
    Ok(serde_json::from_slice(&store.read(&document.digest, 1 << 20).unwrap()).unwrap())
}

fn maximum() -> Profile {
    stdlib::hardening::Hardening::shipped().unwrap().profile("maximum").unwrap().demands()
}

fn here() -> Part {
    Part::Compiled { step: PlanKey::of(b"step"), package: "pkg:generic/a@1".into() }
}

#[test]
fn what_was_compiled_as_demanded_is_listed_with_its_flags() {
    let document = inspected(r#"exec cc "$@""#, here(), &maximum()).unwrap();
    let judged = document.files.values().next().unwrap();
    assert!(judged.verdict.values().all(|proof| matches!(proof, Proof::Met(_))), "{:?}", judged.verdict);
    let model::hardening::Compiled::Known { units, .. } = &judged.facts.compiled else { panic!("{:?}", judged.facts) };
    assert!(units.iter().any(|unit| unit.producer.contains("-fstack-protector-all")), "{units:?}");
}

#[test]
fn a_compiler_that_drops_a_flag_is_found_out_and_the_file_is_named_with_what_it_lacks() {
    let dropping = |flags: &str, instead: &str| {
        format!(
            r#"for word; do shift; case $word in {flags}) ;; *) set -- "$@" "$word" ;; esac; done; exec cc {instead} "$@""#
        )
    };
    for (flags, instead, lacks) in [
        ("-fPIE|-pie", "-no-pie -fno-pie", "pie"),
        ("-fstack-protector-all", "-fno-stack-protector", "stack-protector"),
        ("-Wl,-z,relro,-z,now", "-Wl,-z,lazy", "now"),
        ("-Wl,-z,relro,-z,now", "-Wl,-z,norelro", "relro"),
        ("nothing", "-Wl,-z,execstack", "nx"),
    ] {
        let finding = inspected(&dropping(flags, instead), here(), &maximum()).unwrap_err();
        assert_eq!(finding.code, codes::HARDENING_MISSING);
        let cause = finding.causes.join("\n");
        assert!(cause.starts_with("/bin/a (compiled here, pkg:generic/a@1): "), "{cause}");
        assert!(cause.contains(&format!("{lacks}: ")), "{lacks}: {cause}");
    }
}

#[test]
fn less_is_demanded_of_what_comes_compiled_but_that_it_is_loadable_anywhere() {
    let prebuilt = || Part::Prebuilt { package: "configuration".into() };
    let lazy = r#"exec cc "$@" -fno-stack-protector -Wl,-z,lazy"#;
    inspected(lazy, prebuilt(), &maximum()).unwrap();
    assert!(inspected(lazy, here(), &maximum()).is_err());
    let fixed = r#"exec cc "$@" -no-pie -fno-pie"#;
    let finding = inspected(fixed, prebuilt(), &maximum()).unwrap_err();
    assert!(finding.causes.join("\n").starts_with("/bin/a (prebuilt, configuration): pie: "), "{:?}", finding.causes);
    inspected(fixed, prebuilt(), &Profile::default()).unwrap();
}

#[test]
fn what_a_step_left_as_it_was_is_not_what_it_compiled() {
    let lazy = r#"exec cc "$@" -fno-stack-protector -Wl,-z,lazy"#;
    let source = || Part::Source { package: "application".into() };
    let document = inspected_as(lazy, &[source(), here()], &maximum()).unwrap();
    let origins: Vec<&Provenance> = document.files.values().map(|judged| &judged.origin).collect();
    assert_eq!(origins, [&Provenance::Prebuilt { package: "application".into() }]);
    // but what it was made from is in no image
    assert_eq!(inspected_as(lazy, &[source()], &maximum()).unwrap().files.len(), 0);
}

#[test]
fn a_copy_of_openssl_is_refused_where_the_images_own_is_demanded() {
    let bundled = Part::Prebuilt { package: "pkg:pypi/psycopg2-binary@2.9.10?file_name=x.whl".into() };
    let fips = Profile { prebuilt: [Demand::ImageCryptography].into(), ..Profile::default() };
    let text = r#"printf 'const char *v(void) { return "OpenSSL 3.0.15 3 Sep 2024"; }' > v.c; exec cc "$@" v.c"#;
    let finding = inspected(text, bundled.clone(), &fips).unwrap_err();
    assert_eq!(finding.code, codes::OWN_CRYPTOGRAPHY);
    assert!(finding.causes[0].starts_with("/bin/a (prebuilt, pkg:pypi/psycopg2-binary@"), "{finding:?}");
    assert!(finding.causes[0].contains("OpenSSL 3.0.15"), "{finding:?}");
    assert!(finding.help.unwrap().contains("no_binary: [psycopg2-binary]"));
    inspected(text, bundled.clone(), &Profile::default()).unwrap();
    inspected(r#"exec cc "$@""#, bundled.clone(), &fips).unwrap();
    // what is linked with the image's own library only says what that was called
    let stub =
        "printf 'int f(void) { return 0; }' > f.c; cc -shared -fPIC -Wl,-soname,libcrypto.so.3 f.c -o libcrypto.so.3";
    let linked = r#"printf 'int f(void); const char *v(void) { f(); return "OpenSSL 3.0.15 3 Sep 2024"; }' > v.c"#;
    inspected(&format!(r#"{stub}; {linked}; exec cc "$@" v.c -Wl,--no-as-needed ./libcrypto.so.3"#), bundled, &fips)
        .unwrap();
}
