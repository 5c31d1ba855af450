-- Artifacts that nothing refers to, and since when that was known. New and empty.
CREATE TABLE garbage (
    artifact_id INTEGER PRIMARY KEY,
    noticed_at  INTEGER NOT NULL
);
