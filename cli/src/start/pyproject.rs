//! The `project` table of a `pyproject.toml` (PEP 621).

use std::path::Path;

use grammar::quote;
use grammar::yaml::quoted;
use model::{Finding, codes};
use toml::{Table, Value};

use super::{Found, NOT_OF_INDEX, Start, is_of_index};

pub(super) fn read(file: &Path, text: &str) -> Result<Start, Finding> {
    let shown = file.display();
    let table: Table = text.parse().map_err(|e: toml::de::Error| {
        Finding::error(codes::INPUT_IO, format!("{shown} is no TOML: {}", e.message())).help("correct it")
    })?;
    let poetry = table.get("tool").and_then(|tool| tool.get("poetry"));
    let Some(project) = table.get("project").and_then(Value::as_table) else {
        let (message, help) = match poetry {
            Some(_) => (
                format!("{shown} has no table `project`, and `tool.poetry` is not read"),
                "`poetry export --without-hashes --output requirements.txt`, and `--from requirements.txt`",
            ),
            None => (
                format!("{shown} has no table `project`"),
                "only what PEP 621 describes is read; or use `--from requirements.txt`",
            ),
        };
        return Err(Finding::error(codes::INPUT_IO, message).help(help));
    };
    let field = |name: &str| {
        let text = project.get(name).and_then(Value::as_str)?.to_owned();
        Some(Found { place: format!("{shown}, {name}"), text })
    };
    let mut start = Start {
        name: field("name").map(|name| name.text),
        version: field("version"),
        description: field("description"),
        python: field("requires-python"),
        ..Start::default()
    };
    let mut note = |text: String| start.notes.push(format!("{shown}: {text}"));
    for name in project.get("dynamic").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        note(format!("left out: {}: it is dynamic, so the file does not say it", quote(name)));
    }
    let groups = ["optional-dependencies"].iter().filter_map(|name| project.get(*name));
    for group in groups.chain(table.get("dependency-groups")).filter_map(Value::as_table).flat_map(Table::keys) {
        note(format!("left out: the group {}: add what the image needs of it", quote(group)));
    }
    if project.get("dependencies").is_none() && poetry.is_some_and(|poetry| poetry.get("dependencies").is_some()) {
        note("left out: `tool.poetry.dependencies`: `poetry export` writes them as requirements".to_owned());
    }
    for (name, target) in project.get("scripts").and_then(Value::as_table).into_iter().flatten() {
        let Some((module, function)) = target.as_str().and_then(|target| target.split_once(':')) else { continue };
        let script = format!("from {module} import {function}; {function}()");
        note(format!("the script {} would be `entrypoint: [python3, -c, {}]`", quote(name), quoted(&script)));
    }
    for (number, entry) in project.get("dependencies").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let place = format!("{shown}, dependencies[{number}]");
        match entry.as_str() {
            Some(text) if is_of_index(text) => start.packages.push(Found { place, text: text.trim().to_owned() }),
            Some(_) => start.notes.push(format!("{place}: left out: {NOT_OF_INDEX}")),
            None => start.notes.push(format!("{place}: left out: it is no text")),
        }
    }
    Ok(start)
}
