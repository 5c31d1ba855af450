//! Local but not open: who may talk to a server that starts processes and asks nobody for a password.
//!
//! Three attacks come from a web page in the user's own browser: DNS rebinding (a foreign name that resolves to this
//! machine), requests across origins, and forms. The first is stopped by the Host header, the others by `Origin`,
//! `Sec-Fetch-Site` and the content type. Programs such as `curl` and the kfp client send none of the browser's
//! headers, so they notice nothing. Pure functions; begin with [`HostPolicy::check`].

use std::net::{IpAddr, SocketAddr};

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Uri};

use crate::status::{ApiError, Code};

/// Which names of this server are believed.
#[derive(Debug, Clone)]
pub(crate) struct HostPolicy {
    names: Vec<String>,
    any_address: bool,
}

impl HostPolicy {
    /// Believes `localhost`, the loopback addresses, the address listened on and `extra` names (lower-cased, no port).
    ///
    /// Listening on all addresses (`0.0.0.0`) believes every literal address: rebinding needs a name.
    pub(crate) fn new(listen: SocketAddr, extra: &[String]) -> Self {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        names.push(match listen.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        names.extend(extra.iter().map(|name| name.to_ascii_lowercase()));
        Self { names, any_address: listen.ip().is_unspecified() }
    }

    /// Refuses a request that a foreign web page may have made.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), ApiError> {
        let host = self.host_of(request)?;
        check_origin(&host, &request.headers)?;
        if is_write(&request.method) {
            check_fetch_site(&request.headers)?;
            check_content(&request.headers)?;
        }
        Ok(())
    }

    fn host_of(&self, request: &Parts) -> Result<Authority, ApiError> {
        // HTTP/2 says it in the address, HTTP/1.1 in a header; both may come, and both must be believed.
        let header = single(&request.headers, &HOST)?.map(|text| self.believed(text)).transpose()?;
        let target = request.uri.authority().map(|target| self.believed(target.as_str())).transpose()?;
        header.or(target).ok_or_else(|| refused("a request needs a Host header"))
    }

    fn believed(&self, text: &str) -> Result<Authority, ApiError> {
        let unknown = || {
            refused(format!(
                "the host `{}` is not known to this server: use `localhost`, or allow the name when starting it",
                text.chars().take(100).collect::<String>()
            ))
        };
        let authority: Authority = text.parse().map_err(|_| unknown())?;
        if text.contains('@') {
            return Err(unknown());
        }
        let name = authority.host().to_ascii_lowercase();
        let is_literal = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        if self.names.contains(&name) || (self.any_address && is_literal) {
            Ok(authority)
        } else {
            Err(unknown())
        }
    }
}

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new(Code::PermissionDenied, message)
}

fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The value of a header that may come once; twice means that somebody plays tricks.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(refused(format!("the header `{name}` came more than once")));
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| refused(format!("the header `{name}` is not plain text")))
}

/// Browsers send `Origin` with every request across origins that could matter. Ours is the Host itself.
fn check_origin(host: &Authority, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = single(headers, &ORIGIN)? else { return Ok(()) };
    let same = origin.parse::<Uri>().is_ok_and(|uri| {
        let default_port = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return false,
        };
        uri.authority().is_some_and(|theirs| {
            theirs.host().eq_ignore_ascii_case(host.host())
                && theirs.port_u16().unwrap_or(default_port) == host.port_u16().unwrap_or(default_port)
        })
    });
    if same { Ok(()) } else { Err(refused("requests from other web pages are refused")) }
}

/// A second line for browsers that leave `Origin` out.
fn check_fetch_site(headers: &HeaderMap) -> Result<(), ApiError> {
    match single(headers, &HeaderName::from_static("sec-fetch-site"))? {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(refused("requests from other web pages are refused")),
    }
}

