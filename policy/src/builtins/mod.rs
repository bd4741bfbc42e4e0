//! Functions that rules can use besides those of the evaluator: one file each. All are pure, and fail on arguments they do not
//! understand, so that the rule refuses.

mod digest;
mod purl;
mod reference;
mod spdx;
mod time;
mod version;

use regorus::Value;
use regorus::unstable::BUILTINS;

/// What a function answers, or why it cannot.
type Answer = Result<Value, String>;

/// A function of our own.
struct Own {
    name: &'static str,
    takes: u8,
    answer: fn(&[Value]) -> Answer,
}

const OWN: &[Own] = &[
    Own { name: "clnstrt.digest.parse", takes: 1, answer: digest::parse },
    Own { name: "clnstrt.purl.parse", takes: 1, answer: purl::parse },
    Own { name: "clnstrt.reference.parse", takes: 1, answer: reference::parse },
    Own { name: "clnstrt.spdx.satisfies", takes: 2, answer: spdx::satisfies },
    Own { name: "clnstrt.version.compare", takes: 3, answer: version::compare },
    Own { name: "time.parse_rfc3339_ns", takes: 1, answer: time::parse_rfc3339_ns },
];

/// Functions of other evaluators that depend on more than facts: the time, the network, chance, the machine.
const IMPURE: [(&str, &str); 7] = [
    ("http.send", "a rule has no network"),
    ("net.lookup_ip_addr", "a rule has no network"),
    ("opa.runtime", "a rule does not see the machine"),
    ("rand.intn", "a rule says the same each time"),
    ("time.now_ns", "a rule has no clock: `input.now` is the time the question is asked for"),
    ("uuid.rfc4122", "a rule says the same each time"),
    ("rego.metadata.rule", "a rule does not read its own text"),
];

/// Why a function that others have is not here, if that is because it depends on more than facts.
pub(crate) fn impure(name: &str) -> Option<&'static str> {
    IMPURE.into_iter().find(|(impure, _)| *impure == name).map(|(_, why)| why)
}

/// Gives an evaluator our functions.
pub(crate) fn add_to(engine: &mut regorus::Engine) -> Result<(), String> {
    OWN.iter().try_for_each(|own| {
        let answer = own.answer;
        let extension = move |arguments: Vec<Value>| {
            answer(&arguments).map_err(|why| std::io::Error::new(std::io::ErrorKind::InvalidInput, why).into())
        };
        engine.add_extension(own.name.into(), own.takes, Box::new(extension)).map_err(|error| error.to_string())
    })
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    let pure = BUILTINS.keys().copied().filter(|name| impure(name).is_none());
    pure.chain(OWN.iter().map(|own| own.name))
}

/// How many arguments a function takes; `None` where there is no such function.
pub(crate) fn arguments(name: &str) -> Option<usize> {
    if impure(name).is_some() {
        return None;
    }
    let own = || OWN.iter().find(|own| own.name == name).map(|own| own.takes);
    BUILTINS.get(name).map(|(_, takes)| *takes).or_else(own).map(usize::from)
}

/// Functions of the Open Policy Agent 1.22 that are not here, and why, by their names.
pub fn missing() -> impl Iterator<Item = (&'static str, &'static str)> {
    const CRYPTOGRAPHY: &str = "signatures are checked before rules are asked, and are facts then";
    const NOT_NEEDED: &str = "no fact needs it";
    const FORMAT: &str = "facts are JSON already";
    const OTHERS: [(&str, &str); 39] = [
        ("crypto.hmac.equal", CRYPTOGRAPHY),
        ("crypto.hmac.md5", CRYPTOGRAPHY),
        ("crypto.hmac.sha1", CRYPTOGRAPHY),
        ("crypto.hmac.sha256", CRYPTOGRAPHY),
        ("crypto.hmac.sha512", CRYPTOGRAPHY),
        ("crypto.md5", CRYPTOGRAPHY),
        ("crypto.parse_private_keys", CRYPTOGRAPHY),
        ("crypto.sha1", CRYPTOGRAPHY),
        ("crypto.sha256", CRYPTOGRAPHY),
        ("crypto.x509.parse_and_verify_certificates", CRYPTOGRAPHY),
        ("crypto.x509.parse_and_verify_certificates_with_options", CRYPTOGRAPHY),
        ("crypto.x509.parse_certificate_request", CRYPTOGRAPHY),
        ("crypto.x509.parse_certificates", CRYPTOGRAPHY),
        ("crypto.x509.parse_keypair", CRYPTOGRAPHY),
        ("crypto.x509.parse_rsa_private_key", CRYPTOGRAPHY),
        ("graphql.is_valid", NOT_NEEDED),
        ("graphql.parse", NOT_NEEDED),
        ("graphql.parse_and_verify", NOT_NEEDED),
        ("graphql.parse_query", NOT_NEEDED),
        ("graphql.parse_schema", NOT_NEEDED),
        ("graphql.schema_is_valid", NOT_NEEDED),
        ("io.jwt.decode", CRYPTOGRAPHY),
        ("io.jwt.decode_verify", CRYPTOGRAPHY),
        ("io.jwt.encode_sign", CRYPTOGRAPHY),
        ("io.jwt.encode_sign_raw", CRYPTOGRAPHY),
        ("json.match_schema", FORMAT),
        ("json.patch", NOT_NEEDED),
        ("json.verify_schema", FORMAT),
        ("providers.aws.sign_req", CRYPTOGRAPHY),
        ("time.add_date", "compare texts of RFC 3339, or nanoseconds"),
        ("time.clock", "compare texts of RFC 3339, or nanoseconds"),
        ("time.date", "compare texts of RFC 3339, or nanoseconds"),
        ("time.diff", "compare texts of RFC 3339, or nanoseconds"),
        ("time.format", "compare texts of RFC 3339, or nanoseconds"),
        ("time.parse_duration_ns", "compare texts of RFC 3339, or nanoseconds"),
        ("time.parse_ns", "compare texts of RFC 3339, or nanoseconds"),
        ("time.weekday", "compare texts of RFC 3339, or nanoseconds"),
        ("yaml.marshal", FORMAT),
        ("yaml.unmarshal", FORMAT),
    ];
    IMPURE.into_iter().chain(OTHERS)
}

/// A text among the arguments.
fn text(arguments: &[Value], number: usize) -> Result<&str, String> {
    let value = arguments.get(number).ok_or("an argument is missing")?;
    value.as_string().map(|text| &**text).map_err(|_| format!("argument {} is no text", number + 1))
}

/// An object; what is `None` is not in it.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let mut object = Value::new_object();
    if let Ok(map) = object.as_object_mut() {
        map.extend(fields.into_iter().filter_map(|(name, value)| Some((Value::from(name), value?))));
    }
    object
}

#[cfg(test)]
mod tests;
