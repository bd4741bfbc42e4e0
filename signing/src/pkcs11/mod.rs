//! Keys in tokens, which sign without telling their key to anybody (PKCS #11).

mod module;
mod public;
mod uri;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use model::{Digest, Finding, codes};
use verifier::PublicKey;
use zeroize::Zeroizing;

use self::module::{Module, words};
use self::uri::Pin;
use crate::{Password, Secret, Signer};

pub use self::uri::TokenUri;

/// Where the module is if the URI does not say so: ours, and the one that cosign reads.
const MODULE_VARIABLES: [&str; 2] = ["CLNSTRT_PKCS11_MODULE_PATH", "COSIGN_PKCS11_MODULE_PATH"];
/// Bytes of a file with a PIN.
const LONGEST_PIN: u64 = 4096;

/// A key in a token.
pub(crate) struct TokenKey {
    // Closed before the module ends. The last session of a token that is closed logs out; to do so earlier would log out
    // other keys of that token too.
    session: Session,
    _module: Module,
    key: ObjectHandle,
    kind: KeyType,
    public: PublicKey,
    shown: String,
}

/// Opens the only private key that a URI names.
pub(crate) fn open(uri: &TokenUri, password: &Password<'_>) -> Result<TokenKey, Finding> {
    let unusable = |why: String| {
        Finding::error(codes::KEY_UNUSABLE, format!("{uri} is no key that can sign"))
            .because(why)
            .help("`p11tool --list-all --login` shows what is in a token")
    };
    let module = load(uri)?;
    let (slot, token) = find_token(uri, &module).map_err(unusable)?;
    let session = module.context.open_ro_session(slot).map_err(|e| unusable(words(&e)))?;
    if token.login_required() {
        log_in(uri, &session, password)?;
    }
    let (key, kind, public) = find_key(uri, &session).map_err(unusable)?;
    Ok(TokenKey { session, _module: module, key, kind, public, shown: uri.to_string() })
}

fn load(uri: &TokenUri) -> Result<Module, Finding> {
    let variable = || MODULE_VARIABLES.iter().find_map(std::env::var_os).map(Into::into);
    let path = uri.module.clone().or_else(variable).ok_or_else(|| {
        Finding::error(codes::KEY_UNUSABLE, format!("no PKCS #11 module is named for {uri}")).help(
            "write `?module-path=FILE` at its end, or set CLNSTRT_PKCS11_MODULE_PATH or COSIGN_PKCS11_MODULE_PATH",
        )
    })?;
    Module::load(&path).map_err(|why| {
        let message = format!("{} cannot be used as a PKCS #11 module", path.display());
        Finding::error(codes::KEY_UNUSABLE, message).because(why).help("name the library of the token's maker")
    })
}

fn find_token(uri: &TokenUri, module: &Module) -> Result<(Slot, TokenInfo), String> {
    let slots = module.context.get_slots_with_token().map_err(|e| words(&e))?;
    // A token that cannot be asked is not the one, and must not keep others from being used.
    let tokens = slots.into_iter().filter_map(|slot| Some((slot, module.context.get_token_info(slot).ok()?)));
    let is = |wanted: &Option<Vec<u8>>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name.as_bytes());
    let mut found = tokens.filter(|(slot, token)| {
        token.token_initialized()
            && uri.slot.is_none_or(|id| id == slot.id())
            && is(&uri.token, token.label())
            && is(&uri.serial, token.serial_number())
            && is(&uri.model, token.model())
            && is(&uri.manufacturer, token.manufacturer_id())
    });
    match (found.next(), found.count()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err("there is no such token".into()),
        (Some(_), more) => Err(format!("{} tokens are called so", more + 1)),
    }
}

/// Logs in, once: tokens lock themselves after some wrong PINs.
fn log_in(uri: &TokenUri, session: &Session, password: &Password<'_>) -> Result<(), Finding> {
    let failed = |why: String| Finding::error(codes::KEY_UNUSABLE, format!("cannot log in for {uri}")).because(why);
    // Another key of the same token has logged in for all.
    let state = session.get_session_info().map_err(|e| failed(words(&e)))?.session_state();
    if state == SessionState::RoUser {
        return Ok(());
    }
    let pin = match &uri.pin {
        Some(Pin::Value(pin)) => pin.clone(),
        Some(Pin::File(path)) => read_pin(path)?,
        None => password(Secret::Pin, &uri.to_string())?,
    };
    if pin.is_empty() {
        return Err(failed("the PIN is empty".into()));
    }
    let pin = RawAuthPin::new(Box::new(pin.to_vec()));
    match session.login_with_raw(UserType::User, &pin) {
        Ok(()) => Ok(()),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            Err(Finding::error(codes::KEY_UNUSABLE, format!("the PIN is not that of {uri}"))
                .help("it was tried once: a token locks itself after some wrong ones"))
        }
        Err(Error::Pkcs11(RvError::PinLocked, _)) => {
            Err(failed("the token has locked the PIN".into())
                .help("the security officer of the token can set another one"))
        }
        Err(e) => Err(failed(words(&e))),
    }
}

