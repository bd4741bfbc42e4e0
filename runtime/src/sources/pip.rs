//! What pip and uv are configured with, or else pip's built-in default.

use std::path::PathBuf;

use super::machine::Machine;
use super::root::Root;

const PIPS: [&[&str]; 3] = [&["pip"], &["pip3"], &["python3", "-m", "pip"]];

/// The package indexes, the main one first, then the extra ones.
pub(super) fn roots(machine: &dyn Machine) -> Vec<Root> {
    let asked = PIPS.iter().find_map(|pip| Some((*pip, machine.run(&[*pip, &["config", "list"]].concat())?)));
    let (pip, settings) = asked.map_or((None, String::new()), |(pip, settings)| (Some(pip), settings));
    let configured = |variable: &str, setting: &str| match from_variable(machine, variable) {
        roots if roots.is_empty() => from_settings(&settings, setting),
        roots => roots,
    };
    let mut roots = configured("PIP_INDEX_URL", "index-url");
    let extra = configured("PIP_EXTRA_INDEX_URL", "extra-index-url");
    if roots.is_empty() && extra.is_empty() {
        roots = from_uv(machine);
    }
    if roots.is_empty() {
        let help = pip.and_then(|pip| machine.run(&[pip, &["install", "--help"]].concat()));
        let url = help.and_then(|text| default_in_help(&text));
        roots.extend(url.and_then(|url| Root::parse(&url, "pip's built-in default").ok()));
    }
    for root in extra {
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

fn from_variable(machine: &dyn Machine, variable: &str) -> Vec<Root> {
    let urls = machine.env(variable).unwrap_or_default();
    urls.split_ascii_whitespace().flat_map(|url| Root::parse(url, variable)).collect()
}

/// Reads `pip config list`: `global.index-url='URL'`, a setting per line, values as Python writes strings.
fn from_settings(settings: &str, wanted: &str) -> Vec<Root> {
    let values = settings.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let (section, name) = key.rsplit_once('.')?;
        (name == wanted && matches!(section, "global" | "install" | ":env:"))
            .then(|| value.trim_matches(['\'', '"']).replace("\\n", " "))
    });
    let mut roots: Vec<Root> = Vec::new();
    for urls in values {
        roots.extend(urls.split_ascii_whitespace().flat_map(|url| Root::parse(url, "pip's configuration")));
    }
    roots.dedup();
    roots
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
