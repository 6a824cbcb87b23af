-- From format 2, whose changes named no articles. Tables that ask for those are built from the whole archive at first.
BEGIN IMMEDIATE;
ALTER TABLE changes ADD COLUMN article_id TEXT NOT NULL DEFAULT '';
INSERT OR REPLACE INTO meta VALUES ('schema', '3');
COMMIT;
