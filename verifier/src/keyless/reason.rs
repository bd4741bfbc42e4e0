use std::fmt;

use model::text::short;
use sigstore_verify::bundle::Error as Structure;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::Identity;

/// Why nobody can be said to have signed something. Texts within are details for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The trusted root is none that can be used.
    Root(String),
    /// There is more of something than is read.
    TooMuch(String),
    /// It is no bundle, or one that programs read in different ways.
    Unreadable(String),
    /// It is a bundle of a kind that is not checked here.
    Unsupported(String),
    /// It was signed with a key, and not with a certificate.
    NoCertificate,
    /// It was signed with a certificate, and not with a key.
    NoKey,
    /// No log has it: there is neither a promise nor a proof of one.
    NotLogged(String),
    /// Nobody who is trusted says when it was signed.
    NoTimestamp,
    /// A timestamp (RFC 3161) is not of a trusted authority, or not of this signature.
    Timestamp(String),
    /// The promise of a log (SET) is not of a trusted log, or not for this entry.
    Promise(String),
    /// The entry is not in the log where its proof says (RFC 9162 §2.1.3).
    Proof(String),
    /// The head of the log is not signed by the log that the entry names, or not by a trusted one.
    Checkpoint(String),
    /// The entry of the log is about another signature, certificate or artifact, or about nothing known.
    Entry(String),
    /// The log took it in before or after the certificate was valid.
    LogTime(String),
    /// The certificate cannot be read.
    Certificate(String),
    /// The certificate is not of a trusted authority, or not for signing.
    Authority(String),
    /// The certificate was not valid when it was signed.
    Expired(String),
    /// No trusted log has the certificate (RFC 6962).
    CertificateLog(String),
    /// The signature is not of the certificate or key, or not over this.
    Signature,
    /// It is about something else.
    Artifact(String),
    /// It was signed after the time it is judged at; both in seconds since 1970.
    Future {
        /// When it was signed.
        signed_at: i64,
        /// When it is judged.
        now: i64,
    },
    /// Another one signed it.
    Subject(String),
    /// The right name, from an issuer that is not trusted with it.
    Issuer(String),
}

impl Reason {
    /// What is said of a signer who is none of those expected.
    pub(super) fn stranger(subject: Option<&str>, issuer: Option<&str>, expected: &[Identity]) -> Self {
        let Some(subject) = subject else {
            return Reason::Subject("somebody without an address of mail or URI".to_owned());
        };
        if expected.is_empty() {
            return Reason::Subject(short(format_args!("{subject:?}, and nobody is trusted")));
        }
        let listed = |wanted: Vec<String>| wanted.join(" or ");
        let namesakes = expected.iter().filter(|one| one.subject.is(subject));
        let issuers: Vec<_> = namesakes.map(|one| one.issuer.to_string()).collect();
        if issuers.is_empty() {
            let wanted = listed(expected.iter().map(|one| one.subject.to_string()).collect());
            return Reason::Subject(short(format_args!("{subject:?}, not {wanted}")));
        }
        Reason::Issuer(short(format_args!("{:?}, not {}", issuer.unwrap_or_default(), listed(issuers))))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time =
            |seconds: i64| jiff::Timestamp::from_second(seconds).map_or(format!("{seconds} s"), |t| t.to_string());
        match self {
            Reason::Root(why) => write!(f, "the trusted root cannot be used: {why}"),
            Reason::TooMuch(what) => write!(f, "it has more than {what}"),
            Reason::Unreadable(why) => write!(f, "it is no sigstore bundle: {why}"),
            Reason::Unsupported(why) => write!(f, "it is a sigstore bundle of a kind that is not checked: {why}"),
            Reason::NoCertificate => f.write_str("it was signed with a key, and not with a certificate"),
            Reason::NoKey => f.write_str("it was signed with a certificate, and not with a key"),
            Reason::NotLogged(why) => write!(f, "no log has it: {why}"),
            Reason::NoTimestamp => f.write_str("nobody who is trusted says when it was signed"),
            Reason::Timestamp(why) => write!(f, "its timestamp is wrong: {why}"),
            Reason::Promise(why) => write!(f, "the log's promise is wrong: {why}"),
            Reason::Proof(why) => write!(f, "the proof that it is in the log is wrong: {why}"),
            Reason::Checkpoint(why) => write!(f, "the head of the log is wrong: {why}"),
            Reason::Entry(why) => write!(f, "the log's entry is not about this: {why}"),
            Reason::LogTime(why) => write!(f, "the time of the log's entry is wrong: {why}"),
            Reason::Certificate(why) => write!(f, "its certificate cannot be read: {why}"),
            Reason::Authority(why) => write!(f, "its certificate is not of a trusted authority: {why}"),
            Reason::Expired(why) => write!(f, "its certificate was not valid when it was signed: {why}"),
            Reason::CertificateLog(why) => write!(f, "no trusted log has its certificate: {why}"),
            Reason::Signature => f.write_str("the signature is not of that signer, or not over this"),
            Reason::Artifact(why) => write!(f, "it is about something else: {why}"),
            Reason::Future { signed_at, now } => {
                write!(f, "it was signed at {}, which is after {}", time(*signed_at), time(*now))
            }
            Reason::Subject(who) => write!(f, "it was signed by {who}"),
            Reason::Issuer(who) => write!(f, "the signer's name is from {who}"),
        }
    }
}

