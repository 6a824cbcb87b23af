-- Of a chain: the articles that hang together with one, the one on which all others hang first.
WITH RECURSIVE
    up (id, step) AS (SELECT ?, 0 UNION SELECT earlier, step + 1 FROM up JOIN chain ON article_id = id WHERE earlier IS NOT NULL),
    down (id) AS (SELECT * FROM (SELECT id FROM up ORDER BY step DESC LIMIT 1)
        UNION SELECT article_id FROM down JOIN chain ON earlier = id)
SELECT id FROM down
