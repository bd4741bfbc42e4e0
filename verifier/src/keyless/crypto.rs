//! What `sigstore-verify` computes with: RustCrypto, which is in the tree already, in place of a library in C.

use ed25519_dalek as ed25519;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_verify::crypto::SigningScheme as Scheme;
use sigstore_verify::crypto::{CryptoProvider, Error, HashContext, Result, install_default_provider};
use sigstore_verify::types::HashAlgorithm;

/// Makes the library compute with this: it panics where nobody told it what to compute with. Told again, it keeps what it
/// has.
pub(super) fn install() {
    install_default_provider(&RustCrypto).ok();
}

#[derive(Debug)]
struct RustCrypto;

struct Hash<D>(D);

impl<D: Digest + Send> HashContext for Hash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

fn unsupported(scheme: Scheme) -> Error {
    Error::UnsupportedAlgorithm(format!("signatures of {} are not checked here", scheme.name()))
}

impl CryptoProvider for RustCrypto {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        match algorithm {
            HashAlgorithm::Sha2256 => Ok(Box::new(Hash(Sha256::new()))),
            HashAlgorithm::Sha2384 => Ok(Box::new(Hash(Sha384::new()))),
            HashAlgorithm::Sha2512 => Ok(Box::new(Hash(Sha512::new()))),
            other => Err(Error::UnsupportedAlgorithm(format!("digests of {other} are not computed here"))),
        }
    }

    fn verify_raw(&self, scheme: Scheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        if let Some(algorithm) = scheme.hash_algorithm() {
            let mut hash = self.hash(algorithm)?;
            hash.update(data);
            return self.verify_prehashed(scheme, key, &hash.finalize(), signature);
        }
        if scheme != Scheme::Ed25519 {
            return Err(unsupported(scheme));
        }
        let key = key.try_into().ok().and_then(|key| ed25519::VerifyingKey::from_bytes(key).ok());
        let signature = ed25519::Signature::from_slice(signature).ok();
        let verifies = key.zip(signature).is_some_and(|(key, of)| key.verify_strict(data, &of).is_ok());
        answer(scheme, verifies)
    }

    fn verify_prehashed(&self, scheme: Scheme, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<()> {
        let rsa = |padding: Pkcs1v15Sign| {
            // Keys of more than 4096 bits are not read, and those of fewer than 2048 not passed on to here.
            RsaPublicKey::from_pkcs1_der(key).is_ok_and(|key| key.verify(padding, digest, signature).is_ok())
        };
        let verifies = match scheme {
            Scheme::EcdsaP256Sha256 | Scheme::EcdsaP256Sha384 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok();
                let signature = p256::ecdsa::Signature::from_der(signature).ok();
                key.zip(signature).is_some_and(|(key, of)| key.verify_prehash(digest, &of).is_ok())
            }
            Scheme::EcdsaP384Sha256 | Scheme::EcdsaP384Sha384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok();
                let signature = p384::ecdsa::Signature::from_der(signature).ok();
                key.zip(signature).is_some_and(|(key, of)| key.verify_prehash(digest, &of).is_ok())
            }
            Scheme::RsaPkcs1Sha256 => rsa(Pkcs1v15Sign::new::<Sha256>()),
            Scheme::RsaPkcs1Sha384 => rsa(Pkcs1v15Sign::new::<Sha384>()),
            Scheme::RsaPkcs1Sha512 => rsa(Pkcs1v15Sign::new::<Sha512>()),
            // Nothing of sigstore signs with RSA-PSS, or with ML-DSA yet.
            other => return Err(unsupported(other)),
        };
        answer(scheme, verifies)
    }
}

