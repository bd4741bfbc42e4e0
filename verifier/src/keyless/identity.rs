//! Who is trusted to sign: what a certificate says of its owner, and who says so.

use std::fmt;

use regex::RegexBuilder;

/// Bytes of a regular expression, and of what it becomes.
const LONGEST: usize = 4 << 10;
const LARGEST: usize = 1 << 20;

/// A signer without a key of its own: whom the certificate names, and who had asked that one to log in. Neither says
/// anything without the other, for everybody may run an issuer that names whom they like.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The address of mail or URI that the certificate is about (`--certificate-identity` of cosign).
    pub subject: Expected,
    /// The OpenID Connect issuer (`--certificate-oidc-issuer` of cosign).
    pub issuer: Expected,
}

/// What a text has to be.
#[derive(Clone, Debug)]
pub struct Expected(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Exact(String),
    Regexp { pattern: String, whole: regex::Regex },
}

impl Expected {
    /// This text, byte for byte.
    pub fn exact(text: &str) -> Self {
        Self(Kind::Exact(text.to_owned()))
    }

    /// A text that a regular expression matches *as a whole*. cosign looks for a match anywhere in the text, so that its
    /// `https://example.com/team` accepts `https://example.org/?https://example.com/team`; here that takes a `.*` that
    /// says so. The syntax is the one of Go (RE2); time is linear.
    ///
    /// # Errors
    /// Why it is no regular expression, or one that is too large.
    pub fn regexp(pattern: &str) -> Result<Self, String> {
        if pattern.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} bytes"));
        }
        let compiled = |pattern: &str| RegexBuilder::new(pattern).size_limit(LARGEST).build();
        // By itself first: `a)|(?:b` is none, and would become one that is not bound to both ends.
        let whole = compiled(pattern).and_then(|_| compiled(&format!(r"\A(?:{pattern})\z")));
        let whole = whole.map_err(|e| e.to_string().lines().last().unwrap_or_default().to_owned())?;
        Ok(Self(Kind::Regexp { pattern: pattern.to_owned(), whole }))
    }

    /// Whether a text is so.
    pub fn is(&self, found: &str) -> bool {
        match &self.0 {
            Kind::Exact(text) => text == found,
            Kind::Regexp { whole, .. } => whole.is_match(found),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Exact(text) => write!(f, "{text:?}"),
            Kind::Regexp { pattern, .. } => write!(f, "a text that {pattern:?} matches as a whole"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_text_is_that_text_alone() {
        let expected = Expected::exact("https://a.example/x");
        assert!(expected.is("https://a.example/x"));
        for other in ["https://a.example/", "https://a.example/xy", "https://a-example/x", "HTTPS://a.example/x", ""] {
            assert!(!expected.is(other), "{other}");
        }
    }

    #[test]
    fn a_regular_expression_matches_the_whole_or_not() {
        let team = Expected::regexp(r"https://a\.example/team/.*").unwrap();
        assert!(team.is("https://a.example/team/app"));
        for other in
            ["https://b.example/?https://a.example/team/app", "https://a.example/team/app\n", "https://axexample/team/"]
        {
            assert!(!team.is(other), "{other}");
        }
        let either = Expected::regexp("a|ab").unwrap();
        assert!(either.is("a") && either.is("ab") && !either.is("abc") && !either.is("ba"));
        let anchored = Expected::regexp("^a$").unwrap();
        assert!(anchored.is("a") && !anchored.is("a\na"));
        assert!(!Expected::regexp("(?m)^a$").unwrap().is("a\na"));
        assert!(!Expected::regexp("").unwrap().is("a"));
    }

    #[test]
    fn what_would_not_be_bound_to_both_ends_or_cost_too_much_is_refused() {
        for pattern in ["a)|(?:b", "(", "[", "(?x)a #", r"(\w{100}){100}", &"a".repeat(5000), r"(?<!a)b"] {
            assert!(Expected::regexp(pattern).is_err(), "{pattern}");
        }
    }
}
