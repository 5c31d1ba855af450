//! How stores elsewhere are reached: from the variables of the server and the user's profile, by the names that the
//! stores' own tools know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ferroflow_ports::{ErrorKind, PortError};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider,
};

use super::address::{Address, Kind};
use super::providers::{Credentials, Provider, Providers};

/// For one request with all that is tried again; a person may be waiting.
const PATIENCE: Duration = Duration::from_mins(1);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// For a store that says nothing, also while a part of 8 MiB goes to it over a slow line.
const SILENCE: Duration = Duration::from_mins(5);
/// Where KFP's own MinIO is, if nobody says otherwise.
const MINIO: &str = "http://minio-service.kubeflow:9000";

/// What is known about how to reach stores.
#[derive(Debug, Clone, Default)]
pub struct Access {
    variables: BTreeMap<String, String>,
    pub(crate) providers: Providers,
}

impl Access {
    /// From variables such as those of the server: `AWS_…`, `MINIO_…`, `GOOGLE_…`, `AZURE_…`, and `HOME` for profiles.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), providers: Providers::default() }
    }

    /// With settings of KFP's, which go before the variables.
    #[must_use]
    pub fn with_providers(mut self, providers: Providers) -> Self {
        self.providers = providers;
        self
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether anything is known about stores of a kind. Else nobody asks them: pipelines may name public buckets that
    /// they do not read, and machines without access would wait for answers that do not come.
    pub(crate) fn is_set_up(&self, kind: Kind) -> bool {
        let has = |prefix: &str| {
            let mut names =
                self.variables.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
            names.any(|name| name.starts_with(prefix) && name != "AWS_CA_BUNDLE")
        };
        let at_home = |path: &str| self.get("HOME").is_some_and(|home| Path::new(home).join(path).exists());
        let has_s3 = || has("AWS_") || at_home(".aws/credentials");
        if self.providers.has(kind) {
            return true;
        }
        match kind {
            Kind::S3 => has_s3(),
            Kind::Minio => has("MINIO_") || has_s3(),
            Kind::Google => {
                has("GOOGLE_")
                    || has("STORAGE_EMULATOR_HOST")
                    || at_home(".config/gcloud/application_default_credentials.json")
            }
            Kind::Azure => has("AZURE_"),
        }
    }

    /// The store that has a place. `InvalidArgument` if what is known does not make sense.
    pub(crate) fn open(&self, address: &Address) -> Result<Arc<dyn ObjectStore>, PortError> {
        let (kind, bucket) = (address.kind, address.bucket.as_str());
        if !self.is_set_up(kind) {
            let variables = match kind {
                Kind::S3 => "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
                Kind::Minio => "MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY",
                Kind::Google => "GOOGLE_APPLICATION_CREDENTIALS",
                Kind::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
            };
            let message = format!(
                "the store of the bucket `{bucket}` is not set up: start the server with {variables}, or what else its \
                 own tools know"
            );
            return Err(PortError::new(ErrorKind::InvalidArgument, message));
        }
        let provider = self.providers.of(address);
        let built = match kind {
            Kind::S3 | Kind::Minio => self
                .of_s3(kind, bucket, provider)
                .build()
                .map(|store| Arc::new(store) as Arc<dyn ObjectStore>),
            Kind::Google => {
                self.google(bucket, provider).build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
            }
            Kind::Azure => self.azure(bucket).build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>),
        };
        built.map_err(|error| {
            let message = format!("the store of the bucket `{bucket}` is not set up: {error}");
            PortError::new(ErrorKind::InvalidArgument, message).caused_by(error)
        })
    }

    /// Compares what the query string of a root says with how its bucket is reached: a request must not choose the machine
    /// that the server talks to with its keys. The reason of a failure goes on after the root.
    pub(crate) fn check_query(&self, address: &Address, query: &str) -> Result<(), String> {
        if !matches!(address.kind, Kind::S3 | Kind::Minio) {
            return Err("has a query string, which only those of S3 and MinIO may have".to_owned());
        }
        let builder = self.of_s3(address.kind, &address.bucket, self.providers.of(address));
        let value = |key| builder.get_config_value(&key).unwrap_or_default();
        let endpoint = value(AmazonS3ConfigKey::Endpoint);
        let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", &endpoint));
        let host = if host.is_empty() { "s3.amazonaws.com" } else { host.trim_end_matches('/') };
        let region = Some(value(AmazonS3ConfigKey::Region)).filter(|region| !region.is_empty());
        let is_plain = (scheme == "http").to_string();
        let is_path = (value(AmazonS3ConfigKey::VirtualHostedStyleRequest) != "true").to_string();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, said) = pair.split_once('=').unwrap_or((pair, ""));
            let said = said.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/").replace("%2f", "/");
            let known = match name {
                "endpoint" => host,
                "region" => region.as_deref().unwrap_or("us-east-1"),
                "disableSSL" | "disable_https" => &is_plain,
                "s3ForcePathStyle" | "use_path_style" => &is_path,
                // Which version of a library upstream uses.
                "awssdk" => continue,
                name => return Err(format!("says `{name}`, which nothing is known of")),
            };
            let said = if name == "endpoint" {
                said.split_once("://").map_or(&*said, |(_, host)| host)
            } else {
                &said
            };
            if said.trim_end_matches('/') != known {
                return Err(format!(
                    "says {name} `{said}`, but this server reaches the bucket `{}` by `{known}`: set it up by the \
                     variables of the server, or by the providers of the config map kfp-launcher",
                    address.bucket
                ));
            }
        }
        Ok(())
    }

    fn of_s3(&self, kind: Kind, bucket: &str, provider: Option<&Provider>) -> AmazonS3Builder {
        let mut builder = if kind == Kind::Minio { self.minio(bucket) } else { self.s3(bucket) };
        let Some(provider) = provider else { return builder };
        if let Some(endpoint) = provider.url() {
            let allow_http = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint).with_client_options(self.client(allow_http));
        }
        if let Some(region) = &provider.region {
            builder = builder.with_region(region);
        }
        if let Some(is_path) = provider.force_path_style {
            builder = builder.with_virtual_hosted_style_request(!is_path);
        }
        if let Some(max_retries) = provider.max_retries {
            builder = builder.with_retry(RetryConfig { max_retries, ..retries() });
        }
        match &provider.credentials {
            Some(Credentials::Keys { access_key, secret_key }) => {
                builder.with_access_key_id(access_key).with_secret_access_key(secret_key)
            }
            _ => builder,
        }
    }

    fn s3(&self, bucket: &str) -> AmazonS3Builder {
        let mut builder = AmazonS3Builder::new();
        let has_keys =
            self.get("AWS_ACCESS_KEY_ID").is_some() || self.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_some();
        if !has_keys {
            for (name, value) in self.profile() {
                if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
        }
        for (name, value) in &self.variables {
            if name.starts_with("AWS_")
                && let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()
            {
                builder = builder.with_config(key, value.clone());
            }
        }
        let endpoint = self.get("AWS_ENDPOINT_URL_S3").or_else(|| self.get("AWS_ENDPOINT_URL"));
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let options = self.client(endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")));
        builder.with_bucket_name(bucket).with_client_options(options).with_retry(retries())
    }

    /// `minio://` has its own endpoint and keys, else those of S3.
    fn minio(&self, bucket: &str) -> AmazonS3Builder {
        let mut builder = self.s3(bucket);
        let given = self.get("MINIO_ENDPOINT").map(str::to_owned).or_else(|| {
            let host = self.get("MINIO_SERVICE_SERVICE_HOST")?;
            Some(format!("http://{host}:{}", self.get("MINIO_SERVICE_SERVICE_PORT").unwrap_or("9000")))
        });
        let has_endpoint =
            self.get("AWS_ENDPOINT_URL_S3").is_some() || self.get("AWS_ENDPOINT_URL").is_some();
        if let Some(endpoint) = given.or_else(|| (!has_endpoint).then(|| MINIO.to_owned())) {
            let allow_http = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint).with_client_options(self.client(allow_http));
        }
        if let (Some(key), Some(secret)) = (self.get("MINIO_ACCESS_KEY"), self.get("MINIO_SECRET_KEY")) {
            builder = builder.with_access_key_id(key).with_secret_access_key(secret);
        }
        builder
    }

    fn google(&self, bucket: &str, provider: Option<&Provider>) -> GoogleCloudStorageBuilder {
        let mut builder = GoogleCloudStorageBuilder::new();
        for (name, value) in &self.variables {
            if name.starts_with("GOOGLE_")
                && let Ok(key) = name.to_ascii_lowercase().parse::<GoogleConfigKey>()
            {
                builder = builder.with_config(key, value.clone());
            }
        }
        let emulator = self.get("STORAGE_EMULATOR_HOST");
        if let Some(host) = emulator {
            let host = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
            // Not `SkipSignature`, which not all requests heed: they would ask the machine for a token.
            let anybody = GcpCredential { bearer: "anybody".to_owned() };
            builder = builder
                .with_config(GoogleConfigKey::BaseUrl, host)
                .with_credentials(Arc::new(StaticCredentialProvider::new(anybody)));
        }
        if let Some(Provider { credentials: Some(Credentials::Token(token)), .. }) = provider {
            builder = builder.with_service_account_key(token);
        }
        builder
            .with_bucket_name(bucket)
            .with_client_options(self.client(emulator.is_some()))
            .with_retry(retries())
    }

    fn azure(&self, bucket: &str) -> MicrosoftAzureBuilder {
        let mut builder = MicrosoftAzureBuilder::new();
        for (name, value) in &self.variables {
            if name.starts_with("AZURE_")
                && let Ok(key) = name.to_ascii_lowercase().parse::<AzureConfigKey>()
            {
                builder = builder.with_config(key, value.clone());
            }
        }
        let allow_http = self.get("AZURE_STORAGE_USE_EMULATOR").is_some()
            || self.get("AZURE_STORAGE_ENDPOINT").is_some_and(|endpoint| endpoint.starts_with("http://"));
        builder.with_container_name(bucket).with_client_options(self.client(allow_http)).with_retry(retries())
    }

    fn client(&self, allow_http: bool) -> ClientOptions {
        let options = ClientOptions::new()
            .with_allow_http(allow_http)
            .with_connect_timeout(CONNECT_PATIENCE)
            // A large object takes as long as it takes, but not without a sign of life.
            .with_timeout_disabled()
            .with_config(ClientConfigKey::ReadTimeout, format!("{} seconds", SILENCE.as_secs()));
        let own = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].into_iter().find_map(|name| self.get(name));
        let read = own.and_then(|path| std::fs::read(path).ok());
        let certificates =
            read.and_then(|text| object_store::Certificate::from_pem_bundle(&text).ok()).unwrap_or_default();
        certificates.into_iter().fold(options, ClientOptions::with_root_certificate)
    }

    /// What the profile of the AWS tools says, by the names of its files.
    fn profile(&self) -> BTreeMap<String, String> {
        let name = self.get("AWS_PROFILE").unwrap_or("default");
        let home = self.get("HOME").map(PathBuf::from).unwrap_or_default();
        let file = |variable: &str, usual: &str| {
            let path = self.get(variable).map_or_else(|| home.join(usual), PathBuf::from);
            std::fs::read_to_string(path).unwrap_or_default()
        };
        let mut found = section(&file("AWS_CONFIG_FILE", ".aws/config"), &[name, &format!("profile {name}")]);
        found.extend(section(&file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"), &[name]));
        found
    }
}

fn retries() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 8, retry_timeout: PATIENCE }
}

