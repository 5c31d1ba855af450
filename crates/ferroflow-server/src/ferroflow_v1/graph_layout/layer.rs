//! Which layer a box stands in, and where long arrows pass.

use super::{Frame, Grid, MOST_LOOSE, Stop};

/// Passes of long arrows; beyond it they run straight, since nobody can follow so many anyway.
const MOST_PASSES: usize = 60_000;

/// The layer of each box: one behind the last box it needs; boxes that need nothing move up to whoever needs them.
pub(super) fn layers(frame: &Frame) -> Vec<usize> {
    let count = frame.boxes.len();
    let (before, after) = neighbours(frame);
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..count).filter(|item| missing[*item] == 0).collect();
    let mut layers = vec![0_usize; count];
    let mut next = 0;
    while let Some(item) = ready.get(next).copied() {
        next += 1;
        for follower in after[item].iter().copied() {
            layers[follower] = layers[follower].max(layers[item] + 1);
            missing[follower] -= 1;
            if missing[follower] == 0 {
                ready.push(follower);
            }
        }
    }
    for item in ready.into_iter().rev() {
        if before[item].is_empty()
            && let Some(nearest) = after[item].iter().map(|follower| layers[*follower]).min()
        {
            layers[item] = nearest.saturating_sub(1);
        }
    }
    layers
}

fn neighbours(frame: &Frame) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let count = frame.boxes.len();
    let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for (from, to) in frame.arrows.iter().copied() {
        if from < count && to < count && from != to {
            before[to].push(from);
            after[from].push(to);
        }
    }
    (before, after)
}

/// Stops of boxes and arrows in their first order: that of the frame.
pub(super) fn grid(frame: &Frame, layers: &[usize]) -> Grid {
    let mut grid = Grid::default();
    let mut is_linked = vec![false; layers.len()];
    for (from, to) in frame.arrows.iter().copied().filter(|arrow| is_forward(*arrow, layers)) {
        is_linked[from] = true;
        is_linked[to] = true;
    }
    let loose = is_linked.iter().filter(|linked| !**linked).count();
    let stands_apart = |item: usize| loose > MOST_LOOSE && !is_linked[item];
    let depth = layers.iter().max().map_or(0, |last| last + 1);
    grid.rows = vec![Vec::new(); depth];
    let mut stop_of = vec![usize::MAX; layers.len()];
    for (item, layer) in layers.iter().copied().enumerate() {
        if stands_apart(item) {
            grid.loose.push(item);
        } else {
            stop_of[item] = grid.add(Stop { layer, item: Some(item) });
        }
    }
    let forward = frame.arrows.iter().filter(|arrow| is_forward(**arrow, layers));
    let passes: usize = forward.map(|(from, to)| layers[*to] - layers[*from] - 1).sum();
    for arrow in frame.arrows.iter().copied() {
        let mut chain = Vec::new();
        if is_forward(arrow, layers) {
            let (from, to) = arrow;
            chain.push(stop_of[from]);
            if passes <= MOST_PASSES {
                chain
                    .extend((layers[from] + 1..layers[to]).map(|layer| grid.add(Stop { layer, item: None })));
            }
            chain.push(stop_of[to]);
        }
        for pair in chain.windows(2) {
            if let [from, to] = *pair {
                grid.after[from].push(to);
                grid.before[to].push(from);
            }
        }
        grid.chains.push(chain);
    }
    grid
}

fn is_forward((from, to): (usize, usize), layers: &[usize]) -> bool {
    from < layers.len() && to < layers.len() && layers[from] < layers[to]
}

impl Grid {
    fn add(&mut self, stop: Stop) -> usize {
        let index = self.stops.len();
        self.stops.push(stop);
        self.rows[stop.layer].push(index);
        self.before.push(Vec::new());
        self.after.push(Vec::new());
        index
    }
}
