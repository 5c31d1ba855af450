//! The simulator over two hundred seeds; CI runs many more through `cargo xtask sim`.

use ferroflow_testing::simulator::{Report, Shape, run_large, run_seed};

#[test]
fn no_seed_violates_an_invariant() {
    let mut total = Report::default();
    for seed in 0..200 {
        match run_seed(seed) {
            Ok(report) => total += report,
            Err(violation) => panic!("{violation}"),
        }
    }
    // That the simulator still does something worth the name.
    assert!(total.events > 8_000 && total.crashes > 2_500 && total.tasks > 4_000, "{total:?}");
    assert!(total.ends > 420, "{total:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        assert_eq!(run_seed(seed).ok(), run_seed(seed).ok());
    }
}

#[test]
fn large_runs_end() {
    for shape in [Shape::Chain, Shape::Fan] {
        assert!(run_large(shape, 500).is_ok_and(|report| report.events == 1001));
    }
}
