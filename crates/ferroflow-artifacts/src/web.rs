//! Files of the web, fetched for clients: the server must not become a way into the network behind it.
//!
//! Every step of a redirect is checked anew: scheme, port, host, and the addresses that the name stands for. The
//! connection goes to an address that was checked, so a name that changes its address in between gains nothing.

mod address;
mod rules;

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_ports::package::PackageFetcher;
use ferroflow_ports::{ErrorKind, PortError};
use ureq::http::header::LOCATION;

use self::address::CheckedResolver;
pub use self::rules::WebRules;

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 10;

/// Fetches within rules.
#[derive(Debug, Clone)]
pub struct WebFetcher {
    rules: Arc<WebRules>,
}

impl WebFetcher {
    /// With these rules.
    pub fn new(rules: WebRules) -> Self {
        Self { rules: Arc::new(rules) }
    }

    fn fetch_now(&self, url: &str, most_bytes: u64) -> Result<Bytes, PortError> {
        let agent = self.agent();
        let mut url = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            self.rules.check(&url)?;
            let answer = agent.get(&url).call().map_err(|error| failed(&url, &error))?;
            let status = answer.status();
            if status.is_redirection() {
                let target = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                url = WebRules::join(&url, target.unwrap_or_default())?;
                continue;
            }
            if !status.is_success() {
                return Err(refused(format!("`{url}` answers with status {}", status.as_u16())));
            }
            let mut bytes = Vec::new();
            let mut body = answer.into_body().into_reader().take(most_bytes.saturating_add(1));
            body.read_to_end(&mut bytes).map_err(|error| failed(&url, &error.into()))?;
            if bytes.len() as u64 > most_bytes {
                return Err(refused(format!("`{url}` holds more than {} MiB", most_bytes >> 20)));
            }
            return Ok(bytes.into());
        }
        Err(refused(format!("`{url}` is the end of more than {MOST_REDIRECTS} redirects")))
    }

    fn agent(&self) -> ureq::Agent {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(self.rules.timeout))
            .timeout_connect(Some(self.rules.timeout.min(Duration::from_secs(10))))
            .max_redirects(0)
            .http_status_as_error(false);
        if self.rules.is_off {
            return ureq::Agent::new_with_config(config.build());
        }
        // A proxy would look names up by itself, where nothing is checked.
        let config = config.proxy(None).build();
        ureq::Agent::with_parts(
            config,
            ureq::unversioned::transport::DefaultConnector::default(),
            CheckedResolver::default(),
        )
    }
}

#[async_trait]
impl PackageFetcher for WebFetcher {
    async fn fetch(&self, url: &str, most_bytes: u64) -> Result<Bytes, PortError> {
        let (fetcher, url) = (self.clone(), url.to_owned());
        let fetched = tokio::task::spawn_blocking(move || fetcher.fetch_now(&url, most_bytes)).await;
        fetched
            .map_err(|error| PortError::new(ErrorKind::Internal, "fetching ended badly").caused_by(error))?
    }
}

fn refused(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

fn failed(url: &str, error: &ureq::Error) -> PortError {
    refused(format!("`{url}` cannot be fetched: {error}"))
}
