//! Index pages of a Python package index: their links made relative, so that nothing recorded names a server.

use reqwest::Url;

/// Every link of a page (as written, without fragment and query) becomes `../../files/NAME/FILE`.
pub(crate) fn relative(body: &[u8], content_type: &str, name: &str) -> Vec<u8> {
    let local = |link: &str| {
        let (link, fragment) = link.split_once('#').map_or((link, String::new()), |(l, f)| (l, format!("#{f}")));
        format!("../../files/{name}/{}{fragment}", file_name(link))
    };
    if is_json(content_type) {
        let Ok(mut page) = serde_json::from_slice::<serde_json::Value>(body) else {
            return body.to_vec();
        };
        for file in page["files"].as_array_mut().into_iter().flatten() {
            let link = file["url"].as_str().map(local);
            file["url"] = link.into();
        }
        return page.to_string().into_bytes();
    }
    let text = String::from_utf8_lossy(body);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some((before, link, after)) = next_link(rest) {
        out.push_str(before);
        out.push_str(&local(link));
        rest = after;
    }
    out.push_str(rest);
    out.into_bytes()
}

/// Where the page's server has a file.
pub(crate) fn address(body: &[u8], content_type: &str, page: &Url, file: &str) -> Option<Url> {
    let links: Vec<String> = if is_json(content_type) {
        let page: serde_json::Value = serde_json::from_slice(body).ok()?;
        page["files"].as_array()?.iter().filter_map(|file| Some(file["url"].as_str()?.to_owned())).collect()
    } else {
        let text = String::from_utf8_lossy(body);
        let mut rest = text.as_ref();
        std::iter::from_fn(|| {
            let (_, link, after) = next_link(rest)?;
            rest = after;
            Some(link.replace("&amp;", "&"))
        })
        .collect()
    };
    let link = links.iter().find(|link| file_name(link) == file)?;
    let mut url = page.join(link).ok()?;
    url.set_fragment(None);
    Some(url)
}

fn is_json(content_type: &str) -> bool {
    content_type.contains("json")
}

fn file_name(link: &str) -> &str {
    let path = link.split(['#', '?']).next().unwrap_or(link);
    path.rsplit('/').next().unwrap_or(path)
}

/// The next `href="…"`: what stands before the link, the link, and what follows it.
fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("href=\"")? + 6;
    let end = start + text[start..].find('"')?;
    Some((&text[..start], &text[start..end], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_relative_and_lead_back() {
        let html = br#"<a href="https://files.example/a/b/x-1.0.whl?k=1&amp;l=2#sha256=ab" data-x="y">x</a><a href="../up/y.whl">"#;
        let page = Url::parse("https://index.example/simple/x/").unwrap();
        let local = String::from_utf8(relative(html, "text/html", "x")).unwrap();
        assert_eq!(
            local,
            r#"<a href="../../files/x/x-1.0.whl#sha256=ab" data-x="y">x</a><a href="../../files/x/y.whl">"#
        );
        let found = address(html, "text/html", &page, "x-1.0.whl").unwrap();
        assert_eq!(found.as_str(), "https://files.example/a/b/x-1.0.whl?k=1&l=2");
        let found = address(html, "text/html", &page, "y.whl").unwrap();
        assert_eq!(found.as_str(), "https://index.example/simple/up/y.whl");
        assert_eq!(address(html, "text/html", &page, "z.whl"), None);
    }

    #[test]
    fn a_json_page_is_treated_alike() {
        let json = br#"{"files":[{"filename":"x-1.0.whl","url":"https://files.example/q/x-1.0.whl"}]}"#;
        let local = String::from_utf8(relative(json, "application/vnd.pypi.simple.v1+json", "x")).unwrap();
        assert!(local.contains("\"../../files/x/x-1.0.whl\"") && !local.contains("example"), "{local}");
    }
}
