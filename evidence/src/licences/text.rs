use std::collections::BTreeSet;

use spdx::detection::{Store, TextData};

/// Longer texts are not compared: it takes more than proportionally long, and no licence is.
const LONGEST: usize = 96 << 10;
/// How much of the pairs of words a text and a licence share, at least, of 1: what the comparing library's authors use.
const ENOUGH: f32 = 0.9;
/// From here on a whole text is one licence.
const WHOLE: f32 = 0.98;
/// How many licences are looked for in one text.
const MOST: usize = 4;

/// The licences on SPDX's list, by their texts.
pub(super) struct Texts(Store);

impl Texts {
    pub(super) fn shipped() -> Self {
        // The cache is a part of the library: one that cannot be read is no cache, and no text is known then.
        Self(Store::load_inline().unwrap_or_default())
    }

    /// The licences whose texts are in a text. Names that share a text (GPL-2.0-only, GPL-2.0-or-later) are one: [`base`].
    pub(super) fn within(&self, text: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if text.len() > LONGEST {
            return found;
        }
        let mut rest = TextData::new(text);
        for _ in 0..MOST {
            let Some((score, name, licence)) = self.nearest(&rest) else { break };
            if score >= WHOLE {
                found.insert(base(name).to_owned());
                break;
            }
            let (part, score) = rest.optimize_bounds(licence);
            if score < ENOUGH {
                break;
            }
            found.insert(base(name).to_owned());
            rest = part.white_out();
        }
        found
    }

    /// The licence nearest to a text; of several as near, the first by name.
    fn nearest(&self, text: &TextData) -> Option<(f32, &str, &TextData)> {
        let all = self.0.iter().flat_map(|(name, licence)| {
            let variants = std::iter::once(&licence.original).chain(&licence.alternates).chain(&licence.headers);
            variants.map(move |variant| (variant.match_score(text), name.as_str(), variant))
        });
        all.max_by(|(score, name, _), (other, others, _)| score.total_cmp(other).then_with(|| others.cmp(name)))
    }
}

/// A licence without what its text does not tell: whether later versions may be chosen.
pub(super) fn base(name: &str) -> &str {
    ["-only", "-or-later", "+"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISC: &str = include_str!("text/isc.txt");
    const MIT: &str = include_str!("text/mit.txt");

    #[test]
    fn texts_are_known_alone_and_one_after_another_and_other_words_are_none() {
        let texts = Texts::shipped();
        let within = |text: &str| texts.within(text).into_iter().collect::<Vec<_>>();
        assert_eq!(within(MIT), ["MIT"]);
        assert_eq!(within(&format!("This is about fruit.\n\n{ISC}")), ["ISC"]);
        assert_eq!(within(&format!("{MIT}\n\n----\n\n{ISC}")), ["ISC", "MIT"]);
        assert!(within("You may use this as you like.\n").is_empty());
        assert!(within("").is_empty());
        assert!(within(&MIT.repeat(200)).is_empty());
    }

    #[test]
    fn later_versions_have_the_same_text() {
        assert_eq!(base("GPL-2.0-or-later"), "GPL-2.0");
        assert_eq!(base("GPL-2.0-only"), "GPL-2.0");
        assert_eq!(base("MIT"), "MIT");
    }
}
