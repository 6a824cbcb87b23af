-- Of a chain: the articles that hang together with one, the earliest, on which all others hang, first.
WITH RECURSIVE
    up (id) AS (SELECT id FROM articles WHERE id = ? UNION SELECT earlier FROM up JOIN chain ON article_id = id WHERE earlier IS NOT NULL),
    down (id) AS (SELECT article_id FROM up JOIN chain ON article_id = id WHERE earlier IS NULL
        UNION SELECT article_id FROM down JOIN chain ON earlier = id)
SELECT id FROM down JOIN articles USING (id) ORDER BY published IS NULL, published, characters DESC, id