/// A form can send three content types without asking; only `multipart/form-data` is served, for uploads, and those
/// start nothing. A request without body and type (`curl -X DELETE`) cannot come from a form.
fn check_content(headers: &HeaderMap) -> Result<(), ApiError> {
    let essence = single(headers, &CONTENT_TYPE)?.map(|text| essence_of(text).to_ascii_lowercase());
    match essence.as_deref() {
        Some("application/json" | "multipart/form-data") => Ok(()),
        Some(other) if crate::grpc::is_grpc_type(other) => Ok(()),
        None if !has_body(headers) => Ok(()),
        other => Err(refused(format!(
            "the content type `{}` is refused: send `application/json`, or `multipart/form-data` to upload",
            other.unwrap_or("(none)")
        ))),
    }
}

/// The media type without its parameters.
pub(crate) fn essence_of(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).map(hyper::header::HeaderValue::as_bytes);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != b"0")
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    /// `lines` are the request line's method and the headers, as `GET; host: localhost; …`.
    fn check(listen: &str, lines: &str) -> bool {
        let mut parts = lines.split("; ");
        let mut request = Request::builder().method(parts.next().unwrap()).uri("/apis/v2beta1/runs");
        for line in parts {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let policy = HostPolicy::new(listen.parse().unwrap(), &["Box.example".to_owned()]);
        policy.check(&request.body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn hosts() {
        let local = "127.0.0.1:8080";
        let rows = [
            ("GET; host: localhost:8080", true),
            ("GET; host: LOCALHOST", true),
            ("GET; host: 127.0.0.1:9999", true),
            ("GET; host: [::1]:8080", true),
            ("GET; host: box.example", true),
            ("GET", false),
            ("GET; host: evil.example", false),
            ("GET; host: evil.example:8080", false),
            ("GET; host: localhost.evil.example", false),
            ("GET; host: localhost@evil.example", false),
            ("GET; host: evil.example@localhost", false),
            ("GET; host: 192.168.1.7:8080", false),
            ("GET; host: localhost; host: evil.example", false),
            ("GET; host: 127.0.0.1.nip.example", false),
        ];
        for (request, allowed) in rows {
            assert_eq!(check(local, request), allowed, "{request}");
        }
        assert!(check("0.0.0.0:8080", "GET; host: 192.168.1.7:8080"));
        assert!(!check("0.0.0.0:8080", "GET; host: evil.example"));
        assert!(check("192.168.1.7:8080", "GET; host: 192.168.1.7:8080"));
    }

    #[test]
    fn origins_and_forms() {
        let rows = [
            ("POST; host: localhost:8080; content-type: application/json", true),
            ("POST; host: localhost:8080; content-type: Application/JSON; charset=utf-8", true),
            ("POST; host: localhost:8080; content-type: multipart/form-data; boundary=x", true),
            ("POST; host: localhost:8080", true),
            ("DELETE; host: localhost:8080", true),
            ("DELETE; host: localhost:8080; content-length: 0", true),
            ("POST; host: localhost:8080; content-length: 2", false),
            ("POST; host: localhost:8080; transfer-encoding: chunked", false),
            ("POST; host: localhost:8080; content-type: text/plain", false),
            ("POST; host: localhost:8080; content-type: text/plain, application/json", false),
            ("POST; host: localhost:8080; content-type: application/x-www-form-urlencoded", false),
            ("POST; host: localhost:8080; content-type: text/plain; content-type: application/json", false),
            ("POST; host: localhost:8080; origin: http://localhost:8080", true),
            ("POST; host: localhost; origin: http://localhost:80", true),
            ("POST; host: localhost; origin: https://localhost", true),
            ("POST; host: localhost:8080; origin: http://localhost:3000", false),
            ("POST; host: localhost:8080; origin: http://evil.example", false),
            ("POST; host: localhost:8080; origin: null", false),
            ("GET; host: localhost:8080; origin: http://evil.example", false),
            ("POST; host: localhost:8080; sec-fetch-site: cross-site", false),
            ("POST; host: localhost:8080; sec-fetch-site: same-site", false),
            ("POST; host: localhost:8080; sec-fetch-site: same-origin", true),
            ("GET; host: localhost:8080; sec-fetch-site: cross-site", true),
        ];
        for (request, allowed) in rows {
            // `; charset` and `; boundary` belong to the header before them.
            let request = request.replace("; charset", ";charset").replace("; boundary", ";boundary");
            assert_eq!(check("127.0.0.1:8080", &request), allowed, "{request}");
        }
    }
}
