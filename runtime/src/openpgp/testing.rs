//! Keys for tests, made from a number, and texts they sign.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, SignedKeyDetails, SignedPublicKey, SignedPublicSubKey,
};
use pgp::crypto::ed25519::{Mode, SecretKey as Ed25519};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, PublicSubkey, SecretKey, SecretSubkey, Signature, SignatureConfig, SignatureType,
    Subpacket, SubpacketData, UserId,
};
use pgp::types::{
    Duration, Fingerprint, KeyDetails, KeyVersion, Password, PlainSecretParams, PublicParams, SecretParams, SignedUser,
    SigningKey, Tag, Timestamp,
};
use trust::{Key, Trust};

/// 2026-01-01, when test keys are made.
pub(crate) const MADE: i64 = 1_767_225_600;
/// A day.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// A certificate with its private keys.
pub(crate) struct TestKey {
    primary: SecretKey,
    sub: SecretSubkey,
    pub(crate) certificate: SignedPublicKey,
}

/// What is unusual about a key.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// Seconds after [`MADE`] when certificate and subkey expire by their own word.
    pub(crate) expires: Option<u32>,
    /// The subkey may not sign.
    pub(crate) mute: bool,
    /// The subkey never agreed to belong to the certificate.
    pub(crate) unwilling: bool,
    /// The subkey is bound by another key's signature.
    pub(crate) unbound: bool,
    /// The primary key may sign too.
    pub(crate) primary_signs: bool,
}

impl TestKey {
    /// A key that differs for every seed.
    pub(crate) fn new(seed: u8, quirks: Quirks) -> Self {
        let (params, secret) = material(seed);
        let primary = PublicKey::from_inner(inner(params)).unwrap();
        let primary = SecretKey::new(primary, secret).unwrap();
        let (params, secret) = material(seed + 100);
        let sub = PublicSubkey::from_inner(inner(params)).unwrap();
        let sub = SecretSubkey::new(sub, secret).unwrap();
        let binder = if quirks.unbound { &TestKey::new(seed + 1, Quirks::default()).primary } else { &primary };
        let certificate = certificate(&primary, &sub, binder, quirks);
        Self { primary, sub, certificate }
    }

    pub(crate) fn fingerprint(&self) -> String {
        format!("{:x}", self.certificate.fingerprint())
    }

    /// Signs a text with the subkey.
    pub(crate) fn sign(&self, text: &str, at: i64) -> String {
        self.sign_as(self, text, at)
    }

    /// Signs a text with the subkey, naming another key's subkey as the one that signed.
    pub(crate) fn sign_as(&self, other: &TestKey, text: &str, at: i64) -> String {
        sign(text, SignatureType::Text, at, &[(&self.sub, other.sub.fingerprint())])
    }

    /// Signs a text with the primary key.
    pub(crate) fn sign_with_primary(&self, text: &str, at: i64) -> String {
        sign(text, SignatureType::Text, at, &[(&self.primary, self.primary.fingerprint())])
    }

    /// Signs a text as if it were a binary file.
    pub(crate) fn sign_binary(&self, text: &str, at: i64) -> String {
        sign(text, SignatureType::Binary, at, &[(&self.sub, self.sub.fingerprint())])
    }

    /// Signs a text with this key and another one.
    pub(crate) fn sign_with(&self, other: &TestKey, text: &str, at: i64) -> String {
        let keys: [(&dyn Signs, Fingerprint); 2] =
            [(&other.sub, other.sub.fingerprint()), (&self.sub, self.sub.fingerprint())];
        sign(text, SignatureType::Text, at, &keys)
    }

    /// Signs a file with the subkey.
    pub(crate) fn sign_file(&self, file: &[u8], at: i64) -> DetachedSignature {
        let config = config(SignatureType::Binary, self.sub.fingerprint(), at, vec![]);
        DetachedSignature::new(config.sign(&self.sub, &Password::empty(), file).unwrap())
    }

    /// The key as trust data that lets it sign the given scopes.
    pub(crate) fn trusted(&self, scopes: &[&str]) -> Trust {
        trusted(&self.certificate.to_armored_string(ArmorOptions::default()).unwrap(), &self.fingerprint(), scopes)
    }
}

