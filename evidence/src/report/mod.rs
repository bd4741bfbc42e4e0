//! The report for people: one HTML file with everything in it. The page itself is in `page/`; here its data is put in.

mod data;

use data_encoding::BASE64;
use model::Digest;
use model::hardening::CompileFlags;
use model::plan::ImageConfig;
use model::statement::{Provenance, Statement};

use crate::bill::Bill;
use crate::build::Build;
use crate::licences::Licences;

/// What a report is made from. Everything is about the same image; what is not known is absent.
#[derive(Clone, Copy)]
pub struct Page<'p> {
    /// What is in the image of each architecture.
    pub bills: &'p [Bill<'p>],
    /// The layers of each, bottom first.
    pub layers: &'p [Vec<LayerFacts>],
    /// How the image of each architecture is started.
    pub runs: &'p [ImageConfig],
    /// Its licences.
    pub licences: &'p Licences,
    /// How it was built, if that was here.
    pub build: Option<(&'p Build<'p>, &'p Statement<Provenance>)>,
    /// How its files were compiled, for each architecture.
    pub flags: &'p [CompileFlags],
    /// How many steps were run twice, and the titles of those that made something else; absent if none was.
    pub repeated: Option<&'p (usize, Vec<String>)>,
    /// What is to be warned of: code and words.
    pub warnings: &'p [(String, String)],
    /// The documents written beside it.
    pub documents: &'p [DocumentFacts],
}

/// A layer, as far as it is known.
#[derive(Clone, Debug)]
pub struct LayerFacts {
    /// As it is delivered.
    pub digest: Option<Digest>,
    /// Bytes of it as it is delivered.
    pub size: Option<u64>,
    /// What it is.
    pub title: Option<String>,
}

/// A document beside the report.
#[derive(Clone, Debug)]
pub struct DocumentFacts {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: &'static str,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
/// One script in files of one subject each: what one of them defines, those behind it use.
const SCRIPT: [&str; 21] = [
    include_str!("page/script/element.js"),
    include_str!("page/script/words.js"),
    include_str!("page/script/copy.js"),
    include_str!("page/script/data.js"),
    include_str!("page/script/route.js"),
    include_str!("page/script/table.js"),
    include_str!("page/script/chains.js"),
    include_str!("page/script/why.js"),
    include_str!("page/script/trust.js"),
    include_str!("page/script/summary.js"),
    include_str!("page/script/packages.js"),
    include_str!("page/script/package.js"),
    include_str!("page/script/graph.js"),
    include_str!("page/script/files.js"),
    include_str!("page/script/file.js"),
    include_str!("page/script/licences.js"),
    include_str!("page/script/layers.js"),
    include_str!("page/script/hardening.js"),
    include_str!("page/script/provenance.js"),
    include_str!("page/script/print.js"),
    include_str!("page/script/start.js"),
];

/// The report, a whole HTML file. It asks nothing of any network: its policy allows only what is in it.
pub fn report(page: &Page<'_>) -> String {
    let script = SCRIPT.concat();
    let title = page.bills.first().map_or_else(String::new, |bill| {
        let version = bill.image.version.iter().map(|version| format!(" {version}")).collect::<String>();
        format!("{}{version}", bill.image.name)
    });
    let data = serde_json::to_string(&data::of(page)).unwrap_or_default();
    fill(FRAME, |name| match name {
        "title" => escaped(&title),
        "style-hash" => hash(STYLE),
        "script-hash" => hash(&script),
        "style" => STYLE.to_owned(),
        "script" => script.clone(),
        // Within a script element only `</` and `<!--` mean something.
        "data" => data.replace('<', "\\u003c"),
        _ => String::new(),
    })
}

/// Puts values in the place of `{{names}}`, once through: a value that has such a name in it is left as it is.
fn fill(frame: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut parts = frame.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        filled.push_str(&value(name));
        filled.push_str(rest);
    }
    filled
}

/// A source of the content security policy (CSP level 3, section 2.3.1): just this text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Digest::of(text.as_bytes()).as_bytes()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once() {
        let filled = fill("<{{a}}{{b}}>{{a}}", |name| format!("[{name}{{{{b}}}}]"));
        assert_eq!(filled, "<[a{{b}}][b{{b}}]>[a{{b}}]");
    }

    /// The well-known digest of nothing, and the frame has every name once and no other.
    #[test]
    fn the_frame_allows_just_its_own_style_and_script() {
        assert_eq!(hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
        let mut names = Vec::new();
        fill(FRAME, |name| {
            names.push(name.to_owned());
            String::new()
        });
        names.sort();
        names.dedup();
        assert_eq!(names, ["data", "script", "script-hash", "style", "style-hash", "title"]);
        assert!(!SCRIPT.concat().contains("</script") && !STYLE.contains("</style"));
    }
}
