//! Passwords and PINs of keys: from the environment, or asked on a terminal.

use std::io::IsTerminal as _;

use model::{Finding, codes};
use signing::Secret;
use zeroize::Zeroizing;

/// What it is called, and the variables it is in: ours, and the one that cosign reads. A password is never tried as a PIN.
const fn called(secret: Secret) -> (&'static str, [&'static str; 2]) {
    match secret {
        Secret::Password => ("password", ["CLNSTRT_PASSWORD", "COSIGN_PASSWORD"]),
        Secret::Pin => ("PIN", ["CLNSTRT_PKCS11_PIN", "COSIGN_PKCS11_PIN"]),
    }
}

/// The password or PIN of a key.
pub(crate) fn of(secret: Secret, key: &str) -> Result<Zeroizing<Vec<u8>>, Finding> {
    let (name, _) = called(secret);
    known(secret).map_or_else(|| asked(secret, &format!("The {name} of {key}: ")), Ok)
}

/// The password of a key that is to be made.
pub(crate) fn new() -> Result<Zeroizing<Vec<u8>>, Finding> {
    if let Some(known) = known(Secret::Password) {
        return Ok(known);
    }
    let first = asked(Secret::Password, "Password of the new key (empty for none): ")?;
    if *first != *asked(Secret::Password, "Once more: ")? {
        return Err(Finding::error(codes::USAGE, "the two passwords differ").help("enter the same one twice"));
    }
    Ok(first)
}

fn known(secret: Secret) -> Option<Zeroizing<Vec<u8>>> {
    let (_, variables) = called(secret);
    variables.iter().find_map(|name| Some(Zeroizing::new(std::env::var(name).ok()?.into_bytes())))
}

fn asked(secret: Secret, prompt: &str) -> Result<Zeroizing<Vec<u8>>, Finding> {
    let (name, [ours, theirs]) = called(secret);
    let unknown = |why: String| {
        Finding::error(codes::KEY_UNUSABLE, format!("the {name} of the key is not known"))
            .because(why)
            .help(format!("set {ours} or {theirs}"))
    };
    if !std::io::stdin().is_terminal() {
        return Err(unknown("there is no terminal to ask on".into()));
    }
    let password = rpassword::prompt_password(prompt).map_err(|e| unknown(e.to_string()))?;
    Ok(Zeroizing::new(password.into_bytes()))
}
