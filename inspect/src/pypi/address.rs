use std::convert::Infallible;
use std::fmt;
use std::path::Path;

use pep508_rs::Pep508Url;

/// Where a requirement says a package is (`name @ address`), as written. The library's own type would put variables of the machine's
/// environment into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pep508Url for Address {
    type Err = Infallible;

    fn parse_url(text: &str, _: Option<&Path>) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use pep508_rs::{Requirement, VersionOrUrl};

    use super::*;

    #[test]
    fn nothing_of_the_machine_gets_into_an_address() {
        let requirement = Requirement::<Address>::from_str("a @ https://example.com/${HOME}/a.whl").unwrap();
        let Some(VersionOrUrl::Url(address)) = requirement.version_or_url else { panic!("it is no address") };
        assert_eq!(address.to_string(), "https://example.com/${HOME}/a.whl");
    }
}
