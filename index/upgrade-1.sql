-- From format 1, which had the texts in the rows of articles and versions.
BEGIN IMMEDIATE;
ALTER TABLE articles ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
CREATE TABLE texts (id TEXT, version INTEGER, text TEXT NOT NULL, PRIMARY KEY (id, version));
CREATE INDEX articles_url ON articles (url);
CREATE INDEX articles_published ON articles (published DESC, id);
CREATE INDEX IF NOT EXISTS articles_outlet ON articles (outlet);
INSERT OR REPLACE INTO meta VALUES ('schema', '2');
INSERT INTO texts SELECT id, version, text FROM articles UNION ALL SELECT id, version, text FROM versions;
UPDATE articles SET characters = length(text);
UPDATE versions SET characters = length(text);
ALTER TABLE articles DROP COLUMN text;
ALTER TABLE versions DROP COLUMN text;
COMMIT;
