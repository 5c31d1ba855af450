//! Sorts layers so that few arrows cross: each stop moves to the middle of its neighbours, forwards and backwards.

use super::Grid;

/// Sweeps over all layers; the best order seen stays.
const SWEEPS: usize = 8;

/// Sorts all layers.
pub(super) fn sort(grid: &mut Grid) {
    let mut places = vec![0; grid.stops.len()];
    for row in &grid.rows {
        note(row, &mut places);
    }
    let mut best = (crossings(grid, &places), grid.rows.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let forwards = sweep % 2 == 0;
        for step in 1..grid.rows.len() {
            let layer = if forwards { step } else { grid.rows.len() - 1 - step };
            let neighbours = if forwards { &grid.before } else { &grid.after };
            sort_row(&mut grid.rows[layer], neighbours, &places);
            note(&grid.rows[layer], &mut places);
        }
        let count = crossings(grid, &places);
        if count < best.0 {
            best = (count, grid.rows.clone());
        }
    }
    grid.rows = best.1;
}

fn note(row: &[usize], places: &mut [usize]) {
    for (place, stop) in row.iter().copied().enumerate() {
        places[stop] = place;
    }
}

/// Stops without neighbours keep their place among the others.
fn sort_row(row: &mut [usize], neighbours: &[Vec<usize>], places: &[usize]) {
    let mut keyed: Vec<(f64, usize)> = row
        .iter()
        .copied()
        .map(|stop| {
            let linked = &neighbours[stop];
            let sum: usize = linked.iter().map(|other| places[*other]).sum();
            let middle =
                if linked.is_empty() { small(places[stop]) } else { small(sum) / small(linked.len()) };
            (middle, stop)
        })
        .collect();
    keyed.sort_by(|left, right| left.0.total_cmp(&right.0));
    for (place, (_, stop)) in row.iter_mut().zip(keyed) {
        *place = stop;
    }
}

#[expect(clippy::cast_precision_loss, reason = "places in a layer are far below 2^52")]
fn small(number: usize) -> f64 {
    number as f64
}

/// How many pairs of arrows cross, over all pairs of adjacent layers.
fn crossings(grid: &Grid, places: &[usize]) -> usize {
    let mut total = 0;
    for (layer, row) in grid.rows.iter().enumerate() {
        let width = grid.rows.get(layer + 1).map_or(0, Vec::len);
        let mut ends: Vec<usize> = Vec::new();
        for stop in row {
            let from = ends.len();
            ends.extend(
                grid.after[*stop]
                    .iter()
                    .filter(|to| grid.stops[**to].layer == layer + 1)
                    .map(|to| places[*to]),
            );
            ends[from..].sort_unstable();
        }
        total += inversions(&ends, width);
    }
    total
}

/// Pairs that stand in the wrong order, with a tree of counts.
fn inversions(values: &[usize], width: usize) -> usize {
    let mut tree = vec![0_usize; width + 1];
    let mut total = 0;
    for (seen, value) in values.iter().copied().enumerate() {
        let mut not_greater = 0;
        let mut at = value + 1;
        while at > 0 {
            not_greater += tree[at];
            at &= at - 1;
        }
        total += seen - not_greater;
        let mut at = value + 1;
        while at <= width {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    total
}
