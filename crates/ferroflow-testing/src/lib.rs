//! Builders, in-memory adapters and the simulator.
