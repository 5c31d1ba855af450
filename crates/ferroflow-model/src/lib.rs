//! Values that every floor shares: ids, states, parameter values, artifacts, rows.
