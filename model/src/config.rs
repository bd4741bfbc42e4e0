//! An image configuration after it was read and checked: every field typed, every value with its span.

use std::collections::BTreeMap;

use crate::{Arch, Span, Spanned};

/// An image, as its author declared it. The long and the short form read to the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Image name: lower-case letters, digits and single `.`, `_`, `-` between them.
    pub name: Spanned<String>,
    /// One sentence for people.
    pub description: Option<Spanned<String>>,
    /// The language runtime, or none.
    pub base: Base,
    /// How it is built.
    pub flags: BuildFlags,
    /// Requirements in the language's own syntax, in the order written.
    pub packages: Vec<Spanned<String>>,
    /// Debian packages by name with an optional version relation.
    pub system_packages: Vec<Spanned<SystemPackage>>,
    /// Debian packages that are there only while something of the image is built.
    pub build_packages: Vec<Spanned<SystemPackage>>,
    /// The application.
    pub source: Option<Source>,
    /// Commands besides those of the application.
    pub scripts: Scripts,
    /// Single files placed into the image.
    pub files: Vec<PlacedFile>,
    /// PEM files whose certificates the image trusts besides the public ones.
    pub certificates: Vec<Spanned<String>>,
    /// Policies that the image has to meet: files and folders beside the configuration, and `stdlib:NAME`.
    pub policies: Vec<Spanned<String>>,
    /// How the image starts.
    pub run: Run,
    /// Architectures to build, sorted, each once.
    pub architectures: Vec<Arch>,
    /// What it has besides what is declared.
    pub variant: Variant,
    /// Places in registries it is sent to; in each it has its own name.
    pub registries: Vec<Spanned<String>>,
    /// The image's own version, for tag and labels.
    pub version: Option<Spanned<String>>,
    /// Words about the image.
    pub metadata: Metadata,
    /// The whole document.
    pub span: Span,
}

impl Config {
    /// Whether the language's runtime is compiled here: where that is said, or else where a prebuilt one would not do.
    pub fn from_source(&self) -> bool {
        let is_asked = self.flags.hardening == Hardening::Maximum || self.fips();
        let default = if is_asked { Build::Source } else { Build::Prebuilt };
        self.base.language.is_some() && self.base.build.as_ref().map_or(default, |build| build.value) == Build::Source
    }

    /// Whether commands of the author's own run while the image is made.
    pub fn has_commands(&self) -> bool {
        let source = self.source.iter().flat_map(|source| source.build.iter().chain(&source.tests));
        source.chain(&self.scripts.pre_build).chain(&self.scripts.post_build).next().is_some()
    }

    /// Whether only cryptography of a FIPS 140 provider is to answer.
    pub fn fips(&self) -> bool {
        self.flags.fips.as_ref().is_some_and(|fips| fips.value)
    }
}

/// What the image stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The language, if any.
    pub language: Option<Spanned<Language>>,
    /// Which version of it; `None` exactly when there is no language.
    pub version: Option<Spanned<VersionWish>>,
    /// Where the language's runtime comes from, if that is said.
    pub build: Option<Spanned<Build>>,
}

/// Where a language's runtime comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// The distribution's signed packages.
    Prebuilt,
    /// Compiled here, from the official release.
    Source,
}

/// How what is compiled is built, and what is demanded of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildFlags {
    /// The hardening profile.
    pub hardening: Hardening,
    /// Only cryptography of a FIPS 140 provider answers.
    pub fips: Option<Spanned<bool>>,
    /// Symbols and debug information of what is compiled are kept apart from the image.
    pub strip: bool,
    /// Compiler's optimisation level, if it is not the profile's own.
    pub optimization: Option<String>,
    /// Packages of the language that are built here though others have built them: normalised names.
    pub no_binary: Vec<Spanned<String>>,
}

impl Default for BuildFlags {
    fn default() -> Self {
        Self { hardening: Hardening::default(), fips: None, strip: true, optimization: None, no_binary: Vec::new() }
    }
}

/// A hardening profile; the standard library says what each means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hardening {
    /// Nothing.
    None,
    /// The distribution's own flags.
    #[default]
    Standard,
    /// The full profile, demanded of everything that is compiled here.
    Maximum,
}

impl Hardening {
    /// As written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Hardening::None => "none",
            Hardening::Standard => "standard",
            Hardening::Maximum => "maximum",
        }
    }
}

/// A language whose images can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python, packages from PyPI.
    Python,
}

impl Language {
    /// As written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
        }
    }
}

