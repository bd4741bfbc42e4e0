//! The tools that are in the root of a build.

use model::Finding;
use serde::Deserialize;

/// Every tool there is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchains {
    /// Debian suites that have a toolchain.
    pub suites: Vec<String>,
    /// The tools.
    #[serde(rename = "tool")]
    tools: Vec<Tool>,
}

/// A tool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    /// Debian package.
    package: String,
    /// Languages whose builds have it.
    languages: Vec<String>,
    /// What it is there for.
    #[cfg_attr(not(test), expect(dead_code, reason = "for people; reading the file checks that it is there"))]
    why: String,
}

impl Toolchains {
    /// The toolchains as shipped.
    pub fn shipped() -> Result<Self, Finding> {
        crate::read("stdlib/toolchains.toml", include_str!("../toolchains.toml"))
    }

    /// The packages a build for a language has, before what they depend on; empty if nothing is built for it.
    pub fn packages(&self, language: &str) -> impl Iterator<Item = &str> {
        let of_language = move |tool: &&Tool| tool.languages.iter().any(|known| known == language);
        self.tools.iter().filter(of_language).map(|tool| tool.package.as_str())
    }
}

/// Whether a package fetches or installs others, or is how they do: none of these is in the root of a build.
#[cfg(test)]
pub(crate) fn fetches(package: &str) -> bool {
    const REFUSED: &str = "apt aria2 busybox ca-certificates cargo curl dpkg git mercurial npm openssh-client perl rsync \
                           subversion wget";
    REFUSED.split_whitespace().any(|refused| refused == package)
        || package.starts_with("python3-pip")
        || package.starts_with("libcurl")
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Toolchains {
        pub(crate) fn has(&self, package: &str) -> bool {
            self.tools.iter().any(|tool| tool.package == package)
        }
    }

    #[test]
    fn a_language_has_a_compiler_and_what_links_with_it_and_an_unknown_one_has_nothing() {
        let toolchains = Toolchains::shipped().unwrap();
        for language in ["go", "python"] {
            let packages: Vec<&str> = toolchains.packages(language).collect();
            assert!(["gcc", "libc6-dev", "binutils", "dash"].iter().all(|package| packages.contains(package)));
        }
        assert!(toolchains.packages("go").any(|package| package == "bash"));
        assert!(!toolchains.packages("python").any(|package| package == "bash"));
        assert_eq!(toolchains.packages("cobol").count(), 0);
    }

    #[test]
    fn nothing_that_fetches_or_installs_is_a_tool_and_each_says_why_it_is_there_once() {
        let toolchains = Toolchains::shipped().unwrap();
        for (index, tool) in toolchains.tools.iter().enumerate() {
            assert!(!fetches(&tool.package), "{}", tool.package);
            assert!(tool.why.len() > 20 && !tool.languages.is_empty(), "{}", tool.package);
            assert!(toolchains.tools[..index].iter().all(|other| other.package != tool.package), "{}", tool.package);
        }
        assert!(["curl", "git", "python3-pip", "perl", "libcurl4t64"].iter().all(|package| fetches(package)));
        assert!(!fetches("perl-base") && !fetches("gcc"));
    }
}
