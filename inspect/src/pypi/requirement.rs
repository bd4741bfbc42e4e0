/// Why a text is no requirement, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRequirement {
    /// What was expected.
    pub message: String,
    /// Where, in bytes.
    pub start: usize,
    /// Of how many bytes.
    pub len: usize,
}

/// Where name, extras and the space after them end. pep508_rs panics on names and extras that end in `-`, `_` or `.`,
/// and reads the environment for what looks like a path, so whoever gives it a text finds both here first.
///
/// # Errors
/// What was expected there.
pub fn requirement_head(text: &str) -> Result<usize, UnreadableRequirement> {
    let skip = |at: usize| at + text.get(at..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    let word = |at: usize, what: &str| {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let proper = word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.ends_with(|c: char| c.is_ascii_alphanumeric());
        if proper {
            return Ok(at + end);
        }
        let message = format!("expected {what}: letters and digits, with `-`, `_` or `.` only between them");
        Err(UnreadableRequirement { message, start: at, len: end.max(1).min(rest.len()) })
    };
    let mut at = skip(word(skip(0), "the name of a project")?);
    if text.get(at..).is_some_and(|rest| rest.starts_with('[')) {
        at = skip(at + 1);
        while !text.get(at..).is_some_and(|rest| rest.starts_with(']')) {
            at = skip(word(at, "the name of an extra")?);
            if text.get(at..).is_some_and(|rest| rest.starts_with(',')) {
                at = skip(at + 1);
            } else if !text.get(at..).is_some_and(|rest| rest.starts_with(']')) {
                return Err(UnreadableRequirement {
                    message: "expected `,` or `]` after an extra".to_owned(),
                    start: at,
                    len: 1,
                });
            }
        }
        at = skip(at + 1);
    }
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        None | Some('@' | '(' | '<' | '=' | '>' | '~' | '!' | ';') => Ok(at),
        Some(c) => Err(UnreadableRequirement {
            message: format!("expected a version clause such as `>=1.0`, or `;`, found `{c}`"),
            start: at,
            len: 1,
        }),
    }
}
