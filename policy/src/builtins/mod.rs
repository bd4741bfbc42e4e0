//! Functions that rules can use besides those of the evaluator: one file each. All are pure, and fail on arguments they do not
//! understand, so that the rule refuses.

mod digest;
mod missing;
mod purl;
mod reference;
mod spdx;
mod time;
mod version;

pub use missing::missing;
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

/// Functions of other evaluators that depend on more than facts, the time, the network, chance, the machine, or that no budget
/// holds.
const IMPURE: [(&str, &str); 8] = [
    ("graph.reachable_paths", "its paths may be too many for any machine: use `graph.reachable`"),
    ("http.send", "a rule has no network"),
    ("net.lookup_ip_addr", "a rule has no network"),
    ("opa.runtime", "a rule does not see the machine"),
    ("rand.intn", "a rule says the same each time"),
    ("time.now_ns", "a rule has no clock: `input.now` is the time the question is asked for"),
    ("uuid.rfc4122", "a rule says the same each time"),
    ("rego.metadata.rule", "a rule does not read its own text"),
];

/// Why a function that others have is not here, if it could be.
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