/// The entries of a section of an INI file.
fn section(text: &str, names: &[&str]) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut is_wanted = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_wanted = names.contains(&header.trim());
        } else if let Some((key, value)) = line.split_once('=')
            && is_wanted
            && !line.starts_with(['#', ';'])
        {
            entries.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_that_nobody_set_up_are_not_asked() {
        let with = |name: &str| {
            Access::new([(name.to_owned(), "x".to_owned()), ("HOME".to_owned(), "/none".to_owned())])
        };
        for kind in [Kind::S3, Kind::Minio, Kind::Google, Kind::Azure] {
            assert!(!with("AWS_CA_BUNDLE").is_set_up(kind));
            let address = Address { kind, bucket: "b".to_owned(), key: object_store::path::Path::default() };
            assert_eq!(with("PATH").open(&address).unwrap_err().kind, ErrorKind::InvalidArgument);
        }
        assert!(with("AWS_REGION").is_set_up(Kind::S3) && with("AWS_REGION").is_set_up(Kind::Minio));
        assert!(with("MINIO_ENDPOINT").is_set_up(Kind::Minio) && !with("MINIO_ENDPOINT").is_set_up(Kind::S3));
        assert!(with("STORAGE_EMULATOR_HOST").is_set_up(Kind::Google));
        assert!(with("AZURE_STORAGE_USE_EMULATOR").is_set_up(Kind::Azure));
    }

    #[test]
    fn profiles() {
        let text = "[default]\naws_access_key_id = A\n# x = y\n[profile lab]\nregion=eu-west-1\n aws_session_token = T = \n";
        let of = |names: &[&str]| section(text, names).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&["default"]), [("aws_access_key_id".to_owned(), "A".to_owned())]);
        let lab = [("aws_session_token", "T ="), ("region", "eu-west-1")];
        assert_eq!(of(&["lab", "profile lab"]), lab.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
