//! Gives boxes and arrows places: layers along one axis, an order with few crossings across it, straight long arrows.
//!
//! Pure, and knows nothing of pipelines: one frame in, places out; frames inside frames are laid out first and become
//! boxes of the outer one (see `graph`). The same frame always gets the same places. The steps are those of Sugiyama:
//! [`layer`] puts each box behind everything it needs, [`order`] sorts the layers, [`place`] chooses coordinates.
//!
//! Indexes are made here, from the lengths of the lists they are used on, so they are in range.

mod layer;
mod order;
mod place;
#[cfg(test)]
mod tests;

/// Along the layers and across them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    /// Along the direction in which arrows run.
    pub(crate) along: f64,
    /// Across it.
    pub(crate) across: f64,
}

/// Boxes and the arrows between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// Sizes.
    pub(crate) boxes: Vec<Extent>,
    /// From and to, by index. Arrows to nowhere, to oneself or backwards (in a circle) get no route.
    pub(crate) arrows: Vec<(usize, usize)>,
}

/// Distances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gaps {
    /// Between layers.
    pub(crate) layers: f64,
    /// Between boxes of a layer.
    pub(crate) boxes: f64,
    /// Between long arrows that pass a layer.
    pub(crate) arrows: f64,
}

/// Where everything is; the corner of the frame is at 0, 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Places {
    /// Size of the whole frame.
    pub(crate) size: Extent,
    /// Nearest corner of each box.
    pub(crate) corners: Vec<Extent>,
    /// Layer of each box, from 0.
    pub(crate) layers: Vec<u32>,
    /// Place of each box in its layer.
    pub(crate) ranks: Vec<u32>,
    /// Points of each arrow, from border to border; empty if it has no route.
    pub(crate) routes: Vec<Vec<Extent>>,
}

/// More boxes than this without any arrow stand in rows and columns instead of one long layer.
const MOST_LOOSE: usize = 6;

/// Lays out one frame.
pub(crate) fn lay_out(frame: &Frame, gaps: Gaps) -> Places {
    let layers = layer::layers(frame);
    let mut grid = layer::grid(frame, &layers);
    order::sort(&mut grid);
    place::place(frame, &grid, gaps)
}

/// A stop of an arrow, or a box.
#[derive(Debug, Clone, Copy)]
struct Stop {
    layer: usize,
    /// Index of the box; `None` where a long arrow passes a layer.
    item: Option<usize>,
}

/// Boxes and passes of arrows, layer by layer.
#[derive(Debug, Default)]
struct Grid {
    stops: Vec<Stop>,
    /// Stops of each layer in their order.
    rows: Vec<Vec<usize>>,
    /// Stops of the layer before that lead here.
    before: Vec<Vec<usize>>,
    /// Stops of the layer after to which this leads.
    after: Vec<Vec<usize>>,
    /// Stops of each arrow from its box to its box; empty if it has no route.
    chains: Vec<Vec<usize>>,
    /// Boxes without arrows that stand apart.
    loose: Vec<usize>,
}
