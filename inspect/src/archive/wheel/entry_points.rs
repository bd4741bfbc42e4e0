//! `entry_points.txt`: the commands a project declares ("Entry points specification").

use model::Finding;

use super::invalid;

/// A command: calls `attribute` of `module`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: String,
    module: String,
    attribute: String,
}

/// The commands of the sections `console_scripts` and `gui_scripts`.
pub(super) fn parse(text: &str) -> Result<Vec<Command>, Finding> {
    let mut commands = Vec::new();
    let mut wanted = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            wanted = matches!(section.trim(), "console_scripts" | "gui_scripts");
        } else if wanted {
            commands.push(command(line).ok_or_else(|| {
                invalid(format!("entry_points.txt declares a command as {line:?}; expected `name = module:function`"))
            })?);
        }
    }
    Ok(commands)
}

fn command(line: &str) -> Option<Command> {
    let (name, reference) = line.split_once('=')?;
    let reference = reference.split('[').next()?; // extras in brackets are an old way to say what it needs
    let (module, attribute) = reference.split_once(':')?;
    let (name, module, attribute) = (name.trim(), module.trim(), attribute.trim());
    let named =
        !name.is_empty() && !name.starts_with('.') && name.chars().all(|c| c.is_alphanumeric() || "-_. +".contains(c));
    (named && dotted(module) && dotted(attribute)).then(|| Command {
        name: name.to_owned(),
        module: module.to_owned(),
        attribute: attribute.to_owned(),
    })
}

/// Identifiers joined by dots: all that may stand in a script's import and call.
fn dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

impl Command {
    /// The script that runs the command.
    pub(super) fn script(&self, interpreter: &str) -> String {
        let Self { module, attribute, .. } = self;
        let imported = attribute.split('.').next().unwrap_or(attribute);
        format!(
            "#!{interpreter}\nimport sys\n\nfrom {module} import {imported}\n\nif __name__ == \"__main__\":\n    sys.exit({attribute}())\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_script_sections_are_read() {
        let text = "[console_scripts]\n# a comment\nuvicorn = uvicorn.main:main\n[other]\nx = not a reference\n[gui_scripts]\ng=a:b.c [extra]\n";
        let commands = parse(text).unwrap();
        let names: Vec<&str> = commands.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["uvicorn", "g"]);
        let script = commands[1].script("/usr/bin/python3");
        assert_eq!(
            script,
            "#!/usr/bin/python3\nimport sys\n\nfrom a import b\n\nif __name__ == \"__main__\":\n    sys.exit(b.c())\n"
        );
    }

    #[test]
    fn a_reference_that_is_no_reference_is_refused() {
        for bad in ["x = os", "x = os:system('id')", "../x = a:b", "x = a;b:c", "= a:b"] {
            assert!(parse(&format!("[console_scripts]\n{bad}\n")).is_err(), "{bad}");
        }
    }
}
