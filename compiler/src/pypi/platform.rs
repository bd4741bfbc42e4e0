//! What a wheel must fit: one architecture of the image, as PEP 425, 513, 571, 599, 600 and 508 describe it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use inspect::pypi::WheelName;
use model::Arch;
use pep508_rs::pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::Environment;

/// The names manylinux platforms had before PEP 600, with the glibc they stand for.
const LEGACY: [(&str, u32); 3] = [("manylinux1", 5), ("manylinux2010", 12), ("manylinux2014", 17)];

/// One architecture of the image.
#[derive(Clone, Debug)]
pub(super) struct Platform {
    pub(super) arch: Arch,
    pub(super) python: Version,
    pub(super) markers: MarkerEnvironment,
    minor: u64,
    glibc: (u32, u32),
    /// Platform tags by preference.
    platforms: BTreeMap<String, usize>,
}

/// How well a tag fits: less is better. The order of `packaging.tags.sys_tags`.
pub(super) type Rank = (usize, usize);

/// Why a wheel does not fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Misfit {
    /// Made for another processor.
    Machine(String),
    /// Made for another operating system.
    System(&'static str),
    /// Linked with musl.
    Musl,
    /// Needs a newer glibc than the base has.
    Glibc(u32, u32),
    /// A Linux platform without a C library's version.
    Unstated,
    /// Made for another Python.
    Python(String),
}

