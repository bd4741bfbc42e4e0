//! Functions that rules can use besides those of the evaluator, and those in the place of which ours are used, because what the
//! evaluator's own answer may be longer than all that they are given by any factor, before a budget sees it: one file each.
//! All are pure, and fail on arguments they do not understand, so that the rule refuses.

mod concat;
mod digest;
mod missing;
mod pattern;
mod purl;
mod range;
mod reference;
mod replace;
mod shift;
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
    Own { name: "bits.lsh", takes: 2, answer: shift::left },
    Own { name: "clnstrt.digest.parse", takes: 1, answer: digest::parse },
    Own { name: "clnstrt.purl.parse", takes: 1, answer: purl::parse },
    Own { name: "clnstrt.reference.parse", takes: 1, answer: reference::parse },
    Own { name: "clnstrt.spdx.satisfies", takes: 2, answer: spdx::satisfies },
    Own { name: "clnstrt.version.compare", takes: 3, answer: version::compare },
    Own { name: "concat", takes: 2, answer: concat::concat },
    Own { name: "numbers.range", takes: 2, answer: range::range },
    Own { name: "numbers.range_step", takes: 3, answer: range::range_step },
    Own { name: "regex.replace", takes: 3, answer: pattern::replace },
    Own { name: "replace", takes: 3, answer: replace::replace },
    Own { name: "strings.replace_n", takes: 2, answer: replace::replace_n },
    Own { name: "time.parse_rfc3339_ns", takes: 1, answer: time::parse_rfc3339_ns },
];

/// Functions of other evaluators that depend on more than facts, the time, the network, chance, the machine, or that no budget
/// holds.
const IMPURE: [(&str, &str); 9] = [
    ("graph.reachable_paths", "its paths may be too many for any machine: use `graph.reachable`"),
    ("json.marshal_with_options", "its indentation may be as long as one likes: use `json.marshal`"),
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
    let is_theirs = |name: &&str| impure(name).is_none() && !OWN.iter().any(|own| own.name == *name);
    BUILTINS.keys().copied().filter(is_theirs).chain(OWN.iter().map(|own| own.name))
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

/// A whole number among the arguments.
fn integer(arguments: &[Value], number: usize) -> Result<i64, String> {
    let value = arguments.get(number).ok_or("an argument is missing")?;
    value.as_i64().map_err(|_| format!("argument {} is no whole number of 64 bits", number + 1))
}

/// Bytes of a text that a function makes at most.
const LONGEST: usize = 16 << 20;

/// How a refusal to answer ends that is about memory.
pub(crate) const TOO_MUCH: &str = "which is more than a rule may use";

/// Refuses to make a text of so many bytes.
fn long(bytes: usize) -> Result<(), String> {
    if bytes > LONGEST { Err(format!("the text would be longer than {LONGEST} bytes, {TOO_MUCH}")) } else { Ok(()) }
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
