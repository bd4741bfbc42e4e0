use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;

/// The longest file name that is looked at.
const LONGEST: usize = 255;
/// The most tag combinations one wheel may stand for.
const COMBINATIONS: usize = 512;

/// A project name as indexes compare it (PEP 503): lower case, runs of `-`, `_` and `.` as one `-`.
pub fn normalize(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

/// The name of a wheel, taken apart (PEP 427).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WheelName {
    /// Normalised project name.
    pub name: String,
    /// Version.
    pub version: Version,
    /// Build tag: number and rest; of otherwise equal wheels the greatest is preferred, none is least.
    pub build: Option<(u64, String)>,
    /// Python tags (`cp313`, `py3`).
    pub pythons: Vec<String>,
    /// ABI tags (`cp313`, `abi3`, `none`).
    pub abis: Vec<String>,
    /// Platform tags (`manylinux_2_17_x86_64`, `any`).
    pub platforms: Vec<String>,
}

impl WheelName {
    /// Takes a file name apart; `None` if it is not the name of a wheel.
    pub fn parse(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".whl").filter(|_| file.len() <= LONGEST && plain(file))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match *parts.as_slice() {
            [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
            [name, version, build, python, abi, platform] => {
                (name, version, Some(build_tag(build)?), [python, abi, platform])
            }
            _ => return None,
        };
        let [pythons, abis, platforms] =
            tags.map(|tag| tag.split('.').map(str::to_ascii_lowercase).collect::<Vec<_>>());
        let sets = [&pythons, &abis, &platforms];
        let combinations = sets.iter().map(|set| set.len()).product::<usize>();
        if name.is_empty() || combinations > COMBINATIONS || sets.iter().any(|set| set.iter().any(String::is_empty)) {
            return None;
        }
        Some(Self { name: normalize(name), version: version_in(version)?, build, pythons, abis, platforms })
    }

    /// Every tag the wheel stands for: Python, ABI and platform.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.pythons.iter().flat_map(move |python| {
            self.abis.iter().flat_map(move |abi| {
                self.platforms.iter().map(move |platform| (python.as_str(), abi.as_str(), platform.as_str()))
            })
        })
    }

    /// Orders two wheels that fit equally well: the greater one is preferred.
    pub fn cmp_build(&self, other: &Self) -> Ordering {
        self.build.cmp(&other.build)
    }
}

/// What kind of file a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A wheel.
    Wheel(Box<WheelName>),
    /// A source distribution of this version.
    Source(Version),
    /// Neither; nothing a package is installed from today.
    Other,
}

impl FileKind {
    /// The kind of a file on the page of the project `name` (normalised). Files of other projects are [`FileKind::Other`].
    pub fn of(file: &str, name: &str) -> Self {
        if file.ends_with(".whl") {
            let wheel = WheelName::parse(file).filter(|wheel| wheel.name == name);
            return wheel.map_or(FileKind::Other, |wheel| FileKind::Wheel(Box::new(wheel)));
        }
        let endings = [".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"];
        let stem = endings.iter().find_map(|ending| file.strip_suffix(ending));
        let stem = stem.filter(|stem| file.len() <= LONGEST && plain(stem)).unwrap_or_default();
        // Old names hold `-` on either side of the one that parts name and version.
        let parted = stem.match_indices('-').find_map(|(at, _)| {
            let (before, after) = (stem.get(..at)?, stem.get(at + 1..)?);
            version_in(after).filter(|_| normalize(before) == name)
        });
        parted.map_or(FileKind::Other, FileKind::Source)
    }

    /// The version, of files that have one.
    pub fn version(&self) -> Option<&Version> {
        match self {
            FileKind::Wheel(wheel) => Some(&wheel.version),
            FileKind::Source(version) => Some(version),
            FileKind::Other => None,
        }
    }
}

/// File names end up in paths and package URLs, so only harmless characters are accepted.
fn plain(file: &str) -> bool {
    file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+!-~".contains(&byte))
}

fn build_tag(text: &str) -> Option<(u64, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text.get(..end)?.parse().ok()?, text.get(end..)?.to_owned()))
}

/// In file names `_` stands for `-` (PEP 427).
fn version_in(text: &str) -> Option<Version> {
    Version::from_str(text).or_else(|_| Version::from_str(&text.replace('_', "-"))).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(file: &str) -> String {
        let wheel = WheelName::parse(file).unwrap();
        let tags: Vec<String> =
            wheel.tags().map(|(python, abi, platform)| format!("{python}-{abi}-{platform}")).collect();
        tags.join(" ")
    }

    #[test]
    fn names_are_normalised() {
        assert_eq!(normalize("Zope.Interface__x--y"), "zope-interface-x-y");
    }

    #[test]
    fn a_wheel_name_is_taken_apart() {
        let wheel = WheelName::parse("Some_Pkg-1.0.post1-2b-py2.py3-none-any.whl").unwrap();
        assert_eq!(wheel.name, "some-pkg");
        assert_eq!(wheel.version.to_string(), "1.0.post1");
        assert_eq!(wheel.build, Some((2, "b".to_owned())));
        assert_eq!(tags("Some_Pkg-1.0.post1-2b-py2.py3-none-any.whl"), "py2-none-any py3-none-any");
        assert_eq!(
            tags("a-1+local.1-cp313-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
            "cp313-abi3-manylinux_2_17_x86_64 cp313-abi3-manylinux2014_x86_64"
        );
    }

    #[test]
    fn a_greater_build_is_preferred_by_number() {
        let wheel = |build: &str| WheelName::parse(&format!("a-1-{build}py3-none-any.whl")).unwrap();
        assert_eq!(wheel("10-").cmp_build(&wheel("9-")), Ordering::Greater);
        assert_eq!(wheel("").cmp_build(&wheel("0-")), Ordering::Less);
    }

    #[test]
    fn other_names_are_refused() {
        let many = vec!["py3"; 40].join(".");
        for bad in [
            "a-1-py3-none-any.zip",
            "a-1-py3-none.whl",
            "a-1-x-py3-none-any.whl",
            "a-not.a.version-py3-none-any.whl",
            "-1-py3-none-any.whl",
            "a-1-py3..py2-none-any.whl",
            "../a-1-py3-none-any.whl",
            "a-1-py3-none-any\u{e9}.whl",
            &format!("a-1-{many}-{many}-any.whl"),
        ] {
            assert_eq!(WheelName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn source_distributions_are_recognised_by_the_projects_name() {
        let version = |file, name| FileKind::of(file, name).version().map(ToString::to_string);
        assert_eq!(version("my-pkg-1.0.tar.gz", "my-pkg").as_deref(), Some("1.0"));
        assert_eq!(version("my_pkg-1.0-1.zip", "my-pkg").as_deref(), Some("1.0.post1"));
        assert_eq!(version("other-1.0.tar.gz", "my-pkg"), None);
        assert_eq!(version("my_pkg-1.0-py3-none-any.whl", "other"), None);
        assert_eq!(version("my_pkg-1.0.exe", "my-pkg"), None);
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic(file in "\\PC{0,40}(-[a-z0-9_.+!]{0,9}){0,6}(\\.whl|\\.tar\\.gz|)") {
            let kind = FileKind::of(&file, &normalize(&file));
            prop_assert!(kind == FileKind::Other || kind.version().is_some());
            WheelName::parse(&file);
        }
    }
}
