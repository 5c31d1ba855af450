//! Copies of artifacts that are under way, for whoever waits for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferroflow_model::record::LinkDirection;
use ferroflow_model::{AttemptId, RunId};
use ferroflow_ports::artifact::CopyProgress;
use ferroflow_ports::executor::ArtifactCopy;

type OpenCopy = (AttemptId, LinkDirection, Arc<CopyProgress>);

/// All of them, by a number of their own.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    next: AtomicU64,
    open: Mutex<HashMap<u64, OpenCopy>>,
}

/// One that is under way until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    copies: Arc<Copies>,
    number: u64,
    pub(crate) progress: Arc<CopyProgress>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.copies.lock().remove(&self.number);
    }
}

impl Copies {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, OpenCopy>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that artifacts of an attempt are being copied.
    pub(crate) fn begin(self: &Arc<Self>, id: &AttemptId, direction: LinkDirection) -> UnderWay {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let progress = Arc::<CopyProgress>::default();
        self.lock().insert(number, (id.clone(), direction, Arc::clone(&progress)));
        UnderWay { copies: Arc::clone(self), number, progress }
    }

    /// Those of a run that have begun, in order of path.
    pub(crate) fn of_run(&self, run: RunId) -> Vec<ArtifactCopy> {
        let open = self.lock();
        let of_run = open.values().filter(|(id, _, _)| id.run == run);
        let mut found: Vec<ArtifactCopy> = of_run
            .map(|(id, direction, progress)| ArtifactCopy {
                id: id.clone(),
                direction: *direction,
                copied_bytes: progress.copied_bytes.load(Ordering::Relaxed),
                known_bytes: progress.known_bytes.load(Ordering::Relaxed),
            })
            .filter(|copy| copy.known_bytes > 0)
            .collect();
        found.sort_by(|one, other| one.id.path.as_str().cmp(other.id.path.as_str()));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferroflow_model::TaskPath;

    #[test]
    fn those_of_a_run_until_they_are_done() {
        let copies = Arc::<Copies>::default();
        let id = |run: u128| AttemptId {
            run: format!("00000000-0000-4000-8000-{run:012}").parse().unwrap(),
            path: TaskPath::new("train".to_owned()),
            attempt: 1,
        };
        let mine = copies.begin(&id(1), LinkDirection::Output);
        let other = copies.begin(&id(2), LinkDirection::Input);
        assert_eq!(copies.of_run(id(1).run), [], "nothing has begun");
        mine.progress.known_bytes.store(10, Ordering::Relaxed);
        mine.progress.copied_bytes.store(4, Ordering::Relaxed);
        other.progress.known_bytes.store(7, Ordering::Relaxed);
        let expected =
            ArtifactCopy { id: id(1), direction: LinkDirection::Output, copied_bytes: 4, known_bytes: 10 };
        assert_eq!(copies.of_run(id(1).run), [expected]);
        drop(mine);
        assert_eq!(copies.of_run(id(1).run), []);
        assert_eq!(copies.of_run(id(2).run).len(), 1);
    }
}
