-- From format 2, whose changes named no articles. Tables that ask for those are built from the whole archive at first.
-- It dropped the passages of earlier versions, which are not found therefore, and did not say since when one stood.
BEGIN IMMEDIATE;
ALTER TABLE changes ADD COLUMN article_id TEXT NOT NULL DEFAULT '';
ALTER TABLE passages ADD COLUMN since TEXT;
UPDATE passages SET since = (
    SELECT CASE WHEN v.published IS NULL OR a.published > v.published THEN a.published ELSE substr(a.added, 1, 10) END
    FROM articles a LEFT JOIN versions v ON v.id = a.id AND v.version = a.version - 1 WHERE a.id = article_id);
ALTER TABLE passages ADD COLUMN replaced TEXT;
ALTER TABLE passages ADD COLUMN version INTEGER;
DROP INDEX passages_article;
CREATE INDEX passages_version ON passages (article_id, version);
CREATE INDEX passages_earlier ON passages (version) WHERE version IS NOT NULL;
INSERT OR REPLACE INTO meta VALUES ('schema', '3');
COMMIT;
