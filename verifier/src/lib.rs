//! What signatures say, and whose they are: envelopes, bundles, public keys, and certificates with the logs that vouch
//! for them. No file or network, and no clock but the one of [`keyless`].

mod bundle;
mod envelope;
mod json;
pub mod keyless;
mod public_key;

pub use bundle::{BUNDLE, Bundle, BundleError};
pub use envelope::{Envelope, IN_TOTO, pae};
pub use public_key::{KeyError, PublicKey};
