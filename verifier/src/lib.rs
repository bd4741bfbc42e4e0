//! Evidence in, verdict out: whose signatures are, of keys and of certificates that logs vouch for, what they say of an image, and
//! whether it is enough. No file or network, and no clock but the one of [`keyless`].
//!
//! Whoever calls gathers: [`Evidence`] says what is needed, [`Need::read`] reads what was found of it, [`Evidence::give`] takes it in,
//! until nothing is needed any more; then [`verify`] judges it by whose word counts ([`Trust`]) and what is demanded
//! ([`Expectations`]). `examples/judge.rs` does so for a layout.

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