fn answer(scheme: Scheme, verifies: bool) -> Result<()> {
    let wrong = || Error::Verification(format!("{} signature invalid", scheme.name()));
    if verifies { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;
    use rsa::pkcs1::EncodeRsaPublicKey as _;
    use rsa::rand_core::OsRng;

    const MESSAGE: &[u8] = b"what was signed";

    /// Checks that a signature over the message holds, and nothing that is a bit different does.
    #[track_caller]
    fn only_that_holds(scheme: Scheme, key: &[u8], signature: &[u8]) {
        assert!(RustCrypto.verify_raw(scheme, key, MESSAGE, signature).is_ok(), "{scheme:?}");
        assert!(RustCrypto.verify_raw(scheme, key, b"what was not", signature).is_err(), "{scheme:?}");
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut other = signature.to_vec();
            other[at] ^= 1;
            assert!(RustCrypto.verify_raw(scheme, key, MESSAGE, &other).is_err(), "{scheme:?} {at}");
        }
        assert!(RustCrypto.verify_raw(scheme, key, MESSAGE, &[]).is_err());
        assert!(RustCrypto.verify_raw(scheme, &key[1..], MESSAGE, signature).is_err());
    }

    fn digest(scheme: Scheme) -> Vec<u8> {
        let mut hash = RustCrypto.hash(scheme.hash_algorithm().unwrap()).unwrap();
        hash.update(MESSAGE);
        hash.finalize()
    }

    #[test]
    fn signatures_of_each_kind_hold_for_what_was_signed() {
        let key = p256::ecdsa::SigningKey::random(&mut OsRng);
        let public = key.verifying_key().to_encoded_point(false);
        for scheme in [Scheme::EcdsaP256Sha256, Scheme::EcdsaP256Sha384] {
            let signature: p256::ecdsa::Signature = key.sign_prehash(&digest(scheme)).unwrap();
            only_that_holds(scheme, public.as_bytes(), signature.to_der().as_bytes());
        }
        let key = p384::ecdsa::SigningKey::random(&mut OsRng);
        let public = key.verifying_key().to_encoded_point(false);
        for scheme in [Scheme::EcdsaP384Sha256, Scheme::EcdsaP384Sha384] {
            let signature: p384::ecdsa::Signature = key.sign_prehash(&digest(scheme)).unwrap();
            only_that_holds(scheme, public.as_bytes(), signature.to_der().as_bytes());
        }
        let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
        let public = key.to_public_key().to_pkcs1_der().unwrap();
        for (scheme, padding) in [
            (Scheme::RsaPkcs1Sha256, Pkcs1v15Sign::new::<Sha256>()),
            (Scheme::RsaPkcs1Sha384, Pkcs1v15Sign::new::<Sha384>()),
            (Scheme::RsaPkcs1Sha512, Pkcs1v15Sign::new::<Sha512>()),
        ] {
            only_that_holds(scheme, public.as_bytes(), &key.sign(padding, &digest(scheme)).unwrap());
        }
        let key = ed25519::SigningKey::from_bytes(&[7; 32]);
        let signature = ed25519::Signer::sign(&key, MESSAGE).to_bytes();
        only_that_holds(Scheme::Ed25519, key.verifying_key().as_bytes(), &signature);
    }

    #[test]
    fn what_is_not_checked_does_not_hold() {
        for scheme in [Scheme::RsaPssSha256, Scheme::MlDsa44, Scheme::MlDsa87] {
            let answer = RustCrypto.verify_raw(scheme, b"key", MESSAGE, b"signature");
            assert!(matches!(answer, Err(Error::UnsupportedAlgorithm(_))), "{scheme:?}");
        }
    }

    /// The digests of "abc" (FIPS 180-4, examples).
    #[test]
    fn digests_are_those_of_the_standard() {
        for (algorithm, start) in [
            (HashAlgorithm::Sha2256, [0xba, 0x78, 0x16, 0xbf]),
            (HashAlgorithm::Sha2384, [0xcb, 0x00, 0x75, 0x3f]),
            (HashAlgorithm::Sha2512, [0xdd, 0xaf, 0x35, 0xa1]),
        ] {
            let mut hash = RustCrypto.hash(algorithm).unwrap();
            hash.update(b"a");
            hash.update(b"bc");
            assert_eq!(hash.finalize()[..4], start);
        }
    }
}
