use super::text::{Say, Text, set};
use crate::yaml::Asked;

/// `sources: {official: required, signed: […], expired: forbidden}`: about who vouches for the bytes, not about where they were
/// fetched from.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let package = "some number, part in input.packages";
    let about = [("package", "part.purl")];
    if asked.word("official").is_some() {
        text.deny(
            &[package, "part.verified == \"unsigned-upstream\""],
            Say {
                rule: "sources.official",
                msg: "sprintf(\"nobody vouches for %s\", [part.purl])",
                fact: "[\"packages\", number]",
                remedy: "\"take it from an index that is asked over TLS, or from a signed release\"",
                more: &about,
            },
        );
    }
    if let Some(signed) = asked.words("signed") {
        // What is compiled here comes from a source release.
        let names = signed.iter().map(|name| if name == "source" { "upstream".to_owned() } else { name.clone() });
        let names: Vec<String> = names.collect();
        text.deny(
            &[
                package,
                &format!("part.source in {}", set(&names)),
                "part.verified in {\"index-hash\", \"unsigned-upstream\"}",
            ],
            Say {
                rule: "sources.signed",
                msg: "sprintf(\"no signature vouches for %s\", [part.purl])",
                fact: "[\"packages\", number]",
                remedy: "\"take a version that its publisher signed\"",
                more: &about,
            },
        );
    }
    if asked.word("expired").is_some() {
        text.deny(
            &[package, "part.expired_accepted"],
            Say {
                rule: "sources.expired",
                msg: "sprintf(\"the signed index that vouches for %s had expired\", [part.purl])",
                fact: "[\"packages\", number]",
                remedy: "\"lock anew from a source whose indexes are current\"",
                more: &about,
            },
        );
    }
}
