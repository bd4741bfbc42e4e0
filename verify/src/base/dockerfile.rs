//! The images that a Dockerfile names, as BuildKit reads it. What could be read in another way is not understood: a build that uses an
//! image which was not seen is worse than a file that has to be written more plainly.

use std::collections::BTreeMap;

/// What each instruction that names images may have. Those of others name none.
const OPTIONS: [(&str, &[&str]); 4] = [
    ("FROM", &["platform"]),
    ("COPY", &["from", "chown", "chmod", "exclude", "link", "parents"]),
    ("ADD", &["chown", "chmod", "exclude", "checksum", "link", "keep-git-dir", "unpack"]),
    ("RUN", &["mount", "network", "security", "device"]),
];

/// Options that need no value.
const SWITCHES: [&str; 4] = ["link", "parents", "keep-git-dir", "unpack"];

/// Instructions that name no image.
const OTHERS: [&str; 13] = [
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// The values of arguments: none where the file gives none, or why the value is not known.
type Arguments = BTreeMap<String, Result<Option<String>, String>>;

/// The images of a Dockerfile, each once: those of `FROM`, of `--from=` in `COPY` and mounts, and of `# syntax=`.
pub(super) fn images(text: &str) -> Result<Vec<String>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains(['\0', '\r']) {
            return Err("it has a control character".to_owned());
        }
        lines.push(line);
    }
    let (escape, syntax) = directives(&lines)?;
    let mut found = Found { images: Vec::from_iter(syntax), ..Found::default() };
    let mut lines = lines.into_iter();
    while let Some(line) = next(&mut lines, escape)? {
        found.instruction(&line)?;
        for (name, is_indented) in heredocs(&line)? {
            if !lines.any(|line| if is_indented { line.trim_start_matches('\t') == name } else { line == name }) {
                return Err(format!("`{name}` does not end"));
            }
        }
    }
    match found.stages.is_empty() {
        true => Err("it has no `FROM`".to_owned()),
        false => Ok(found.images),
    }
}

/// What the first lines say of how to read the rest: the character that makes a line go on, and the image that reads the file.
fn directives(lines: &[&str]) -> Result<(char, Option<String>), String> {
    let (mut escape, mut seen, mut unknown) = (None, BTreeMap::new(), None);
    for line in lines {
        let line = line.trim();
        if line.starts_with("#!") {
            return Err(format!("`{line}` is for something else"));
        }
        let Some((key, value)) = line.strip_prefix('#').and_then(|line| line.split_once('=')) else { break };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        // Behind a key that is not known nothing is said any more, but older ones go on, and take `syntax`.
        match unknown {
            Some(before) if key == "syntax" => {
                return Err(format!("whether `{line}` counts behind `{before}` is not clear"));
            }
            _ if !is_key(&key) => break,
            None if ["syntax", "escape", "check"].contains(&key.as_str()) => {}
            None => {
                unknown = Some(line);
                continue;
            }
            Some(_) => continue,
        }
        plain(line)?;
        // Older ones take `check` for a comment, behind which nothing is said any more.
        if value.is_empty() || (key == "escape" && seen.contains_key("check")) {
            return Err(format!("`{line}` is not clear"));
        }
        if key == "escape" {
            escape = Some(match value {
                "\\" => '\\',
                "`" => '`',
                _ => return Err(format!("`{line}` names no such character")),
            });
        }
        if seen.insert(key, value).is_some() {
            return Err(format!("`{line}` is said twice"));
        }
    }
    let syntax = seen.get("syntax").and_then(|value| value.split(' ').next()).map(str::to_owned);
    Ok((escape.unwrap_or('\\'), syntax))
}

/// The line by which a file that is no Dockerfile names an image that reads it. BuildKit looks for one in whatever it is given, behind `#`
/// and behind `//`; the form in JSON is for those who read the file as a map.
pub(super) fn reader(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in text.split('\n').map(str::trim).filter(|line| !line.starts_with("#!")) {
        let (key, _) = line.strip_prefix('#').or_else(|| line.strip_prefix("//"))?.split_once('=')?;
        let key = key.trim();
        if key.eq_ignore_ascii_case("syntax") {
            return Some(line);
        }
        if !is_key(key) {
            return None;
        }
    }
    None
}

/// Whether a text is what a directive may be called, known or not.
fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Only the white space that everybody takes for it.
fn plain(line: &str) -> Result<(), String> {
    let is_odd = |c: char| c != ' ' && c != '\t' && (c.is_whitespace() || c.is_control() || c == '\u{feff}');
    if line.contains(is_odd) { Err(format!("`{line}` has odd white space")) } else { Ok(()) }
}

