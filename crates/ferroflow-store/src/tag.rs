//! Tags of pipelines and versions.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::column::{all, change};
use crate::error::StoreError;

type Tags = BTreeMap<String, String>;

/// Tags of one owner.
pub(crate) fn read(connection: &Connection, owner: &str) -> Result<Tags, StoreError> {
    let sql = "SELECT key, value FROM tags WHERE owner = ?1";
    let pairs = all(connection, sql, [owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.into_iter().collect())
}

/// Gives an owner these tags and no others.
pub(crate) fn replace(connection: &Connection, owner: &str, tags: &Tags) -> Result<(), StoreError> {
    remove(connection, owner)?;
    for (key, value) in tags {
        let sql = "INSERT INTO tags (owner, key, value) VALUES (?1, ?2, ?3)";
        change(connection, sql, (owner, key, value))?;
    }
    Ok(())
}

/// Removes all tags of an owner.
pub(crate) fn remove(connection: &Connection, owner: &str) -> Result<(), StoreError> {
    change(connection, "DELETE FROM tags WHERE owner = ?1", [owner])?;
    Ok(())
}