/// What an image has besides what is declared; the standard library lists the packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Nothing.
    #[default]
    Prod,
    /// A shell and debuggers.
    Dev,
    /// Compilers.
    Builder,
}

impl Variant {
    /// Every variant there is.
    pub const ALL: [Variant; 3] = [Variant::Prod, Variant::Dev, Variant::Builder];

    /// As written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Prod => "prod",
            Variant::Dev => "dev",
            Variant::Builder => "builder",
        }
    }

    /// The variant of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }

    /// The name, where there is anything besides what is declared.
    pub fn unless_prod(self) -> Option<&'static str> {
        (self != Variant::Prod).then(|| self.name())
    }
}

/// A wanted language version. Kept as text: what it means is the language's own affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionWish {
    /// `3.13.5`: this one.
    Exact(String),
    /// `3.13`: the newest of this line.
    Line(String),
    /// `>=3.11,<3.14`: the newest inside.
    Range(String),
    /// `latest`: the newest there is.
    Latest,
}

impl VersionWish {
    /// As written.
    pub fn text(&self) -> &str {
        match self {
            VersionWish::Exact(text) | VersionWish::Line(text) | VersionWish::Range(text) => text,
            VersionWish::Latest => "latest",
        }
    }
}

/// A Debian package the author asks for: `tzdata`, `libpq5 (>= 15)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackage {
    /// Package name, possibly virtual.
    pub name: String,
    /// Relation and version, if limited.
    pub relation: Option<(Relation, String)>,
}

/// A Debian version relation (Debian Policy §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`
    LaterOrEqual,
    /// `>>`
    Later,
}

impl Relation {
    /// As written in a control file.
    pub fn symbol(self) -> &'static str {
        match self {
            Relation::Earlier => "<<",
            Relation::EarlierOrEqual => "<=",
            Relation::Equal => "=",
            Relation::LaterOrEqual => ">=",
            Relation::Later => ">>",
        }
    }
}

/// The application: a directory beside the configuration, or a commit of a repository, that goes into the image as the
/// commands leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where its files are.
    pub place: Place,
    /// Absolute directory in the image; the commands start there.
    pub to: Spanned<String>,
    /// What builds it.
    pub build: Vec<Command>,
    /// What must succeed before there is an image; nothing these leave behind goes into it.
    pub tests: Vec<Command>,
    /// Packages of the language that the commands use and the image does not have.
    pub tools: Vec<Spanned<String>>,
}

/// Where an application's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A directory, relative to the configuration.
    Folder(Spanned<String>),
    /// A commit of a git repository.
    Git {
        /// Where the repository is had.
        url: Spanned<String>,
        /// The commit's whole name: 40 or 64 hexadecimal digits.
        commit: Spanned<String>,
    },
}

/// An argument vector; never empty.
pub type Command = Vec<String>;

/// Commands besides those of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// Run where the application is, before what builds it.
    pub pre_build: Vec<Command>,
    /// Run over the whole image; what they leave in [`crate::plan::OUT`] goes into it besides.
    pub post_build: Vec<Command>,
}

/// One file placed into the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedFile {
    /// What it holds.
    pub content: Content,
    /// Absolute path in the image.
    pub to: Spanned<String>,
    /// Permission bits, 0644 unless given.
    pub mode: u32,
}

/// What a placed file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// What a file holds, named relative to the configuration.
    File(Spanned<String>),
    /// A text of the configuration itself.
    Text(Spanned<String>),
}

/// How the image starts; becomes the OCI image configuration.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Run {
    /// Fixed start of the command line.
    pub entrypoint: Vec<String>,
    /// Default rest of the command line.
    pub command: Vec<String>,
    /// Numeric user, 65532 unless given.
    pub user: Option<Spanned<u32>>,
    /// Absolute working directory.
    pub workdir: Option<Spanned<String>>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Documented TCP ports.
    pub ports: Vec<u16>,
    /// How whoever runs it learns that it works.
    pub health: Option<Health>,
    /// It works on a root file system nobody may write to, and is to be started with one.
    pub read_only_root: bool,
}

/// A request that an image in good health answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Absolute path of an HTTP request.
    pub http: String,
    /// TCP port.
    pub port: u16,
}

/// Words about the image; they become OCI annotations.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Who answers for it.
    pub owner: Option<String>,
    /// Names of the regimes the owner says it is under.
    pub compliance: Vec<String>,
    /// Address of its documentation.
    pub documentation: Option<String>,
}
