//! Templates that come with the compiler; an image extends one as `stdlib:NAME`.

const TEMPLATES: &[(&str, &str)] = &[
    ("debian-service", include_str!("../templates/debian-service.yaml")),
    ("python-service", include_str!("../templates/python-service.yaml")),
];

/// The text of a template.
pub fn text(name: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Their names, sorted.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    TEMPLATES.iter().map(|(name, _)| *name)
}
