-- Of the vectors of each article's passages: on which side of their mean each number is, in the order of `ids`. What is
-- gone stays as a row without ids, so that who holds it in memory learns of it.
DROP TABLE IF EXISTS signs;
CREATE TABLE signs (number INTEGER PRIMARY KEY, article_id TEXT UNIQUE NOT NULL, sequence INTEGER NOT NULL, outlet TEXT,
    published TEXT, language TEXT, ids TEXT NOT NULL, bits BLOB NOT NULL);
CREATE INDEX signs_sequence ON signs (sequence)
