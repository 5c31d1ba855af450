//! The run state machine: events in, commands out.
