//! What policies know, and the policies that come with the compiler; one is named as `stdlib:NAME`.

/// The JSON Schema of facts.
pub const FACTS: &str = include_str!("../policies/facts.schema.json");

const POLICIES: &[(&str, &str, &str)] = &[
    ("baseline", include_str!("../policies/baseline.yaml"), include_str!("../policies/baseline.cases.yaml")),
    ("cis-docker", include_str!("../policies/cis-docker.yaml"), include_str!("../policies/cis-docker.cases.yaml")),
    ("fedramp", include_str!("../policies/fedramp.yaml"), include_str!("../policies/fedramp.cases.yaml")),
    ("fips", include_str!("../policies/fips.yaml"), include_str!("../policies/fips.cases.yaml")),
    ("licences", include_str!("../policies/licences.yaml"), include_str!("../policies/licences.cases.yaml")),
    (
        "nist-800-190",
        include_str!("../policies/nist-800-190.yaml"),
        include_str!("../policies/nist-800-190.cases.yaml"),
    ),
    ("production", include_str!("../policies/production.yaml"), include_str!("../policies/production.cases.yaml")),
    ("slsa", include_str!("../policies/slsa.yaml"), include_str!("../policies/slsa.cases.yaml")),
];

/// The text of a policy.
pub fn text(name: &str) -> Option<&'static str> {
    POLICIES.iter().find(|(known, ..)| *known == name).map(|(_, text, _)| *text)
}

/// The cases that test a policy.
pub fn cases(name: &str) -> Option<&'static str> {
    POLICIES.iter().find(|(known, ..)| *known == name).map(|(.., cases)| *cases)
}

/// Their names, sorted.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    POLICIES.iter().map(|(name, ..)| *name)
}

/// Facts of a stage, of an image that every shipped policy accepts.
pub fn example(stage: &str) -> &'static str {
    match stage {
        "compile" => include_str!("../policies/example.compile.json"),
        "release" => include_str!("../policies/example.release.json"),
        _ => include_str!("../policies/example.deploy.json"),
    }
}
