-- Artifacts of a type, of a name, and tasks of a name, the newest first: these are lists over all runs.
-- Locks the tables while the indexes are made: about two seconds for a million artifacts and tasks.

CREATE INDEX artifacts_by_type ON artifacts (schema_title);
CREATE INDEX artifacts_by_name ON artifacts (name);
CREATE INDEX tasks_by_name ON tasks (name);
