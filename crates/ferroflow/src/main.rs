//! The Ferroflow binary.

fn main() {}
