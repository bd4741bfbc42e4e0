//! The rules that a policy in YAML can have: data that reading, lowering and documentation share.

/// What a field of a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any number of these words, or of any where there are none.
    Words(&'static [&'static str]),
    /// Any number of licences, as SPDX spells them.
    Licences,
    /// Any number of SHA-256 digests.
    Digests,
    /// A number of things, so many at most.
    Number(u64),
    /// Any number of signing identities.
    Identities,
}

/// One field of a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
}

/// One rule: a field of `rules`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// The word that may stand for all its fields.
    pub(crate) word: Option<&'static str>,
    pub(crate) fields: &'static [Field],
}

const REQUIRED: Form = Form::Word(&["required"]);
const FORBIDDEN: Form = Form::Word(&["forbidden"]);
/// What inspection can prove of an ELF file.
pub(crate) const HARDENING: &[&str] = &["control-flow", "fortify", "now", "nx", "pie", "relro", "stack-protector"];
const ATTESTATIONS: &[&str] =
    &["custom", "licences", "sbom", "slsa-provenance", "test-report", "vex", "vulnerabilities"];
/// What configurations may name under `base`, now or later.
const LANGUAGES: &[&str] = &["go", "java", "node", "python", "ruby", "rust"];
const MANY: Form = Form::Number(1_000_000);
const SIGNED: &[&str] = &["debian", "pypi", "source"];

macro_rules! field {
    ($name:literal, $form:expr) => {
        Field { name: $name, form: $form }
    };
}

/// Every rule there is, in the order of their names.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "attestations", word: None, fields: &[field!("require", Form::Words(ATTESTATIONS))] },
    Rule { name: "fips", word: Some("required"), fields: &[] },
    Rule { name: "gates", word: None, fields: &[field!("passed", Form::Word(&["all"]))] },
    Rule {
        name: "hardening",
        word: None,
        fields: &[
            field!("profile", Form::Words(&["maximum", "none", "standard"])),
            field!("require", Form::Words(HARDENING)),
        ],
    },
    Rule { name: "languages", word: None, fields: &[field!("allow", Form::Words(LANGUAGES))] },
    Rule {
        name: "licenses",
        word: None,
        fields: &[
            field!("allow", Form::Licences),
            field!("deny", Form::Licences),
            field!("unknown", Form::Word(&["allow", "deny"])),
        ],
    },
    Rule {
        name: "provenance",
        word: None,
        fields: &[
            field!("builders", Form::Words(&[])),
            field!("emulated", FORBIDDEN),
            field!("hermetic", REQUIRED),
            field!("level", Form::Number(3)),
            field!("reproducible", REQUIRED),
            field!("source", REQUIRED),
        ],
    },
    Rule {
        name: "runtime",
        word: None,
        fields: &[
            field!("health_check", REQUIRED),
            field!("privileged_ports", FORBIDDEN),
            field!("read_only_root", REQUIRED),
            field!("root", FORBIDDEN),
            field!("secrets", FORBIDDEN),
            field!("setuid", FORBIDDEN),
            field!("shell", FORBIDDEN),
        ],
    },
    Rule {
        name: "signatures",
        word: None,
        fields: &[field!("identities", Form::Identities), field!("keys", Form::Digests)],
    },
    Rule {
        name: "sources",
        word: None,
        fields: &[field!("expired", FORBIDDEN), field!("official", REQUIRED), field!("signed", Form::Words(SIGNED))],
    },
    Rule { name: "tests", word: None, fields: &[field!("declared", REQUIRED), field!("passed", REQUIRED)] },
    Rule {
        name: "versions",
        word: None,
        fields: &[field!("forbid_tags", Form::Words(&[])), field!("pinned", REQUIRED)],
    },
    Rule {
        name: "vulnerabilities",
        word: None,
        fields: &[
            field!("critical", MANY),
            field!("high", MANY),
            field!("kev", MANY),
            field!("low", MANY),
            field!("medium", MANY),
            field!("unfixed", Form::Word(&["allow", "count"])),
            field!("unknown", MANY),
        ],
    },
];
