use super::text::{Say, Text, set};
use crate::yaml::Asked;

/// `versions: {pinned: required, forbid_tags: […]}`: about what the author declared, not about what was locked.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    if asked.word("pinned").is_some() {
        text.deny(
            &["some number, requirement in input.requirements", "not requirement.pinned"],
            Say {
                rule: "versions.pinned",
                msg: "sprintf(\"`%s` admits several versions\", [requirement.text])",
                fact: "[\"requirements\", number]",
                remedy: "\"name the one version that is meant: the lock says which it is today\"",
                more: &[("name", "requirement.name")],
            },
        );
        text.deny(
            &["input.base.language", "not input.base.pinned"],
            Say {
                rule: "versions.pinned",
                msg: "sprintf(\"version `%s` of %s admits several versions\", [input.base.declared, input.base.language])",
                fact: "[\"base\", \"declared\"]",
                remedy: "\"name the one version that is meant: the lock says which it is today\"",
                more: &[("name", "input.base.language")],
            },
        );
    }
    if let Some(tags) = asked.words("forbid_tags") {
        let tags = set(tags);
        text.deny(
            &[&format!("input.base.declared in {tags}")],
            Say {
                rule: "versions.forbid_tags",
                msg: "sprintf(\"the version `%s` means another one each day\", [input.base.declared])",
                fact: "[\"base\", \"declared\"]",
                remedy: "\"name the one version that is meant: the lock says which it is today\"",
                more: &[("tag", "input.base.declared")],
            },
        );
        text.deny(
            &["some tag in input.image.tags", &format!("tag in {tags}")],
            Say {
                rule: "versions.forbid_tags",
                msg: "sprintf(\"the tag `%s` means another image each day\", [tag])",
                fact: "[\"image\", \"tags\"]",
                remedy: "\"use a tag that stays, or the digest\"",
                more: &[("tag", "tag")],
            },
        );
    }
}
