//! Every file of `tests/compile/config` is a case. In `ok/` a file reads without a finding, to what the `.txt` beside it says
//! (with `UPDATE=1` in the environment it is written instead). In `err/` each line that is wrong says with which codes,
//! `# error: CS0201 CS0203`, and nothing else may be reported.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fmt::Write;
use std::fs;

use model::config::{Config, Content, Place};
use model::{Arch, Findings, Sources, Spanned};
use proptest::prelude::*;

fn read(text: &str) -> (Option<Config>, Findings, Sources) {
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", text);
    let parsed = grammar::yaml::parse(source, text);
    let (config, more) = parsed.root.as_ref().map_or((None, Vec::new()), compiler::config::read);
    (config, parsed.findings.into_iter().chain(more).collect(), sources)
}

#[test]
fn what_is_right_reads_to_what_it_says() {
    cases::compare(cases::files("compile/config/ok", "yaml").iter().map(|case| {
        let (config, findings, _) = read(&fs::read_to_string(case).unwrap());
        assert_eq!(findings, Vec::new(), "{}", case.display());
        (case.with_extension("txt"), show(&config.unwrap()))
    }));
}

#[test]
fn what_is_wrong_is_reported_on_its_line_and_nothing_else_is() {
    cases::all(&cases::files("compile/config/err", "yaml"), |case| {
        let text = fs::read_to_string(case).unwrap();
        let (_, findings, sources) = read(&text);
        cases::agree(case, &findings, &sources, &cases::declared(&text))
    });
}

#[test]
fn the_short_form_and_the_long_one_are_the_same() {
    let long = "name: x\nbase: {language: python, version: 3.12.1}\npackages: [fastapi==0.104.1, 'uvicorn>=0.24']\n";
    let short =
        "name: x\npython_version: 3.12.1\npackages: {fastapi: 0.104.1, uvicorn: '>=0.24'}\nbuild_type: hermetic\n";
    let [long, short] = [long, short].map(|text| read(text).0.unwrap());
    assert_eq!(show(&long), show(&short));
    assert_eq!(compiler::config::asked(&long), compiler::config::asked(&short));
}

/// Of a requirement that is written as it is, the part that is wrong; of any other the whole, and no fix of half of it.
#[test]
fn a_wrong_requirement_is_shown_where_it_stands() {
    let cases = [
        ("[a, flask>=x]", ">=x", false),
        ("[a, 'flask>=x']", ">=x", false),
        ("[\"fl\\x61sk>=x\"]", "\"fl\\x61sk>=x\"", false),
        ("{a: 1, éports: ~x}", "éports: ~x", false),
        ("['flask => 1']", "=> 1", true),
        ("[flask\n  => 1]", "flask\n  => 1", false),
    ];
    for (packages, shown, mended) in cases {
        let text = format!("name: x\npython_version: 3.12.1\npackages: {packages}\n");
        let (_, findings, _) = read(&text);
        let [finding] = findings.as_slice() else { panic!("{text}: {findings:?}") };
        let span = finding.span.unwrap();
        assert_eq!(&text[span.start as usize..span.end as usize], shown, "{finding:?}");
        assert_eq!(finding.fix.is_some(), mended, "{finding:?}");
    }
}

#[test]
fn the_fingerprint_covers_what_resolution_reads_and_nothing_else() {
    let of = |text: &str| compiler::config::asked(&read(text).0.unwrap());
    let text = "name: x\nbase: {language: python, version: '3.13'}\npackages: [a, b]\nsystem_packages: [libpq5]\narchitectures: [amd64]\n";
    for (from, to) in [
        ("name: x", "name: y"),
        ("[a, b]", "[b, a]"),
        ("name: x", "version: '2'\nname: x\nvariants: [prod]\nrun: {user: 1}"),
    ] {
        assert_eq!(of(text), of(&text.replace(from, to)), "{to}");
    }
    for (from, to) in [
        ("'3.13'", "'3.12'"),
        ("[a, b]", "[a]"),
        ("[a, b]", "[a, b==1]"),
        ("libpq5", "libpq5 (>= 15)"),
        ("libpq5", "tzdata"),
        ("[amd64]", "[arm64]"),
        ("name: x", "name: x\nvariants: [dev]"),
    ] {
        assert_ne!(of(text), of(&text.replace(from, to)), "{to}");
    }
}