fn read_pin(path: &Path) -> Result<Zeroizing<Vec<u8>>, Finding> {
    // It never grows, so no part of the PIN stays where it was before.
    let mut pin = Zeroizing::new(Vec::with_capacity(8192));
    let read = File::open(path).and_then(|file| file.take(LONGEST_PIN + 1).read_to_end(&mut pin));
    read.map_err(|e| {
        Finding::error(codes::KEY_UNUSABLE, format!("the PIN in {} cannot be read: {e}", path.display()))
            .help("name the file that holds it, and nothing else, as `pin-source=file:/…`")
    })?;
    if pin.len() as u64 > LONGEST_PIN {
        let message = format!("{} has more bytes than any PIN", path.display());
        return Err(Finding::error(codes::KEY_UNUSABLE, message).help("name the file that holds it, and nothing else"));
    }
    while pin.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        pin.pop();
    }
    Ok(pin)
}

/// The only private key, its kind, and the public key the token holds beside it.
fn find_key(uri: &TokenUri, session: &Session) -> Result<(ObjectHandle, KeyType, PublicKey), String> {
    let mut wanted = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    wanted.extend(uri.object.clone().map(Attribute::Label));
    wanted.extend(uri.id.clone().map(Attribute::Id));
    let found = session.find_objects(&wanted).map_err(|e| words(&e))?;
    let [key] = found.as_slice() else {
        return Err(match found.len() {
            0 => "the token has no such private key".into(),
            several => format!("{several} private keys of the token are called so"),
        });
    };
    let asked = [AttributeType::KeyType, AttributeType::AlwaysAuthenticate, AttributeType::Id, AttributeType::Label];
    let said = session.get_attributes(*key, &[&asked[..], &public::DESCRIPTION].concat()).map_err(|e| words(&e))?;
    if said.contains(&Attribute::AlwaysAuthenticate(true)) {
        return Err("it wants its PIN for each signature, which is not supported yet".into());
    }
    let kind = said.iter().find_map(|attribute| match attribute {
        Attribute::KeyType(kind) => Some(*kind),
        _ => None,
    });
    let kind = kind.ok_or("the token does not tell its type")?;
    let beside = beside(session, &said)?;
    let der = public::der(kind, beside.as_deref().unwrap_or(&said))?;
    let public = PublicKey::from_der(&der).map_err(|why| why.to_string())?;
    Ok((*key, kind, public))
}

/// What the public object says that belongs to a private one: it has the same id, or the same label where there is no id.
fn beside(session: &Session, private: &[Attribute]) -> Result<Option<Vec<Attribute>>, String> {
    let id = public::value(private, AttributeType::Id).map(|id| Attribute::Id(id.into()));
    let label = || public::value(private, AttributeType::Label).map(|label| Attribute::Label(label.into()));
    let Some(name) = id.or_else(label) else { return Ok(None) };
    let found = session.find_objects(&[Attribute::Class(ObjectClass::PUBLIC_KEY), name]).map_err(|e| words(&e))?;
    match found.as_slice() {
        [] => Ok(None),
        [only] => session.get_attributes(*only, &public::DESCRIPTION).map(Some).map_err(|e| words(&e)),
        several => Err(format!("{} public keys of the token may be its own", several.len())),
    }
}

impl TokenKey {
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let sign = |mechanism, bytes: &[u8]| self.session.sign(&mechanism, self.key, bytes).map_err(|e| words(&e));
        match self.kind {
            KeyType::EC => {
                let numbers = sign(Mechanism::Ecdsa, Digest::of(message).as_bytes())?;
                let signature = p256::ecdsa::Signature::from_slice(&numbers)
                    .map_err(|_| "the token's signature is none of ECDSA on P-256")?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            KeyType::EC_EDWARDS => sign(Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)), message),
            _ => sign(Mechanism::Sha256RsaPkcs, message),
        }
    }
}

impl Signer for TokenKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Finding> {
        let failed =
            |why: String| Finding::error(codes::KEY_UNUSABLE, format!("{} could not sign", self.shown)).because(why);
        let signature = self.signature(message).map_err(failed)?;
        // Nothing in a token ties a public object to the private one: others would find the signature to be nobody's.
        if self.public.verifies(message, &signature) {
            Ok(signature)
        } else {
            Err(failed("the public key that the token holds beside it is another key's".into())
                .help("put the right public key into the token, under the id of the private one"))
        }
    }
}
