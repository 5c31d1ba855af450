//! ML Metadata (`ml_metadata.MetadataStoreService`) as a view over runs, with a write path for old clients.
//!
//! One truth: tasks are executions, what they exchange are artifacts, pipelines and runs are contexts, all read from
//! the rows of runs when asked. Only what a client writes is stored here. Nothing of transport is known: [`Metadata`]
//! has a function for each call.
//!
//! Begin with [`service`], then [`node`] (what the three kinds have in common), `row` (how rows of runs look),
//! `put`, `list` with `filter`, and `lineage`.

mod call;
mod filter;
mod lineage;
mod list;
mod node;
mod put;
mod put_type;
mod row;
pub mod service;
mod types;
mod view;

pub use service::Metadata;
