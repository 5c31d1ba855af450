//! Expressions as tables, and what must hold whatever the expression.

mod cron;
mod due;
mod properties;
