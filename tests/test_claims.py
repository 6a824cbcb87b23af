"""Sets of claims as their authors publish them, and what is measured of the check, against numbers found by hand."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals import sets
from evals.claims import Claim
from index.types import BadInput

CEDAR = "The cedar bridge at Halm was closed on 4 May after 12 bolts broke. Nobody was hurt."
KELP = "passage 1:Kelp is dried for 3 days.\n\npassage 2:It is sold in Orvik."


def lines(path: Path, *rows: object) -> None:
    """Write a JSON Lines file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def mark(reply: str, said: str, kind: str = "Evident Conflict") -> dict[str, Any]:
    start = reply.index(said)
    return {"text": said, "start": start, "end": start + len(said), "label_type": kind}


REPLY = "The bridge was closed on 4 May. It broke after 90 bolts failed. Nobody was hurt."
ANSWER = "1. Kelp is dried for 3 days.\n2. It is sold in Orvik.\n\nSources:\n"
RAGTRUTH = [
    ("The bridge was closed on 4 May.", True, "supported"),
    ("It broke after 90 bolts failed.", False, "Evident Conflict, Subtle Baseless Info"),
    ("Nobody was hurt.", True, "supported"),
    ("Kelp is dried for 3 days.", True, "supported"),  # without its number; "Sources:" states nothing
    ("It is sold in Orvik.", False, "Evident Baseless Info"),
]


def ragtruth_rows() -> list[dict[str, Any]]:
    # the second span begins with the space and the full stop before its words: it covers no word of the first sentence
    second = {
        "text": ". It",
        "start": REPLY.index(". It"),
        "end": REPLY.index(" broke"),
        "label_type": "Subtle Baseless Info",
    }
    return [
        {"id": "a", "text": CEDAR, "claim": REPLY, "marks": [mark(REPLY, "90 bolts"), second]},
        {"id": "b", "text": KELP, "claim": ANSWER, "marks": [mark(ANSWER, "Orvik", "Evident Baseless Info")]},
    ]


def test_ragtruth_is_read_flat_and_as_published(tmp_path: Path) -> None:
    flat = tmp_path / "flat.jsonl.gz"
    with gzip.open(flat, "wt") as file:
        file.write("".join(json.dumps(row) + "\n" for row in ragtruth_rows()))
    articles, claims = sets.load("ragtruth", flat)
    assert [article["text"] for article in articles] == [CEDAR, KELP]
    assert [(claim["text"], claim["supported"], claim["group"]) for claim in claims] == RAGTRUTH
    assert [claim["article"] for claim in claims] == [articles[0]["id"]] * 3 + [articles[1]["id"]] * 2
    assert len({Claim(**claim).id for claim in claims}) == 5

    published = [
        {"id": row["id"], "source_id": row["id"], "model": "m", "labels": row["marks"], "response": row["claim"]}
        for row in ragtruth_rows()
    ]
    lines(tmp_path / "response.jsonl", *published, published[0] | {"id": "c", "source_id": "c"})
    lines(
        tmp_path / "source_info.jsonl",
        {"source_id": "a", "task_type": "Summary", "source_info": CEDAR},
        {"source_id": "b", "task_type": "QA", "source_info": {"question": "How long?", "passages": KELP}},
        {"source_id": "c", "task_type": "Data2txt", "source_info": {"name": "Halm Diner"}},
    )
    assert sets.load("ragtruth", tmp_path) == (articles, claims)
    lines(tmp_path / "other.jsonl", {"id": 1, "text": "It rained."})
    with pytest.raises(BadInput, match=r"does not look like ragtruth \(KeyError"):
        sets.load("ragtruth", tmp_path / "other.jsonl")
