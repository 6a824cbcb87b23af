"""MultiHop-RAG (Tang and Yang 2024): a folder with its questions and its articles, or the facts alone.

Questions: MultiHopRAG.json or queries.jsonl. Articles: corpus.json, or facts.jsonl with one fact an article. Questions
whose evidence is nowhere ("null_query") must be refused.
"""

from pathlib import Path
from typing import Any

from evals.metrics import Result
from evals.sets import Batches, one_of, read_json
from index.types import digest


def load(path: Path) -> Batches:
    source = one_of(path, "corpus.json", "facts.jsonl")
    whole = source.name == "corpus.json"

    def article_id(row: dict[str, Any]) -> str:
        return str(row["url"]) if whole else digest(row["url"] + row["fact"], 8)

    articles = [
        {"id": article_id(row), "title": row["title"], "text": row["body" if whole else "fact"],
         "outlet": row["source"], "published": row["published_at"],
         "authors": [row["author"]] if row.get("author") else []}
        for row in read_json(source)
    ]  # fmt: skip
    yield articles, [
        {"id": str(row.get("id", number)), "question": row["query"],
         "answer": row["answer"] if row["evidence_list"] else [],
         "articles": [article_id(fact) for fact in row["evidence_list"]],
         "answerable": row["question_type"] != "null_query", "group": row["question_type"]}
        for number, row in enumerate(read_json(one_of(path, "MultiHopRAG.json", "queries.jsonl")))
    ]  # fmt: skip


def published_map(result: Result) -> float | None:
    """MAP@10 as its authors compute it: each fact adds 1 / its rank, over the number of facts, at most 10.

    Their Hits@4, Hits@10 and MRR@10 are hit_at_4, hit_at_10 and mrr_at_10: any one fact is a hit.
    """
    gains = [1 / rank for rank, article in enumerate(result.ranked[:10], 1) if article in result.known]
    return sum(gains) / min(len(result.known), 10) if result.known else None


METRICS = {"published_map_at_10": published_map}
