//! What registries want to know of the user: read as the Docker client keeps it, or asked of its helpers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;

/// How Docker's own registry is named there.
const DEFAULT_REGISTRY: &str = "https://index.docker.io/v1/";

/// `config.json` of the Docker client.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    identitytoken: Option<String>,
}

/// What a helper answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// For the registry of this image; `None` if nothing is known. Blocks while a helper thinks.
pub(crate) fn for_image(config: &str, image: &str) -> Option<DockerCredentials> {
    let text = std::fs::read(config).ok()?;
    let config: Config = serde_json::from_slice(&text).ok()?;
    let registry = registry_of(image);
    let helper = config.cred_helpers.get(registry).or(config.creds_store.as_ref());
    if let Some(answer) = helper.and_then(|helper| ask(helper, registry)) {
        return Some(credentials(registry, answer));
    }
    let entry = config.auths.get(registry)?;
    let decoded = STANDARD.decode(entry.auth.as_deref()?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (username, secret) = decoded.split_once(':')?;
    let answer = Answer { username: username.to_owned(), secret: secret.trim_end_matches('\0').to_owned() };
    let found = credentials(registry, answer);
    Some(DockerCredentials { identitytoken: entry.identitytoken.clone(), ..found })
}

fn credentials(registry: &str, answer: Answer) -> DockerCredentials {
    let server = Some(registry.to_owned());
    // Helpers tell by this name that the secret is a token.
    if answer.username == "<token>" {
        return DockerCredentials {
            identitytoken: Some(answer.secret),
            serveraddress: server,
            ..DockerCredentials::default()
        };
    }
    DockerCredentials {
        username: Some(answer.username),
        password: Some(answer.secret),
        serveraddress: server,
        ..DockerCredentials::default()
    }
}

/// The registry that an image's name begins with, or Docker's own.
fn registry_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => DEFAULT_REGISTRY,
    }
}

fn ask(helper: &str, registry: &str) -> Option<Answer> {
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(registry.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_keeps_is_found_by_the_name_of_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.json");
        let auth = |text: &str| serde_json::json!({"auth": STANDARD.encode(text)});
        let text = serde_json::json!({"auths": {"reg.example:5000": auth("ann:se:cret"), DEFAULT_REGISTRY: auth("bob:b")}});
        std::fs::write(&config, text.to_string()).unwrap();
        let found = |image: &str| {
            let found = for_image(config.to_str().unwrap(), image)?;
            Some((found.username?, found.password?))
        };
        let pair = |name: &str, secret: &str| Some((name.to_owned(), secret.to_owned()));
        assert_eq!(found("reg.example:5000/a/b:1"), pair("ann", "se:cret"));
        assert_eq!(found("alpine"), pair("bob", "b"));
        assert_eq!(found("library/alpine:3"), pair("bob", "b"));
        assert_eq!(found("ghcr.io/a"), None);
        assert!(for_image("/nowhere", "alpine").is_none());
    }
}
