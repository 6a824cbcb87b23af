-- From format 2, whose changes named no articles. Tables that ask for those are built from the whole archive at first.
-- It kept no passages of earlier versions, which are not found therefore, and did not say since when a version stands.
BEGIN IMMEDIATE;
ALTER TABLE changes ADD COLUMN article_id TEXT NOT NULL DEFAULT '';
CREATE TABLE passages_3 (
    id TEXT PRIMARY KEY, article_id TEXT NOT NULL REFERENCES articles (id), start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, vector TEXT NOT NULL, since TEXT, replaced TEXT, version INTEGER);
INSERT INTO passages_3 SELECT p.id, article_id, start, "end", vector,
    CASE WHEN v.published IS NULL OR a.published > v.published THEN a.published ELSE substr(a.added, 1, 10) END, NULL, NULL
    FROM passages p JOIN articles a ON a.id = article_id LEFT JOIN versions v ON v.id = a.id AND v.version = a.version - 1
    ORDER BY p.rowid;
DROP TABLE passages;
ALTER TABLE passages_3 RENAME TO passages;
CREATE INDEX passages_version ON passages (article_id, version);
CREATE INDEX passages_vector ON passages (vector);
CREATE INDEX passages_earlier ON passages (version) WHERE version IS NOT NULL;
INSERT OR REPLACE INTO meta VALUES ('schema', '3');
COMMIT;
