//! "Did you mean".

use model::Finding;

/// Longer words are not typing mistakes.
const MAX_WORD: usize = 40;
/// In shorter words one letter more or less makes quite another word.
const MIN_WORD: usize = 3;

/// The candidate a word was probably meant to be, if one is near enough.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let word = plain(word);
    let letters = word.chars().count();
    let scored =
        candidates.into_iter().map(|candidate| (strsim::damerau_levenshtein(&word, &plain(candidate)), candidate));
    let limit = if letters < MIN_WORD { 0 } else { letters / 3 };
    scored
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, candidate)| candidate)
}

/// Proposes one of the few words accepted, which the finding's message names and its place is to hold.
pub fn choose(finding: Finding, near: Option<&str>, accepted: &[&str]) -> Finding {
    match near {
        Some(word) => finding.help(format!("did you mean `{word}`?")).replace_by(word),
        None => finding.help(format!("write {}", choice(accepted))),
    }
}

/// What there is, as a sentence of a help.
pub fn there<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => "there is none".to_owned(),
        [one] => format!("there is only `{one}`"),
        all => format!("there are {}", listed(all.iter().copied())),
    }
}

/// `a, b or c`, each between backticks.
pub fn choice(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

/// The first names of several, for messages.
pub fn listed<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    const SHOWN: usize = 30;
    let mut names = names.into_iter();
    let shown: Vec<&str> = names.by_ref().take(SHOWN).collect();
    let more = names.count();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let fields = ["packages", "system_packages", "run", "files"];
        assert_eq!(nearest("pakcages", fields), Some("packages"));
        assert_eq!(nearest("System-Packages", fields), Some("system_packages"));
        assert_eq!(nearest("fil", fields), None);
        assert_eq!(nearest("dockerfile", fields), None);
        assert_eq!(nearest("rum", fields), Some("run"));
        assert_eq!(nearest("RUN", fields), Some("run"));
        assert_eq!(nearest("ru", fields), None);
        assert_eq!(nearest("To", ["to"]), Some("to"));
        assert_eq!(nearest(&"x".repeat(1_000_000), fields), None);
    }

    #[test]
    fn choices_read_as_a_sentence() {
        assert_eq!(choice(&["a"]), "`a`");
        assert_eq!(choice(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
