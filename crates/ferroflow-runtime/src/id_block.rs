//! Gives away int64 numbers in blocks, so that two runs never meet and a task costs no trip to the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ferroflow_engine::{IdBlock, IdSource};

/// Numbers that a run gets with its settings.
const FIRST_COUNT: i64 = 64;

/// Largest block.
const MOST_COUNT: i64 = 1024;

/// The next number that nobody was given; shared by all who give.
#[derive(Debug, Clone)]
pub(crate) struct IdAllocator(Arc<AtomicI64>);

impl IdAllocator {
    pub(crate) fn new(next_free: i64) -> Self {
        Self(Arc::new(AtomicI64::new(next_free)))
    }

    /// A run's first block.
    pub(crate) fn first_block(&self) -> IdBlock {
        self.take(FIRST_COUNT)
    }

    fn take(&self, count: i64) -> IdBlock {
        IdBlock { first: self.0.fetch_add(count, Ordering::Relaxed), count }
    }
}

/// Further blocks for one run: each is twice the one before, so that a large run asks seldom and a small one wastes little.
pub(crate) struct RunIds<'a> {
    pub(crate) allocator: &'a IdAllocator,
    /// Size of the last block, 0 if there was none.
    pub(crate) last_count: &'a mut i64,
    /// End of the last block that was taken here.
    pub(crate) taken_below: Option<i64>,
}

impl IdSource for RunIds<'_> {
    fn next_block(&mut self) -> IdBlock {
        *self.last_count = (*self.last_count * 2).clamp(FIRST_COUNT, MOST_COUNT);
        let block = self.allocator.take(*self.last_count);
        self.taken_below = Some(block.first + block.count);
        block
    }
}