/// Trust data of one certificate; every suite `x` is to have the label `Test` and the codename `x`.
pub(crate) fn trusted(certificate: &str, fingerprint: &str, scopes: &[&str]) -> Trust {
    let mut document = String::new();
    for suite in ["one", "two"] {
        document.push_str(&format!("[suites.{suite}]\nlabel = \"Test\"\ncodename = \"{suite}\"\n"));
    }
    document.push_str(&format!(
        "[[keys]]\nname = \"Test archive\"\nfingerprint = \"{fingerprint}\"\nfile = \"key\"\nwhy = \"tests\"\n\
         valid_from = \"2026-01-01T00:00:00Z\"\nvalid_until = \"2030-01-01T00:00:00Z\"\nsigns = {scopes:?}\n"
    ));
    Trust::read(&document, |_| Some(certificate)).unwrap()
}

/// The only key of trust data, to be changed.
pub(crate) fn only_key(trust: &mut Trust) -> &mut Key {
    &mut trust.keys[0]
}

fn material(seed: u8) -> (PublicParams, SecretParams) {
    let key = Ed25519::try_from_bytes([seed; 32], Mode::Ed25519).unwrap();
    (PublicParams::Ed25519((&key).into()), SecretParams::Plain(PlainSecretParams::Ed25519(key)))
}

fn inner(params: PublicParams) -> PubKeyInner {
    let made = Timestamp::from_secs(u32::try_from(MADE).unwrap());
    PubKeyInner::new(KeyVersion::V4, PublicKeyAlgorithm::Ed25519, made, None, params).unwrap()
}

fn config(typ: SignatureType, issuer: Fingerprint, at: i64, more: Vec<SubpacketData>) -> SignatureConfig {
    let mut config = SignatureConfig::v4(typ, PublicKeyAlgorithm::Ed25519, HashAlgorithm::Sha256);
    let made = SubpacketData::SignatureCreationTime(Timestamp::from_secs(u32::try_from(at).unwrap()));
    let all = [made, SubpacketData::IssuerFingerprint(issuer)].into_iter().chain(more);
    config.hashed_subpackets = all.map(|data| Subpacket::regular(data).unwrap()).collect();
    config
}

fn certificate(primary: &SecretKey, sub: &SecretSubkey, binder: &SecretKey, quirks: Quirks) -> SignedPublicKey {
    let password = Password::empty();
    let expires = quirks.expires.map(|after| SubpacketData::KeyExpirationTime(Duration::from_secs(after)));
    let flags = |certify: bool, sign: bool| {
        let mut flags = KeyFlags::default();
        flags.set_certify(certify);
        flags.set_sign(sign);
        SubpacketData::KeyFlags(flags)
    };

    let id = UserId::from_str(Default::default(), "Test archive").unwrap();
    let more = [flags(true, quirks.primary_signs)].into_iter().chain(expires.clone()).collect();
    let own = config(SignatureType::CertPositive, primary.fingerprint(), MADE, more)
        .sign_certification(primary, primary.public_key(), &password, Tag::UserId, &id)
        .unwrap();

    let consent = config(SignatureType::KeyBinding, sub.fingerprint(), MADE, vec![])
        .sign_primary_key_binding(sub, sub.public_key(), &password, primary.public_key())
        .unwrap();
    let consent = (!quirks.unwilling).then(|| SubpacketData::EmbeddedSignature(Box::new(consent)));
    let more = [flags(false, !quirks.mute)].into_iter().chain(expires).chain(consent).collect();
    let binding = config(SignatureType::SubkeyBinding, primary.fingerprint(), MADE, more)
        .sign_subkey_binding(binder, primary.public_key(), &password, sub.public_key())
        .unwrap();

    let details = SignedKeyDetails::new(vec![], vec![], vec![SignedUser::new(id, vec![own])], vec![]);
    let sub = SignedPublicSubKey::new(sub.public_key().clone(), vec![binding]);
    SignedPublicKey::new(primary.public_key().clone(), details, vec![sub])
}

fn sign(text: &str, typ: SignatureType, at: i64, keys: &[(&dyn Signs, Fingerprint)]) -> String {
    let signed = |text: &str| {
        let configs = keys.iter().map(|(key, issuer)| (key, config(typ, issuer.clone(), at, vec![])));
        Ok(configs.map(|(key, config)| key.signs(config, text)).collect())
    };
    let text = text.strip_suffix('\n').unwrap_or(text);
    CleartextSignedMessage::new_many(text, signed).unwrap().to_armored_string(ArmorOptions::default()).unwrap()
}

/// Primary keys and subkeys alike.
trait Signs {
    fn signs(&self, config: SignatureConfig, text: &str) -> Signature;
}

impl<K: SigningKey> Signs for K {
    fn signs(&self, config: SignatureConfig, text: &str) -> Signature {
        config.sign(self, &Password::empty(), text.as_bytes()).unwrap()
    }
}
