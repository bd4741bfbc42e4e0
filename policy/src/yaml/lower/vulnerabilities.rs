use super::text::{Say, Text};
use crate::yaml::Asked;

const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "unknown"];

/// `vulnerabilities: {critical: 0, high: 4, kev: 0, unfixed: allow}`: at most so many of each. What does not affect the image, as its
/// publisher says, does not count.
pub(super) fn lower(asked: &Asked, text: &mut Text) {
    let mut conditions = vec!["not vulnerability.status in {\"fixed\", \"not-affected\"}"];
    if asked.word("unfixed") == Some("allow") {
        conditions.push("vulnerability.fixed");
    }
    text.helper(&format!("counts(vulnerability) if {{\n\t{}\n}}", conditions.join("\n\t")));
    let limits = SEVERITIES.map(|severity| (severity, format!("vulnerability.severity == \"{severity}\"")));
    let limits = limits.into_iter().chain([("kev", "vulnerability.kev".to_owned())]);
    for (name, condition) in limits {
        let Some(most) = asked.number(name) else { continue };
        let found = format!(
            "found := {{[vulnerability.id, vulnerability.package] | some vulnerability in input.vulnerabilities; {condition}; counts(vulnerability)}}"
        );
        let what = if name == "kev" { "exploited".to_owned() } else { format!("of severity {name}") };
        text.deny(
            &[&found, &format!("count(found) > {most}"), "some [id, purl] in found"],
            Say {
                rule: &format!("vulnerabilities.{name}"),
                msg: &format!("sprintf(\"%s in %s is {what}; at most {most} such are allowed\", [id, purl])"),
                fact: "[\"vulnerabilities\"]",
                remedy: "\"update the package, or state why it does not affect the image\"",
                more: &[("cve", "id"), ("package", "purl"), ("at_most", &most.to_string())],
            },
        );
    }
}
