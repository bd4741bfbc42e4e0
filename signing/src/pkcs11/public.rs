//! Public keys as tokens describe them.

use cryptoki::object::{Attribute, AttributeType, KeyType};
use p256::pkcs8::EncodePublicKey as _;
use rsa::BigUint;

/// What describes a public key.
pub(super) const DESCRIPTION: [AttributeType; 5] = [
    AttributeType::PublicKeyInfo,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
];

/// OBJECT IDENTIFIER 1.2.840.10045.3.1.7.
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// OBJECT IDENTIFIER 1.3.101.112, and the name that PKCS #11 3.0 has instead (PrintableString).
const ED25519: [&[u8]; 2] = [b"\x06\x03\x2b\x65\x70", b"\x13\x0cedwards25519"];

/// What an object says under an attribute, if it says something.
pub(super) fn value(attributes: &[Attribute], wanted: AttributeType) -> Option<&[u8]> {
    let bytes = attributes.iter().find_map(|attribute| match attribute {
        Attribute::PublicKeyInfo(bytes)
        | Attribute::EcParams(bytes)
        | Attribute::EcPoint(bytes)
        | Attribute::Modulus(bytes)
        | Attribute::PublicExponent(bytes)
        | Attribute::Id(bytes)
        | Attribute::Label(bytes)
            if attribute.attribute_type() == wanted =>
        {
            Some(bytes.as_slice())
        }
        _ => None,
    });
    bytes.filter(|bytes| !bytes.is_empty())
}

/// The key as a SubjectPublicKeyInfo in DER.
///
/// # Errors
/// Why it is none that is used here.
pub(super) fn der(kind: KeyType, attributes: &[Attribute]) -> Result<Vec<u8>, String> {
    if let Some(der) = value(attributes, AttributeType::PublicKeyInfo) {
        return Ok(der.to_vec());
    }
    let said = |what| value(attributes, what).ok_or("the token does not tell its public key");
    let der = match kind {
        KeyType::EC if said(AttributeType::EcParams)? != P256 => {
            return Err("it is a key on another curve than P-256".into());
        }
        KeyType::EC => {
            let point = octets(said(AttributeType::EcPoint)?, 65);
            let key = p256::PublicKey::from_sec1_bytes(point).map_err(|_| "its public key is no point of P-256")?;
            key.to_public_key_der()
        }
        KeyType::EC_EDWARDS if !ED25519.contains(&said(AttributeType::EcParams)?) => {
            return Err("it is a key on another curve than Ed25519".into());
        }
        KeyType::EC_EDWARDS => {
            let point = octets(said(AttributeType::EcPoint)?, 32).try_into();
            let key = point.ok().and_then(|point| ed25519_dalek::VerifyingKey::from_bytes(&point).ok());
            key.ok_or("its public key is no point of Ed25519")?.to_public_key_der()
        }
        KeyType::RSA => {
            let number = |what| said(what).map(BigUint::from_bytes_be);
            let (n, e) = (number(AttributeType::Modulus)?, number(AttributeType::PublicExponent)?);
            // Whoever reads the DER checks it.
            rsa::RsaPublicKey::new_unchecked(n, e).to_public_key_der()
        }
        other => return Err(format!("it is a key of type {other}")),
    };
    der.map(p256::pkcs8::Document::into_vec).map_err(|e| e.to_string())
}

/// A point of so many bytes: in an OCTET STRING, as the standard has it, or bare, as some tokens do.
fn octets(point: &[u8], length: u8) -> &[u8] {
    let inside = point.strip_prefix(&[4, length]).filter(|inside| inside.len() == usize::from(length));
    inside.unwrap_or(point)
}

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::sec1::ToEncodedPoint as _;
    use verifier::PublicKey;

    use super::*;

    fn read(kind: KeyType, attributes: &[Attribute]) -> Result<PublicKey, String> {
        PublicKey::from_der(&der(kind, attributes)?).map_err(|why| why.to_string())
    }

    #[test]
    fn a_point_may_be_bare() {
        let key = p256::SecretKey::from_slice(&[7; 32]).unwrap().public_key();
        let expected = PublicKey::from_der(key.to_public_key_der().unwrap().as_bytes()).unwrap();
        let bare = key.to_encoded_point(false).as_bytes().to_vec();
        for point in [bare.clone(), [&[4, 65], bare.as_slice()].concat()] {
            let said = [Attribute::EcParams(P256.to_vec()), Attribute::EcPoint(point)];
            assert_eq!(read(KeyType::EC, &said).unwrap(), expected);
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        let bare = key.to_bytes().to_vec();
        for (point, curve) in [bare.clone(), [&[4, 32], bare.as_slice()].concat()].into_iter().zip(ED25519) {
            let said = [Attribute::EcParams(curve.to_vec()), Attribute::EcPoint(point)];
            assert_eq!(
                read(KeyType::EC_EDWARDS, &said).unwrap().to_pem(),
                key.to_public_key_pem(Default::default()).unwrap()
            );
        }
    }

    #[test]
    fn a_whole_description_is_enough() {
        let key = p256::SecretKey::from_slice(&[7; 32]).unwrap().public_key();
        let der = key.to_public_key_der().unwrap().into_vec();
        let said = [Attribute::EcPoint(Vec::new()), Attribute::PublicKeyInfo(der)];
        assert!(read(KeyType::EC, &said).is_ok());
    }

    #[test]
    fn what_describes_no_key_of_ours_is_refused() {
        let (params, point) =
            (|bytes: &[u8]| Attribute::EcParams(bytes.into()), |bytes: &[u8]| Attribute::EcPoint(bytes.into()));
        let number = |bytes: &[u8]| [Attribute::Modulus(bytes.into()), Attribute::PublicExponent(bytes.into())];
        for (kind, said, why) in [
            (KeyType::EC, vec![], "does not tell"),
            (KeyType::EC, vec![params(P256)], "does not tell"),
            (KeyType::EC, vec![params(b"\x06\x05\x2b\x81\x04\x00\x22")], "another curve than P-256"),
            (KeyType::EC, vec![params(P256), point(&[4; 65])], "no point of P-256"),
            (KeyType::EC, vec![params(P256), point(&[0])], "no point of P-256"),
            (KeyType::EC_EDWARDS, vec![params(P256), point(&[4; 65])], "another curve than Ed25519"),
            (KeyType::EC_EDWARDS, vec![params(ED25519[0]), point(&[4; 31])], "no point of Ed25519"),
            (KeyType::RSA, vec![Attribute::Modulus(vec![1; 256])], "does not tell"),
            (KeyType::RSA, number(&[0]).into(), "neither"),
            (KeyType::RSA, number(&[3; 256]).into(), "neither"),
            (KeyType::AES, vec![], "of type"),
            (KeyType::EC, vec![Attribute::PublicKeyInfo(vec![1; 9])], "neither"),
        ] {
            let told = read(kind, &said).unwrap_err();
            assert!(told.contains(why), "{told}: {why}");
        }
    }
}