#[test]
fn misspelt_words_are_corrected() {
    for (text, help) in [
        ("pakages: []", "did you mean `packages`? There are kind, name, version,"),
        ("packages: []\npakages: []", "did you mean `packages`? That is given already: make one of both"),
        ("base: {languag: python}", "did you mean `language`? There are language, version, build"),
        ("run: {usr: 1}", "did you mean `user`? There are entrypoint, command, user, workdir, env, ports"),
        ("files: [{t: x}]", "there are from, content, to, mode"),
        ("ports: [80]", "it belongs under `run`"),
        ("base: {language: pyton}", "did you mean `python`?"),
        ("architectures: [x86_64]", "did you mean `amd64`?"),
        ("architectures: [Arm-64]", "did you mean `arm64`?"),
        ("architectures: [s390x]", "write `amd64` or `arm64`"),
        ("architectures: [amd64, x64]", "did you mean `amd64`? That is listed already: remove this"),
        ("architectures: [x64, x86_64]", "did you mean `amd64`? That is listed already: remove this"),
        ("variants: [prd]", "did you mean `prod`?"),
        ("base: {language: python, version: '3'}\npackages: [fastapi=0.115]", "did you mean `fastapi==0.115`?"),
        ("base: {language: python, version: '3'}\npackages: {fastapi: =>1}", "did you mean `\">=1\"`?"),
        ("base: {language: python, version: '3'}\npackages: [fastapi: 1]", "write `fastapi==1`"),
        ("name: My App", "for example `my-app`"),
        ("packages: fastapi", "write `[fastapi]`"),
        ("run: {command: python3 -m app}", "write `[python3, -m, app]`"),
    ] {
        let helps: Vec<String> = read(text).1.into_iter().filter_map(|finding| finding.help).collect();
        assert!(helps.iter().any(|found| found.starts_with(help)), "{text}: {helps:?}");
    }
}

#[test]
fn what_is_proposed_is_right() {
    for (wrong, right) in [
        ("packages:\n  - 'fastapi=1'\n", "packages:\n  - 'fastapi==1'\n"),
        ("packages: {fastapi: =>1}\n", "packages: {fastapi: \">=1\"}\n"),
        ("packages: 'fastapi'\n", "packages: [fastapi]\n"),
        ("architectures: [x64, arm]\n", "architectures: [amd64, arm64]\n"),
        ("archtectures: [amd64]\n", "architectures: [amd64]\n"),
    ] {
        let whole = |text: &str| format!("name: x\nbase: {{language: python, version: '3.13'}}\n{text}");
        let mut text = whole(wrong);
        let mut fixes: Vec<model::Fix> = read(&text).1.into_iter().filter_map(|finding| finding.fix).collect();
        fixes.sort_by_key(|fix| std::cmp::Reverse(fix.span.start));
        for fix in fixes {
            text.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
        }
        assert_eq!(text, whole(right));
        assert_eq!(read(&text).1, Vec::new());
    }
}

#[test]
fn what_would_be_there_twice_or_not_the_same_is_not_proposed() {
    for text in [
        "architectures: [amd64, x64]",
        "packages: []\npakages: []",
        "variants: [prod, prd]",
        "packages: 'a: b'",
        "run: {us: 1}",
    ] {
        let findings = read(&format!("name: x\nbase: {{language: python, version: '3.13'}}\n{text}\n")).1;
        assert!(!findings.is_empty() && findings.iter().all(|finding| finding.fix.is_none()), "{text}: {findings:?}");
    }
}