/// The next instruction, put together of the lines it goes over: nothing comes between them, and comments and empty lines do not count.
fn next<'a>(lines: &mut impl Iterator<Item = &'a str>, escape: char) -> Result<Option<String>, String> {
    let mut whole = String::new();
    for line in lines {
        let bare = line.trim_start_matches([' ', '\t']);
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        plain(line)?;
        let line = if whole.is_empty() { bare } else { line };
        let Some(part) = line.trim_end_matches([' ', '\t']).strip_suffix(escape) else {
            return Ok(Some(whole + line));
        };
        // Two of them were a line that goes on once, and are not any more.
        if part.ends_with(escape) {
            return Err(format!("whether `{line}` goes on is not clear"));
        }
        whole.push_str(part);
    }
    Ok(Some(whole).filter(|whole| !whole.trim().is_empty()))
}

/// Names of the documents behind an instruction, and whether tabs before their end do not count.
fn heredocs(line: &str) -> Result<Vec<(&str, bool)>, String> {
    let (name, rest) = word(line);
    let name = if name.eq_ignore_ascii_case("ONBUILD") { word(rest).0 } else { name };
    if !line.contains("<<") || !["ADD", "COPY", "RUN"].iter().any(|one| name.eq_ignore_ascii_case(one)) {
        return Ok(Vec::new());
    }
    let unclear = || format!("which document `{line}` takes is not clear");
    let mut all = Vec::new();
    for word in line.split([' ', '\t']) {
        let Some((before, rest)) = word.split_once("<<") else {
            // A quote decides whether what follows is a document at all.
            if word.contains(['"', '\'', '\\', '`']) || word.contains("${") {
                return Err(unclear());
            }
            continue;
        };
        let (rest, is_indented) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
        let quoted = |quote| rest.strip_prefix(quote)?.strip_suffix(quote);
        let name = quoted('"').or_else(|| quoted('\'')).unwrap_or(rest);
        if !before.chars().all(|c| c.is_ascii_digit()) || !is_name(name) {
            return Err(unclear());
        }
        all.push((name, is_indented));
    }
    Ok(all)
}

/// The first word, and what follows it.
fn word(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches([' ', '\t']);
    line.find([' ', '\t']).map_or((line, ""), |end| line.split_at(end))
}

/// Whether a text is what arguments are called.
fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What was read so far.
#[derive(Default)]
struct Found {
    images: Vec<String>,
    /// Names of stages in small letters; the last is the one that is being built.
    stages: Vec<Option<String>>,
    /// Those before the first `FROM`, which are all that `FROM` knows.
    arguments: Arguments,
}

impl Found {
    fn instruction(&mut self, line: &str) -> Result<(), String> {
        let (name, rest) = word(line);
        match name.to_ascii_uppercase().as_str() {
            "FROM" => self.from(rest),
            "ARG" if self.stages.is_empty() => self.argument(rest),
            _ if self.stages.is_empty() => Err(format!("`{line}` stands before any `FROM`")),
            "ONBUILD" => {
                let (name, rest) = word(rest);
                let name = name.to_ascii_uppercase();
                // It runs in the builds of others, in which the names of these stages say something else.
                self.sources(&name, rest, &[])
            }
            name => {
                let before = self.stages.split_last().map_or_else(Vec::new, |(_, before)| before.to_vec());
                self.sources(name, rest, &before)
            }
        }
    }

    fn from(&mut self, rest: &str) -> Result<(), String> {
        let (_, rest) = options("FROM", rest)?;
        let words: Vec<&str> = rest.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let (image, stage) = match words.as_slice() {
            [image] => (*image, None),
            [image, keyword, stage] if keyword.eq_ignore_ascii_case("AS") => {
                let stage = stage.to_ascii_lowercase();
                let may_be = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ['-', '_', '.'].contains(&c);
                if !stage.starts_with(|c: char| c.is_ascii_lowercase()) || !stage.chars().all(may_be) {
                    return Err(format!("`{stage}` is no name of a stage"));
                }
                (*image, Some(stage))
            }
            _ => return Err(format!("`FROM{rest}` is not `FROM IMAGE` or `FROM IMAGE AS NAME`")),
        };
        let image = replaced(image, &self.arguments)?;
        let known = self.stages.iter().flatten().any(|stage| *stage == image.to_ascii_lowercase());
        self.take(&image, known)?;
        self.stages.push(stage);
        Ok(())
    }

