//! What the image itself says, which was hashed.

use std::collections::BTreeSet;

use model::Reference;
use serde_json::{Map, Value, json};

use super::object;
use crate::checks::Context;
use crate::evidence::{Need, Part};
use crate::manifest::Config;

/// Ports that an image may expose for them to be listed.
const MOST_PORTS: usize = 1000;

/// Puts in what is seen, over whatever is there.
pub(super) fn put(context: &Context<'_>, image: &mut Map<String, Value>) {
    let reference = &context.evidence.reference;
    // What lies here has no tag, whatever its path looks like.
    let named = reference.parse::<Reference>().ok().filter(|named| named.registry.is_some());
    let tag = named.and_then(|named| named.tag);
    let layers = context.images().flat_map(|part| &part.manifest.layers);
    image.extend(object(json!({
        "reference": reference,
        "tags": tag.into_iter().collect::<Vec<_>>(),
        "digest": context.evidence.digest,
        "size": layers.map(|layer| layer.size).fold(0, u64::saturating_add),
    })));
    let configs: Vec<Config> = context.images().filter_map(|part| config(context, part)).collect();
    let architectures: Vec<&str> = configs.iter().map(|config| config.architecture.as_str()).collect();
    image.insert("architectures".to_owned(), json!(architectures));
    // What is not the same for all of them is not known of the image.
    let same = |name: &str| {
        let mut all = configs.iter().map(|config| config.field(name));
        let first = all.next()?;
        all.all(|other| other == first).then(|| first.cloned().unwrap_or_default())
    };
    let mut put = |name: &str, value: Option<Value>| {
        image.remove(name);
        image.extend(value.map(|value| (name.to_owned(), value)));
    };
    let list = |value: Value| if value.is_null() { json!([]) } else { value };
    put("entrypoint", same("Entrypoint").map(list));
    put("command", same("Cmd").map(list));
    put("workdir", same("WorkingDir").filter(Value::is_string));
    put("labels", same("Labels").map(|labels| if labels.is_null() { json!({}) } else { labels }));
    put("env", same("Env").map(|env| environment(&env)));
    put("ports", same("ExposedPorts").and_then(|ports| tcp(&ports)).map(|ports| json!(ports)));
    // A name says nothing of the number; nothing at all is root.
    put(
        "user",
        same("User").and_then(|user| match user.as_str().unwrap_or_default().split(':').next() {
            None | Some("" | "root") => Some(json!(0)),
            Some(text) => text.parse::<u64>().ok().map(|number| json!(number)),
        }),
    );
    let contents: Vec<_> = context.images().filter_map(|part| context.evidence.contents.get(&part.digest)).collect();
    if !contents.is_empty() && contents.len() == configs.len() {
        let mut setuid: Vec<&str> = contents.iter().flat_map(|one| &one.setuid).map(String::as_str).collect();
        setuid.sort_unstable();
        setuid.dedup();
        image.insert("setuid_files".to_owned(), json!(setuid));
        let secrets: BTreeSet<_> = contents.iter().flat_map(|one| &one.secrets).collect();
        let secrets = secrets.into_iter().map(|(path, kind)| json!({ "path": path, "kind": kind }));
        image.insert("secrets".to_owned(), secrets.collect());
        image.insert("shell".to_owned(), json!(contents.iter().any(|one| one.has_shell)));
    }
}

fn config(context: &Context<'_>, part: &Part) -> Option<Config> {
    let config = part.manifest.config.as_ref()?;
    Config::parse(context.evidence.bytes(&Need::Config(config.digest, config.size)).ok()?).ok()
}

fn environment(env: &Value) -> Value {
    let each = env.as_array().into_iter().flatten().filter_map(|one| one.as_str()?.split_once('='));
    Value::Object(each.map(|(name, value)| (name.to_owned(), json!(value))).collect())
}

/// The TCP ports; unknown where one of them cannot be read, for it may be any.
fn tcp(ports: &Value) -> Option<BTreeSet<u16>> {
    let mut found = BTreeSet::new();
    let names = match ports {
        Value::Null => return Some(found),
        ports => ports.as_object()?.keys(),
    };
    for name in names {
        let (range, protocol) = name.split_once('/').unwrap_or((name, "tcp"));
        match protocol.to_ascii_lowercase().as_str() {
            "tcp" => {}
            "udp" | "sctp" => continue,
            _ => return None,
        }
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || usize::from(last - first) >= MOST_PORTS {
            return None;
        }
        found.extend(first..=last);
    }
    (found.len() <= MOST_PORTS).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_cannot_be_read_is_not_left_out() {
        for (names, wanted) in [
            (json!({}), Some(vec![])),
            (Value::Null, Some(vec![])),
            (json!({ "8000/tcp": {}, "53/udp": {} }), Some(vec![8000])),
            (json!({ "81/TCP": {}, "80": {} }), Some(vec![80, 81])),
            (json!({ "20-22/tcp": {}, "22/tcp": {} }), Some(vec![20, 21, 22])),
            (json!({ "1-1000/tcp": {} }), Some((1..=1000).collect())),
            (json!({ "1-1001/tcp": {} }), None),
            (json!({ "1-600/tcp": {}, "1001-1600/tcp": {} }), None),
            (json!({ "90-80/tcp": {} }), None),
            (json!({ "http/tcp": {} }), None),
            (json!({ "80/tcpx": {} }), None),
            (json!({ "65536/tcp": {} }), None),
            (json!({ "1-2-3/tcp": {} }), None),
            (json!(["80/tcp"]), None),
            (json!("80/tcp"), None),
        ] {
            assert_eq!(tcp(&names).map(Vec::from_iter), wanted, "{names}");
        }
    }
}
