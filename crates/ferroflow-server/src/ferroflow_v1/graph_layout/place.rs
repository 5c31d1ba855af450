//! Coordinates: layers one behind the other; in a layer each stop as near to its neighbours as the order allows.

use super::{Extent, Frame, Gaps, Grid, Places};

/// Rounds of pulling stops to their neighbours, forwards and backwards.
const ROUNDS: usize = 6;
/// How much more a long arrow wants to be straight than a box wants to be in the middle.
const STRAIGHT: f64 = 8.0;

/// Gives everything a place.
pub(super) fn place(frame: &Frame, grid: &Grid, gaps: Gaps) -> Places {
    let mut centers = vec![0.0; grid.stops.len()];
    for row in &grid.rows {
        settle(row, grid, frame, gaps, &mut centers, &vec![None; row.len()]);
    }
    for round in 0..ROUNDS {
        let forwards = round % 2 == 0;
        for step in 0..grid.rows.len() {
            let layer = if forwards { step } else { grid.rows.len() - 1 - step };
            let neighbours = if forwards { &grid.before } else { &grid.after };
            let row = &grid.rows[layer];
            let wishes = wishes(row, neighbours, &centers);
            settle(row, grid, frame, gaps, &mut centers, &wishes);
        }
    }
    write(frame, grid, gaps, &centers)
}

/// The middle of each stop's neighbours, for those that have any.
fn wishes(row: &[usize], neighbours: &[Vec<usize>], centers: &[f64]) -> Vec<Option<f64>> {
    row.iter()
        .map(|stop| &neighbours[*stop])
        .map(|linked| (!linked.is_empty()).then(|| middle(linked, centers)))
        .collect()
}

fn middle(stops: &[usize], centers: &[f64]) -> f64 {
    let sum: f64 = stops.iter().map(|stop| centers[*stop]).sum();
    sum / f64::from(u32::try_from(stops.len()).unwrap_or(u32::MAX))
}

/// Half of what a stop takes across.
fn half(grid: &Grid, frame: &Frame, stop: usize) -> f64 {
    grid.stops[stop].item.map_or(0.0, |item| frame.boxes[item].across / 2.0)
}

fn gap(grid: &Grid, gaps: Gaps, left: usize, right: usize) -> f64 {
    let is_box = |stop: usize| grid.stops[stop].item.is_some();
    if is_box(left) || is_box(right) { gaps.boxes } else { gaps.arrows }
}

/// A run of stops that touch, so that they move together.
struct Block {
    /// Sum of weighted wishes for the first stop.
    sum: f64,
    weight: f64,
    count: usize,
}

impl Block {
    fn position(&self) -> f64 {
        self.sum / self.weight
    }
}

