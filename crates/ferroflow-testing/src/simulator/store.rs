//! The store of the simulator: what survives a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_engine::{
    Changes, Command, EngineFault, IdBlock, IdSource, Plan, RunSettings, RunState, StoredEvent,
};

use super::invariant::Rows;

/// What was committed.
pub(super) struct Store {
    /// As JSON.
    pub(super) events: Vec<String>,
    /// The number of events in it, and its bytes.
    snapshot: Option<(usize, Vec<u8>)>,
    pub(super) rows: Rows,
    pub(super) outbox: BTreeMap<String, Command>,
    /// Numbers below are given away.
    next_number: i64,
}

/// What the next commit will hold.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<String>,
    pub(super) changes: Vec<Changes>,
    /// Commands that are to be remembered, and those (without one) that are done, in order.
    pub(super) outbox: Vec<(String, Option<Command>)>,
}

/// Where numbers come from: small blocks, so that many are needed.
pub(super) struct Numbers(pub(super) i64);

impl IdSource for Numbers {
    fn next_block(&mut self) -> IdBlock {
        let block = IdBlock { first: self.0, count: 7 };
        self.0 += block.count;
        block
    }
}

impl Store {
    pub(super) fn new(first_free: i64) -> Self {
        Self {
            events: Vec::new(),
            snapshot: None,
            rows: Rows::default(),
            outbox: BTreeMap::new(),
            next_number: first_free,
        }
    }

    /// Numbers that nobody was given, as far as the store knows.
    pub(super) fn numbers(&self) -> Numbers {
        Numbers(self.next_number)
    }

    pub(super) fn commit(&mut self, batch: Batch, numbers: &Numbers, snapshot: Option<Vec<u8>>) {
        self.events.extend(batch.events);
        for changes in batch.changes {
            self.rows.take_in(changes);
        }
        for (key, command) in batch.outbox {
            match command {
                Some(command) => drop(self.outbox.insert(key, command)),
                None => drop(self.outbox.remove(&key)),
            }
        }
        self.next_number = numbers.0;
        if let Some(bytes) = snapshot {
            self.snapshot = Some((self.events.len(), bytes));
        }
    }

    /// The state as it was at the last commit: from the newest snapshot, or from the first event.
    pub(super) fn rebuild(
        &self,
        plan: &Arc<Plan>,
        settings: &RunSettings,
        from_snapshot: bool,
    ) -> Result<RunState, EngineFault> {
        let plan = Arc::clone(plan);
        let (skipped, mut state) = match self.snapshot.as_ref().filter(|_| from_snapshot) {
            Some((events, bytes)) => (*events, RunState::restore(plan, settings, bytes)?),
            None => (0, RunState::new(plan, settings)),
        };
        for text in self.events.iter().skip(skipped) {
            let unreadable = |error: serde_json::Error| EngineFault::Unreadable {
                what: "event",
                reason: error.to_string(),
            };
            let event: StoredEvent = serde_json::from_str(text).map_err(unreadable)?;
            state.replay(&event)?;
        }
        Ok(state)
    }
}
