//! `check`: everything that CI asks of a change, in the order that finds mistakes soonest.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::{codegen, floors};

/// Stops at the first step that fails. `with_tests` adds the tests of all crates.
pub(crate) fn run(root: &Path, with_tests: bool) -> anyhow::Result<()> {
    cargo(root, &["fmt", "--all", "--check"])?;
    floors::run(root)?;
    codegen::run(root, true)?;
    deny(root)?;
    cargo(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    if with_tests {
        cargo(root, &["test", "--workspace", "--locked"])?;
    }
    println!("check: all is well");
    Ok(())
}

/// Bans, licences and sources of dependencies. Whoever has no cargo-deny leaves it to CI, which says `FERROFLOW_DENY`.
fn deny(root: &Path) -> anyhow::Result<()> {
    let named = std::env::var_os("FERROFLOW_DENY");
    let program = named.clone().unwrap_or_else(|| "cargo-deny".into());
    let words = ["--log-level", "error", "check", "bans", "licenses", "sources"];
    match Command::new(&program).args(words).current_dir(root).status() {
        Ok(status) => ensure!(status.success(), "cargo-deny found something: see above and deny.toml"),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            println!("check: cargo-deny is not installed, dependencies are not checked (CI does it)");
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot start `{}`", program.to_string_lossy()));
        }
    }
    Ok(())
}

fn cargo(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("check: cargo {}", words.join(" "));
    let status = Command::new(cargo).args(words).current_dir(root).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", words.join(" "));
    }
    Ok(())
}
