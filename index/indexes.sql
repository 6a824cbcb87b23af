-- By which articles are listed, filtered and counted; made at the opening of an archive that lacks them.
CREATE INDEX IF NOT EXISTS articles_by_title ON articles (title COLLATE NOCASE, id);
CREATE INDEX IF NOT EXISTS articles_by_outlet ON articles (outlet COLLATE NOCASE ASC, published DESC, id);
CREATE INDEX IF NOT EXISTS articles_by_added ON articles (added DESC, id);
CREATE INDEX IF NOT EXISTS articles_by_authors ON articles (authors);
-- By which is known what waits for its vector.
CREATE INDEX IF NOT EXISTS vectors_length ON vectors (length(vector));
