"""WiCE (Kamoi et al. 2023): sentences of Wikipedia with the pages that they cite; supported, partly, or not."""

from pathlib import Path

from evals.sets import Batches, read_json


def load(path: Path) -> Batches:
    for row in read_json(path):
        key, label = row["meta"]["id"], row["label"]
        claim = {"id": key, "text": row["claim"], "article": key, "supported": label == "supported", "group": label}
        yield [{"id": key, "text": "\n".join(row["evidence"])}], [claim]
