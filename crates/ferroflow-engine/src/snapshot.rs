//! A state as bytes and back, so that recovery need not begin with the first event.

use std::sync::Arc;

use ferroflow_model::{RunStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::{IdBlock, RunSettings};
use crate::fault::EngineFault;
use crate::plan::Plan;
use crate::state::{Node, RunState, Stage};

/// Version of the form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    status: RunStatus,
    began_at: Option<Timestamp>,
    terminated_at: Option<Timestamp>,
    is_overdue: bool,
    is_hard_stop: bool,
    ids: IdBlock,
    nodes: &'a [Node],
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    status: RunStatus,
    #[serde(default)]
    began_at: Option<Timestamp>,
    terminated_at: Option<Timestamp>,
    #[serde(default)]
    is_overdue: bool,
    #[serde(default)]
    is_hard_stop: bool,
    ids: IdBlock,
    nodes: Vec<Node>,
}

impl RunState {
    /// The whole state, except what follows from plan and settings. Changes that nobody took are not in it.
    pub fn snapshot(&self) -> Vec<u8> {
        let written = Written {
            version: VERSION,
            status: self.status,
            began_at: self.began_at,
            terminated_at: self.terminated_at,
            is_overdue: self.is_overdue,
            is_hard_stop: self.is_hard_stop,
            ids: self.ids,
            nodes: &self.nodes,
        };
        // Maps have text keys and numbers are finite, so nothing here has no JSON form.
        let bytes = serde_json::to_vec(&written);
        debug_assert!(bytes.is_ok(), "a state always has a JSON form");
        bytes.unwrap_or_default()
    }

    /// The state that [`Self::snapshot`] wrote.
    pub fn restore(plan: Arc<Plan>, settings: &RunSettings, snapshot: &[u8]) -> Result<Self, EngineFault> {
        let unreadable = |reason: String| EngineFault::Unreadable { what: "snapshot", reason };
        let read: Read = serde_json::from_slice(snapshot).map_err(|error| unreadable(error.to_string()))?;
        if read.version != VERSION {
            return Err(unreadable(format!("it has version {}, this program reads {VERSION}", read.version)));
        }
        let mut state = Self::new(plan, settings);
        state.status = read.status;
        state.began_at = read.began_at;
        state.terminated_at = read.terminated_at;
        state.is_overdue = read.is_overdue;
        state.is_hard_stop = read.is_hard_stop;
        state.ids = read.ids;
        for (index, node) in (0..).zip(&read.nodes) {
            if let Stage::Backoff(at) = node.stage {
                state.timers.add(at, index);
            }
        }
        state.nodes = read.nodes;
        Ok(state)
    }
}
