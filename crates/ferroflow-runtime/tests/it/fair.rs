//! Who may start next.

use ferroflow_model::{RunId, RunStatus};

use crate::machine::success;
use crate::stage::{Stage, ended, submit};

const FIVE: &[(&str, &[&str])] = &[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[]), ("e", &[])];

impl Stage {
    /// Ends what was started last, and waits for what takes the slot.
    async fn turn(&self) {
        let count = self.machine.inner().started.len();
        let last = self.machine.inner().started.last().cloned().unwrap();
        self.machine.end_attempt(&last, success());
        self.machine.until("the next start", |inner| inner.started.len() == count + 1).await;
    }

    fn starts_of(&self, runs: &[(RunId, &str)]) -> String {
        let name = |run: RunId| runs.iter().find(|(id, _)| *id == run).map_or("?", |(_, name)| *name);
        let inner = self.machine.inner();
        let starts: Vec<_> = inner.started.iter().map(|id| format!("{}{}", name(id.run), id.path)).collect();
        starts.join(" ")
    }
}

#[tokio::test]
async fn runs_take_turns_and_keep_their_order() {
    let mut stage = Stage::new().await;
    stage.options.parallelism = 1;
    let runtime = stage.start().await;
    let first = submit(&runtime, FIVE).await;
    stage.machine.until_running(&["a#1"]).await;
    let second = submit(&runtime, &[("a", &[]), ("b", &[])]).await;
    let third = submit(&runtime, &[("a", &[])]).await;
    for _ in 0..7 {
        stage.turn().await;
    }
    assert_eq!(stage.starts_of(&[(first, "1"), (second, "2"), (third, "3")]), "1a 1b 2a 3a 1c 2b 1d 1e");
    stage.machine.end_all();
    for run in [first, second, third] {
        assert_eq!(ended(&runtime, run).await, RunStatus::Succeeded);
    }
}

#[tokio::test]
async fn a_run_with_a_limit_leaves_the_rest_to_others() {
    let mut stage = Stage::new().await;
    stage.options.parallelism = 3;
    stage.options.run_parallelism = Some(1);
    let runtime = stage.start().await;
    let first = submit(&runtime, FIVE).await;
    let second = submit(&runtime, FIVE).await;
    stage.machine.until_running(&["a#1", "a#1"]).await;
    stage.turn().await;
    assert_eq!(stage.starts_of(&[(first, "1"), (second, "2")]), "1a 2a 2b");
    stage.machine.end_all();
    assert_eq!(ended(&runtime, first).await, RunStatus::Succeeded);
    assert_eq!(ended(&runtime, second).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().most, 2);
}
