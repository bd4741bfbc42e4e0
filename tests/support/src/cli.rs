use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// The built command line; `cargo xtask test` builds it before the tests.
pub fn cli_path() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("clnstrt-cli");
    assert!(path.exists(), "{} is not built: run `cargo xtask test`", path.display());
    path
}

/// The command line with nothing of the developer's environment that could change what it does.
pub fn cli() -> Command {
    cli_under(&[])
}

/// The same, started by another command: `["taskset", "-c", "0"]`.
pub fn cli_under(wrapper: &[&str]) -> Command {
    let words: Vec<_> = wrapper.iter().map(Into::into).chain([cli_path().into_os_string()]).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let upper = name.to_ascii_uppercase();
        if upper.starts_with("CLNSTRT_") || upper.ends_with("_PROXY") || upper == "SOURCE_DATE_EPOCH" {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1");
    // What tests do is nothing to remember beside what their developer does.
    command.env("CLNSTRT_AUDIT", cli_path().with_file_name("test-audit"));
    command
}

/// The endpoints this machine is configured with: source name and address. Asked once.
pub fn sources() -> &'static [(String, String)] {
    static SOURCES: LazyLock<Vec<(String, String)>> = LazyLock::new(ask_sources);
    &SOURCES
}

fn ask_sources() -> Vec<(String, String)> {
    let done = crate::run(Command::new(cli_path()).args(["sources", "--format", "json"])).ok();
    let listed: serde_json::Value =
        serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}: {}", done.stdout));
    let entry = |e: &serde_json::Value| Some((e["source"].as_str()?.to_owned(), e["url"].as_str()?.to_owned()));
    let entries: Vec<_> = listed["sources"].as_array().into_iter().flatten().filter_map(entry).collect();
    assert!(!entries.is_empty(), "no source is configured on this machine: {}", done.stdout);
    entries
}
