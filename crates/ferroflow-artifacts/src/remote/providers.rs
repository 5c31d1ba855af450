//! KFP's settings of stores: the key `providers` of the config map `kfp-launcher`, with the secrets that it names.

use ferroflow_ports::{ErrorKind, PortError};
use serde::Deserialize;
use serde_json::Value;

use super::address::{Address, Kind};

/// How places are reached, by kind of store, bucket and prefix.
#[derive(Debug, Clone, Default)]
pub struct Providers(Vec<Provider>);

/// How some places are reached.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    kind: Kind,
    /// `None` for all buckets.
    bucket: Option<String>,
    prefix: String,
    endpoint: Option<String>,
    is_plain: bool,
    pub(crate) region: Option<String>,
    pub(crate) force_path_style: Option<bool>,
    pub(crate) max_retries: Option<usize>,
    /// `None` for what the environment says.
    pub(crate) credentials: Option<Credentials>,
}

/// Values of secrets. They are never shown.
#[derive(Clone)]
pub(crate) enum Credentials {
    Keys { access_key: String, secret_key: String },
    Token(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    minio: Option<TextOfKind>,
    s3: Option<TextOfKind>,
    gs: Option<TextOfKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextOfKind {
    default: Option<TextOfProvider>,
    #[serde(default)]
    overrides: Vec<TextOfProvider>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TextOfProvider {
    bucket_name: Option<String>,
    key_prefix: Option<String>,
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(default, rename = "disableSSL")]
    disable_ssl: bool,
    force_path_style: Option<bool>,
    max_retries: Option<usize>,
    credentials: Option<TextOfCredentials>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TextOfCredentials {
    #[serde(default)]
    from_env: bool,
    secret_ref: Option<TextOfSecret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TextOfSecret {
    secret_name: String,
    access_key_key: Option<String>,
    secret_key_key: Option<String>,
    token_key: Option<String>,
}

impl Providers {
    /// Reads the value of the key. `secret` gives the value of a key of a secret, or says in a sentence why it cannot.
    /// `InvalidArgument`, with what is wrong.
    pub fn read(
        value: &Value,
        secret: impl Fn(&str, &str) -> Result<String, String>,
    ) -> Result<Self, PortError> {
        let refused = |reason: String| {
            let message = format!("`providers` of the config map `kfp-launcher`: {reason}");
            PortError::new(ErrorKind::InvalidArgument, message)
        };
        if value.is_null() {
            return Ok(Self::default());
        }
        let text = Text::deserialize(value).map_err(|error| refused(error.to_string()))?;
        let mut found = Vec::new();
        for (kind, name, text) in
            [(Kind::Minio, "minio", text.minio), (Kind::S3, "s3", text.s3), (Kind::Google, "gs", text.gs)]
        {
            let Some(text) = text else { continue };
            for own in text.overrides {
                if own.bucket_name.is_none() {
                    return Err(refused(format!("an override of `{name}` has no `bucketName`")));
                }
                found.push(provider(kind, name, own, &secret).map_err(refused)?);
            }
            if let Some(default) = text.default {
                if default.bucket_name.is_some() || default.key_prefix.is_some() {
                    return Err(refused(format!(
                        "the default of `{name}` is for all buckets: move it to `overrides`"
                    )));
                }
                found.push(provider(kind, name, default, &secret).map_err(refused)?);
            }
        }
        Ok(Self(found))
    }

    /// Whether anything is known of stores of a kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.0.iter().any(|provider| provider.kind == kind)
    }

    /// Which one is for a place: that of its bucket with the longest prefix, else that of all buckets.
    pub(crate) fn place(&self, address: &Address) -> Option<usize> {
        let fits = |provider: &Provider| {
            provider.kind == address.kind
                && provider.bucket.as_ref().is_none_or(|bucket| *bucket == address.bucket)
                && address.key.as_ref().starts_with(&provider.prefix)
        };
        let found = self.0.iter().enumerate().filter(|(_, provider)| fits(provider));
        found
            .max_by_key(|(_, provider)| (provider.bucket.is_some(), provider.prefix.len()))
            .map(|(place, _)| place)
    }

    pub(crate) fn of(&self, address: &Address) -> Option<&Provider> {
        self.0.get(self.place(address)?)
    }
}

impl Provider {
    /// The endpoint with its scheme.
    pub(crate) fn url(&self) -> Option<String> {
        let endpoint = self.endpoint.as_ref()?;
        if endpoint.contains("://") {
            return Some(endpoint.clone());
        }
        Some(format!("{}://{endpoint}", if self.is_plain { "http" } else { "https" }))
    }
}

fn provider(
    kind: Kind,
    name: &str,
    text: TextOfProvider,
    secret: impl Fn(&str, &str) -> Result<String, String>,
) -> Result<Provider, String> {
    let credentials = match text.credentials {
        Some(TextOfCredentials { from_env: false, secret_ref: Some(of) }) => Some(if kind == Kind::Google {
            let key = of.token_key.ok_or_else(|| format!("the `secretRef` of `{name}` has no `tokenKey`"))?;
            Credentials::Token(secret(&of.secret_name, &key)?)
        } else {
            let missing = |field: &str| format!("the `secretRef` of `{name}` has no `{field}`");
            let access = of.access_key_key.ok_or_else(|| missing("accessKeyKey"))?;
            let key = of.secret_key_key.ok_or_else(|| missing("secretKeyKey"))?;
            Credentials::Keys {
                access_key: secret(&of.secret_name, &access)?.trim().to_owned(),
                secret_key: secret(&of.secret_name, &key)?.trim().to_owned(),
            }
        }),
        Some(TextOfCredentials { from_env: false, secret_ref: None }) => {
            return Err(format!("the `credentials` of `{name}` need `fromEnv: true` or a `secretRef`"));
        }
        _ => None,
    };
    Ok(Provider {
        kind,
        bucket: text.bucket_name,
        prefix: text.key_prefix.unwrap_or_default().trim_start_matches('/').to_owned(),
        endpoint: text.endpoint.filter(|endpoint| !endpoint.is_empty()),
        is_plain: text.disable_ssl,
        region: text.region.filter(|region| !region.is_empty()),
        force_path_style: text.force_path_style,
        max_retries: text.max_retries,
        credentials,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::access::Access;
    use super::*;

    fn secret(name: &str, key: &str) -> Result<String, String> {
        if name == "gone" {
            Err("there is no secret `gone`".to_owned())
        } else {
            Ok(format!("{name}.{key}\n"))
        }
    }

    fn settings() -> Providers {
        let keys = |name: &str| json!({ "secretRef": { "secretName": name, "accessKeyKey": "a", "secretKeyKey": "s" } });
        let value = json!({
            "s3": {
                "default": { "endpoint": "s3.example.org", "region": "eu-west-1", "credentials": { "fromEnv": true } },
                "overrides": [
                    { "bucketName": "own", "keyPrefix": "team/", "region": "us-west-2", "maxRetries": 2,
                      "credentials": keys("team") },
                    { "bucketName": "own", "endpoint": "minio:9000", "disableSSL": true, "forcePathStyle": true,
                      "credentials": keys("all") },
                ],
            },
            "gs": { "default": { "credentials": { "secretRef": { "secretName": "g", "tokenKey": "t" } } } },
        });
        Providers::read(&value, secret).unwrap()
    }

    #[test]
    fn the_longest_prefix_of_the_bucket_wins() {
        let check = |uri: &str, url: Option<&str>, region: Option<&str>, keys: Option<&str>| {
            let settings = settings();
            let found = settings.of(&Address::parse(uri).unwrap()).unwrap();
            let got = match &found.credentials {
                Some(Credentials::Keys { access_key, secret_key }) => {
                    Some(format!("{access_key} {secret_key}"))
                }
                Some(Credentials::Token(token)) => Some(token.clone()),
                None => None,
            };
            assert_eq!(
                (found.url().as_deref(), found.region.as_deref(), got.as_deref()),
                (url, region, keys),
                "{uri}"
            );
        };
        check("s3://any/x", Some("https://s3.example.org"), Some("eu-west-1"), None);
        check("s3://own/x", Some("http://minio:9000"), None, Some("all.a all.s"));
        check("s3://own/team/x", None, Some("us-west-2"), Some("team.a team.s"));
        check("gs://b/x", None, None, Some("g.t\n"));
        assert!(settings().of(&Address::parse("minio://b/x").unwrap()).is_none());
        assert!(format!("{:?}", settings()).contains("Credentials(…)"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (value, text) in [
            (json!({ "s4": {} }), "s4"),
            (json!({ "s3": { "default": { "endpont": "x" } } }), "endpont"),
            (json!({ "s3": { "default": { "bucketName": "x" } } }), "overrides"),
            (json!({ "s3": { "overrides": [{ "region": "x" }] } }), "bucketName"),
            (json!({ "s3": { "default": { "credentials": {} } } }), "secretRef"),
            (
                json!({ "s3": { "default": { "credentials": { "secretRef": { "secretName": "x" } } } } }),
                "accessKeyKey",
            ),
            (
                json!({ "gs": { "default": { "credentials": { "secretRef": { "secretName": "x" } } } } }),
                "tokenKey",
            ),
            (
                json!({ "gs": { "default": { "credentials": { "secretRef": { "secretName": "gone", "tokenKey": "t" } } } } }),
                "no secret `gone`",
            ),
            (json!("x"), "invalid type"),
        ] {
            let error = Providers::read(&value, secret).unwrap_err();
            assert!(
                error.message.contains(text) && error.message.contains("kfp-launcher"),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn any_text_is_settings_or_refused() {
        const PIECES: [&str; 24] = [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"s3\"",
            "\"gs\"",
            "\"default\"",
            "\"overrides\"",
            "\"bucketName\"",
            "\"own\"",
            "\"keyPrefix\"",
            "\"endpoint\"",
            "\"region\"",
            "\"disableSSL\"",
            "true",
            "null",
            "1e9",
            "\"credentials\"",
            "\"secretRef\"",
            "\"secretName\"",
            "\"fromEnv\"",
            "\"maxRetries\"",
        ];
        bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
            let pieces =
                choice.iter().filter_map(|byte| PIECES.get(usize::from(*byte) % PIECES.len()).copied());
            let text: String = pieces.collect();
            let Ok(value) = serde_json::from_str(&text) else { return };
            if let Ok(settings) = Providers::read(&value, secret) {
                let access = Access::new([]).with_providers(settings);
                let _ = access.open(&Address::parse("s3://own/x").unwrap());
            }
        });
    }

    #[test]
    fn any_query_string_is_so_or_refused() {
        const PIECES: [&str; 16] = [
            "endpoint",
            "region",
            "disableSSL",
            "s3ForcePathStyle",
            "awssdk",
            "=",
            "&",
            "minio:9000",
            "elsewhere",
            "http://",
            "%3A",
            "%2F",
            "true",
            "@",
            "us-east-1",
            "?",
        ];
        let access = Access::new([]).with_providers(settings());
        let address = Address::parse("s3://own/x").unwrap();
        bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
            let pieces =
                choice.iter().filter_map(|byte| PIECES.get(usize::from(*byte) % PIECES.len()).copied());
            let query: String = pieces.collect();
            if access.check_query(&address, &query).is_err() {
                return;
            }
            for said in query.split('&').filter_map(|pair| pair.strip_prefix("endpoint=")) {
                let plain = said.replace("%3A", ":").replace("%2F", "/");
                let host = plain.split_once("://").map_or(plain.as_str(), |(_, host)| host);
                assert_eq!(host.trim_end_matches('/'), "minio:9000", "{query}");
            }
        });
    }

    #[test]
    fn query_strings_may_say_what_is_so() {
        let access = Access::new([]).with_providers(settings());
        let check = |root: &str| {
            let (_, query) = root.split_once('?').unwrap();
            access.check_query(&Address::parse(root).unwrap(), query)
        };
        for root in [
            "s3://own/x?endpoint=minio:9000&disableSSL=true&s3ForcePathStyle=true",
            "s3://own/x?endpoint=http%3A%2F%2Fminio%3A9000&region=us-east-1",
            "s3://any/x?region=eu-west-1&awssdk=v2&disable_https=false",
            "s3://own/team/x?region=us-west-2&endpoint=s3.amazonaws.com",
            "s3://own/x?",
        ] {
            assert_eq!(check(root), Ok(()), "{root}");
        }
        for (root, text) in [
            ("s3://own/x?endpoint=elsewhere", "`minio:9000`"),
            ("s3://own/x?endpoint=minio:9000.elsewhere", "`minio:9000`"),
            ("s3://own/x?endpoint=x@minio:9000", "`minio:9000`"),
            ("s3://any/x?region=us-east-1", "`eu-west-1`"),
            ("s3://any/x?disableSSL=true", "`false`"),
            ("s3://any/x?profile=other", "`profile`"),
            ("gs://b/x?endpoint=e", "only those of S3"),
        ] {
            assert!(check(root).unwrap_err().contains(text), "{root}: {:?}", check(root));
        }
    }
}