#[test]
fn a_megabyte_of_mistakes_gives_a_hundred_findings() {
    for (head, piece) in [
        ("", "k%: 1\n"),
        ("files:\n", "- {form: %}\n"),
        ("system_packages:\n", "- x(%\n"),
        ("packages:\n", "- numpy==%\n"),
        ("run:\n  env:\n", "    %: x\n"),
    ] {
        let entries = (grammar::MAX_BYTES - head.len()) / (piece.len() + 5);
        let text: String = (0..entries).map(|n| piece.replace('%', &n.to_string())).collect();
        let findings = read(&format!("{head}{text}")).1;
        assert_eq!(findings.len(), grammar::MAX_FINDINGS + 1, "{piece}");
    }
}

fn show(config: &Config) -> String {
    let value = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    let values = |texts: &[Spanned<String>]| texts.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
    let Config { base, source, run, metadata, .. } = config;
    let mut shown = format!("name {:?}\n", config.name.value);
    let mut line = |name: &str, value: &dyn std::fmt::Debug| writeln!(shown, "{name} {value:?}").unwrap();
    line("description", &value(&config.description));
    line("version", &value(&config.version));
    line("language", &base.language.as_ref().map(|language| language.value));
    line("language version", &base.version.as_ref().map(|version| &version.value));
    line("packages", &values(&config.packages));
    for package in &config.system_packages {
        line("system package", &package.value);
    }
    for package in &config.build_packages {
        line("build package", &package.value);
    }
    if let Some(source) = source {
        let place = match &source.place {
            Place::Folder(path) => path.value.clone(),
            Place::Git { url, commit } => format!("{} {}", url.value, commit.value),
        };
        line("source", &(place, &source.to.value));
        line("build", &source.build);
        line("tests", &source.tests);
        line("tools", &values(&source.tools));
    }
    line("scripts", &(&config.scripts.pre_build, &config.scripts.post_build));
    line("flags", &(config.flags.hardening.name(), config.fips(), config.flags.strip, &config.flags.optimization));
    line("built here", &values(&config.flags.no_binary));
    for file in &config.files {
        let content = match &file.content {
            Content::File(from) => &from.value,
            Content::Text(text) => &format!("the text {:?}", text.value),
        };
        line("file", &(content, &file.to.value, format!("{:04o}", file.mode)));
    }
    line("certificates", &values(&config.certificates));
    line("policies", &values(&config.policies));
    line("entrypoint", &run.entrypoint);
    line("command", &run.command);
    line("user", &run.user.as_ref().map(|user| user.value));
    line("workdir", &value(&run.workdir));
    line("env", &run.env);
    line("ports", &run.ports);
    line("health", &run.health.as_ref().map(|health| (&health.http, health.port)));
    line("read-only root", &run.read_only_root);
    line("architectures", &config.architectures.iter().map(|arch: &Arch| arch.name()).collect::<Vec<_>>());
    line("variant", &config.variant.name());
    line("registries", &values(&config.registries));
    line("metadata", &(&metadata.owner, &metadata.compliance, &metadata.documentation));
    shown
}

/// Texts made of what configurations are made of.
fn config_like() -> impl Strategy<Value = String> {
    let pieces = [
        "name: ",
        "base: ",
        "language: ",
        "version: ",
        "packages:",
        "system_packages:",
        "files:",
        "run:",
        "env: ",
        "ports: ",
        "user: ",
        "architectures: ",
        "metadata: ",
        "python_version: ",
        "source: ",
        "kind: ",
        "build_flags: ",
        "mode: ",
        "to: ",
        "from: ",
        "python",
        "3.13",
        "latest",
        "none",
        "amd64",
        "\n",
        "\n  ",
        "\n- ",
        "\n  - ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\"",
        "x",
        "é",
        "/app",
        "..",
        "0644",
        "8000",
        "true",
        "~",
        "${{ x }}",
        "*a",
        "# c\n",
        ">=1,",
        "libpq5 (>= 1)",
        ": ",
        "extends: ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_is_read_as_far_as_it_goes(text in config_like()) {
        let (config, findings, _) = read(&text);
        for finding in &findings {
            let spans = finding.span.into_iter().chain(finding.labels.iter().map(|label| label.span));
            spans.for_each(|span| assert!(text.get(span.start as usize..span.end as usize).is_some(), "{finding:?}"));
        }
        prop_assert!(config.is_some() || !findings.is_empty(), "{text:?}");
    }
}
