//! Questions that lists answer: which rows, in which order, which page.

use serde::{Deserialize, Serialize};

/// Comparison in a filter; names are KFP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// `=`
    Equals,
    /// `!=`
    NotEquals,
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanEquals,
    /// `<`
    LessThan,
    /// `<=`
    LessThanEquals,
    /// Member of a list.
    In,
    /// Contains the text, whatever the case.
    IsSubstring,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterValue {
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Seconds since the epoch.
    Seconds(i64),
    /// Numbers, for [`Operation::In`].
    Integers(Vec<i64>),
    /// Texts, for [`Operation::In`].
    Texts(Vec<String>),
}

/// One condition; all conditions of a query must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// Comparison.
    pub operation: Operation,
    /// Key as the API names it, snake case.
    pub key: String,
    /// Right-hand side.
    pub value: FilterValue,
}

/// Order of a list; ties are broken by id in the same direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// Key as the API names it.
    pub key: String,
    /// Greatest first.
    pub descending: bool,
}

/// Where a page begins: the sort value and id of the last row of the page before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Value of the sort key in that row, as the store compares it.
    pub value: FilterValue,
    /// Id of that row.
    pub id: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// Conditions.
    pub predicates: Vec<Predicate>,
    /// Order.
    pub sort: Sort,
    /// Most rows wanted, 1 to 200.
    pub page_size: u32,
    /// Rows after this position; `None` for the first page.
    pub after: Option<Position>,
}

/// Rows of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Rows of all pages together.
    pub total: u64,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Position>,
}
