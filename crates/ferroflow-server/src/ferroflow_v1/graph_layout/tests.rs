#![expect(clippy::float_cmp, reason = "places are rounded to halves, which are exact")]

use super::*;

const GAPS: Gaps = Gaps { layers: 60.0, boxes: 20.0, arrows: 10.0 };

fn frame(count: usize, arrows: &[(usize, usize)]) -> Frame {
    Frame { boxes: vec![Extent { along: 200.0, across: 44.0 }; count], arrows: arrows.to_vec() }
}

/// What must hold whatever the frame: nothing overlaps, arrows go forwards and touch their boxes, all is inside.
fn check(frame: &Frame) -> Places {
    let places = lay_out(frame, GAPS);
    for (left, a) in places.corners.iter().enumerate() {
        let (a_size, inside) = (frame.boxes[left], places.size);
        assert!(a.along >= 0.0 && a.across >= 0.0, "box {left} at {a:?}");
        assert!(
            a.along + a_size.along <= inside.along + 0.5 && a.across + a_size.across <= inside.across + 0.5
        );
        for (right, b) in places.corners.iter().enumerate().skip(left + 1) {
            let b_size = frame.boxes[right];
            let apart = a.along + a_size.along <= b.along
                || b.along + b_size.along <= a.along
                || a.across + a_size.across <= b.across
                || b.across + b_size.across <= a.across;
            assert!(apart, "boxes {left} and {right} overlap: {a:?} {b:?}");
        }
    }
    for ((from, to), route) in frame.arrows.iter().zip(&places.routes) {
        let (Some(first), Some(last)) = (route.first(), route.last()) else { continue };
        assert_eq!(first.along, places.corners[*from].along + frame.boxes[*from].along);
        assert_eq!(last.along, places.corners[*to].along);
        assert!(route.windows(2).all(|pair| pair[0].along <= pair[1].along), "{from} → {to}: {route:?}");
    }
    assert_eq!(lay_out(frame, GAPS), places, "the same frame has the same places");
    places
}

#[test]
fn layers_follow_needs() {
    type Row = (usize, &'static [(usize, usize)], &'static [u32]);
    let rows: [Row; 5] = [
        (0, &[], &[]),
        (1, &[], &[0]),
        (3, &[(0, 1), (1, 2)], &[0, 1, 2]),
        (4, &[(0, 1), (1, 3), (0, 3), (2, 3)], &[0, 1, 1, 2]),
        (4, &[(3, 2), (2, 1), (1, 0)], &[3, 2, 1, 0]),
    ];
    for (count, arrows, layers) in rows {
        assert_eq!(check(&frame(count, arrows)).layers, layers, "{arrows:?}");
    }
}

#[test]
fn crossings_are_undone() {
    let places = check(&frame(4, &[(0, 3), (1, 2)]));
    assert_eq!((places.ranks[0] < places.ranks[1]), (places.ranks[3] < places.ranks[2]));
    assert_eq!(places.routes[0][0].across, places.routes[0][1].across, "both arrows are straight");
}

#[test]
fn long_arrows_pass_beside_boxes() {
    let places = check(&frame(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]));
    let passing = &places.routes[3];
    assert_eq!(passing.len(), 6);
    for box_index in [1, 2] {
        let (top, height) = (places.corners[box_index].across, 44.0);
        let middle = passing[2 * box_index].across;
        assert!(middle <= top || middle >= top + height, "{passing:?} cuts box {box_index}");
    }
}

#[test]
fn circles_and_strays_do_no_harm() {
    let places = check(&frame(3, &[(0, 1), (1, 0), (2, 2), (7, 1)]));
    assert_eq!(places.routes.iter().filter(|route| !route.is_empty()).count(), 0);
}

#[test]
fn loose_boxes_stand_in_rows() {
    let places = check(&frame(100, &[]));
    assert!(places.size.along < 5000.0 && places.size.across < 2500.0, "{:?}", places.size);
}

/// Numbers that look random and are the same everywhere.
fn scattered(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

fn scattered_frame(count: usize) -> Frame {
    let mut seed = 7;
    let arrows: Vec<_> = (1..count)
        .flat_map(|to| {
            let near = to.saturating_sub(1 + scattered(&mut seed) % 12);
            let far = (scattered(&mut seed).is_multiple_of(3))
                .then(|| to.saturating_sub(1 + scattered(&mut seed) % 60));
            [Some(near), far]
                .into_iter()
                .flatten()
                .map(move |from| (from, to))
                .filter(|(from, to)| from != to)
        })
        .collect();
    frame(count, &arrows)
}

#[test]
fn a_large_graph() {
    let places = check(&scattered_frame(1000));
    assert!(places.routes.iter().all(|route| route.len() >= 2));
    let fan = (1..999).flat_map(|middle| [(0, middle), (middle, 999)]).collect::<Vec<_>>();
    check(&frame(1000, &fan));
}
