//! Brackets in brackets: the parser tries each as a comprehension and then as a list, so that every level doubles its work.

/// What a text may cost at most: nineteen brackets in one another, or thousands of rules.
const MOST: u64 = 1 << 19;

/// Where brackets begin to lie so deep in one another that the text would be read for too long: an offset in bytes.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    // What is in each open bracket so far; the first is the text.
    let mut open = vec![0_u64];
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'#' => drop(bytes.find(|(_, byte)| *byte == b'\n')),
            b'`' => drop(bytes.find(|(_, byte)| *byte == b'`')),
            b'"' => loop {
                match bytes.next() {
                    Some((_, b'\\')) => drop(bytes.next()),
                    None | Some((_, b'"' | b'\n')) => break,
                    Some(_) => {}
                }
            },
            b'[' | b'{' => open.push(0),
            b']' | b'}' => {
                let inner = if open.len() > 1 { open.pop() } else { None };
                if let (Some(inner), Some(outer)) = (inner, open.last_mut()) {
                    *outer = outer.saturating_add(inner.saturating_mul(2).saturating_add(1));
                    if *outer > MOST {
                        return Some(at);
                    }
                }
            }
            _ => {}
        }
        // Those that nobody closes are tried all the same.
        if open.len() > 20 {
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
}
