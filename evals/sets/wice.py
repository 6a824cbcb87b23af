"""WiCE (Kamoi et al. 2023): sentences of Wikipedia with the pages that they cite; supported, partly, or not."""

from pathlib import Path

from evals.sets import Rows, read_json


def load(path: Path) -> tuple[Rows, Rows]:
    articles: Rows = []
    claims: Rows = []
    for row in read_json(path):
        key = row["meta"]["id"]
        articles.append({"id": key, "text": "\n".join(row["evidence"])})
        label = row["label"]
        claims.append(
            {"id": key, "text": row["claim"], "article": key, "supported": label == "supported", "group": label}
        )
    return articles, claims
