"""SummEdits (Laban et al. 2023): articles with summaries, consistent ones and ones with an error edited in."""

from pathlib import Path

from evals.sets import Batches, read_json
from index.types import digest


def load(path: Path) -> Batches:
    for row in read_json(path):
        key = digest(row["doc"], 8)
        claim = {"id": row["id"], "text": row["summary"], "article": key, "supported": bool(row["label"])}
        kinds = ", ".join(row.get("edit_types") or []) or "no edit"
        yield [{"id": key, "text": row["doc"]}], [claim | {"group": kinds}]
