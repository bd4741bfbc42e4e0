use include_dir::{Dir, include_dir};
use model::{Finding, codes};
use serde_json::json;

use crate::args::Format;
use crate::report::{self, Failure};

/// One page for each code, as the documentation has them.
static PAGES: Dir = include_dir!("$CARGO_MANIFEST_DIR/../docs/src/codes");

/// `explain`: the page of a code, or the list of all codes.
pub(super) fn run(code: Option<&str>, format: Format) -> Result<(), Failure> {
    let Some(wanted) = code else {
        if format == Format::Json {
            let list: Vec<_> = codes::ALL.iter().map(|code| json!({ "code": code.id, "title": code.title })).collect();
            return Ok(report::print_json(&list)?);
        }
        for code in codes::ALL {
            report::line(format_args!("{}  {}", code.id, code.title))?;
        }
        return Ok(());
    };
    let page = PAGES.get_file(format!("{}.md", wanted.to_ascii_uppercase())).and_then(|file| file.contents_utf8());
    match page {
        Some(page) if format == Format::Json => Ok(report::print_json(&json!({ "page": page }))?),
        Some(page) => Ok(report::line(page.trim_end())?),
        None => {
            let message = format!("there is no code {wanted}");
            Err(Finding::error(codes::USAGE, message).help("`clnstrt-cli explain` lists all codes").into())
        }
    }
}
