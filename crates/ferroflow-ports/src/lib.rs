//! Contracts between the loop and the outside world.
