"""Any BEIR-style folder (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/*.tsv, test.tsv where it is there.

Only questions with judgements are asked. Grades are kept; 0 and below count as not relevant.
"""

import csv
from collections import defaultdict
from pathlib import Path

from evals.sets import Batches, one_of, read_json


def load(path: Path) -> Batches:
    rows = [row for row in read_json(one_of(path, "corpus.jsonl", "corpus.jsonl.gz")) if row["text"].strip()]
    articles = [{"id": row["_id"], "title": row.get("title"), "text": row["text"]} for row in rows]
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with one_of(path, "qrels/test.tsv", "qrels/dev.tsv", "qrels/train.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if (grade := int(row["score"])) > 0:
                grades[row["query-id"]][row["corpus-id"]] = grade
    asked = [row for row in read_json(one_of(path, "queries.jsonl", "queries.jsonl.gz")) if row["_id"] in grades]
    yield articles, [{"id": row["_id"], "question": row["text"], "articles": grades[row["_id"]]} for row in asked]
