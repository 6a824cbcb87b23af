-- One of the chains, under its name: on which earlier article each hangs, and under which keys it is found.
DROP TABLE IF EXISTS chain;
DROP TABLE IF EXISTS chain_keys;
CREATE TABLE chain (article_id TEXT PRIMARY KEY, earlier TEXT, score REAL NOT NULL DEFAULT 0, sketch BLOB);
CREATE INDEX chain_earlier ON chain (earlier);
CREATE TABLE chain_keys (key KIND, day INTEGER, article_id TEXT, PRIMARY KEY (key, day, article_id)) WITHOUT ROWID;
CREATE INDEX chain_keys_article ON chain_keys (article_id)
