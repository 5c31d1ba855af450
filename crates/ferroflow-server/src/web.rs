//! The page at `/`: the built one of `ui/`, or a plain one where none was built. It is compiled in and reads the API
//! like any other client.
//!
//! Knows nothing of what the page shows. Begin with [`file`].

use std::io::Read;

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue,
    REFERRER_POLICY, VARY,
};
use hyper::{Method, StatusCode};
use uuid::Uuid;

use crate::rest::answer::{Answer, answer};

/// The built page.
struct Page {
    /// Its first document, with [`NONCE_MARK`] where the nonce goes.
    index: &'static str,
    files: &'static [File],
}

/// A file beside the first document. Names of those below `/assets/` change with their content.
struct File {
    path: &'static str,
    /// Present where compressing does not help.
    plain: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

const BUILT: Option<Page> = include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

const PLAIN_PAGE: &str = include_str!("../web/index.html");
const PLAIN_SCRIPT: &str = include_str!("../web/app.js");
const PLAIN_STYLE: &str = include_str!("../web/app.css");

/// Style tags that dialogs add while they are open carry a nonce, made for each answer.
const NONCE_MARK: &str = "__CSP_NONCE__";

/// Names of files with a hash in them never change their content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The file at a path below the base, if it is one of the page's. The page's own addresses live behind the `#`, so
/// every link that clients print leads here.
pub(crate) fn file(method: &Method, path: &str, headers: &HeaderMap) -> Option<Answer> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    match &BUILT {
        Some(page) if matches!(path, "/" | "/index.html") => Some(first_document(page)),
        Some(page) => page.files.iter().find(|file| file.path == path).map(|file| asset(file, headers)),
        None => plain_file(path),
    }
}

fn first_document(page: &Page) -> Answer {
    let nonce = Uuid::new_v4().simple().to_string();
    let body = page.index.replace(NONCE_MARK, &nonce);
    guarded(answer(StatusCode::OK, "text/html; charset=utf-8", body), &nonce)
}

/// Nothing from elsewhere, no script inline, and frames only around it by pages of this machine: notebooks show runs
/// in one. The page itself shows nothing that acts when it is framed by another origin.
fn guarded(mut response: Answer, nonce: &str) -> Answer {
    let policy = format!(
        "default-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; \
         frame-ancestors 'self' http://localhost:* http://127.0.0.1:* https://localhost:* vscode-webview:"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, ASK_AGAIN);
    response
}

fn asset(file: &File, headers: &HeaderMap) -> Answer {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (encoding, body) = match file {
        File { plain: Some(plain), .. } => (None, Bytes::from_static(plain)),
        File { brotli: Some(brotli), .. } if accepts(accepted, "br") => {
            (Some("br"), Bytes::from_static(brotli))
        }
        File { gzip: Some(gzip), .. } if accepts(accepted, "gzip") => {
            (Some("gzip"), Bytes::from_static(gzip))
        }
        File { gzip: Some(gzip), .. } => (None, unpacked(gzip)),
        File { .. } => (None, Bytes::new()),
    };
    let mut response = answer(StatusCode::OK, content_type(file.path), body);
    let headers = response.headers_mut();
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CACHE_CONTROL, if file.path.starts_with("/assets/") { FOR_EVER } else { ASK_AGAIN });
    response
}

/// Whether a list such as `gzip, br;q=0.5` takes an encoding.
fn accepts(list: &str, encoding: &str) -> bool {
    list.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        is_named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// For clients that take no compression; rare, so it is done anew each time.
fn unpacked(gzip: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    match flate2::read::GzDecoder::new(gzip).read_to_end(&mut plain) {
        Ok(_) => plain.into(),
        Err(error) => {
            tracing::error!(%error, "a built-in file cannot be unpacked");
            Bytes::new()
        }
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn plain_file(path: &str) -> Option<Answer> {
    let (content_type, text) = match path {
        "/" | "/index.html" => ("text/html; charset=utf-8", PLAIN_PAGE),
        "/app.js" => ("text/javascript; charset=utf-8", PLAIN_SCRIPT),
        "/app.css" => ("text/css; charset=utf-8", PLAIN_STYLE),
        _ => return None,
    };
    let body = Bytes::from_static(text.as_bytes());
    // It has no inline style; a nonce that nothing carries allows nothing.
    Some(guarded(answer(StatusCode::OK, content_type, body), &Uuid::new_v4().simple().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let rows = [
            ("gzip, deflate, br, zstd", "br", true),
            ("GZIP", "gzip", true),
            ("br;q=0.5, gzip", "br", true),
            ("br;q=0, gzip", "br", false),
            ("gzip", "br", false),
            ("", "gzip", false),
            ("x-br", "br", false),
        ];
        for (list, encoding, expected) in rows {
            assert_eq!(accepts(list, encoding), expected, "{list}");
        }
    }
}
