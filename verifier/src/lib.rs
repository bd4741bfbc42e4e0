//! What signatures say, and whether they are of a key: envelopes, bundles and public keys. No clock, file or network.

mod bundle;
mod envelope;
mod public_key;

pub use bundle::{BUNDLE, Bundle, BundleError};
pub use envelope::{Envelope, IN_TOTO, pae};
pub use public_key::{KeyError, PublicKey};
