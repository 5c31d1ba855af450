//! The row of tasks in containers, against `docker run` of the same command.

use std::process::{Command, Stdio};

use super::floors::millis;
use super::pipelines::{Body, IMAGE, chain};
use super::{Bench, Figure, median, process, rows};

const TASKS: usize = 10;
/// What a task may cost above `docker run`.
const MARGIN_MS: f64 = 30.0;

/// No figure without a daemon that has the image.
pub(super) fn containers(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    if !has_image() {
        println!(
            "row docker is left out: it needs a Docker daemon with an image `{IMAGE}` that has /bin/true; \
             `python tests/docker/engine.py cargo xtask bench --row docker` brings both"
        );
        return Ok(Vec::new());
    }
    let file = chain(bench.folder.path(), TASKS, Body::True)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..times {
        // Side by side, since disks and neighbours change their minds.
        for _ in 0..TASKS {
            let mut command = Command::new("docker");
            theirs.push(millis(process::measure(command.args(["run", "--rm", IMAGE, "/bin/true"]))?.wall));
        }
        let cost = rows::run_anew(bench, &file, &["--executor", "docker"])?;
        ours.push(rows::per(millis(cost.wall), TASKS));
    }
    let theirs = median(theirs);
    let formula = format!("`docker run --rm`, which takes {theirs:.0} ms, + {MARGIN_MS:.0} ms");
    Ok(vec![rows::figure(
        "chain of 10 in Docker: wall a task",
        "ms",
        median(ours),
        theirs + MARGIN_MS,
        formula,
    )])
}

fn has_image() -> bool {
    let mut command = Command::new("docker");
    let command = command.args(["image", "inspect", IMAGE]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