impl Platform {
    /// `None` if the Python version is none.
    pub(super) fn new(arch: Arch, environment: &Environment) -> Option<Self> {
        let python = Version::from_str(&environment.python).ok()?;
        let (3, minor) = (*python.release().first()?, *python.release().get(1)?) else { return None };
        let line = format!("3.{minor}");
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &environment.python,
            os_name: "posix",
            platform_machine: arch.machine(),
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: &environment.python,
            python_version: &line,
            sys_platform: "linux",
        })
        .ok()?;
        let platforms = platforms(arch, environment.glibc).into_iter().enumerate().map(|(at, tag)| (tag, at)).collect();
        Some(Self { arch, python, markers, minor, glibc: environment.glibc, platforms })
    }

    /// Whether the Python fits `Requires-Python`. What cannot be read limits nothing, as pip has it.
    pub(super) fn suits(&self, requires_python: &str) -> bool {
        VersionSpecifiers::from_str(requires_python).map_or(true, |specifiers| specifiers.contains(&self.python))
    }

    /// How well a wheel fits, by the best of its tags.
    pub(super) fn rank(&self, wheel: &WheelName) -> Result<Rank, BTreeSet<Misfit>> {
        let ranks = wheel.tags().filter_map(|(python, abi, platform)| self.tag_rank(python, abi, platform));
        ranks.min().ok_or_else(|| self.misfits(wheel))
    }

    fn tag_rank(&self, python: &str, abi: &str, platform: &str) -> Option<Rank> {
        // 4 places are before the older abi3 and `pyXY` ones, which count down from the running minor version.
        let minor = usize::try_from(self.minor).ok()?;
        let older = |text: &str| minor.checked_sub(number(text)?);
        let own = python.strip_prefix("cp3").and_then(number) == Some(minor);
        let pure = |python: &str| match python {
            "py3" => Some(1),
            _ => older(python.strip_prefix("py3")?).map(|back| if back == 0 { 0 } else { back + 1 }),
        };
        let group = match (abi, platform) {
            ("none", "any") if own => 4 + 2 * minor + 4,
            ("none", "any") => 4 + 2 * minor + 5 + pure(python)?,
            (_, "any") => return None,
            ("none", _) if own => 2,
            ("none", _) => 4 + minor + 1 + pure(python)?,
            ("abi3", _) => match older(python.strip_prefix("cp3")?)? {
                0 => 1,
                back if minor - back >= 2 => 2 + back,
                _ => return None,
            },
            _ if own && abi == python => 0,
            _ => return None,
        };
        let place = if platform == "any" { 0 } else { *self.platforms.get(platform)? };
        Some((group, place))
    }

    fn misfits(&self, wheel: &WheelName) -> BTreeSet<Misfit> {
        let platforms: Vec<Result<(), Misfit>> = wheel.platforms.iter().map(|tag| self.platform_fits(tag)).collect();
        if platforms.iter().any(Result::is_ok) {
            let abis = wheel.abis.iter().filter(|abi| !matches!(abi.as_str(), "none" | "abi3"));
            let names: BTreeSet<&String> = abis.collect();
            let names = if names.is_empty() { wheel.pythons.iter().collect() } else { names };
            return names.into_iter().map(|name| Misfit::Python(name.clone())).collect();
        }
        platforms.into_iter().filter_map(Result::err).collect()
    }

    fn platform_fits(&self, tag: &str) -> Result<(), Misfit> {
        if tag == "any" || self.platforms.contains_key(tag) {
            return Ok(());
        }
        let system = match tag.split('_').next().unwrap_or_default() {
            "win" | "win32" => "Windows",
            "macosx" => "macOS",
            "android" => "Android",
            "ios" => "iOS",
            "linux" | "manylinux" | "manylinux1" | "manylinux2010" | "manylinux2014" | "musllinux" => "Linux",
            _ => "another system",
        };
        if system != "Linux" {
            return Err(Misfit::System(system));
        }
        if !tag.ends_with(&format!("_{}", self.arch.machine())) {
            return Err(Misfit::Machine(machine(tag).to_owned()));
        }
        if tag.starts_with("musllinux") {
            return Err(Misfit::Musl);
        }
        let mut numbers = tag.split('_').skip(1).map_while(|part| part.parse().ok());
        match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) => Err(Misfit::Glibc(major, minor)),
            _ => Err(Misfit::Unstated),
        }
    }

    /// A misfit as the end of "there are wheels …".
    pub(super) fn describe(&self, misfits: &BTreeSet<&Misfit>) -> Vec<String> {
        let mut machines = BTreeSet::new();
        let mut systems = BTreeSet::new();
        let mut pythons = BTreeSet::new();
        let mut words = Vec::new();
        for misfit in misfits {
            match misfit {
                Misfit::Machine(name) => drop(machines.insert(name.clone())),
                Misfit::System(name) => drop(systems.insert((*name).to_owned())),
                Misfit::Python(name) => drop(pythons.insert(name.clone())),
                Misfit::Musl => words.push("for musl (the base is glibc)".to_owned()),
                Misfit::Glibc(..) => {}
                Misfit::Unstated => words.push("for Linux without saying for which glibc".to_owned()),
            }
        }
        let oldest = misfits.iter().find_map(|misfit| match misfit {
            Misfit::Glibc(major, minor) => Some((*major, *minor)),
            _ => None,
        });
        if let Some((major, minor)) = oldest {
            let (base_major, base_minor) = self.glibc;
            words.insert(0, format!("for glibc {major}.{minor} or later (the base has {base_major}.{base_minor})"));
        }
        for names in [machines, systems, pythons].into_iter().filter(|names| !names.is_empty()) {
            let shown: Vec<String> = names.iter().take(6).cloned().collect();
            let more = names.len().saturating_sub(6);
            let end = if more > 0 { format!(" and {more} more") } else { String::new() };
            words.push(format!("for {}{end}", shown.join(", ")));
        }
        words
    }
}

/// Platform tags by preference: from the base's glibc down to the oldest the architecture ever had.
fn platforms(arch: Arch, (major, minor): (u32, u32)) -> Vec<String> {
    let machine = arch.machine();
    let oldest = match arch {
        Arch::Amd64 => 5,
        Arch::Arm64 => 17,
    };
    let mut tags = Vec::new();
    if major != 2 {
        return tags;
    }
    for minor in (oldest..=minor).rev() {
        tags.push(format!("manylinux_2_{minor}_{machine}"));
        tags.extend(LEGACY.iter().filter(|(_, of)| *of == minor).map(|(name, _)| format!("{name}_{machine}")));
    }
    tags
}

