//! The brackets of a text that is no YAML: which are open at a break, and what would close them.

use super::build::Break;

/// The brackets before a break.
pub(super) struct Brackets {
    /// Those that are open, outermost first.
    pub(super) open: Vec<usize>,
    /// One that closes another kind.
    pub(super) wrong: Option<usize>,
}

impl Brackets {
    /// Those the parser has told of, and those of the text it was reading.
    pub(super) fn scan(text: &str, broken: &Break) -> Self {
        let mut open = broken.open.clone();
        let from = broken.read.max(open.last().map_or(0, |open| open + 1));
        let to = broken.at.max(from);
        // A bracket that is never closed is a break at the bracket.
        let is_first = |rest: &&str| {
            let before = text.get(..broken.at).and_then(|before| before.chars().next_back());
            rest.starts_with(['[', '{']) && before.is_none_or(|c| c.is_whitespace() || matches!(c, ',' | '[' | '{'))
        };
        let line = text.get(broken.at..).filter(is_first).and_then(|rest| rest.lines().next());
        let to = line.map_or(to, |line| broken.at + line.len()).max(from);
        let mut wrong = None;
        let (mut quote, mut fresh, mut comment) = (None, true, false);
        for (at, c) in text.get(from..to).unwrap_or_default().char_indices() {
            match (quote, c) {
                (_, '\n') => (quote, comment) = (None, false),
                _ if comment => {}
                (None, '#') if fresh => comment = true,
                (None, '"' | '\'') if fresh => quote = Some(c),
                (Some(closes), c) if c == closes => quote = None,
                (None, '[' | '{') if fresh => open.push(from + at),
                (None, ']' | '}') => match open.last() {
                    Some(last) if closer(text, *last) == c => drop(open.pop()),
                    Some(_) => {
                        wrong = Some(from + at);
                        break;
                    }
                    None => {}
                },
                _ => {}
            }
            fresh = c.is_whitespace() || matches!(c, ',' | '[' | '{' | ':' | '-');
        }
        let wrong = wrong.or_else(|| {
            // The parser tells of it at the bracket that it does not close.
            let end = matching(text, *open.last()?)? - 1;
            let closed = text.get(end..).and_then(|rest| rest.chars().next());
            (closed != open.last().map(|open| closer(text, *open))).then_some(end)
        });
        Self { open, wrong }
    }
}

/// Where the text behind the bracket starts that closes the one at a place.
pub(super) fn matching(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (at, c) in text.get(open..)?.char_indices() {
        match (quote, c) {
            (Some(closes), c) if c == closes => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(open + at + c.len_utf8());
        }
    }
    None
}

/// What closes the bracket at a place.
pub(super) fn closer(text: &str, open: usize) -> char {
    if text.get(open..).is_some_and(|rest| rest.starts_with('[')) { ']' } else { '}' }
}