/// Puts a layer where it wants to be, in its order and without overlap: the least squares, found by merging stops that
/// are in each other's way.
fn settle(
    row: &[usize],
    grid: &Grid,
    frame: &Frame,
    gaps: Gaps,
    centers: &mut [f64],
    wishes: &[Option<f64>],
) {
    // Distance of each stop from the first one if all touch.
    let mut offsets = Vec::with_capacity(row.len());
    let mut offset = 0.0;
    for (place, stop) in row.iter().copied().enumerate() {
        if let Some(left) = place.checked_sub(1).map(|left| row[left]) {
            offset += half(grid, frame, left) + gap(grid, gaps, left, stop) + half(grid, frame, stop);
        }
        offsets.push(offset);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (place, stop) in row.iter().copied().enumerate() {
        let weight = if grid.stops[stop].item.is_some() { 1.0 } else { STRAIGHT };
        let (wanted, weight) =
            wishes[place].map_or((centers[stop], weight / 64.0), |wanted| (wanted, weight));
        let mut block = Block { sum: (wanted - offsets[place]) * weight, weight, count: 1 };
        while let Some(left) = blocks.pop_if(|left| left.position() >= block.position()) {
            block = Block {
                sum: left.sum + block.sum,
                weight: left.weight + block.weight,
                count: left.count + block.count,
            };
        }
        blocks.push(block);
    }
    let mut place = 0;
    for block in blocks {
        for _ in 0..block.count {
            centers[row[place]] = block.position() + offsets[place];
            place += 1;
        }
    }
}

/// Turns centers into corners and routes, moved so that everything begins at 0.
fn write(frame: &Frame, grid: &Grid, gaps: Gaps, centers: &[f64]) -> Places {
    let lowest = grid.stops.iter().enumerate().map(|(stop, _)| centers[stop] - half(grid, frame, stop));
    let lowest = lowest.min_by(f64::total_cmp).unwrap_or(0.0);
    let count = frame.boxes.len();
    let nowhere = Extent { along: 0.0, across: 0.0 };
    let mut places = Places {
        size: nowhere,
        corners: vec![nowhere; count],
        layers: vec![0; count],
        ranks: vec![0; count],
        routes: Vec::with_capacity(grid.chains.len()),
    };
    let mut bands = Vec::with_capacity(grid.rows.len());
    let mut along = 0.0;
    for (layer, row) in grid.rows.iter().enumerate() {
        let sizes = row.iter().filter_map(|stop| grid.stops[*stop].item).map(|item| frame.boxes[item].along);
        let depth = sizes.max_by(f64::total_cmp).unwrap_or(0.0);
        let items = row.iter().filter_map(|stop| Some((*stop, grid.stops[*stop].item?)));
        for (rank, (stop, item)) in items.enumerate() {
            let size = frame.boxes[item];
            let across = round(centers[stop] - lowest - size.across / 2.0);
            places.corners[item] = Extent { along: round(along + (depth - size.along) / 2.0), across };
            places.layers[item] = number(layer);
            places.ranks[item] = number(rank);
            places.size.across = places.size.across.max(across + size.across);
        }
        bands.push((along, along + depth));
        places.size.along = along + depth;
        along += depth + gaps.layers;
    }
    for chain in &grid.chains {
        places.routes.push(route(chain, frame, grid, &places.corners, &bands, |stop| centers[stop] - lowest));
    }
    let passes = grid.stops.iter().enumerate().filter(|(_, stop)| stop.item.is_none());
    let farthest = passes.map(|(stop, _)| centers[stop] - lowest).max_by(f64::total_cmp).unwrap_or(0.0);
    places.size.across = round(places.size.across.max(farthest));
    add_loose(frame, grid, gaps, &mut places);
    places
}

/// From the middle of one border to the middle of the other, straight through the layers between.
fn route(
    chain: &[usize],
    frame: &Frame,
    grid: &Grid,
    corners: &[Extent],
    bands: &[(f64, f64)],
    center: impl Fn(usize) -> f64,
) -> Vec<Extent> {
    let mut points = Vec::with_capacity(chain.len() * 2);
    for (at, stop) in chain.iter().copied().enumerate() {
        if let Some(item) = grid.stops[stop].item {
            let far = if at == 0 { frame.boxes[item].along } else { 0.0 };
            let across = round(corners[item].across + frame.boxes[item].across / 2.0);
            points.push(Extent { along: corners[item].along + far, across });
        } else {
            let (from, to) = bands[grid.stops[stop].layer];
            let across = round(center(stop));
            points.push(Extent { along: round(from), across });
            points.push(Extent { along: round(to), across });
        }
    }
    points
}

/// Boxes without arrows stand in rows below the rest, about as wide as the frame is.
fn add_loose(frame: &Frame, grid: &Grid, gaps: Gaps, places: &mut Places) {
    if grid.loose.is_empty() {
        return;
    }
    let area: f64 = grid
        .loose
        .iter()
        .map(|item| &frame.boxes[*item])
        .map(|size| (size.along + gaps.boxes) * (size.across + gaps.boxes))
        .sum();
    let limit = places.size.along.max((area * 1.6).sqrt());
    let top = if places.size.across > 0.0 { places.size.across + gaps.layers } else { 0.0 };
    let (mut along, mut across, mut depth, mut column) = (0.0, top, 0.0_f64, 0);
    for (rank, item) in grid.loose.iter().copied().enumerate() {
        let size = frame.boxes[item];
        if along > 0.0 && along + size.along > limit {
            across += depth + gaps.boxes;
            (along, depth, column) = (0.0, 0.0, 0);
        }
        places.corners[item] = Extent { along: round(along), across: round(across) };
        places.layers[item] = column;
        places.ranks[item] = number(rank);
        column += 1;
        along += size.along + gaps.boxes;
        depth = depth.max(size.across);
        places.size.along = round(places.size.along.max(along - gaps.boxes));
        places.size.across = round(places.size.across.max(across + size.across));
    }
}

/// Half pixels are enough, and keep answers short.
fn round(value: f64) -> f64 {
    (value * 2.0).round() / 2.0
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
