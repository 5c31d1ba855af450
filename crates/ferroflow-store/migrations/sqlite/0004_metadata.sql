-- What clients of ML Metadata write. Rows of runs are shown to them as they are and stand in their own tables only.
-- New and empty, so nothing is locked for long.

CREATE TABLE metadata_types (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    external_id TEXT,
    body        BLOB NOT NULL,
    UNIQUE (kind, name, version)
);
CREATE UNIQUE INDEX metadata_types_by_external_id ON metadata_types (kind, external_id) WHERE external_id IS NOT NULL;

-- Small numbers belong to rows of runs: what a client wrote about them.
CREATE TABLE metadata_nodes (
    kind        TEXT NOT NULL,
    id          INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    name        TEXT,
    external_id TEXT,
    uri         TEXT,
    body        BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX metadata_nodes_by_name ON metadata_nodes (kind, type_id, name) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX metadata_nodes_by_external_id ON metadata_nodes (kind, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX metadata_nodes_by_type ON metadata_nodes (kind, type_id);
CREATE INDEX metadata_nodes_by_uri ON metadata_nodes (kind, uri) WHERE uri IS NOT NULL;

-- Lists of events keep the order in which they were written.
CREATE TABLE metadata_events (
    no           INTEGER PRIMARY KEY,
    execution_id INTEGER NOT NULL,
    artifact_id  INTEGER NOT NULL,
    type         INTEGER NOT NULL,
    body         BLOB NOT NULL,
    UNIQUE (execution_id, artifact_id, type)
);
CREATE INDEX metadata_events_by_artifact ON metadata_events (artifact_id);

-- `kind` is ATTRIBUTION, ASSOCIATION or PARENT; the node of a parent is the child.
CREATE TABLE metadata_links (
    kind    TEXT NOT NULL,
    node    INTEGER NOT NULL,
    context INTEGER NOT NULL,
    PRIMARY KEY (kind, node, context)
) WITHOUT ROWID;
CREATE INDEX metadata_links_by_context ON metadata_links (kind, context);

-- Nodes of runs have the numbers below 2^40.
INSERT INTO sequences (name, next) VALUES ('metadata_types', 1), ('metadata_nodes', 1099511627776);
