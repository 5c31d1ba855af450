//! The store from outside: what every database must do (`contract`), and what is SQLite's own.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod files;
#[cfg(test)]
mod sqlite;
