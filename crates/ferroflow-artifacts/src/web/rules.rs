//! What may be fetched: scheme, port and host of a URL.

use std::net::IpAddr;
use std::time::Duration;

use ferroflow_ports::PortError;
use ureq::http::Uri;

use super::address::is_of_the_world;
use super::refused;

/// Hosts that pipelines are usually kept at.
const USUAL_HOSTS: [&str; 4] =
    ["storage.googleapis.com", "s3.amazonaws.com", "github.com", "raw.githubusercontent.com"];

/// What may be fetched.
#[derive(Debug, Clone)]
pub struct WebRules {
    /// Nothing is checked: whatever this machine can reach may be fetched.
    pub is_off: bool,
    /// `http` besides `https`.
    pub allow_http: bool,
    /// Hosts besides the usual ones; `*.example.org` stands for all names below `example.org`, `*` for all names.
    pub hosts: Vec<String>,
    /// Longest time for everything.
    pub timeout: Duration,
}

impl Default for WebRules {
    fn default() -> Self {
        Self { is_off: false, allow_http: false, hosts: Vec::new(), timeout: Duration::from_secs(30) }
    }
}

impl WebRules {
    /// Refuses a URL by its words. Addresses behind names are checked when it is connected.
    pub(super) fn check(&self, url: &str) -> Result<(), PortError> {
        let uri: Uri = url.parse().map_err(|_| refused(format!("`{url}` is not a URL")))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !matches!(scheme, "http" | "https") {
            return Err(refused(format!("`{url}` must begin with `https://`")));
        }
        let authority = uri.authority().ok_or_else(|| refused(format!("`{url}` names no host")))?;
        if authority.as_str().contains('@') {
            return Err(refused(format!("`{url}` must not hold a user or a password")));
        }
        if self.is_off {
            return Ok(());
        }
        if scheme == "http" && !self.allow_http {
            let way_out = "use https, or let the server allow http with `PIPELINE_URL_ALLOW_HTTP=true`";
            return Err(refused(format!("`{url}` is not encrypted: {way_out}")));
        }
        let usual_port = if scheme == "http" { 80 } else { 443 };
        if authority.port_u16().is_some_and(|port| port != usual_port) {
            return Err(refused(format!("`{url}` must not name a port other than {usual_port}")));
        }
        self.check_host(url, authority.host())
    }

    fn check_host(&self, url: &str, host: &str) -> Result<(), PortError> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        if literal.is_some_and(|address| !is_of_the_world(address)) {
            return Err(refused(format!("`{url}` names an address of this machine or its network")));
        }
        let is_named = |pattern: &str| match pattern.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => pattern == "*" || pattern == host,
        };
        let own = self.hosts.iter().map(|pattern| pattern.trim().to_ascii_lowercase());
        if USUAL_HOSTS.into_iter().any(is_named) || own.into_iter().any(|pattern| is_named(&pattern)) {
            return Ok(());
        }
        let way_out = "download the file and upload it, or let the server allow the host with \
                       `PIPELINE_URL_ALLOWED_DOMAINS`";
        Err(refused(format!("the host `{host}` is not one that pipelines may be imported from: {way_out}")))
    }

    /// Where a redirect leads.
    pub(super) fn join(from: &str, target: &str) -> Result<String, PortError> {
        let nowhere = || refused(format!("`{from}` is redirected to nowhere"));
        if target.contains("://") {
            return Ok(target.to_owned());
        }
        let uri: Uri = from.parse().map_err(|_| nowhere())?;
        let (scheme, authority) = (uri.scheme_str(), uri.authority());
        let (Some(scheme), Some(authority)) = (scheme, authority) else { return Err(nowhere()) };
        if let Some(other) = target.strip_prefix("//") {
            return Ok(format!("{scheme}://{other}"));
        }
        if target.starts_with('/') {
            return Ok(format!("{scheme}://{authority}{target}"));
        }
        let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(format!("{scheme}://{authority}{folder}/{target}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let own = WebRules {
            hosts: vec!["*.example.org".to_owned(), "Box.test".to_owned()],
            ..WebRules::default()
        };
        let rows = [
            ("https://raw.githubusercontent.com/a/b/pipeline.yaml", true),
            ("https://GITHUB.com/a", true),
            ("https://github.com:443/a", true),
            ("https://files.example.org/p.yaml", true),
            ("https://box.test/p.yaml", true),
            ("https://example.org/p.yaml", false),
            ("https://badexample.org/p.yaml", false),
            ("https://github.com.evil.test/a", false),
            ("https://github.com@evil.test/a", false),
            ("https://user:secret@github.com/a", false),
            ("https://github.com:8443/a", false),
            ("http://github.com/a", false),
            ("file:///etc/passwd", false),
            ("ftp://github.com/a", false),
            ("/etc/passwd", false),
            ("", false),
            ("https://127.0.0.1/a", false),
            ("https://[::1]/a", false),
            ("https://169.254.169.254/latest/meta-data", false),
            ("https://localhost/a", false),
        ];
        for (url, allowed) in rows {
            assert_eq!(own.check(url).is_ok(), allowed, "{url}");
        }
        let all = WebRules { hosts: vec!["*".to_owned()], allow_http: true, ..WebRules::default() };
        assert!(all.check("http://anything.test/a").is_ok());
        assert!(all.check("http://10.0.0.1/a").is_err());
        let off = WebRules { is_off: true, ..WebRules::default() };
        assert!(off.check("http://10.0.0.1:9000/a").is_ok());
        assert!(off.check("file:///etc/passwd").is_err());
    }

    #[test]
    fn redirects() {
        let rows = [
            ("https://other.test/x", "https://other.test/x"),
            ("//other.test/x", "https://other.test/x"),
            ("/x", "https://github.com/x"),
            ("x", "https://github.com/a/x"),
        ];
        for (target, expected) in rows {
            assert_eq!(WebRules::join("https://github.com/a/b?c", target).unwrap(), expected);
        }
    }
}
