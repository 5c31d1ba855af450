//! SQLite behind the store port: the only crate with SQL.
//!
//! One file per resource holds its statements and the translation between rows and records; none of them knows
//! threads or transactions. [`SqliteStore`] adds those: a single writer that commits whatever waits together, and
//! readers beside it. Rules of runs and of the API are not here, except those that only the database can keep
//! (names that are taken, sequence numbers, what a removal takes along).
//!
//! Begin with [`store`], then `writer`; a step of a run is in `commit`, the tables are in `migrations/sqlite`.

mod artifact;
mod cache;
mod column;
mod commit;
mod connection;
mod context;
mod error;
mod experiment;
mod feed;
mod garbage;
mod journal;
mod list;
mod metadata;
mod pipeline;
mod reader;
mod recurring;
mod reserve;
mod retention;
mod run;
mod run_list;
mod schema;
mod spec;
pub mod store;
mod tag;
mod task;
mod version;
mod view;
mod writer;

pub use store::{Durability, Options, SqliteStore, Statistics};
