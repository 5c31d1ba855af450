//! Tasks as operating-system processes under one supervisor.
