-- From format 3, which knew neither languages nor pages of articles, and no sources.
BEGIN IMMEDIATE;
ALTER TABLE articles ADD COLUMN language TEXT;
ALTER TABLE articles ADD COLUMN pages TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN language TEXT;
ALTER TABLE versions ADD COLUMN pages TEXT NOT NULL DEFAULT '[]';
CREATE TABLE sources (
    address TEXT PRIMARY KEY, kind TEXT NOT NULL, added TEXT NOT NULL, checked TEXT, due TEXT,
    failures INTEGER NOT NULL DEFAULT 0, failure TEXT, state TEXT NOT NULL DEFAULT '{}');
INSERT OR REPLACE INTO meta VALUES ('schema', '4');
COMMIT;
