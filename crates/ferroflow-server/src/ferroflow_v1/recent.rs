//! Keeps the most recently used of some things, up to a weight.

use std::collections::HashMap;
use std::hash::Hash;

/// Values by key. Looking for the oldest takes as long as there are values, so it is for some hundreds.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    values: HashMap<K, (V, usize, u64)>,
    weight: usize,
    limit: usize,
    clock: u64,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// Keeps values of this weight together.
    pub(super) fn new(limit: usize) -> Self {
        Self { values: HashMap::new(), weight: 0, limit, clock: 0 }
    }

    /// The value of a key, which is now the youngest.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        self.clock += 1;
        let (value, _, used) = self.values.get_mut(key)?;
        *used = self.clock;
        Some(value.clone())
    }

    /// Keeps a value; the oldest ones make room. One that is too heavy alone is not kept.
    pub(super) fn put(&mut self, key: K, value: V, weight: usize) {
        if weight > self.limit {
            return;
        }
        self.clock += 1;
        if let Some((_, old, _)) = self.values.insert(key, (value, weight, self.clock)) {
            self.weight -= old;
        }
        self.weight += weight;
        while self.weight > self.limit {
            let oldest = self.values.iter().min_by_key(|(_, (_, _, used))| *used).map(|(key, _)| key.clone());
            let Some((_, old, _)) = oldest.and_then(|key| self.values.remove(&key)) else { return };
            self.weight -= old;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let mut recent = Recent::new(10);
        for key in 0..4 {
            recent.put(key, key * 10, 3);
        }
        assert_eq!((recent.get(&0), recent.get(&1)), (None, Some(10)));
        recent.put(5, 50, 3);
        assert_eq!((recent.get(&1), recent.get(&2), recent.get(&5)), (Some(10), None, Some(50)));
        recent.put(6, 60, 11);
        assert_eq!(recent.get(&6), None);
        recent.put(5, 51, 10);
        assert_eq!((recent.get(&1), recent.get(&5)), (None, Some(51)));
    }
}
