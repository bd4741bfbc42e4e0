use include_dir::{Dir, include_dir};
use model::{Finding, codes};

use crate::report::Failure;

/// One page for each code, as the documentation has them.
static PAGES: Dir = include_dir!("$CARGO_MANIFEST_DIR/../docs/src/codes");

/// `explain`: the page of a code, or the list of all codes.
pub(super) fn run(code: Option<&str>) -> Result<(), Failure> {
    let Some(wanted) = code else {
        for code in codes::ALL {
            anstream::println!("{}  {}", code.id, code.title);
        }
        return Ok(());
    };
    let page = PAGES.get_file(format!("{}.md", wanted.to_ascii_uppercase())).and_then(|file| file.contents_utf8());
    match page {
        Some(page) => {
            anstream::println!("{}", page.trim_end());
            Ok(())
        }
        None => {
            let message = format!("there is no code {wanted}");
            Err(Finding::error(codes::USAGE, message).help("`clnstrt-cli explain` lists all codes").into())
        }
    }
}
