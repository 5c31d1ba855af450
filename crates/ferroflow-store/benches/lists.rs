//! Pages of a list of a million runs, beside the same pages of a thousand.
//!
//! `cargo bench -p ferroflow-store --bench lists [-- FOLDER [RUNS]]`. Runs are made by SQL, a second apart, each by a
//! version and with one task; states and the archive are spread as in an installation that has been running for years.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ferroflow_model::list::{FilterValue, ListQuery, Operation, Predicate, Sort};
use ferroflow_ports::store::RunStore;
use ferroflow_store::{Options, SqliteStore};

const RUNS: u32 = 1_000_000;
const FEW: u32 = 1000;
/// Second in which the first run was made.
const BEGIN: i64 = 1_700_000_000;
/// Times that each page is asked for.
const REPEATS: usize = 60;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let runs = arguments.next().map_or(Ok(RUNS), |text| text.parse())?;
    let folder =
        tempfile::tempdir_in(&folder).with_context(|| format!("no folder in {}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let small = fill(&folder.path().join("small.db"), FEW)?;
    let begin = Instant::now();
    let large = fill(&folder.path().join("large.db"), runs)?;
    let size = std::fs::metadata(folder.path().join("large.db"))?.len();
    println!("{runs} runs made in {:.0} s, {} MB", begin.elapsed().as_secs_f64(), size >> 20);
    println!("{:<44} {:>9} {:>9} {:>9} {:>7}", "page of 100", "small p50", "p50 ms", "p99 ms", "ratio");
    for (name, filter) in filters(runs) {
        for key in ["created_at", "name", "finished_at", "scheduled_at"] {
            for descending in [true, false] {
                let query = ListQuery {
                    predicates: filter.clone(),
                    sort: Sort { key: key.to_owned(), descending },
                    page_size: 100,
                    after: None,
                };
                let label = format!("{name}, {key}{}", if descending { " desc" } else { "" });
                runtime.block_on(row(&label, &small, &large, &query))?;
            }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!("most memory of this process, {most}");
    Ok(())
}

async fn row(label: &str, small: &SqliteStore, large: &SqliteStore, query: &ListQuery) -> Result<()> {
    let (few, _) = ask(small, query).await?;
    let (half, most) = ask(large, query).await?;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{label:<44} {:>9.2} {:>9.2} {:>9.2} {:>6.2}x",
        millis(few),
        millis(half),
        millis(most),
        half.as_secs_f64() / few.as_secs_f64()
    );
    Ok(())
}

/// Median and 99th percentile over the first pages, each time going on to the next one.
async fn ask(store: &SqliteStore, query: &ListQuery) -> Result<(Duration, Duration)> {
    let mut times = Vec::new();
    let mut query = query.clone();
    for _ in 0..REPEATS {
        let begin = Instant::now();
        let page = store.list_runs(None, query.clone()).await?;
        times.push(begin.elapsed());
        query.after = page.next;
    }
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len() - 1)).copied();
    Ok((at(50).context("no times")?, at(99).context("no times")?))
}

fn filters(runs: u32) -> Vec<(&'static str, Vec<Predicate>)> {
    let text = |key: &str, operation, value: &str| Predicate {
        operation,
        key: key.to_owned(),
        value: FilterValue::Text(value.to_owned()),
    };
    let equal = |key: &str, value: &str| text(key, Operation::Equals, value);
    let time = |operation, second| Predicate {
        operation,
        key: "created_at".to_owned(),
        value: FilterValue::Seconds(second),
    };
    let middle = BEGIN + i64::from(runs) / 2;
    let range = |seconds| {
        vec![time(Operation::GreaterThanEquals, middle), time(Operation::LessThan, middle + seconds)]
    };
    vec![
        ("all", Vec::new()),
        ("experiment", vec![equal("experiment_id", &experiment(7))]),
        ("available", vec![equal("storage_state", "AVAILABLE")]),
        ("archived", vec![equal("storage_state", "ARCHIVED")]),
        ("succeeded", vec![equal("state", "SUCCEEDED")]),
        ("failed", vec![equal("state", "FAILED")]),
        ("running", vec![equal("state", "RUNNING")]),
        ("available and failed", vec![equal("storage_state", "AVAILABLE"), equal("state", "FAILED")]),
        ("created within an hour", range(3600)),
        ("created within a day", range(86_400)),
        ("created in the second half", vec![time(Operation::GreaterThan, middle)]),
        ("exact name", vec![equal("name", "nightly training 777")]),
        ("a rare part of names", vec![text("name", Operation::IsSubstring, "ning 7777")]),
        ("a part of a hundredth", vec![text("name", Operation::IsSubstring, "fine-tuning")]),
        ("a part of all names", vec![text("name", Operation::IsSubstring, "training")]),
        ("not succeeded", vec![text("state", Operation::NotEquals, "SUCCEEDED")]),
        ("description", vec![text("description", Operation::NotEquals, "")]),
    ]
}

fn experiment(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A database with this many runs.
fn fill(path: &Path, runs: u32) -> Result<SqliteStore> {
    drop(SqliteStore::open(path, Options::default())?);
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN")?;
    for number in 0..100_u32 {
        connection.execute(
            "INSERT INTO experiments VALUES (?1, 'experiment ' || ?2, '', 1, 1, 'AVAILABLE')",
            (experiment(number), number),
        )?;
    }
    connection.execute(RUN, (runs, BEGIN))?;
    connection.execute(TASK, [])?;
    connection.execute_batch("COMMIT")?;
    drop(connection);
    Ok(SqliteStore::open(path, Options::default())?)
}

/// One in fifty fails, one in a hundred is in the archive, the last twenty are running.
const RUN: &str = "INSERT INTO runs (no, id, experiment_id, status, storage_state, created_at, scheduled_at, \
    finished_at, display_name, description, pipeline_id, pipeline_version_id, pipeline_name, pipeline_context_no, \
    resource_name, service_account, pipeline_root, history, error, arguments, outputs) \
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) \
    SELECT i + 1000, printf('%08x-0000-4000-8000-%012d', (i * 2654435761) & 4294967295, i), \
    printf('00000000-0000-4000-8000-%012d', i % 100), \
    CASE WHEN i >= ?1 - 20 THEN 'RUNNING' WHEN i % 50 = 3 THEN 'FAILED' ELSE 'SUCCEEDED' END, \
    CASE WHEN i % 100 = 9 THEN 'ARCHIVED' ELSE 'AVAILABLE' END, (?2 + i) * 1000000, (?2 + i) * 1000000, \
    CASE WHEN i >= ?1 - 20 THEN NULL ELSE (?2 + i + (i * 7919) % 5000) * 1000000 END, \
    CASE WHEN i % 100 = 5 THEN 'fine-tuning' ELSE 'nightly' END || ' training ' || i, '', \
    printf('00000000-0000-4000-8000-%012d', i % 50), printf('00000000-0000-4000-8000-%012d', i % 50), \
    'pipeline-' || (i % 50), i % 50, 'pipeline-abcde', 'pipeline-runner', '', \
    '[{\"at\":1,\"state\":\"PENDING\"},{\"at\":2,\"state\":\"SUCCEEDED\"}]', NULL, '{\"epochs\":10}', '{}' FROM n";

const TASK: &str = "INSERT INTO tasks (execution_id, run_no, attempt, status, kind, created_at, path, name, \
    display_name, history, inputs, outputs) SELECT no, no, 1, 'SUCCEEDED', 'CONTAINER', created_at, 'train', 'train', \
    'train', '[]', '{}', '{}' FROM runs";
