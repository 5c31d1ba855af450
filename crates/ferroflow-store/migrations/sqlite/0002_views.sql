-- For screens: runs of a pipeline, whether stored or only named, and who used an artifact.
-- Locks the tables while the indexes are made: about a second for a million runs.

CREATE INDEX runs_by_pipeline ON runs (pipeline_id, created_at / 1000000, id) WHERE pipeline_id IS NOT NULL;
CREATE INDEX runs_by_pipeline_name ON runs (pipeline_name, created_at / 1000000, id);
CREATE INDEX artifact_links_by_artifact ON artifact_links (artifact_id);
