-- When a run was put into the archive, for those who want old runs removed from there. Adding a column rewrites no rows.

ALTER TABLE runs ADD COLUMN archived_at INTEGER;
CREATE INDEX runs_archived ON runs (archived_at) WHERE storage_state = 'ARCHIVED';

-- Runs that were archived before are counted from their end, or from now if they have none.
UPDATE runs SET archived_at = coalesce(finished_at, CAST(unixepoch('subsec') * 1000000 AS INTEGER))
    WHERE storage_state = 'ARCHIVED';

-- By a trigger, since experiments archive their runs too.
CREATE TRIGGER runs_archive AFTER UPDATE OF storage_state ON runs
WHEN new.storage_state = 'ARCHIVED' AND old.storage_state <> 'ARCHIVED' BEGIN
    UPDATE runs SET archived_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) WHERE no = new.no;
END;
