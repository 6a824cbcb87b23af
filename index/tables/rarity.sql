-- Of a chain: under how many articles, up to a thousand, each of some keys is found.
SELECT CAST(wanted.value AS KIND), (SELECT count(*) FROM
    (SELECT 1 FROM chain_keys WHERE key = CAST(wanted.value AS KIND) LIMIT 1000) AS held)
FROM json_each(?) wanted