/// A number as tags write it.
fn number(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// The processor of a Linux platform tag.
fn machine(tag: &str) -> &str {
    let rest = tag
        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    if rest.is_empty() { tag } else { rest }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn platform(arch: Arch) -> Platform {
        Platform::new(arch, &Environment { python: "3.13.5".into(), glibc: (2, 41) }).unwrap()
    }

    pub(in crate::pypi) fn environment() -> MarkerEnvironment {
        platform(Arch::Amd64).markers
    }

    fn wheel(tags: &str) -> WheelName {
        WheelName::parse(&format!("a-1-{tags}.whl")).unwrap()
    }

    fn why(arch: Arch, tags: &str) -> String {
        let platform = platform(arch);
        platform.describe(&platform.rank(&wheel(tags)).unwrap_err().iter().collect()).join("; ")
    }

    /// As `packaging.tags.sys_tags()` of CPython 3.13 on glibc 2.41 orders them (its free-threaded ABI aside).
    #[test]
    fn better_tags_come_first() {
        let order = [
            "cp313-cp313-manylinux_2_41_x86_64",
            "cp313-cp313-manylinux_2_17_x86_64",
            "cp313-cp313-manylinux2014_x86_64",
            "cp313-cp313-manylinux_2_16_x86_64",
            "cp313-cp313-manylinux2010_x86_64",
            "cp313-cp313-manylinux1_x86_64",
            "cp313-abi3-manylinux_2_41_x86_64",
            "cp313-none-manylinux_2_41_x86_64",
            "cp312-abi3-manylinux_2_41_x86_64",
            "cp312-abi3-manylinux1_x86_64",
            "cp311-abi3-manylinux_2_41_x86_64",
            "cp32-abi3-manylinux_2_17_x86_64",
            "py313-none-manylinux_2_17_x86_64",
            "py3-none-manylinux_2_17_x86_64",
            "py312-none-manylinux_2_17_x86_64",
            "py30-none-manylinux_2_17_x86_64",
            "cp313-none-any",
            "py313-none-any",
            "py3-none-any",
            "py312-none-any",
            "py30-none-any",
        ];
        let platform = platform(Arch::Amd64);
        let ranks: Vec<Rank> = order.iter().map(|tags| platform.rank(&wheel(tags)).unwrap()).collect();
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
        let compressed = platform.rank(&wheel("py2.py3-none-any")).unwrap();
        assert_eq!(compressed, ranks[18]);
    }

    #[test]
    fn what_does_not_fit_says_why() {
        assert_eq!(why(Arch::Arm64, "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64"), "for x86_64");
        assert_eq!(why(Arch::Amd64, "cp313-cp313-musllinux_1_2_x86_64"), "for musl (the base is glibc)");
        assert_eq!(why(Arch::Arm64, "cp313-cp313-musllinux_1_2_x86_64"), "for x86_64");
        assert_eq!(
            why(Arch::Amd64, "cp313-cp313-manylinux_2_42_x86_64"),
            "for glibc 2.42 or later (the base has 2.41)"
        );
        assert_eq!(why(Arch::Amd64, "cp313-cp313-linux_x86_64"), "for Linux without saying for which glibc");
        assert_eq!(why(Arch::Amd64, "cp313-cp313-win_amd64"), "for Windows");
        assert_eq!(why(Arch::Amd64, "cp313-cp313-macosx_11_0_arm64"), "for macOS");
        assert_eq!(why(Arch::Amd64, "cp314-cp314-manylinux_2_17_x86_64"), "for cp314");
        assert_eq!(why(Arch::Amd64, "cp313-cp313t-manylinux_2_17_x86_64"), "for cp313t");
        assert_eq!(why(Arch::Amd64, "cp314-abi3-manylinux_2_17_x86_64"), "for cp314");
        assert_eq!(why(Arch::Amd64, "py2-none-any"), "for py2");
        assert_eq!(why(Arch::Amd64, "pp310-pypy310_pp73-manylinux_2_17_x86_64"), "for pypy310_pp73");
        assert_eq!(why(Arch::Arm64, "cp313-cp313-manylinux1_i686"), "for i686");
        assert_eq!(why(Arch::Amd64, "cp3013-cp3013-manylinux_2_17_x86_64"), "for cp3013");
    }

    #[test]
    fn arm64_never_had_an_older_glibc_than_2_17() {
        assert!(platform(Arch::Arm64).rank(&wheel("cp313-cp313-manylinux2014_aarch64")).is_ok());
        assert!(platform(Arch::Arm64).rank(&wheel("cp313-cp313-manylinux2010_aarch64")).is_err());
    }

    #[test]
    fn requires_python_is_read_as_pip_does() {
        let platform = platform(Arch::Amd64);
        assert!(platform.suits(">=3.8,<4"));
        assert!(platform.suits(""));
        assert!(platform.suits("not a specifier"));
        assert!(!platform.suits(">=3.14"));
        assert!(!platform.suits("!=3.13.*"));
    }
}
