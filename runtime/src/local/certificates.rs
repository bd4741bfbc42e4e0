use data_encoding::BASE64;
use files::input;
use model::{Finding, codes};

use super::Folder;

const MAX_BYTES: u64 = 1 << 20;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Reads the certificates of a PEM file (RFC 7468), without whatever stands between them.
///
/// # Errors
/// `SOURCE_FILE`.
pub fn read_certificates(folder: &Folder, path: &str) -> Result<String, Finding> {
    let failed = |why: String| {
        Finding::error(codes::SOURCE_FILE, format!("{path} {why}"))
            .help("Name a file of certificates in PEM form: blocks that start with -----BEGIN CERTIFICATE-----.")
    };
    let bytes = input::read(&folder.file(path)?, MAX_BYTES).map_err(|e| failed(format!("cannot be read: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|e| failed(format!("cannot be read: {e}")))?;
    if text.contains("PRIVATE KEY-----") {
        return Err(failed("holds a private key, which must not get into an image".into()));
    }
    let mut certificates = String::new();
    let mut rest = text.as_str();
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let (body, after) = block.split_once(END).ok_or_else(|| failed("ends inside a certificate".into()))?;
        let body: String = body.split_whitespace().collect();
        // A certificate is an ASN.1 sequence, which starts with this byte.
        if !BASE64.decode(body.as_bytes()).is_ok_and(|der| der.first() == Some(&0x30)) {
            return Err(failed("holds a block that is no certificate".into()));
        }
        let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        certificates.push_str(&format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")));
        rest = after;
    }
    if certificates.is_empty() { Err(failed("holds no certificate".into())) } else { Ok(certificates) }
}
