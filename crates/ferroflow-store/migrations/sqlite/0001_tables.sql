-- The first tables. Times are microseconds since the epoch; ids that clients see are UUIDs as text;
-- numbers (`no`, execution and artifact ids) are int64 and never given twice.

CREATE TABLE experiments (
    id                  TEXT PRIMARY KEY,
    display_name        TEXT NOT NULL UNIQUE,
    description         TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    last_run_created_at INTEGER NOT NULL,
    storage_state       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE pipelines (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    description  TEXT NOT NULL,
    created_at   INTEGER NOT NULL
) WITHOUT ROWID;

-- With rowids, since `source` is large: the uploaded bytes.
CREATE TABLE pipeline_versions (
    id              TEXT PRIMARY KEY,
    pipeline_id     TEXT NOT NULL,
    name            TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    description     TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    code_source_url TEXT NOT NULL,
    package_url     TEXT NOT NULL,
    source          BLOB NOT NULL,
    UNIQUE (pipeline_id, name)
);

-- Tags of pipelines and of versions: their ids are UUIDs, so one table holds both.
CREATE TABLE tags (
    owner TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;

-- Contexts of ML Metadata: a pipeline by its name, a run by its id. Rows stay for ever, so numbers stay unique.
CREATE TABLE contexts (
    no   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
);

-- JSON texts of pipelines, each stored once however many runs share it.
CREATE TABLE specs (
    no     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    json   TEXT NOT NULL
);

-- `no` is the number of the run's context. What changes often stands before what is large.
CREATE TABLE runs (
    no                  INTEGER PRIMARY KEY,
    id                  TEXT NOT NULL UNIQUE,
    experiment_id       TEXT NOT NULL,
    status              TEXT NOT NULL,
    storage_state       TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    scheduled_at        INTEGER NOT NULL,
    finished_at         INTEGER,
    display_name        TEXT NOT NULL,
    description         TEXT NOT NULL,
    pipeline_id         TEXT,
    pipeline_version_id TEXT,
    pipeline_name       TEXT NOT NULL,
    pipeline_context_no INTEGER NOT NULL,
    resource_name       TEXT NOT NULL,
    service_account     TEXT NOT NULL,
    pipeline_root       TEXT NOT NULL,
    history             TEXT NOT NULL,
    error               TEXT,
    arguments           TEXT NOT NULL,
    outputs             TEXT NOT NULL
);
CREATE INDEX runs_by_creation ON runs (created_at / 1000000, id);
CREATE INDEX runs_by_experiment ON runs (experiment_id, created_at / 1000000, id);
CREATE INDEX runs_unfinished ON runs (no) WHERE status IN ('PENDING', 'RUNNING', 'CANCELING', 'PAUSED');

-- What the engine begins with: read at recovery, never changed.
CREATE TABLE run_beginnings (
    run_no   INTEGER PRIMARY KEY,
    spec_no  INTEGER NOT NULL,
    settings TEXT NOT NULL
);
CREATE INDEX run_beginnings_by_spec ON run_beginnings (spec_no);

CREATE TABLE run_events (
    run_no  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (run_no, seq)
) WITHOUT ROWID;

CREATE TABLE snapshots (
    run_no INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    state  BLOB NOT NULL
);

-- `seq` and `place` tell the order in which commands were put.
CREATE TABLE outbox (
    run_no  INTEGER NOT NULL,
    key     TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    command TEXT NOT NULL,
    PRIMARY KEY (run_no, key)
) WITHOUT ROWID;

CREATE TABLE tasks (
    execution_id    INTEGER PRIMARY KEY,
    run_no          INTEGER NOT NULL,
    parent          INTEGER,
    attempt         INTEGER NOT NULL,
    status          TEXT NOT NULL,
    kind            TEXT NOT NULL,
    iteration_index INTEGER,
    iteration_count INTEGER,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER,
    cached_from     INTEGER,
    path            TEXT NOT NULL,
    name            TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    history         TEXT NOT NULL,
    error           TEXT,
    inputs          TEXT NOT NULL,
    outputs         TEXT NOT NULL,
    cache           TEXT
);
CREATE INDEX tasks_by_run ON tasks (run_no);

CREATE TABLE attempts (
    execution_id          INTEGER NOT NULL,
    attempt               INTEGER NOT NULL,
    status                TEXT NOT NULL,
    created_at            INTEGER,
    ready_at              INTEGER,
    admitted_at           INTEGER,
    started_at            INTEGER,
    installed_at          INTEGER,
    user_code_finished_at INTEGER,
    uploaded_at           INTEGER,
    finished_at           INTEGER,
    error                 TEXT,
    PRIMARY KEY (execution_id, attempt)
) WITHOUT ROWID;

-- `run_no` is a context, so that the maker is known after its run was removed.
CREATE TABLE artifacts (
    id              INTEGER PRIMARY KEY,
    run_no          INTEGER NOT NULL,
    name            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    schema_title    TEXT NOT NULL,
    schema_version  TEXT NOT NULL,
    instance_schema TEXT NOT NULL,
    uri             TEXT NOT NULL,
    custom_path     TEXT,
    metadata        TEXT NOT NULL
);
CREATE INDEX artifacts_by_run ON artifacts (run_no);

-- Events of ML Metadata: `direction` is INPUT or OUTPUT.
CREATE TABLE artifact_links (
    execution_id INTEGER NOT NULL,
    direction    TEXT NOT NULL,
    name         TEXT NOT NULL,
    place        INTEGER NOT NULL,
    artifact_id  INTEGER NOT NULL,
    PRIMARY KEY (execution_id, direction, name, place)
) WITHOUT ROWID;

-- The newest result under each key. The key's parts stand in the row of the task that made it.
CREATE TABLE cache_entries (
    no            INTEGER PRIMARY KEY,
    fingerprint   TEXT NOT NULL,
    pipeline_name TEXT NOT NULL,
    execution_id  INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    outputs       TEXT NOT NULL,
    UNIQUE (fingerprint, pipeline_name)
);

-- First numbers that nobody has been given.
CREATE TABLE sequences (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO sequences (name, next) VALUES ('ids', 1);
