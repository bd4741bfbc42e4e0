//! Keys in tokens, which SoftHSM keeps in files, held against openssl and cosign.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Done, cli, run};

use crate::fixture::{SMALL, scratch};
use crate::registries::registry;
use crate::sign::{openssl, openssl_accepts, verify};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "battery-staple";
const DIGEST: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P384: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const RSA_SMALL: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];

/// A folder of tokens, one of which is called `offline keys`.
struct Tokens(PathBuf);

impl Tokens {
    fn new(folder: &Path) -> Self {
        let (settings, tokens) = (folder.join("softhsm2.conf"), folder.join("tokens"));
        fs::create_dir(&tokens).unwrap();
        fs::write(&settings, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
        let tokens = Self(folder.to_owned());
        tokens.add("offline keys");
        tokens
    }

    fn with(&self, command: &mut Command, args: &[&str]) -> Done {
        run(command.args(args).env("SOFTHSM2_CONF", self.0.join("softhsm2.conf")))
    }

    fn add(&self, name: &str) {
        let args = ["--init-token", "--free", "--so-pin", "12345678", "--pin", PIN, "--label", name];
        self.with(&mut Command::new("softhsm2-util"), &args).ok();
    }

    /// Puts a new key into the token; its public half comes back.
    fn key(&self, name: &str, id: &str, kind: &[&str], options: &[&str]) -> PathBuf {
        let (private, public) = openssl(&self.0, name, kind);
        let args = ["--import", private.to_str().unwrap(), "--token", "offline keys", "--pin", PIN];
        let args = [&args[..], &["--label", name, "--id", id], options].concat();
        self.with(&mut Command::new("softhsm2-util"), &args).ok();
        public
    }

    /// Signs a digest.
    fn sign(&self, key: &str, variables: &[(&str, &str)]) -> Done {
        let (bundle, plain) = (self.0.join("bundle.json"), self.0.join("plain"));
        let args = ["sign", "--offline", "--image", DIGEST, "--key", key, "--output-bundle", bundle.to_str().unwrap()];
        let args = [&args[..], &["--output-signature", plain.to_str().unwrap()]].concat();
        self.with(cli().envs(variables.iter().copied()), &args)
    }
}

/// That a signature was refused for this reason, and the PIN is not told. Long lines of findings are broken anywhere.
#[track_caller]
fn refused(done: Done, exit: i32, code: &str, words: &str) {
    let joined = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '│', "");
    let stderr = joined(&done.fails(exit, code).stderr);
    assert!(stderr.contains(&joined(words)) && !stderr.contains(PIN), "{words}: {stderr}");
}

fn uri(key: &str) -> String {
    format!("pkcs11:token=offline%20keys;{key}?module-path={MODULE}&pin-value={PIN}")
}

#[test]
fn what_keys_in_tokens_sign_openssl_and_cosign_accept() {
    let dir = scratch();
    let tokens = Tokens::new(dir.path());
    let keys = [
        ("object=ecdsa", tokens.key("ecdsa", "01", P256, &[])),
        ("id=%02", tokens.key("rsa", "02", RSA, &[])),
        ("object=alone;type=private", tokens.key("alone", "03", RSA, &["--no-public-key"])),
        ("object=ed25519;id=%04", tokens.key("ed25519", "04", &["-algorithm", "ed25519"], &[])),
    ];
    for (key, public) in &keys {
        tokens.sign(&uri(key), &[]).ok();
        if !key.contains("ed25519") {
            openssl_accepts(public, &dir.path().join("plain"), DIGEST);
        }
    }

    let (_registry, port) = registry(dir.path());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    run(cli().args(["push", SMALL.archive().to_str().unwrap(), &image])).ok();
    let uris = keys.each_ref().map(|(key, _)| uri(key));
    let args: Vec<&str> =
        ["sign", "--image", &image].into_iter().chain(uris.iter().flat_map(|uri| ["--key", uri])).collect();
    tokens.with(&mut cli(), &args).ok();
    for (_, public) in &keys {
        verify(public, &image).ok();
    }
}

