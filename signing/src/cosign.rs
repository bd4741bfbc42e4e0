//! Key files as cosign writes them: PKCS #8 of ECDSA on P-256, encrypted with a password (go-securesystemslib, "encrypted").

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use data_encoding::BASE64;
use model::{Finding, codes};
use p256::SecretKey;
use p256::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{OsRng, RngCore as _};
use scrypt::Params;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Signer as _;
use crate::key::PrivateKey;
use crate::pem;

/// What such a file is called now; cosign once had a name of its own for it.
const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
pub(crate) const LABELS: [&str; 2] = [LABEL, "ENCRYPTED COSIGN PRIVATE KEY"];
/// The cost of a password: 64 MiB, as cosign has it.
const COST: u64 = 1 << 16;
/// A file that asks for more than 1 GiB, or for more work than that, is none of ours.
const MOST: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Encrypted {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// What is in a file, once the password is known.
///
/// # Errors
/// Why it cannot be had; `None` where the password is another one.
pub(crate) fn decrypt(json: &[u8], password: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let encrypted: Encrypted = serde_json::from_slice(json).map_err(|e| format!("its inside cannot be read: {e}"))?;
    let Encrypted { kdf, cipher, ciphertext } = encrypted;
    if (kdf.name.as_str(), cipher.name.as_str()) != ("scrypt", "nacl/secretbox") {
        return Err(format!("it is encrypted with {:?} and {:?}", kdf.name, cipher.name));
    }
    let Cost { n, r, p } = kdf.params;
    if !n.is_power_of_two() || n > MOST || r > 16 || p > 4 || n * u64::from(r) > MOST * 8 {
        return Err(format!("its password would cost too much: N={n}, r={r}, p={p}"));
    }
    let decode = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| "its inside is no base64".to_owned());
    let (salt, nonce, ciphertext) = (decode(&kdf.salt)?, decode(&cipher.nonce)?, decode(&ciphertext)?);
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| "its nonce has another length".to_owned())?;
    let key = derived(password, &salt, n, r, p)?;
    let cipher = XSalsa20Poly1305::new(key.as_ref().into());
    Ok(cipher.decrypt(Nonce::from_slice(&nonce), ciphertext.as_slice()).ok().map(Zeroizing::new))
}

fn derived(password: &[u8], salt: &[u8], n: u64, r: u32, p: u32) -> Result<Zeroizing<[u8; 32]>, String> {
    let exponent = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
    let params = Params::new(exponent, r, p, 32).map_err(|e| e.to_string())?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, salt, &params, key.as_mut()).map_err(|e| e.to_string())?;
    Ok(key)
}

fn encrypt(der: &[u8], password: &[u8]) -> Result<Vec<u8>, String> {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    OsRng.fill_bytes(&mut salt);
    OsRng.fill_bytes(&mut nonce);
    let key = derived(password, &salt, COST, 8, 1)?;
    let cipher = XSalsa20Poly1305::new(key.as_ref().into());
    let ciphertext = cipher.encrypt(Nonce::from_slice(&nonce), der).map_err(|e| e.to_string())?;
    let encrypted = Encrypted {
        kdf: Kdf { name: "scrypt".into(), params: Cost { n: COST, r: 8, p: 1 }, salt: BASE64.encode(&salt) },
        cipher: Cipher { name: "nacl/secretbox".into(), nonce: BASE64.encode(&nonce) },
        ciphertext: BASE64.encode(&ciphertext),
    };
    serde_json::to_vec(&encrypted).map_err(|e| e.to_string())
}

/// Makes a key: `PREFIX.key`, which nobody else may read, and `PREFIX.pub`. Neither may be there.
///
/// # Errors
/// `OUTPUT_IO`, `KEY_UNUSABLE`.
pub fn generate(prefix: &Path, password: &[u8]) -> Result<(PathBuf, PathBuf), Finding> {
    let failed = |why: String| Finding::error(codes::KEY_UNUSABLE, "no key could be made").because(why);
    let key = SecretKey::random(&mut OsRng);
    let der = key.to_pkcs8_der().map_err(|e| failed(e.to_string()))?;
    let text = Zeroizing::new(pem::encode(LABEL, &encrypt(der.as_bytes(), password).map_err(failed)?));
    let public = PrivateKey::from_pkcs8(der.as_bytes()).map_err(failed)?.public().to_pem();
    let named = |ending: &str| {
        let mut name = prefix.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let (private, shared) = (named(".key"), named(".pub"));
    // The private one first: without it the other is of no use.
    write(&private, text.as_bytes(), 0o600)?;
    write(&shared, public.as_bytes(), 0o644)?;
    Ok((private, shared))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Finding> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|e| {
        Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display()))
            .help("a key that is there is not replaced: name another one with `--output`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_opens_with_its_password_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = generate(&dir.path().join("k"), b"secret").unwrap();
        let text = std::fs::read_to_string(&private).unwrap();
        let (label, json) = pem::decode(&text).unwrap();
        assert_eq!(label, LABEL);
        assert!(decrypt(&json, b"other").unwrap().is_none());
        let der = decrypt(&json, b"secret").unwrap().unwrap();
        let key = PrivateKey::from_pkcs8(&der).unwrap();
        let public = verifier::PublicKey::from_pem(&std::fs::read_to_string(public).unwrap()).unwrap();
        assert_eq!(*key.public(), public);
        let signature = key.sign(b"words").unwrap();
        assert!(public.verifies(b"words", &signature) && !public.verifies(b"other", &signature));
        assert_eq!(signature, key.sign(b"words").unwrap());
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(generate(&dir.path().join("k"), b"").is_err());
    }

    #[test]
    fn a_file_that_asks_for_too_much_or_is_another_is_refused() {
        let json = |n: u64, name: &str| {
            format!(
                r#"{{"kdf":{{"name":"{name}","params":{{"N":{n},"r":8,"p":1}},"salt":"AA=="}},"cipher":{{"name":"nacl/secretbox","nonce":"AA=="}},"ciphertext":"AA=="}}"#
            )
        };
        for text in [json(1 << 40, "scrypt"), json(3, "scrypt"), json(2, "argon2"), json(2, "scrypt"), "{".into()] {
            assert!(decrypt(text.as_bytes(), b"").is_err(), "{text}");
        }
    }
}
