use std::fmt;

/// What kind of failure a code stands for; it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// What was declared is wrong (exit code 2).
    Input,
    /// What was found cannot be trusted or does not hold (exit code 1).
    Verdict,
    /// The machine, the network or a server failed (exit code 3).
    Environment,
}

impl Class {
    /// The exit code of a command that ends with such a finding.
    pub fn exit_code(self) -> u8 {
        match self {
            Class::Verdict => 1,
            Class::Input => 2,
            Class::Environment => 3,
        }
    }
}

/// A stable finding code. Codes are never reused; each has a page in `docs/src/codes/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// As printed: `CS` and four digits.
    pub id: &'static str,
    /// A few words that name the problem.
    pub title: &'static str,
    /// What kind of failure it is.
    pub class: Class,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal $class:ident $title:literal;)*) => {
        /// Every code there is, by name.
        pub mod codes {
            use super::{Class, Code};
            $(
                #[doc = $title]
                pub const $name: Code = Code { id: $id, title: $title, class: Class::$class };
            )*
            /// All of them, in order of their number.
            pub const ALL: &[Code] = &[$($name),*];
        }
    };
}

codes! {
    // CS01xx: text and YAML
    NOT_UTF8 = "CS0101" Input "the file is not UTF-8";
    YAML_SYNTAX = "CS0102" Input "the text is not valid YAML";
    DUPLICATE_KEY = "CS0103" Input "a key is given twice";
    YAML_ANCHOR = "CS0104" Input "anchors and aliases are not accepted";
    TOO_DEEP = "CS0105" Input "the document is nested too deeply";
    TOO_LARGE = "CS0106" Input "the document is too large";
    EMPTY_DOCUMENT = "CS0107" Input "the document is empty";
    SEVERAL_DOCUMENTS = "CS0108" Input "the file holds several documents";
    YAML_TAG = "CS0109" Input "YAML tags are not accepted";
    YAML_TAB = "CS0110" Input "a tab is used for indentation";
    CONTROL_CHARACTER = "CS0111" Input "the text holds a control character";
    YAML_KEY = "CS0112" Input "a key is not a name";
    MORE_FINDINGS = "CS0113" Input "there are more findings than are shown";
    EXPRESSION_SYNTAX = "CS0114" Input "an expression cannot be read";
    FORMAT_UNSAFE = "CS0115" Input "a document cannot be formatted";
    NOT_FORMATTED = "CS0116" Verdict "a document is not in the usual form";

    // CS02xx: the image configuration
    UNKNOWN_FIELD = "CS0201" Input "there is no such field";
    WRONG_TYPE = "CS0202" Input "the value has the wrong type";
    MISSING_FIELD = "CS0203" Input "a field is missing";
    NOT_SUPPORTED_YET = "CS0204" Input "not supported yet";
    BAD_VALUE = "CS0205" Input "the value is not accepted";
    CONFLICTING_FIELDS = "CS0206" Input "two fields contradict each other";
    BAD_REQUIREMENT = "CS0207" Input "the requirement cannot be read";
    DUPLICATE_ENTRY = "CS0208" Input "the same thing is listed twice";

    // CS03xx: Debian resolution
    DEBIAN_NO_SUCH_PACKAGE = "CS0301" Input "no such Debian package";
    DEBIAN_UNSATISFIABLE = "CS0302" Input "the Debian packages cannot be installed together";
    LANGUAGE_VERSION_UNAVAILABLE = "CS0303" Input "no source has this language version";
    DEBIAN_NO_SUCH_VERSION = "CS0304" Input "no such version of a Debian package";
    DEBIAN_CONTROL_UNREADABLE = "CS0305" Verdict "a Debian control file or package index cannot be read";

    // CS04xx: PyPI resolution
    PYPI_NO_SUCH_PROJECT = "CS0401" Input "no such Python project";
    PYPI_NO_SUCH_VERSION = "CS0402" Input "no such version of a Python project";
    PYPI_UNSATISFIABLE = "CS0403" Input "the Python requirements contradict each other";
    PYPI_NO_USABLE_FILE = "CS0404" Input "no file of this version can be installed";
    PYPI_BAD_METADATA = "CS0405" Verdict "the package's metadata cannot be read";
    PYPI_BAD_INDEX = "CS0406" Environment "the index answer cannot be read";
    VERSIONS_DIFFER = "CS0407" Input "the architectures get different versions";
    PYPI_YANKED = "CS0408" Input "a yanked release is used";
    PYPI_NO_SUCH_EXTRA = "CS0409" Input "a Python package has no such extra";

    // CS05xx: lock and plan
    LOCK_MISSING = "CS0501" Input "there is no lock";
    LOCK_UNREADABLE = "CS0502" Input "the lock cannot be read";
    LOCK_OUTDATED = "CS0503" Input "the lock does not answer the configuration";
    LOCK_NO_SUCH_NODE = "CS0504" Input "the lock has no such package";
    LOCK_INCONSISTENT = "CS0505" Verdict "the lock contradicts itself";
    RESOLUTION_UNBOUNDED = "CS0506" Environment "resolution does not come to an end";

    // CS06xx: sources, network, fetching
    SOURCE_UNKNOWN = "CS0601" Environment "no endpoint is configured for a source";
    FETCH_FAILED = "CS0602" Environment "a file could not be fetched";
    FETCH_NOT_FOUND = "CS0603" Environment "no source has the file any more";
    FETCH_WRONG_DIGEST = "CS0604" Verdict "fetched bytes have another digest";
    OFFLINE = "CS0605" Environment "a file is needed and the build is offline";
    SOURCE_INVALID = "CS0606" Input "a source is configured wrongly";
    FETCH_TOO_LARGE = "CS0607" Verdict "an answer is larger than allowed";
    GIT_FAILED = "CS0608" Environment "a git repository cannot be fetched";

    // CS07xx: trust and proofs
    SIGNATURE_INVALID = "CS0701" Verdict "a signature does not verify";
    WRONG_RELEASE = "CS0702" Verdict "the index is signed for another suite";
    RELEASE_EXPIRED = "CS0703" Verdict "the index has expired";
    INDEX_DIGEST = "CS0704" Verdict "an index does not have the digest its release gives";
    PROOF_NOT_HELD = "CS0705" Verdict "the lock claims a proof it does not have";
    PROOF_DAMAGED = "CS0706" Verdict "a kept proof is damaged";
    RELEASE_UNREADABLE = "CS0707" Verdict "a release file cannot be read";
    TRUST_UNREADABLE = "CS0709" Environment "the trust data cannot be read";
    PROOF_MISSING = "CS0710" Environment "a proof is not at hand";
    WRONG_SIGNER = "CS0711" Verdict "somebody signed who may not sign this";
    KEY_EXPIRED = "CS0712" Verdict "a signing key was not valid at the time";
    KEY_REVOKED = "CS0713" Verdict "a signing key is revoked";
    SIGNATURE_MISSING = "CS0714" Verdict "a signature is missing";

    // CS08xx: archives, trees, images
    ARCHIVE_INVALID = "CS0801" Verdict "an archive cannot be read";
    ARCHIVE_ESCAPES = "CS0802" Verdict "an archive member leaves its root";
    ARCHIVE_TOO_LARGE = "CS0803" Verdict "an archive unpacks to more than allowed";
    ARCHIVE_FORBIDDEN_MEMBER = "CS0804" Verdict "an archive holds a member that is not allowed";
    SCRIPT_NOT_MODELLED = "CS0805" Verdict "a maintainer script is not modelled";
    TREE_CONFLICT = "CS0806" Verdict "two packages bring different files under one name";
    WHEEL_INVALID = "CS0807" Verdict "a wheel is not what its metadata says";
    METADATA_DIFFERS = "CS0808" Verdict "a wheel's metadata differs from the index's";
    LIBRARY_MISSING = "CS0809" Verdict "a needed library is not in the image";
    SOURCE_FILE = "CS0810" Input "an application file cannot be taken";

    // CS09xx: store, output, the machine
    STORE_DAMAGED = "CS0901" Verdict "a stored object is damaged";
    STORE_IO = "CS0902" Environment "the store cannot be read or written";
    OUTPUT_IO = "CS0903" Environment "the output cannot be written";
    INPUT_IO = "CS0904" Input "a file cannot be read";
    BUNDLE_INVALID = "CS0905" Verdict "the bundle cannot be read";
    ARCHIVE_UNKNOWN = "CS0906" Verdict "the image cannot be read";
    USAGE = "CS0907" Input "the command line is wrong";
    STDLIB_UNREADABLE = "CS0908" Environment "the standard library's data cannot be read";

    // CS10xx: templates and matrices
    TEMPLATE_UNREADABLE = "CS1001" Input "a template cannot be had";
    TEMPLATE_CYCLE = "CS1002" Input "templates extend one another without end";
    PARAMETER_MISSING = "CS1003" Input "a parameter has no value";
    PARAMETER_UNKNOWN = "CS1004" Input "a template has no such parameter";
    PARAMETER_TYPE = "CS1005" Input "a parameter's value has the wrong type";
    PARAMETER_VALUE = "CS1006" Input "a parameter's value is not accepted";
    PARAMETER_CYCLE = "CS1007" Input "a parameter depends on itself";
    NAME_UNKNOWN = "CS1008" Input "an expression names what is not there";
    EXPRESSION_TYPE = "CS1009" Input "an expression does not fit its values";
    EXPRESSION_BUDGET = "CS1010" Input "an expression takes too long";
    MATRIX_TOO_LARGE = "CS1011" Input "a matrix makes too many images";
    MATRIX_EMPTY = "CS1012" Input "a matrix makes no image";
    SAME_NAME = "CS1013" Input "two images have one name";

    // CS11xx: sealed execution
    COMMAND_FAILED = "CS1101" Verdict "a build command failed";
    LIMIT_EXCEEDED = "CS1102" Verdict "a build step went beyond a limit";
    NO_EXECUTOR = "CS1103" Environment "nothing here runs steps of an architecture";
    SANDBOX_FORBIDDEN = "CS1104" Environment "this machine forbids sandboxes";
    SANDBOX_FAILED = "CS1105" Environment "a sandbox could not be set up";
    BUILD_OUTPUT = "CS1106" Verdict "a build step left what cannot be kept";
    HARDENING_MISSING = "CS1107" Verdict "a file is not hardened as demanded";
    NOT_REPRODUCIBLE = "CS1108" Verdict "a build step made something else the second time";
    OWN_CRYPTOGRAPHY = "CS1109" Verdict "a file brings cryptography of its own past the FIPS provider";

    // CS12xx: policies
    POLICY_SYNTAX = "CS1201" Input "a policy cannot be read";
    POLICY_SHAPE = "CS1202" Input "a policy has rules that cannot be asked";
    UNKNOWN_FACT = "CS1203" Input "a rule reads a fact there is not";
    UNKNOWN_FUNCTION = "CS1204" Input "a rule uses a function there is not";
    NEVER_HOLDS = "CS1205" Input "a rule asks for what never holds";
    POLICY_REFUSES = "CS1206" Verdict "a policy refuses the image";
    POLICY_WARNS = "CS1207" Verdict "a policy warns of the image";
    POLICY_FAILED = "CS1208" Verdict "a rule could not be evaluated";
    POLICY_BUDGET = "CS1209" Verdict "a rule went beyond its budget";
    FACT_UNKNOWN = "CS1210" Verdict "a rule reads what should be known and is not";
    EXCEPTION_EXPIRED = "CS1211" Verdict "an exception has expired";
    EXCEPTION_UNUSED = "CS1212" Verdict "an exception is about nothing";
    POLICY_CHANGED = "CS1213" Verdict "a policy is not the one that was pinned";
    FACTS_UNREADABLE = "CS1214" Input "facts cannot be read";
    POLICY_TEST_FAILED = "CS1215" Verdict "a test of a policy failed";
    POLICY_COVERAGE = "CS1216" Verdict "tests evaluate too little of a policy";
    POLICY_IO = "CS1217" Input "a policy cannot be found";

    // CS13xx: what is in an image
    RECORD_UNREAD = "CS1301" Verdict "a record of packages cannot be read";
    LAYER_CHANGED = "CS1302" Verdict "a layer holds something else than was put there";
    PACKAGE_MISSING = "CS1303" Verdict "a promised package is not in the image";

    // CS14xx: registries
    REFERENCE_INVALID = "CS1401" Input "an image is named as no registry names it";
    REGISTRY_FAILED = "CS1402" Environment "a registry cannot be reached or fails";
    REGISTRY_DENIED = "CS1403" Environment "a registry lets nobody in";
    REGISTRY_MISSING = "CS1404" Verdict "a registry does not have it";
    REGISTRY_LIES = "CS1405" Verdict "a registry serves something else";
    CREDENTIALS_UNREADABLE = "CS1406" Environment "credentials cannot be read";
    TAG_TAKEN = "CS1407" Verdict "a tag names another image";

    // CS15xx: signatures and attestations
    KEY_UNUSABLE = "CS1501" Environment "a key cannot be used";
    BUNDLE_UNREADABLE = "CS1502" Input "a signature or predicate cannot be read";
    BUNDLE_ELSEWHERE = "CS1503" Verdict "a signature is of another image";
    WEBHOOK_FAILED = "CS1504" Environment "somebody was not told of a release";

    // CS16xx: the audit trail
    AUDIT_BROKEN = "CS1601" Verdict "the audit trail was altered";
    AUDIT_UNUSABLE = "CS1602" Environment "the audit trail cannot be read or written";

    // CS17xx: verifying
    IMAGE_DAMAGED = "CS1701" Verdict "an image is not what its digest says";
    EVIDENCE_BUDGET = "CS1702" Verdict "there is more evidence than is looked at";
    UNSIGNED = "CS1703" Verdict "nobody whose word counts signed it";
    STATEMENT_MISSING = "CS1704" Verdict "what is demanded of an image is not said by anybody whose word counts";
    PROVENANCE_REFUSED = "CS1705" Verdict "an image was not made as is expected";
    SBOM_REFUSED = "CS1706" Verdict "a bill of materials is not that of the image";
    VULNERABLE = "CS1707" Verdict "an image has too many known vulnerabilities";
    TESTS_REFUSED = "CS1708" Verdict "an image did not pass its tests";
    FIPS_REFUSED = "CS1709" Verdict "something speaks against FIPS 140";
    EVIDENCE_STALE = "CS1710" Verdict "evidence is too old, or from the future";
    TRUST_UNUSABLE = "CS1711" Input "who is allowed to sign cannot be read";
    NOT_REPRODUCED = "CS1712" Verdict "an image is not what its source makes";
}

#[cfg(test)]
mod tests {
    use super::codes::ALL;

    #[test]
    fn codes_are_unique_and_ordered() {
        assert!(ALL.windows(2).all(|pair| matches!(pair, [a, b] if a.id < b.id)));
    }
}