impl std::error::Error for Reason {}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        match error {
            Error::SignatureInvalid(_) => Reason::Signature,
            Error::ArtifactMismatch(why) => Reason::Artifact(short(why)),
            Error::UnsupportedArtifact(why) | Error::UnsupportedBundle(why) => Reason::Unsupported(short(why)),
            Error::Certificate(error) => error.into(),
            Error::TransparencyLog(error) => error.into(),
            Error::Timestamp(TimestampError::NoVerifiedTimestamp(_)) => Reason::NoTimestamp,
            Error::Timestamp(TimestampError::Invalid(why)) => Reason::Timestamp(short(why)),
            Error::Timestamp(error) => Reason::Timestamp(short(error)),
            Error::Bundle(error) => error.into(),
            Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
                Reason::Root(short(error))
            }
            other => Reason::Unreadable(short(other)),
        }
    }
}

impl From<CertificateError> for Reason {
    fn from(error: CertificateError) -> Self {
        match error {
            CertificateError::Malformed(why) => Reason::Certificate(short(why)),
            // webpki judges the time too, and the library passes on what it said as text.
            CertificateError::ChainInvalid(why) if why.contains("CertExpired") || why.contains("CertNotValidYet") => {
                Reason::Expired(short(why))
            }
            CertificateError::ChainInvalid(why) => Reason::Authority(short(why)),
            CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => Reason::Expired(short(error)),
            CertificateError::Sct(why) => Reason::CertificateLog(short(why)),
            other => Reason::Authority(short(other)),
        }
    }
}

impl From<TransparencyLogError> for Reason {
    fn from(error: TransparencyLogError) -> Self {
        match error {
            TransparencyLogError::InclusionProof(why) => Reason::Proof(short(why)),
            TransparencyLogError::Checkpoint(why) => Reason::Checkpoint(short(why)),
            TransparencyLogError::InclusionPromise(why) => Reason::Promise(short(why)),
            TransparencyLogError::UnknownLog { .. } => Reason::Promise(short(error)),
            TransparencyLogError::EntryMismatch(why) | TransparencyLogError::MalformedEntry(why) => {
                Reason::Entry(short(why))
            }
            TransparencyLogError::IntegratedTime(why) => Reason::LogTime(short(why)),
            other => Reason::Unreadable(short(other)),
        }
    }
}

impl From<Structure> for Reason {
    fn from(error: Structure) -> Self {
        match error {
            Structure::MissingInclusionPromise(_)
            | Structure::MissingInclusionProof(_)
            | Structure::MissingSigningTimeEvidence => Reason::NotLogged(short(error)),
            Structure::MissingCheckpoint | Structure::CheckpointRootMismatch => Reason::Checkpoint(short(error)),
            Structure::LogIndexOutOfRange { .. } => Reason::Proof(short(error)),
            other => Reason::Unreadable(short(other)),
        }
    }
}
