//! What a server asks of who wants in (RFC 9110 §11.6.1).

/// One way in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token that another server gives (RFC 6750 §3).
    Bearer { realm: String, service: Option<String> },
}

/// The best way in among the headers of an answer: a token, else a password.
pub(crate) fn chosen<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Challenge> {
    let mut found: Vec<Challenge> = headers.filter_map(one).collect();
    let token = found.iter().position(|challenge| *challenge != Challenge::Basic);
    token.map(|at| found.swap_remove(at)).or_else(|| found.pop())
}

fn one(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    let mut rest = rest;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim().trim_start_matches(',').trim().to_ascii_lowercase();
        let (value, after) = value(after);
        match name.as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge::Bearer { realm: realm?, service })
}

/// A value, in quotes or without, and what follows.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let (value, rest) = text.split_once(',').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_servers_write_them() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.into(), service: service.map(str::to_owned) })
        };
        for (headers, expected) in [
            (
                vec![
                    "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push\"",
                ],
                bearer("https://auth.example/token", Some("registry.example")),
            ),
            (vec!["bearer scope=x, realm = \"a \\\"b\\\" c\""], bearer("a \"b\" c", None)),
            (vec!["Basic realm=\"x\""], Some(Challenge::Basic)),
            (vec!["Basic realm=\"x\"", "Bearer realm=\"y\""], bearer("y", None)),
            (vec!["Negotiate", "Basic"], Some(Challenge::Basic)),
            (vec!["Bearer"], None),
            (vec!["Bearer service=\"unfinished"], None),
            (vec![], None),
        ] {
            assert_eq!(chosen(headers.iter().copied()), expected, "{headers:?}");
        }
    }
}
