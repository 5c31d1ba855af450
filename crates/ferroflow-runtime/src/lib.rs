//! The loop: load, plan, commit, perform, observe.
