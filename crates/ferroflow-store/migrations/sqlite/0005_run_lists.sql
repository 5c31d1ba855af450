-- Lists of a million runs: an index for each usual filter in each usual order, counters for totals, and the trigrams of
-- names. Locks the tables while they are made: about a minute for a million runs.

DROP INDEX runs_by_creation;
DROP INDEX runs_by_experiment;
CREATE INDEX runs_by_created ON runs (created_at / 1000000, id);
CREATE INDEX runs_by_name ON runs (display_name, id);
CREATE INDEX runs_by_finished ON runs (coalesce(finished_at, 0) / 1000000, id);
CREATE INDEX runs_by_scheduled ON runs (scheduled_at / 1000000, id);
CREATE INDEX runs_by_state_created ON runs (status, created_at / 1000000, id);
CREATE INDEX runs_by_state_name ON runs (status, display_name, id);
CREATE INDEX runs_by_state_finished ON runs (status, coalesce(finished_at, 0) / 1000000, id);
CREATE INDEX runs_by_state_scheduled ON runs (status, scheduled_at / 1000000, id);
CREATE INDEX runs_by_storage_created ON runs (storage_state, created_at / 1000000, id);
CREATE INDEX runs_by_storage_name ON runs (storage_state, display_name, id);
CREATE INDEX runs_by_storage_finished ON runs (storage_state, coalesce(finished_at, 0) / 1000000, id);
CREATE INDEX runs_by_storage_scheduled ON runs (storage_state, scheduled_at / 1000000, id);
CREATE INDEX runs_by_experiment_created ON runs (experiment_id, created_at / 1000000, id);
CREATE INDEX runs_by_experiment_name ON runs (experiment_id, display_name, id);
CREATE INDEX runs_by_experiment_finished ON runs (experiment_id, coalesce(finished_at, 0) / 1000000, id);
CREATE INDEX runs_by_experiment_scheduled ON runs (experiment_id, scheduled_at / 1000000, id);

-- How many runs there are, altogether and by the hour of their creation. Kept by triggers, so that whatever writes runs
-- keeps them right.
CREATE TABLE run_totals (
    experiment_id TEXT NOT NULL,
    storage_state TEXT NOT NULL,
    status        TEXT NOT NULL,
    runs          INTEGER NOT NULL,
    PRIMARY KEY (experiment_id, storage_state, status)
) WITHOUT ROWID;
CREATE TABLE run_hours (
    hour          INTEGER NOT NULL,
    experiment_id TEXT NOT NULL,
    storage_state TEXT NOT NULL,
    status        TEXT NOT NULL,
    runs          INTEGER NOT NULL,
    PRIMARY KEY (hour, experiment_id, storage_state, status)
) WITHOUT ROWID;
INSERT INTO run_hours SELECT created_at / 3600000000, experiment_id, storage_state, status, count(*) FROM runs
    GROUP BY 1, 2, 3, 4;
INSERT INTO run_totals SELECT experiment_id, storage_state, status, sum(runs) FROM run_hours GROUP BY 1, 2, 3;

CREATE TRIGGER run_counts_insert AFTER INSERT ON runs BEGIN
    INSERT INTO run_totals VALUES (new.experiment_id, new.storage_state, new.status, 1)
        ON CONFLICT DO UPDATE SET runs = runs + 1;
    INSERT INTO run_hours VALUES (new.created_at / 3600000000, new.experiment_id, new.storage_state, new.status, 1)
        ON CONFLICT DO UPDATE SET runs = runs + 1;
END;
CREATE TRIGGER run_counts_delete AFTER DELETE ON runs BEGIN
    UPDATE run_totals SET runs = runs - 1 WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status;
    DELETE FROM run_totals WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status AND runs = 0;
    UPDATE run_hours SET runs = runs - 1 WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status AND hour = old.created_at / 3600000000;
    DELETE FROM run_hours WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status AND hour = old.created_at / 3600000000 AND runs = 0;
END;
CREATE TRIGGER run_counts_update AFTER UPDATE OF experiment_id, storage_state, status ON runs
WHEN old.experiment_id <> new.experiment_id OR old.storage_state <> new.storage_state OR old.status <> new.status BEGIN
    UPDATE run_totals SET runs = runs - 1 WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status;
    DELETE FROM run_totals WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status AND runs = 0;
    UPDATE run_hours SET runs = runs - 1 WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status AND hour = old.created_at / 3600000000;
    DELETE FROM run_hours WHERE experiment_id = old.experiment_id
        AND storage_state = old.storage_state AND status = old.status AND hour = old.created_at / 3600000000 AND runs = 0;
    INSERT INTO run_totals VALUES (new.experiment_id, new.storage_state, new.status, 1)
        ON CONFLICT DO UPDATE SET runs = runs + 1;
    INSERT INTO run_hours VALUES (new.created_at / 3600000000, new.experiment_id, new.storage_state, new.status, 1)
        ON CONFLICT DO UPDATE SET runs = runs + 1;
END;

-- Trigrams of names, without the names. A run keeps its name for life.
CREATE VIRTUAL TABLE run_names USING fts5 (
    name, content = '', contentless_delete = 1, tokenize = 'trigram'
);
INSERT INTO run_names (rowid, name) SELECT no, display_name FROM runs;
CREATE TRIGGER run_names_insert AFTER INSERT ON runs BEGIN
    INSERT INTO run_names (rowid, name) VALUES (new.no, new.display_name);
END;
CREATE TRIGGER run_names_delete AFTER DELETE ON runs BEGIN
    DELETE FROM run_names WHERE rowid = old.no;
END;
