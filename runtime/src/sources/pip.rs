//! What pip and uv are configured with, or else pip's built-in default.

use std::path::PathBuf;

use super::machine::Machine;
use super::root::Root;

const PIPS: [&[&str]; 3] = [&["pip"], &["pip3"], &["python3", "-m", "pip"]];

/// The package indexes, the main one first.
pub(super) fn roots(machine: &dyn Machine) -> Vec<Root> {
    let from_env = from_pip_env(machine);
    if !from_env.is_empty() {
        return from_env;
    }
    let mut pip = None;
    for command in PIPS {
        let list = [command, &["config", "list"]].concat();
        if let Some(settings) = machine.run(&list) {
            let configured = from_pip_settings(&settings);
            if !configured.is_empty() {
                return configured;
            }
            pip = Some(command);
            break;
        }
    }
    let from_uv = from_uv(machine);
    if !from_uv.is_empty() {
        return from_uv;
    }
    let help = pip.and_then(|command| machine.run(&[command, &["install", "--help"]].concat()));
    help.and_then(|text| default_in_help(&text))
        .and_then(|url| Root::parse(&url, "pip's built-in default").ok())
        .into_iter()
        .collect()
}

fn from_pip_env(machine: &dyn Machine) -> Vec<Root> {
    let Some(index) = machine.env("PIP_INDEX_URL") else {
        return Vec::new();
    };
    let extra = machine.env("PIP_EXTRA_INDEX_URL").unwrap_or_default();
    let main = Root::parse(index.trim(), "PIP_INDEX_URL");
    main.into_iter()
        .chain(extra.split_ascii_whitespace().flat_map(|url| Root::parse(url, "PIP_EXTRA_INDEX_URL")))
        .collect()
}

/// Reads `pip config list`: `global.index-url='URL'`, a setting per line, values as Python writes strings.
fn from_pip_settings(settings: &str) -> Vec<Root> {
    let values = |wanted: &'static str| {
        settings.lines().filter_map(move |line| {
            let (key, value) = line.split_once('=')?;
            let (section, name) = key.rsplit_once('.')?;
            (name == wanted && matches!(section, "global" | "install" | ":env:"))
                .then(|| value.trim_matches(['\'', '"']).replace("\\n", " "))
        })
    };
    let mut main: Vec<Root> =
        values("index-url").flat_map(|url| Root::parse(url.trim(), "pip's configuration")).collect();
    main.dedup();
    if main.is_empty() {
        return main;
    }
    for urls in values("extra-index-url") {
        main.extend(urls.split_ascii_whitespace().flat_map(|url| Root::parse(url, "pip's configuration")));
    }
    main
}

/// uv's indexes: its variables, then the user's and the machine's `uv.toml`.
fn from_uv(machine: &dyn Machine) -> Vec<Root> {
    for variable in ["UV_DEFAULT_INDEX", "UV_INDEX_URL"] {
        if let Some(value) = machine.env(variable) {
            // A name may stand before the URL: NAME=URL.
            let url = value.find("http").and_then(|at| value.get(at..)).unwrap_or(&value);
            if let Ok(root) = Root::parse(url.trim(), variable) {
                return vec![root];
            }
        }
    }
    let user = machine.config_dir().map(|dir| dir.join("uv/uv.toml"));
    for path in user.into_iter().chain([PathBuf::from("/etc/uv/uv.toml")]) {
        let urls = machine.read(&path).map(|text| uv_indexes(&text)).unwrap_or_default();
        let found_in = path.display().to_string();
        let roots: Vec<Root> = urls.iter().flat_map(|url| Root::parse(url, &found_in)).collect();
        if !roots.is_empty() {
            return roots;
        }
    }
    Vec::new()
}

/// The URLs of `[[index]]` tables, or else `index-url`, at the top or in `[pip]`. A default among the tables comes last, as it does
/// in uv; without a default the list adds to a default that is not here.
fn uv_indexes(text: &str) -> Vec<String> {
    let Ok(table) = text.parse::<toml::Table>() else {
        return Vec::new();
    };
    let url_of = |value: &toml::Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    if let Some(indexes) = table.get("index").and_then(toml::Value::as_array) {
        let default = |index: &&toml::Value| index.get("default").and_then(toml::Value::as_bool) == Some(true);
        if indexes.iter().any(|index| default(&index)) {
            let (last, first): (Vec<_>, Vec<_>) = indexes.iter().partition(default);
            return first.into_iter().chain(last).filter_map(|index| url_of(index, "url")).collect();
        }
    }
    let top = table.get("index-url").and_then(toml::Value::as_str).map(str::to_owned);
    top.or_else(|| table.get("pip").and_then(|pip| url_of(pip, "index-url"))).into_iter().collect()
}

/// The URL in `(default https://…)`, which the help text may wrap anywhere.
fn default_in_help(text: &str) -> Option<String> {
    let option = text.get(text.find("--index-url")?..)?;
    let (_, after) = option.split_once("(default")?;
    let (value, _) = after.split_once(')')?;
    Some(value.chars().filter(|c| !c.is_whitespace()).collect())
}
