-- Who corrects or withdraws what: the place of the sentence that says so, and what it says was wrong, if it can be read.
-- The addresses and headlines in it are `named`, as JSON.
DROP TABLE IF EXISTS notices;
CREATE TABLE notices (article_id TEXT NOT NULL, target TEXT, kind TEXT NOT NULL, field TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, wrong TEXT, named TEXT NOT NULL);
CREATE INDEX notices_article ON notices (article_id);
CREATE INDEX notices_target ON notices (target)
