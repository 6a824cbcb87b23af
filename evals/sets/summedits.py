"""SummEdits (Laban et al. 2023): articles with summaries, consistent ones and ones with an error edited in."""

from pathlib import Path

from evals.sets import Rows, read_json
from index.types import digest


def load(path: Path) -> tuple[Rows, Rows]:
    articles, claims = {}, []
    for row in read_json(path):
        key = digest(row["doc"], 8)
        articles[key] = {"id": key, "text": row["doc"]}
        kinds = ", ".join(row.get("edit_types") or []) or "no edit"
        claim = {"id": row["id"], "text": row["summary"], "article": key, "supported": bool(row["label"])}
        claims.append(claim | {"group": kinds})
    return list(articles.values()), claims
