//! Hardening profiles: the flags to compile with, and what is demanded of the result.

use std::collections::{BTreeMap, BTreeSet};

use model::hardening::{Demand, Profile as Demands};
use model::{Arch, Finding};
use serde::Deserialize;

/// Every profile and level of optimisation there is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardening {
    #[serde(rename = "profile")]
    profiles: BTreeMap<String, Profile>,
    optimization: BTreeMap<String, Optimization>,
}

/// A hardening profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    #[serde(default)]
    compiled: BTreeSet<Demand>,
    #[serde(default)]
    prebuilt: BTreeSet<Demand>,
    /// C and C++.
    #[serde(default)]
    compile: Vec<String>,
    #[serde(default)]
    c: Vec<String>,
    #[serde(default)]
    cxx: Vec<String>,
    #[serde(default)]
    preprocess: Vec<String>,
    #[serde(default)]
    link: Vec<String>,
    #[serde(default)]
    amd64: Additional,
    #[serde(default)]
    arm64: Additional,
}

/// Flags for one architecture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Additional {
    compile: Vec<String>,
}

/// A level of optimisation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimization {
    /// What the compiler is told.
    pub flags: Vec<String>,
    /// Whether the checks of `_FORTIFY_SOURCE` work at this level.
    #[serde(default = "yes")]
    pub fortifies: bool,
}

fn yes() -> bool {
    true
}

/// What a build is given in its environment: one argument of a command line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// `CFLAGS`.
    pub cflags: Vec<String>,
    /// `CXXFLAGS`.
    pub cxxflags: Vec<String>,
    /// `CPPFLAGS`, for C and C++.
    pub cppflags: Vec<String>,
    /// `LDFLAGS`, for programs and libraries.
    pub ldflags: Vec<String>,
}

impl Flags {
    /// The environment variables, each with its flags separated by spaces; a variable without flags is empty.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("CFLAGS", self.cflags.join(" ")),
            ("CPPFLAGS", self.cppflags.join(" ")),
            ("CXXFLAGS", self.cxxflags.join(" ")),
            ("LDFLAGS", self.ldflags.join(" ")),
        ]
    }
}

impl Hardening {
    /// The profiles as shipped.
    pub fn shipped() -> Result<Self, Finding> {
        crate::read("stdlib/hardening.toml", include_str!("../hardening.toml"))
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(name)
    }

    /// Names of the profiles, sorted.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// The level of optimisation of this name.
    pub fn optimization(&self, name: &str) -> Option<&Optimization> {
        self.optimization.get(name)
    }

    /// Names of the levels of optimisation, sorted.
    pub fn optimizations(&self) -> impl Iterator<Item = &str> {
        self.optimization.keys().map(String::as_str)
    }
}

impl Profile {
    /// What is demanded.
    pub fn demands(&self) -> Demands {
        Demands { compiled: self.compiled.clone(), prebuilt: self.prebuilt.clone() }
    }

    /// The flags for an architecture.
    pub fn flags(&self, arch: Arch, optimization: &Optimization) -> Flags {
        let additional = match arch {
            Arch::Amd64 => &self.amd64,
            Arch::Arm64 => &self.arm64,
        };
        let flags = |own: &[String]| [&optimization.flags, &self.compile, &additional.compile, own].concat();
        Flags {
            cflags: flags(&self.c),
            cxxflags: flags(&self.cxx),
            cppflags: self.preprocess.clone(),
            ldflags: self.link.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(profile: &str, arch: Arch) -> Flags {
        let hardening = Hardening::shipped().unwrap();
        hardening.profile(profile).unwrap().flags(arch, hardening.optimization("O2").unwrap())
    }

    #[test]
    fn none_optimises_and_no_more() {
        let expected =
            Flags { cflags: vec!["-O2".into()], cxxflags: vec!["-O2".into()], cppflags: vec![], ldflags: vec![] };
        assert!(Arch::ALL.into_iter().all(|arch| flags("none", arch) == expected));
    }

    #[test]
    fn standard_is_what_the_distribution_uses() {
        let [cflags, cppflags, cxxflags, ldflags] = flags("standard", Arch::Amd64).environment();
        let common = "-O2 -g -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security";
        assert_eq!(cflags.1, format!("{common} -fcf-protection -Werror=implicit-function-declaration"));
        assert_eq!(cxxflags, ("CXXFLAGS", format!("{common} -fcf-protection")));
        assert_eq!(cppflags, ("CPPFLAGS", "-Wdate-time -D_FORTIFY_SOURCE=2".into()));
        assert_eq!(ldflags, ("LDFLAGS", "-Wl,-z,relro -Wl,-z,now".into()));
        let arm = flags("standard", Arch::Arm64).cxxflags.join(" ");
        assert_eq!(arm, format!("{common} -mbranch-protection=standard"));
    }

    #[test]
    fn only_maximum_demands_and_less_of_what_comes_compiled() {
        let hardening = Hardening::shipped().unwrap();
        assert_eq!(hardening.profiles().collect::<Vec<_>>(), ["maximum", "none", "standard"]);
        for name in ["none", "standard"] {
            assert_eq!(hardening.profile(name).unwrap().demands(), Demands::default(), "{name}");
        }
        let maximum = hardening.profile("maximum").unwrap().demands();
        assert_eq!(maximum.prebuilt, [Demand::Pie, Demand::Relro, Demand::Nx].into());
        assert!(maximum.compiled.is_superset(&maximum.prebuilt));
        let unasked: Vec<_> = Demand::ALL.into_iter().filter(|demand| !maximum.compiled.contains(demand)).collect();
        assert_eq!(unasked, [Demand::ControlFlow, Demand::ImageCryptography]);
    }

    #[test]
    fn whatever_maximum_demands_it_has_a_flag_for() {
        for arch in Arch::ALL {
            let Flags { cflags, cxxflags, cppflags, ldflags } = flags("maximum", arch);
            for (list, flag) in [
                (&ldflags, "-Wl,-z,relro"),
                (&ldflags, "-Wl,-z,now"),
                (&ldflags, "-Wl,-z,noexecstack"),
                (&ldflags, "-Wl,-z,text"),
                (&cflags, "-fstack-protector-all"),
                (&cxxflags, "-fstack-protector-all"),
                (&cxxflags, "-D_GLIBCXX_ASSERTIONS"),
                (&cppflags, "-D_FORTIFY_SOURCE=3"),
            ] {
                assert!(list.contains(&flag.into()), "{arch}: {flag}");
            }
            // they would break libraries
            for flag in cflags.iter().chain(&cxxflags).chain(&ldflags) {
                assert!(!["-fPIE", "-pie", "-shared", "-static"].contains(&flag.as_str()), "{flag}");
            }
        }
        assert!(flags("maximum", Arch::Amd64).cflags.contains(&"-fcf-protection=full".into()));
        assert!(flags("maximum", Arch::Arm64).cflags.contains(&"-mbranch-protection=standard".into()));
    }

    #[test]
    fn without_optimisation_nothing_is_fortified() {
        let hardening = Hardening::shipped().unwrap();
        let levels: Vec<_> = hardening.optimizations().collect();
        assert_eq!(levels, ["O0", "O1", "O2", "O3", "Og", "Os"]);
        for name in levels {
            let level = hardening.optimization(name).unwrap();
            assert_eq!(level.flags, [format!("-{name}")]);
            assert_eq!(level.fortifies, name != "O0");
        }
        assert!(hardening.optimization("Ofast").is_none() && hardening.profile("most").is_none());
    }
}
