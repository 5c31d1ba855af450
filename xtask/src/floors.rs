//! `floors`: no crate imports what ARCHITECTURE.md does not allow.
//!
//! The table stands there between `<!-- floors -->` and `<!-- /floors -->`: one row for each crate, then the crates
//! that it may import, without the prefix `ferroflow-` and joined by commas. `store (tests)` allows tests only. Tests
//! of all crates may use the crates in [`FREE_FOR_TESTS`].

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

const TABLE: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- floors -->";
const END: &str = "<!-- /floors -->";
const PREFIX: &str = "ferroflow-";
const FREE_FOR_TESTS: [&str; 2] = ["testing", "contract"];
const ONLY_TESTS: &str = "(tests)";

/// Fails with all edges that are not allowed.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root.join(TABLE)).with_context(|| format!("cannot read {TABLE}"))?;
    let table = read_table(&text)?;
    let crates = workspace(root)?;
    let problems = problems(&table, &crates);
    ensure!(problems.is_empty(), "the crates do not stand on their floors:\n{}", problems.join("\n"));
    let edges: usize = crates.values().map(Vec::len).sum();
    println!("floors: {} crates and {edges} imports are as {TABLE} says", crates.len());
    Ok(())
}

/// What each crate may import.
type Table<'a> = BTreeMap<&'a str, Vec<Allowed<'a>>>;

struct Allowed<'a> {
    target: &'a str,
    only_tests: bool,
}

/// What each crate imports from the workspace.
type Crates = BTreeMap<String, Vec<Import>>;

struct Import {
    target: String,
    in_tests: bool,
}

fn read_table(text: &str) -> anyhow::Result<Table<'_>> {
    let inside = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (inside, _) = inside.with_context(|| format!("{TABLE} has no `{BEGIN}` … `{END}`"))?;
    let rows = inside.lines().map(str::trim).filter(|line| line.starts_with('|'));
    let mut table = Table::new();
    // The first two rows are the heads of the columns and the line below them.
    for row in rows.skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, imports] = cells.as_slice() else { bail!("{TABLE}: `{row}` does not have two cells") };
        let allowed = imports.split(',').map(allowed).filter(|allowed| !allowed.target.is_empty());
        let previous = table.insert(bare(name), allowed.collect());
        ensure!(previous.is_none(), "{TABLE}: `{name}` has two rows");
    }
    Ok(table)
}

fn allowed(cell: &str) -> Allowed<'_> {
    let cell = cell.trim();
    match cell.strip_suffix(ONLY_TESTS) {
        Some(target) => Allowed { target: bare(target), only_tests: true },
        None => Allowed { target: bare(cell), only_tests: false },
    }
}

/// A name without spaces, code marks and the prefix.
fn bare(name: &str) -> &str {
    let name = name.trim().trim_matches('`');
    name.strip_prefix(PREFIX).unwrap_or(name)
}

fn problems(table: &Table<'_>, crates: &Crates) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, imports) in crates {
        let Some(row) = table.get(name.as_str()) else {
            problems.push(format!("- `{name}` has no row in {TABLE}"));
            continue;
        };
        for import in imports {
            let target = import.target.as_str();
            let listed = row
                .iter()
                .any(|allowed| allowed.target == target && (import.in_tests || !allowed.only_tests));
            let free = import.in_tests && FREE_FOR_TESTS.contains(&target);
            if !(listed || free) {
                let tests = if import.in_tests { " in tests" } else { "" };
                problems.push(format!("- `{name}` must not import `{target}`{tests}"));
            }
        }
    }
    let unknown = |name: &str| !crates.contains_key(name);
    for (name, row) in table {
        for name in std::iter::once(*name).chain(row.iter().map(|allowed| allowed.target)) {
            let problem = format!("- {TABLE} names `{name}`, which is no crate");
            if unknown(name) && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// The part of `cargo metadata` that matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build` or nothing.
    kind: Option<String>,
    /// Only of crates that are not from a registry.
    path: Option<String>,
}

fn workspace(root: &Path) -> anyhow::Result<Crates> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata is not readable")?;
    Ok(metadata
        .packages
        .into_iter()
        .map(|package| (bare(&package.name).to_owned(), imports(package)))
        .collect())
}

fn imports(package: Package) -> Vec<Import> {
    let inside = package.dependencies.into_iter().filter(|dependency| dependency.path.is_some());
    inside
        .map(|dependency| Import {
            target: bare(&dependency.name).to_owned(),
            in_tests: dependency.kind.as_deref() == Some("dev"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
# Floors
<!-- floors -->
| crate | may import |
| --- | --- |
| `model` | |
| ports | model, ferroflow-engine |
| engine | model |
| server | ports, engine (tests) |
| testing | model |
<!-- /floors -->
| not | a row |
";

    /// Checks imports such as `ports>model` or, in tests, `ports>>model` in a workspace of the crates above.
    fn check(edges: &[&str], expected: &[&str]) {
        let mut crates: Crates = ["model", "ports", "engine", "server", "testing"]
            .map(|name| (name.to_owned(), Vec::new()))
            .into();
        for edge in edges {
            let (name, target) = edge.split_once('>').unwrap();
            let target_name = target.trim_start_matches('>').to_owned();
            let import = Import { in_tests: target.starts_with('>'), target: target_name };
            crates.entry(name.to_owned()).or_default().push(import);
        }
        assert_eq!(problems(&read_table(TEXT).unwrap(), &crates), expected, "{edges:?}");
    }

    #[test]
    fn edges_in_the_table_are_fine() {
        check(&[], &[]);
        check(&["ports>model", "ports>engine", "server>ports", "server>>ports", "server>>engine"], &[]);
        check(&["model>>testing", "server>>testing"], &[]);
    }

    #[test]
    fn all_other_edges_are_reported() {
        check(
            &["model>ports", "server>engine", "model>testing", "model>>server"],
            &[
                "- `model` must not import `ports`",
                "- `model` must not import `testing`",
                "- `model` must not import `server` in tests",
                "- `server` must not import `engine`",
            ],
        );
    }

    #[test]
    fn table_and_workspace_name_the_same_crates() {
        check(&["new>model"], &["- `new` has no row in ARCHITECTURE.md"]);
        let table = read_table(TEXT).unwrap();
        let crates = Crates::from([("model".to_owned(), Vec::new()), ("engine".to_owned(), Vec::new())]);
        assert_eq!(
            problems(&table, &crates),
            [
                "- ARCHITECTURE.md names `ports`, which is no crate",
                "- ARCHITECTURE.md names `server`, which is no crate",
                "- ARCHITECTURE.md names `testing`, which is no crate",
            ]
        );
    }

    #[test]
    fn broken_tables_are_errors() {
        for text in [
            "",
            "<!-- floors -->",
            "<!-- floors -->\n| a | b |\n|-|-|\n| model |\n<!-- /floors -->",
            "<!-- floors -->\n| a | b |\n|-|-|\n| model | |\n| model | |\n<!-- /floors -->",
        ] {
            assert!(read_table(text).is_err(), "{text}");
        }
    }
}
