//! What would take the parser too long or too deep: it tries each bracket as a comprehension and then as a list, so that every level
//! doubles its work, and goes one level deeper for each link of a chain: `1 + 1 + 1`, `a.b.c`, `((1))`.

/// What a text may cost at most: nineteen brackets in one another, or thousands of rules.
const MOST: u64 = 1 << 19;
/// Brackets in one another at most.
const DEEPEST: usize = 20;
/// Signs between the parts of one expression at most.
const LONGEST: usize = 500;

/// An open bracket, or the whole text.
#[derive(Default)]
struct Open {
    cost: u64,
    /// Signs in its expression so far.
    signs: usize,
    /// Open parentheses in it.
    parentheses: usize,
    /// Whether the last thing in it was a sign, so that the expression goes on.
    goes_on: bool,
    /// Whether a line has ended since the last thing in it.
    ended: bool,
}

impl Open {
    /// A name, number or text. A line that begins with one, after one that did not end with a sign, is another statement.
    fn word(&mut self) {
        if std::mem::take(&mut self.ended) {
            self.signs = 0;
        }
        self.goes_on = false;
    }
}

/// Whether the word `in` begins there, which is a sign between two parts.
fn is_in(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    let after = text.get(at..).and_then(|rest| rest.strip_prefix("in")?.chars().next());
    before.is_none_or(|c| !is_word(c)) && after.is_some_and(|c| !is_word(c))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where brackets begin to lie so deep in one another, or an expression gets so long, that the text is not read: an offset in bytes.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let mut open = vec![Open::default()];
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let last = open.last_mut()?;
        match byte {
            b'#' => {
                bytes.find(|(_, byte)| *byte == b'\n');
                last.ended = !last.goes_on;
            }
            b'`' => {
                bytes.find(|(_, byte)| *byte == b'`');
                last.word();
            }
            b'"' => {
                loop {
                    match bytes.next() {
                        Some((_, b'\\')) => drop(bytes.next()),
                        None | Some((_, b'"' | b'\n')) => break,
                        Some(_) => {}
                    }
                }
                last.word();
            }
            b'\n' => last.ended = !last.goes_on,
            // Arguments belong to the expression that the call is a part of.
            b',' | b';' => {
                if last.parentheses == 0 {
                    last.signs = 0;
                }
            }
            b'(' => {
                last.signs += 1;
                last.parentheses += 1;
            }
            b')' => {
                last.parentheses = last.parentheses.saturating_sub(1);
                last.goes_on = false;
            }
            b'i' if is_in(text, at) => last.signs += 1,
            b'[' | b'{' => {
                last.signs += 1;
                open.push(Open::default());
            }
            b']' | b'}' => {
                let inner = if open.len() > 1 { open.pop() } else { None };
                if let (Some(inner), Some(outer)) = (inner, open.last_mut()) {
                    outer.goes_on = false;
                    outer.cost = outer.cost.saturating_add(inner.cost.saturating_mul(2).saturating_add(1));
                    if outer.cost > MOST {
                        return Some(at);
                    }
                }
            }
            _ if byte.is_ascii_punctuation() && byte != b'_' => {
                last.signs += 1;
                last.ended = false;
                last.goes_on = true;
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => last.word(),
        }
        // Those that nobody closes are tried all the same.
        if open.len() > DEEPEST || open.last().is_some_and(|open| open.signs > LONGEST) {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_brackets_are_found_and_those_in_texts_are_none() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(too_deep(&nested(18)), None);
        assert!(too_deep(&nested(20)).is_some());
        assert!(too_deep(&"[".repeat(21)).is_some());
        assert!(too_deep(&format!("[{}]", nested(15).repeat(20))).is_some());
        assert_eq!(too_deep(&"x {[a], [b], {c}}\n".repeat(10_000)), None);
        assert_eq!(too_deep(&format!("# {}\n\"\\\"{}\" `{}`", nested(30), nested(30), nested(30))), None);
        assert_eq!(too_deep("]}]}"), None);
    }

    #[test]
    fn long_expressions_are_found_and_many_short_ones_are_none() {
        for link in [" in 1", "+f(1,1)", "+1", "+\n1", "\n+ 1", "-", ".b", "[0]", ".b[0]", "(", " # and\n + 1", "| {}"]
        {
            assert!(too_deep(&format!("x := a{}", link.repeat(600))).is_some(), "{link}");
            assert_eq!(too_deep(&format!("x := a{}", link.repeat(200))), None, "{link}");
        }
        assert_eq!(too_deep(&"x := a.b + 1\n".repeat(1000)), None);
        assert_eq!(too_deep(&format!("x if {{\n{}}}", "\ta.b == 1; c[0] > -1\n\tf(x, y)\n".repeat(1000))), None);
        assert_eq!(too_deep(&"x := [y]\nz := f(x)\n`a`\n".repeat(1000)), None);
        assert_eq!(too_deep(&format!("x := [{}]", "a.b + 1, ".repeat(1000))), None);
        assert_eq!(too_deep(&format!("x := \"{}\"", "+".repeat(1000))), None);
    }
}
