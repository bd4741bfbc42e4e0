//! What signatures say, and whose they are: envelopes, bundles, public keys, and certificates with the logs that vouch
//! for them. No file or network, and no clock but the one of [`keyless`].

mod base64;
mod bundle;
mod checks;
mod envelope;
mod evidence;
mod expectations;
mod facts;
mod key_bundle;
pub mod keyless;
mod manifest;
mod public_key;
mod said;
mod slice;
mod statement;
mod trust;
mod verdict;
mod verify;

pub use bundle::{BUNDLE, Bundle, BundleError};
pub use envelope::{Envelope, IN_TOTO, pae};
pub use evidence::{
    Answer, Beside, Contents, Depth, Evidence, Found, LARGEST_REFERRER, LARGEST_STATEMENT, MOST_REFERRERS, Need,
};
pub use expectations::{Expectations, Limits, Made};
pub use facts::{FACTS, judged};
pub use manifest::LARGEST as LARGEST_MANIFEST;
pub use public_key::{KeyError, PublicKey};
pub use said::SIGNATURE;
pub use trust::{Signer, Trust};
pub use verdict::{Check, Outcome, PassedOver, Verdict};
pub use verify::{Verified, verify};