    /// Arguments of an `ARG` before the first `FROM`.
    fn argument(&mut self, rest: &str) -> Result<(), String> {
        let unclear = || format!("`ARG{rest}` is not clear");
        for word in quoted_words(rest).ok_or_else(unclear)? {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            if !is_name(name) {
                return Err(unclear());
            }
            let value = match value {
                // Whether that takes the value back is not the same everywhere.
                None if self.arguments.contains_key(name) => Err(format!("{name} is an argument twice")),
                None => Ok(None),
                Some(value) => {
                    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
                    match (inside('\''), inside('"').unwrap_or(value)) {
                        (Some(inside), _) if inside.contains('$') => Err(format!("the value of {name} is not clear")),
                        (Some(inside), _) | (None, inside) => replaced(inside, &self.arguments).map(Some),
                    }
                }
            };
            self.arguments.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// The images that an instruction takes files of, where the stages are known that it may mean.
    fn sources(&mut self, name: &str, rest: &str, stages: &[Option<String>]) -> Result<(), String> {
        if OTHERS.contains(&name) {
            return Ok(());
        }
        if name == "FROM" {
            return Err("`ONBUILD FROM` is none".to_owned());
        }
        let (options, _) = options(name, rest)?;
        let is_stage = |from: &str| stages.iter().flatten().any(|stage| *stage == from.to_ascii_lowercase());
        for (option, value) in options {
            if option == "from" {
                let is_number = value.chars().all(|c| c.is_ascii_digit())
                    && value.parse::<usize>().is_ok_and(|number| number < stages.len());
                self.take(value, is_number || is_stage(value))?;
            }
            // Stages have no numbers there.
            for from in mounted(option, value) {
                self.take(from, is_stage(from))?;
            }
        }
        Ok(())
    }

    /// An image that is no stage before, and not nothing.
    fn take(&mut self, image: &str, is_stage: bool) -> Result<(), String> {
        if image.is_empty() || image.contains('$') {
            return Err(format!("`{image}` names no image"));
        }
        if !is_stage && image != "scratch" && !self.images.iter().any(|there| there == image) {
            self.images.push(image.to_owned());
        }
        Ok(())
    }
}

/// What a mount is taken from. No value is quoted here, so that commas are all there is to it.
fn mounted<'a>(option: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = Some(value).filter(|_| option == "mount").into_iter().flat_map(|value| value.split(','));
    let fields = fields.filter_map(|field| field.split_once('='));
    fields.filter(|(key, _)| key.eq_ignore_ascii_case("from")).map(|(_, from)| from)
}

/// Names and values of an instruction's options, and what follows them.
fn options<'a>(instruction: &str, line: &'a str) -> Result<(Vec<(&'a str, &'a str)>, &'a str), String> {
    let (_, known) = OPTIONS
        .iter()
        .find(|(name, _)| *name == instruction)
        .ok_or_else(|| format!("`{instruction}` is no instruction"))?;
    let (mut all, mut rest) = (Vec::new(), line);
    loop {
        let (option, behind) = word(rest);
        let Some(bare) = option.strip_prefix("--") else {
            return Ok((all, rest));
        };
        let (name, value) = bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value)));
        let is_odd = |c: char| !c.is_ascii() || ['"', '\'', '\\', '`'].contains(&c);
        if !known.contains(&name) || option.contains(is_odd) || (value.is_none() && !SWITCHES.contains(&name)) {
            return Err(format!("the option `{option}` of {instruction} is not known"));
        }
        all.push((name, value.unwrap_or_default()));
        rest = behind;
    }
}

/// Words, in which quoted white space may be; nothing where a quote has no end or a character is escaped.
fn quoted_words(line: &str) -> Option<Vec<&str>> {
    let (mut words, mut rest) = (Vec::new(), line.trim_start_matches([' ', '\t']));
    while !rest.is_empty() {
        let mut quote = None;
        let end = rest.find(|c| {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '"' || c == '\'' => quote = Some(c),
                _ => {}
            }
            quote.is_none() && (c == ' ' || c == '\t')
        });
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        if quote.is_some() || word.contains(['\\', '`']) {
            return None;
        }
        words.push(word);
        rest = behind.trim_start_matches([' ', '\t']);
    }
    Some(words)
}

/// Whether an argument is there without being given: those of platforms and proxies, and the builder's own.
fn is_given(name: &str) -> bool {
    let platform = name.strip_prefix("TARGET").or_else(|| name.strip_prefix("BUILD"));
    platform.is_some_and(|of| ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT", "STAGE"].contains(&of))
        || name.to_ascii_uppercase().ends_with("_PROXY")
        || name.starts_with("BUILDKIT_")
        || name == "SOURCE_DATE_EPOCH"
}

/// A text with arguments put in: `$NAME`, `${NAME}`, `${NAME:-otherwise}`.
fn replaced(text: &str, arguments: &Arguments) -> Result<String, String> {
    if text.contains(['"', '\'', '\\', '`']) {
        return Err(format!("`{text}` is quoted"));
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (inside, end) = match after.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or_else(|| format!("`{text}` has no end"))?,
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        let (name, otherwise) = inside.split_once(":-").map_or((inside, None), |(name, value)| (name, Some(value)));
        if !is_name(name) || otherwise.is_some_and(|otherwise| otherwise.contains(['$', '{'])) {
            return Err(format!("`{text}` is not clear"));
        }
        let value =
            arguments.get(name).cloned().unwrap_or(Ok(None))?.filter(|value| otherwise.is_none() || !value.is_empty());
        let value = value.or_else(|| otherwise.map(str::to_owned)).filter(|_| !is_given(name));
        out.push_str(&value.ok_or_else(|| format!("`{text}` takes {name} from whoever builds"))?);
        rest = end;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests;
