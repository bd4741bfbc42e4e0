//! `mistakes`: puts the mistakes of `docs/mistakes` before four tools, and writes the page that compares what they say.
//!
//! Each mistake has a folder: the files each tool reads, and `answers.toml`, which quotes what answers a point. A
//! quotation that the tool does not print is an error, so nothing on the page is claimed.

mod page;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::shell::root;
use tools::Tools;

/// What a person needs to know of a mistake, and what each means.
const POINTS: [(&str, &str); 5] = [
    ("place", "the place: file, line and column"),
    ("cause", "the cause: what is wrong"),
    ("expected", "what was expected there"),
    ("nearest", "the right thing nearest to what was written"),
    ("fix", "the fix: what to do"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Clnstrt,
    Cue,
    Apko,
    LanguageServer,
}

impl Tool {
    const ALL: [Self; 4] = [Self::Clnstrt, Self::Cue, Self::Apko, Self::LanguageServer];

    fn name(self) -> &'static str {
        match self {
            Self::Clnstrt => "clnstrt",
            Self::Cue => "CUE",
            Self::Apko => "apko",
            Self::LanguageServer => "yaml-language-server",
        }
    }
}

/// An `answers.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Answers {
    title: String,
    /// One or two sentences: what the mistake is.
    mistake: String,
    clnstrt: Answer,
    cue: Answer,
    apko: Answer,
    language_server: Answer,
}

impl Answers {
    fn of(&self, tool: Tool) -> &Answer {
        match tool {
            Tool::Clnstrt => &self.clnstrt,
            Tool::Cue => &self.cue,
            Tool::Apko => &self.apko,
            Tool::LanguageServer => &self.language_server,
        }
    }
}

/// For each point the words of a tool that answer it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// Why the tool cannot know of such a mistake: then it is not counted.
    no_such_thing: Option<String>,
    /// The command of the tool that finds the mistake, where it is not the usual one.
    command: Option<String>,
    place: Option<String>,
    cause: Option<String>,
    expected: Option<String>,
    nearest: Option<String>,
    fix: Option<String>,
}

impl Answer {
    /// The quotations in the order of `POINTS`.
    fn points(&self) -> [Option<&str>; POINTS.len()] {
        [&self.place, &self.cause, &self.expected, &self.nearest, &self.fix].map(|words| words.as_deref())
    }

    /// How many points are answered; nothing where there is no such thing.
    fn count(&self) -> Option<usize> {
        self.no_such_thing.is_none().then(|| self.points().iter().flatten().count())
    }
}

/// A mistake and what the tools said of it.
struct Mistake {
    folder: PathBuf,
    answers: Answers,
    outputs: Vec<(Tool, String)>,
}

impl Mistake {
    fn output(&self, tool: Tool) -> Option<&str> {
        self.outputs.iter().find(|(of, _)| *of == tool).map(|(_, text)| text.as_str())
    }

    /// Quotations no output holds.
    fn untrue(&self) -> Vec<String> {
        let mut untrue = Vec::new();
        for tool in Tool::ALL {
            let (answer, output) = (self.answers.of(tool), self.output(tool).unwrap_or_default());
            for ((point, _), words) in POINTS.iter().zip(answer.points()) {
                if let Some(words) = words
                    && (words.is_empty() || answer.no_such_thing.is_some() || !output.contains(words))
                {
                    untrue.push(format!("{}: {} does not say `{words}` ({point})", self.name(), tool.name()));
                }
            }
        }
        untrue
    }

    /// Points clnstrt does not answer.
    fn open(&self) -> Vec<String> {
        let points = POINTS.iter().zip(self.answers.clnstrt.points()).filter(|(_, words)| words.is_none());
        points.map(|((point, _), _)| format!("{}: clnstrt does not answer `{point}`", self.name())).collect()
    }

    fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// `mistakes [--check]`.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let check = match args {
        [] => false,
        ["--check"] => true,
        _ => return Err("usage: cargo xtask mistakes [--check]".to_owned()),
    };
    let tools = Tools::prepare()?;
    let mut mistakes = Vec::new();
    for folder in folders()? {
        let text = read(&folder.join("answers.toml"))?;
        let answers: Answers = toml::from_str(&text).map_err(|e| format!("{}: {e}", folder.display()))?;
        let outputs = Tool::ALL.into_iter().filter_map(|tool| {
            tools.ask(tool, &folder, answers.of(tool)).map(|said| said.map(|text| (tool, text))).transpose()
        });
        let outputs = outputs.collect::<Result<_, String>>()?;
        mistakes.push(Mistake { folder, answers, outputs });
    }
    none(mistakes.iter().flat_map(Mistake::untrue).collect())?;

    let page = root().join("docs/src/mistakes.md");
    let text = page::written(&mistakes)?;
    if !check {
        return fs::write(&page, text).map_err(|e| format!("{}: {e}", page.display()));
    }
    none(mistakes.iter().flat_map(Mistake::open).collect())?;
    if read(&page)? == text {
        Ok(())
    } else {
        Err(format!("{} is not what the tools say: `cargo xtask mistakes` writes it", page.display()))
    }
}

fn none(problems: Vec<String>) -> Result<(), String> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// The folders of the mistakes, in their order.
fn folders() -> Result<Vec<PathBuf>, String> {
    let all = root().join("docs/mistakes");
    let entries = fs::read_dir(&all).map_err(|e| format!("{}: {e}", all.display()))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Mistake, Tool};

    const ANSWERS: &str = "\
title = 'A title'
mistake = 'A sentence.'
[clnstrt]
place = 'a.yaml:1:1'
cause = 'wrong'
[cue]
cause = 'never said'
[apko]
no_such_thing = 'It has none.'
[language-server]
fix = ''
";

    fn mistake() -> Mistake {
        let said = |tool| (tool, "wrong\n  at a.yaml:1:1".to_owned());
        Mistake {
            folder: "docs/mistakes/01".into(),
            answers: toml::from_str(ANSWERS).expect("the answers are TOML"),
            outputs: Tool::ALL.map(said).into(),
        }
    }

    #[test]
    fn what_a_tool_does_not_say_is_found() {
        let expected = ["01: CUE does not say `never said` (cause)", "01: yaml-language-server does not say `` (fix)"];
        assert_eq!(mistake().untrue(), expected);
    }

    #[test]
    fn what_clnstrt_leaves_open_is_found() {
        let open = mistake().open();
        assert_eq!(open.len(), 3, "{open:?}");
        assert_eq!(open[0], "01: clnstrt does not answer `expected`");
    }

    #[test]
    fn where_there_is_no_such_thing_nothing_is_counted() {
        let answers = mistake().answers;
        assert_eq!([&answers.clnstrt, &answers.apko].map(super::Answer::count), [Some(2), None]);
    }
}
