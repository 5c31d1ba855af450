-- What clients sent for plugins, an object, with a run and with a recurring run. Adding a column rewrites no rows.
ALTER TABLE runs ADD COLUMN plugins_input TEXT NOT NULL DEFAULT '{}';
ALTER TABLE recurring_runs ADD COLUMN plugins_input TEXT NOT NULL DEFAULT '{}';
