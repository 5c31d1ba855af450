//! Bytes for download and for frames: ranges, names, and headers that keep user content harmless.

use axum::body::Body;
use bytes::Bytes;
use ferroflow_ports::PortError;
use futures_util::stream::{BoxStream, StreamExt};
use hyper::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, HeaderValue, RANGE,
    REFERRER_POLICY,
};
use hyper::{HeaderMap, StatusCode};

use crate::rest::answer::{Answer, answer};
use crate::status::ApiError;

/// Scripts may run, in an origin of their own: no cookies, no storage, no API of ours, no parent, no network.
const POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; \
    style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; connect-src 'none'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// The part of something that was asked for: from the first byte to before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) from: u64,
    to: u64,
    total: u64,
}

/// The value of the header, if it asks for bytes.
pub(super) fn range_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")
}

impl Span {
    /// The first bytes.
    pub(crate) fn first(bytes: u64, total: u64) -> Self {
        Self { from: 0, to: bytes.min(total), total }
    }

    /// Reads `first-last`, `first-` or `-length`. Several ranges are not served. `InvalidArgument` if nothing of it is
    /// there.
    pub(super) fn of(range: &str, total: u64) -> Result<Self, ApiError> {
        let wrong =
            || ApiError::invalid(format!("the range `{range}` cannot be served: there are {total} bytes"));
        let (first, last) = range.trim().split_once('-').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let (from, to) = match (first.trim(), last.trim()) {
            ("", length) => (total.saturating_sub(number(length)?), total),
            (first, "") => (number(first)?, total),
            (first, last) => (number(first)?, number(last)?.saturating_add(1).min(total)),
        };
        if from < to { Ok(Self { from, to, total }) } else { Err(wrong()) }
    }
}

/// At most what a span holds, of a stream that begins where the span does.
pub(crate) fn limited(
    pieces: BoxStream<'static, Result<Bytes, PortError>>,
    span: Option<Span>,
) -> BoxStream<'static, Result<Bytes, PortError>> {
    let Some(span) = span else { return pieces };
    let left = span.to - span.from;
    let cut = futures_util::stream::unfold((pieces, left), async |(mut pieces, left)| {
        if left == 0 {
            return None;
        }
        match pieces.next().await? {
            Ok(mut piece) => {
                piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - piece.len() as u64;
                Some((Ok(piece), (pieces, left)))
            }
            Err(error) => Some((Err(error), (pieces, 0))),
        }
    });
    cut.boxed()
}

/// 200, or 206 for a span. With a name it is saved, not shown.
pub(crate) fn download(
    body: Body,
    content_type: &'static str,
    span: Option<Span>,
    name: Option<&str>,
) -> Answer {
    let status = if span.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = answer(status, content_type, body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(Span { from, to, total }) = span
        && let Ok(range) = HeaderValue::try_from(format!("bytes {from}-{}/{total}", to - 1))
    {
        headers.insert(CONTENT_RANGE, range);
    }
    if let Some(name) = name
        && let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", plain(name)))
    {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// A name that any system takes.
fn plain(name: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    name.chars().map(letter).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let rows = [
            ("0-9", Some((0, 10))),
            ("5-", Some((5, 100))),
            ("-7", Some((93, 100))),
            ("-700", Some((0, 100))),
            ("99-500", Some((99, 100))),
            ("100-", None),
            ("9-5", None),
            ("-0", None),
            ("a-b", None),
            ("0-1,5-6", None),
            ("", None),
        ];
        for (range, expected) in rows {
            let got = Span::of(range, 100).ok().map(|span| (span.from, span.to));
            assert_eq!(got, expected, "{range}");
        }
    }
}
