-- From format 3, which knew neither languages nor pages of articles, and no sources, nor checksums.
BEGIN IMMEDIATE;
ALTER TABLE articles ADD COLUMN language TEXT;
ALTER TABLE articles ADD COLUMN pages TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN language TEXT;
ALTER TABLE versions ADD COLUMN pages TEXT NOT NULL DEFAULT '[]';
CREATE TABLE sources (
    address TEXT PRIMARY KEY, kind TEXT NOT NULL, added TEXT NOT NULL, checked TEXT, due TEXT,
    failures INTEGER NOT NULL DEFAULT 0, failure TEXT, state TEXT NOT NULL DEFAULT '{}');
ALTER TABLE vectors ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
UPDATE vectors SET checksum = checksum(key, vector);
ALTER TABLE passages ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
UPDATE passages SET checksum = checksum(id, article_id, start, "end", vector, since, replaced, version);
INSERT OR REPLACE INTO meta VALUES ('schema', '4');
COMMIT;
