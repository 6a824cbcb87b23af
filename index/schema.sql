-- Format 4. A row of `articles` is short: whoever lists articles, or looks for one, does not read through their texts.
-- A passage of an earlier version has its number in `version`, which is NULL of a current one; it stood from the day
-- `since` until the day on which it was `replaced`. A `checksum` is that of all before it in its row.
BEGIN IMMEDIATE;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, hash TEXT NOT NULL, title TEXT NOT NULL, outlet TEXT, published TEXT,
    url TEXT, authors TEXT NOT NULL, root TEXT NOT NULL, file TEXT NOT NULL, added TEXT NOT NULL,
    characters INTEGER NOT NULL, language TEXT, pages TEXT NOT NULL DEFAULT '[]');
CREATE TABLE versions AS SELECT * FROM articles;
CREATE UNIQUE INDEX versions_article ON versions (id, version);
CREATE TABLE passages (
    id TEXT PRIMARY KEY, article_id TEXT NOT NULL REFERENCES articles (id), start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, vector TEXT NOT NULL, since TEXT, replaced TEXT,
    version INTEGER, checksum INTEGER NOT NULL DEFAULT 0);
CREATE INDEX passages_version ON passages (article_id, version);
CREATE INDEX passages_earlier ON passages (version) WHERE version IS NOT NULL;
CREATE INDEX passages_vector ON passages (vector);
CREATE TABLE vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL, checksum INTEGER NOT NULL DEFAULT 0);
CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL, article_id TEXT NOT NULL);
CREATE TABLE texts (id TEXT, version INTEGER, text TEXT NOT NULL, PRIMARY KEY (id, version));
-- What is watched: when it was looked at, when it is due, and what it needs to know (JSON; see sources/watched.py).
CREATE TABLE sources (
    address TEXT PRIMARY KEY, kind TEXT NOT NULL, added TEXT NOT NULL, checked TEXT, due TEXT,
    failures INTEGER NOT NULL DEFAULT 0, failure TEXT, state TEXT NOT NULL DEFAULT '{}');
CREATE INDEX articles_url ON articles (url);
CREATE INDEX articles_published ON articles (published DESC, id);
CREATE INDEX articles_outlet ON articles (outlet);
INSERT INTO meta VALUES ('schema', '4');
COMMIT;