#[test]
fn pin_and_module_of_a_token_are_found_where_they_are_kept() {
    let dir = scratch();
    let tokens = Tokens::new(dir.path());
    tokens.key("ecdsa", "01", P256, &[]);
    let file = dir.path().join("pin");
    fs::write(&file, format!("{PIN}\n")).unwrap();
    let with_module = format!("pkcs11:object=ecdsa?module-path={MODULE}");
    tokens.sign(&format!("{with_module}&pin-source=file:{}", file.display()), &[]).ok();
    tokens.sign(&with_module, &[("COSIGN_PKCS11_PIN", PIN)]).ok();
    tokens.sign(&with_module, &[("CLNSTRT_PKCS11_PIN", PIN), ("COSIGN_PKCS11_PIN", "other")]).ok();
    let no_module = format!("pkcs11:object=ecdsa?pin-value={PIN}");
    tokens.sign(&no_module, &[("COSIGN_PKCS11_MODULE_PATH", MODULE)]).ok();
    tokens.sign(&no_module, &[("CLNSTRT_PKCS11_MODULE_PATH", MODULE), ("COSIGN_PKCS11_MODULE_PATH", "/other.so")]).ok();

    let fails = |done, words| refused(done, 3, "CS1501", words);
    fails(tokens.sign(&no_module, &[]), "no PKCS #11 module is named for pkcs11:object=ecdsa");
    // What opens files is not tried on a token.
    fails(tokens.sign(&with_module, &[("CLNSTRT_PASSWORD", PIN)]), "the PIN of the key is not known");
    fails(tokens.sign(&with_module, &[("CLNSTRT_PKCS11_PIN", "")]), "the PIN is empty");
    fails(tokens.sign(&format!("{with_module}&pin-source=file:/no/such/pin"), &[]), "the PIN in /no/such/pin");
}

#[test]
fn what_a_token_cannot_sign_is_said() {
    let dir = scratch();
    let tokens = Tokens::new(dir.path());
    let fails = |key: &str, words: &str| {
        refused(tokens.sign(key, &[]), 3, "CS1501", words);
        assert!(!dir.path().join("bundle.json").exists() && !dir.path().join("plain.sig").exists());
    };
    tokens.key("ecdsa", "01", P256, &[]);
    fails(
        &uri("object=ecdsa").replace(PIN, "other"),
        "the PIN is not that of pkcs11:token=offline%20keys;object=ecdsa?",
    );
    fails(&uri("object=nobody"), "the token has no such private key");
    fails(&uri("object=ecdsa;id=%02"), "the token has no such private key");
    fails(&uri("object=ecdsa;serial=1"), "there is no such token");
    fails(&uri("object=ecdsa;slot-id=18446744073709551615"), "there is no such token");

    tokens.key("p384", "02", P384, &[]);
    fails(&uri("object=p384"), "another curve than P-256");
    tokens.key("short", "03", RSA_SMALL, &[]);
    fails(&uri("object=short"), "an RSA key of 1024 bits");
    tokens.key("alone", "04", P256, &["--no-public-key"]);
    fails(&uri("object=alone"), "the token does not tell its public key");

    // Two pairs under one id, of one of which the public half is missing: it seems to have the other's.
    tokens.key("first", "05", P256, &["--no-public-key"]);
    tokens.key("second", "05", P256, &["--force"]);
    fails(&uri("id=%05"), "2 private keys");
    fails(&uri("object=first"), "is another key's");
    tokens.sign(&uri("object=second"), &[]).ok();
    fs::remove_file(dir.path().join("bundle.json")).unwrap();
    fs::remove_file(dir.path().join("plain.sig")).unwrap();

    tokens.add("more keys");
    fails(&uri("object=ecdsa").replace("token=offline%20keys;", ""), "2 tokens are called so");

    let module = |path: &Path| uri("object=ecdsa").replace(MODULE, path.to_str().unwrap());
    let other = dir.path().join("other.so");
    fails(&module(&other), "other.so cannot be used as a PKCS #11 module");
    fs::write(&other, "no library").unwrap();
    fails(&module(&other), "other.so cannot be used as a PKCS #11 module");
    run(Command::new("cc").args(["-shared", "-x", "c", "/dev/null", "-o"]).arg(&other)).ok();
    fails(&module(&other), "C_GetFunctionList");
    fails(&module(Path::new("libsofthsm2.so")), "its path is not absolute");

    for key in ["colour=red", "object=%4", "slot-id=one", "type=cert"] {
        let name = key.split_once('=').unwrap().0;
        refused(tokens.sign(&uri(key), &[]), 2, "CS0907", &format!("`{name}`"));
    }
}
