-- URIs of artifacts that had content when a result was kept: a JSON list. Results from before are not verified.
ALTER TABLE cache_entries ADD COLUMN contents TEXT NOT NULL DEFAULT '[]';
