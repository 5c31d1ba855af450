-- Recurring runs, and which runs they made. Adding a column rewrites no rows; making the index locks the table of runs,
-- about a second for a million.

-- `fired` counts the runs made so far, `last_slot` is the time that the last of them was for. What changes often stands
-- before what is large. An inline pipeline is a row of `specs`.
CREATE TABLE recurring_runs (
    id                  TEXT PRIMARY KEY,
    experiment_id       TEXT NOT NULL,
    is_enabled          INTEGER NOT NULL,
    fired               INTEGER NOT NULL,
    last_slot           INTEGER,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    max_concurrency     INTEGER NOT NULL,
    no_catchup          INTEGER NOT NULL,
    display_name        TEXT NOT NULL,
    description         TEXT NOT NULL,
    namespace           TEXT NOT NULL,
    pipeline_id         TEXT,
    pipeline_version_id TEXT,
    spec_no             INTEGER,
    service_account     TEXT NOT NULL,
    pipeline_root       TEXT NOT NULL,
    schedule            TEXT NOT NULL,
    error               TEXT,
    arguments           TEXT NOT NULL
);
CREATE INDEX recurring_runs_by_creation ON recurring_runs (created_at / 1000000, id);
CREATE INDEX recurring_runs_by_experiment ON recurring_runs (experiment_id, created_at / 1000000, id);
CREATE INDEX recurring_runs_enabled ON recurring_runs (id) WHERE is_enabled;
CREATE INDEX recurring_runs_by_spec ON recurring_runs (spec_no) WHERE spec_no IS NOT NULL;

-- The schedule that made a run, empty for others, and the number among its runs.
ALTER TABLE runs ADD COLUMN recurring_run_id TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN tick INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_by_recurring_run ON runs (recurring_run_id, created_at / 1000000, id);
