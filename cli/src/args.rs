//! The command line, as `docs/src/reference/commands.md` describes it.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, value_parser};
use model::Arch;
use verify::Demands;

/// Turns a declaration into a container image that can be trusted.
#[derive(Parser)]
#[command(name = "clnstrt-cli", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How results and findings are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) machine: Machine,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: results on standard output, findings on standard error.
    Text,
    /// For programs: one document on standard output, the result or the findings.
    Json,
    /// Findings as SARIF 2.1.0, for code scanning; results as text.
    Sarif,
    /// Findings as workflow commands, which become annotations of a change; results as text.
    Github,
    /// The verdict of `verify` as JUnit reports tests; of other commands as text.
    Junit,
}

/// What belongs to the machine, not to the image.
#[derive(ClapArgs, Clone)]
pub(crate) struct Machine {
    /// Where an ecosystem's packages are had; several for one name are mirrors, tried in order.
    #[arg(long = "source", global = true, value_name = "NAME=URL")]
    pub(crate) sources: Vec<String>,
    /// The store; by default what CLNSTRT_STORE names, or one in the user's cache directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Open no connection.
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Seconds without a byte after which a server is given up.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 20, value_parser = value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Ask registries without TLS; those of this machine always are.
    #[arg(long, global = true)]
    pub(crate) plain_http: bool,
    /// The folder of the audit trail; by default what CLNSTRT_AUDIT names, or one in the user's state directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) audit: Option<PathBuf>,
    /// Why this is done, for the audit trail.
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check image configurations and templates.
    Validate {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Make the corrections that findings propose.
        #[arg(long)]
        fix: bool,
        #[command(flatten)]
        policies: PolicyArgs,
    },
    /// Write documents in the usual form: indentation, blank lines; comments stay.
    Fmt {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Change nothing, and fail where something would be changed.
        #[arg(long)]
        check: bool,
    },
    /// Say what differs between two locks, the plans of two batches, two images, or two folders of artifacts.
    Diff {
        /// The one before: a file, a folder, `oci:DIR`, or a name in a registry.
        before: String,
        /// The one after.
        after: String,
    },
    /// Write a configuration to start from.
    Init {
        /// Take packages from there: `requirements.txt` or `pyproject.toml`.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The file to write.
        #[arg(long, value_name = "FILE", default_value = "image.yaml")]
        output: PathBuf,
        /// The image's name; asked for on a terminal.
        #[arg(long)]
        name: Option<String>,
        /// The Python version or line; asked for on a terminal.
        #[arg(long, value_name = "VERSION")]
        python: Option<String>,
    },
    /// Print the JSON Schema of a kind of document, for editors.
    Schema {
        /// `image` or `template`.
        kind: String,
    },
    /// Print the images of a configuration with everything put in, and where each value came from.
    Expand {
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Resolve every dependency and write the lock next to the configuration.
    Lock {
        #[command(flatten)]
        config: ConfigArg,
        /// Choose anew: everything, or one package only.
        #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
        update: Option<String>,
        #[command(flatten)]
        policies: PolicyArgs,
    },
    /// Print the build plan as canonical JSON.
    Plan {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        choice: Choice,
        /// Write it there instead of to standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Build the image.
    Build {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        choice: Choice,
        /// The archive to write: `.tar.gz`, `.tgz` or `.tar`.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        execution: Execution,
        #[command(flatten)]
        releasing: Releasing,
    },
    /// Say why a package is in the image.
    Why {
        /// Its name.
        package: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Show what an image archive or OCI layout holds.
    Inspect {
        /// `oci:DIR`, an archive's path, or a name in a registry.
        reference: String,
    },
    /// Write the bill of materials of an image, whoever built it.
    GenerateSbom {
        /// `oci:DIR`, an archive's path, a name in a registry, or the folder that would be an image's root.
        reference: String,
        /// The file to write; the end of its name says in which form: `.cdx.json`, `.cdx.xml`, `.spdx.json`, `.spdx`, `.spdx.rdf.xml`.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// The form, whatever the file is called: `cyclonedx-json`, `cyclonedx-xml`, `spdx-json`, `spdx-tag-value`, `spdx-rdf`.
        #[arg(long = "form", value_name = "FORM")]
        form: Option<String>,
        /// Of several architectures, this one.
        #[arg(long, value_name = "ARCH")]
        arch: Option<String>,
    },
    /// Write what is known of an image, whoever built it, as a page for people; or its licences with their texts.
    GenerateReport {
        /// `oci:DIR`, an archive's path, a name in a registry, or the folder that would be an image's root.
        reference: String,
        /// The file to write: `.html` for the page, `.json` for the licences.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Say what a source tree asks for: its manifests and lock files, what is not pinned, and what nothing vouches for.
    AnalyzeDependencies {
        /// The folder of the source tree.
        folder: PathBuf,
    },
    /// Send images that lie here to registries, with all that refers to them.
    Push {
        /// `oci:DIR`, an archive's path, or a folder of archives as `build` writes it.
        from: String,
        /// `registry.example/team/app:1.2`; without a tag, the image's own; with `/` at the end, its own name as well.
        #[arg(required = true, value_name = "REF")]
        to: Vec<String>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Copy images with all that refers to them, from and to registries, layouts and archives.
    Copy {
        /// `registry.example/team/app:1.2`, or with a digest; or as for `push`.
        from: String,
        /// As for `push`; `oci:DIR` for a layout, and `FILE.tar` for an archive.
        #[arg(required = true, value_name = "REF")]
        to: Vec<String>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Check an image: its bytes, who signed it, and what they say of it. The same as `clnstrt-verify`.
    Verify {
        /// An image of a registry, a layout (`oci:DIR`), or an archive.
        #[arg(long, value_name = "REF")]
        image: String,
        #[command(flatten)]
        demands: Box<Demands>,
        /// Make the plan and the image again from this configuration, and compare both with what was signed.
        #[arg(long, value_name = "CONFIG")]
        reproduce: Option<PathBuf>,
    },
    /// Log in at a registry, and keep the account where docker keeps them.
    Login {
        /// Its host: `registry.example`, `registry.example:5000`.
        registry: String,
        /// The account's name; asked for on a terminal.
        #[arg(long, short, value_name = "NAME")]
        username: Option<String>,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Look after keys that sign.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Sign an image.
    Sign {
        /// `registry.example/team/app:1.2`, `oci:DIR`, an archive, or a digest.
        #[arg(long, value_name = "REF")]
        image: String,
        #[command(flatten)]
        signing: Signing,
        /// Write the image's digest to PREFIX.digest, and a signature over it to PREFIX.sig, in base64.
        #[arg(long, value_name = "PREFIX")]
        output_signature: Option<PathBuf>,
    },
    /// Sign what is said of an image.
    Attest {
        /// `registry.example/team/app:1.2`, `oci:DIR`, an archive, or a digest.
        #[arg(long, value_name = "REF")]
        image: String,
        #[command(flatten)]
        attesting: Attesting,
    },
    /// Put signatures that were made elsewhere beside the image they are of.
    Attach {
        /// `registry.example/team/app:1.2`, or `oci:DIR`.
        #[arg(long, value_name = "REF")]
        image: String,
        /// Bundles, as `--output-bundle` writes them.
        #[arg(required = true)]
        bundles: Vec<PathBuf>,
    },
    /// Show where packages come from on this machine, and where that was found.
    Sources,
    /// Show the keys upstreams are believed by.
    Trust,
    /// Look after the store.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Carry every locked input and proof in one archive.
    Bundle {
        #[command(subcommand)]
        command: BundleCommand,
    },
    /// Look after policies.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Look at the audit trail: who built, signed and sent what on this machine.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Explain a finding's code.
    Explain {
        /// The code, such as CS0201; without one, all are listed.
        code: Option<String>,
    },
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(ClapArgs)]
pub(crate) struct ConfigArg {
    /// The image configuration.
    #[arg(long, value_name = "FILE", default_value = "image.yaml")]
    pub(crate) config: PathBuf,
    /// Of a matrix, only images that have this value; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = selection)]
    pub(crate) select: Vec<(String, String)>,
}

/// Which part of what the configuration declares, and under which conditions.
#[derive(ClapArgs)]
pub(crate) struct Choice {
    /// Only this architecture; may be repeated.
    #[arg(long = "arch", value_name = "ARCH", value_parser = PossibleValuesParser::new(Arch::ALL.map(Arch::name)).try_map(|name| arch(&name)))]
    pub(crate) arches: Vec<Arch>,
    /// Refuse to make or change the lock.
    #[arg(long)]
    pub(crate) locked: bool,
    #[command(flatten)]
    pub(crate) policies: PolicyArgs,
}

/// Policies besides those of the configuration and those that CLNSTRT_POLICY names.
#[derive(ClapArgs)]
pub(crate) struct PolicyArgs {
    /// A policy the image has to meet: a file, a folder, an archive or `stdlib:NAME`, with `@sha256:…` the one of this digest; may be
    /// repeated.
    #[arg(long = "policy", value_name = "POLICY")]
    pub(crate) policies: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check policies, and list their rules, the stage from which each decides, and the digest.
    Check {
        /// Files, folders, archives, or `stdlib:NAME`.
        #[arg(required = true)]
        policies: Vec<String>,
    },
    /// Run the tests and cases that lie beside policies.
    Test {
        /// Files, folders, archives, or `stdlib:NAME`.
        #[arg(required = true)]
        policies: Vec<String>,
        /// Fail where less than so many hundredths of the lines are evaluated.
        #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = value_parser!(u8).range(0..=100))]
        threshold: u8,
        /// Write the results there, as JUnit does.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Print a policy.
    Show {
        /// A file, a folder, an archive, or `stdlib:NAME`.
        policy: String,
        /// As the Rego that is evaluated.
        #[arg(long)]
        rego: bool,
    },
    /// Ask policies about facts.
    Eval {
        /// The facts: a JSON file as the schema of facts describes it.
        #[arg(long, value_name = "FILE")]
        facts: PathBuf,
        #[command(flatten)]
        policies: PolicyArgs,
    },
    /// Say of the images of a configuration which rule looked at what, and what came of it.
    Explain {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        policies: PolicyArgs,
        /// Print the facts instead.
        #[arg(long)]
        facts: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key: PREFIX.key, encrypted with the password in CLNSTRT_PASSWORD or COSIGN_PASSWORD or asked for, and PREFIX.pub.
    Generate {
        /// What both files begin with.
        #[arg(long, value_name = "PREFIX", default_value = "clnstrt")]
        output: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Print every record.
    Show,
    /// Hold every line against the signed checkpoint; or a proof against a key.
    Verify {
        /// The key the trail has to be signed with, or the file that has it; without one, the key beside the trail.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// A checkpoint that was kept elsewhere: the trail has to go on from there.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// A proof of `audit prove`, instead of the trail: of a line, or that it goes on from the checkpoint.
        #[arg(long, value_name = "FILE", requires = "key")]
        proof: Option<PathBuf>,
    },
    /// Print a proof that a line is in the trail, or that the trail has only grown.
    Prove {
        /// The number of the line.
        #[arg(required_unless_present = "since")]
        line: Option<u64>,
        /// An older checkpoint.
        #[arg(long, value_name = "FILE", conflicts_with = "line")]
        since: Option<PathBuf>,
    },
    /// Copy the trail for others to check, without the key that signs it.
    Export {
        /// The folder to write.
        output: PathBuf,
        /// As for `verify`.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// Who signs, and where the signatures go.
#[derive(ClapArgs)]
pub(crate) struct Signing {
    /// A key file, `env://NAME`, or the URI of a key in a token, `pkcs11:token=LABEL;object=LABEL?module-path=FILE`; may be repeated.
    #[arg(long = "key", required = true, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) keys: Vec<String>,
    /// Write the bundle to a file; of a digest or an archive, only there.
    #[arg(long, value_name = "FILE")]
    pub(crate) output_bundle: Option<PathBuf>,
    /// In a registry, as cosign kept it before version 3 as well: under a tag of its own.
    #[arg(long)]
    pub(crate) legacy: bool,
}

/// What is said of an image.
#[derive(ClapArgs)]
pub(crate) struct Attesting {
    /// `slsa`, `cyclonedx`, `spdx`, `openvex`, `test-report`, `vulnerability`, `licence`, `sources`, `custom`, or a URI; may be
    /// repeated, each with its predicate.
    #[arg(long = "type", required = true, value_name = "TYPE")]
    pub(crate) kinds: Vec<String>,
    /// What is said: a JSON file, or the statement that `build --artifacts` wrote.
    #[arg(long = "predicate", required = true, value_name = "FILE")]
    pub(crate) predicates: Vec<PathBuf>,
    /// The JSON Schema that the one predicate has to keep.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// What images are called in registries.
#[derive(ClapArgs)]
pub(crate) struct Sending {
    /// A further tag; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// A tag for each architecture's image as well: `1.2-arm64`.
    #[arg(long)]
    pub(crate) arch_tags: bool,
    /// A tag for the commit that the CI run is for as well.
    #[arg(long)]
    pub(crate) commit_tag: bool,
    /// The tag `latest` as well; it is taken from the image that has it.
    #[arg(long)]
    pub(crate) latest: bool,
    /// Take tags from other images that have them.
    #[arg(long)]
    pub(crate) move_tags: bool,
    /// Tell those whom the file lists of every image that is there then.
    #[arg(long, value_name = "FILE")]
    pub(crate) webhooks: Option<PathBuf>,
}

/// What `--push` without a name means; nobody can write it, so that an empty variable does not mean it.
pub(crate) const DECLARED: &str = "\0";

/// What becomes of images that are built.
#[derive(ClapArgs)]
pub(crate) struct Releasing {
    /// Send them there, as `push` does, with all that was signed; without a name to the `registries` of the configuration. May be repeated.
    #[arg(long, value_name = "REF", num_args = 0..=1, default_missing_value = DECLARED)]
    pub(crate) push: Vec<String>,
    /// Sign them, and every document about them; into the folder of `--artifacts`, and beside images that are pushed.
    #[arg(long, requires = "keys")]
    pub(crate) sign: bool,
    /// A key file, `env://NAME`, or `pkcs11:…`; may be repeated.
    #[arg(long = "key", value_name = "KEY", requires = "sign", allow_hyphen_values = true)]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) sending: Sending,
}

impl Releasing {
    /// Whether images go where their configurations say.
    pub(crate) fn to_declared(&self) -> bool {
        self.push.iter().any(|target| target == DECLARED)
    }
}

impl Sending {
    /// Whether anything but the image's own tag is asked for.
    pub(crate) fn says_something(&self) -> bool {
        !self.tags.is_empty()
            || self.arch_tags
            || self.commit_tag
            || self.latest
            || self.move_tags
            || self.webhooks.is_some()
    }
}

/// How a plan is executed.
#[derive(ClapArgs)]
pub(crate) struct Execution {
    /// Steps and connections at once; by default as many as there are processors.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Where commands run: only `local`, sandboxes on this machine, is there yet.
    #[arg(long, value_name = "NAME", default_value = "local")]
    pub(crate) executor: String,
    /// Go on compiling what does not depend on a step that failed.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Run every command twice, the second time under other conditions, and fail where it makes something else.
    #[arg(long)]
    pub(crate) check_reproducible: bool,
    /// Write evidence there: bills of materials, provenance, licences, build log, compile flags, and a report for people.
    #[arg(long, value_name = "DIR")]
    pub(crate) artifacts: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Check every object against its digest.
    Verify,
    /// Remove what no recent build used.
    Gc {
        /// Keep what was used within so many days.
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        days: u64,
    },
}

#[derive(Subcommand)]
pub(crate) enum BundleCommand {
    /// Write every locked input and proof of a configuration.
    Export {
        #[command(flatten)]
        config: ConfigArg,
        /// The archive to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Read a bundle into the store.
    Import {
        /// The archive.
        bundle: PathBuf,
    },
}

fn selection(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE, such as python=3.13")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn arch(text: &str) -> Result<Arch, String> {
    text.parse().map_err(|()| format!("`{text}` is no architecture; there are amd64 and arm64"))
}
