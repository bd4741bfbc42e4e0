//! Which image of one lock is which of another. A lock names no images; it says what each asked for.

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::lock::{Answer, Asked, Lock};

use super::facts::Facts;

type Entry<'l> = (&'l Digest, &'l Answer);

/// An image before and after.
pub(super) struct Pair<'l> {
    pub(super) before: Option<Entry<'l>>,
    pub(super) after: Option<Entry<'l>>,
}

/// Images that ask the same are one. Of the others, those are taken for one whose questions differ in one field, where no
/// third comes into question; and what is left of both, if that is one of each.
pub(super) fn pairs<'l>(before: &'l Lock, after: &'l Lock) -> Vec<Pair<'l>> {
    let mut pairs = Vec::new();
    let only = |lock: &'l Lock, other: &Lock| -> BTreeMap<&'l Digest, &'l Answer> {
        lock.answers.iter().filter(|(asked, _)| !other.answers.contains_key(asked)).collect()
    };
    let mut open = [only(before, after), only(after, before)];
    for old in &before.answers {
        pairs.extend(after.answers.get_key_value(old.0).map(|new| Pair { before: Some(old), after: Some(new) }));
    }
    let without: [fn(&mut Asked); 6] = [
        |asked| asked.version = None,
        |asked| asked.packages.clear(),
        |asked| asked.system_packages.clear(),
        |asked| asked.no_binary.clear(),
        |asked| asked.architectures.clear(),
        |asked| *asked = Asked::default(),
    ];
    for without in without {
        let [old, new] = [0, 1].map(|side| alike(open.get(side), without));
        for (rest, old) in &old {
            if let ([old], Some([new])) = (old.as_slice(), new.get(rest).map(Vec::as_slice)) {
                for (open, (asked, _)) in open.iter_mut().zip([old, new]) {
                    open.remove(asked);
                }
                pairs.push(Pair { before: Some(*old), after: Some(*new) });
            }
        }
    }
    let [old, new] = open;
    pairs.extend(old.into_iter().map(|old| Pair { before: Some(old), after: None }));
    pairs.extend(new.into_iter().map(|new| Pair { before: None, after: Some(new) }));
    pairs
}

/// Answers by their questions without a field.
fn alike<'l>(
    open: Option<&BTreeMap<&'l Digest, &'l Answer>>,
    without: fn(&mut Asked),
) -> BTreeMap<Digest, Vec<Entry<'l>>> {
    let mut alike: BTreeMap<Digest, Vec<Entry>> = BTreeMap::new();
    for (asked, answer) in open.into_iter().flatten() {
        let mut rest = answer.asked.clone();
        without(&mut rest);
        alike.entry(rest.digest()).or_default().push((asked, answer));
    }
    alike
}

/// What was asked.
pub(super) fn facts(asked: &Asked) -> Facts {
    let mut facts = Facts::default();
    asked.language.iter().for_each(|language| facts.put("language", language.clone()));
    asked.version.iter().for_each(|version| facts.put("version", version.clone()));
    if asked.from_source {
        facts.put("runtime", "compiled from its release".to_owned());
    }
    facts.put_all(asked.packages.iter().map(|entry| format!("package {entry}")));
    facts.put_all(asked.system_packages.iter().map(|entry| format!("system package {entry}")));
    facts.put_all(asked.no_binary.iter().map(|name| format!("built here {name}")));
    facts.put_all(asked.architectures.iter().map(|arch| format!("architecture {arch}")));
    facts
}

/// What the images of a lock are called: by what tells each from the others.
pub(super) fn names(lock: &Lock) -> BTreeMap<&Digest, String> {
    let words = |asked: &Asked| -> Vec<String> {
        let language = asked.language.iter().map(|language| match &asked.version {
            Some(version) => format!("{language} {version}"),
            None => language.clone(),
        });
        language.chain(asked.packages.clone()).chain(asked.system_packages.clone()).collect()
    };
    let images = lock.answers.values().filter(|answer| !answer.asked.toolchain);
    let mut all = images.map(|answer| words(&answer.asked).into_iter().collect::<BTreeSet<_>>());
    let first = all.next().unwrap_or_default();
    let common = all.fold(first, |common, words| common.intersection(&words).cloned().collect());
    let name = |asked: &Asked| {
        let own: Vec<String> = words(asked).into_iter().filter(|word| !common.contains(word)).collect();
        if own.is_empty() { "nothing more".to_owned() } else { own.join(" ") }
    };
    let called = |asked: &Asked| match asked.toolchain {
        true => format!("toolchain of {}", words(asked).join(" ")),
        false => format!("image with {}", name(asked)),
    };
    lock.answers.iter().map(|(digest, answer)| (digest, called(&answer.asked))).collect()
}
