"""RAGTruth (Niu et al. 2024): summaries and answers by six models, with spans that their source does not support.

A folder with response.jsonl and source_info.jsonl as published (the records of "Data2txt" are no articles and are left
out), or one object a line with text, claim (the whole reply) and marks (the spans, start and end). Each sentence of a
reply is a claim, unsupported where a span covers a word of it; its group is the kind of that span.
"""

from pathlib import Path

from evals.sets import Batches, Rows, read_json
from index.text.cut import sentences
from index.types import digest
from qa.check.draft import NUMBERED, statements


def load(path: Path) -> Batches:
    for row in _published(path) if path.is_dir() else read_json(path):
        reply, key = row["claim"], digest(row["text"], 8)
        claims: Rows = []
        for start, end, _ in sentences(NUMBERED.sub(lambda number: " " * len(number[0]), reply), quotations=True):
            if not any(statements(reply[start:end])):
                continue
            covered = [(max(start, mark["start"]), min(end, mark["end"]), mark["label_type"]) for mark in row["marks"]]
            kinds = sorted({kind for first, last, kind in covered if any(map(str.isalnum, reply[first:last]))})
            claims.append({"id": f"{row['id']}-{start}", "text": reply[start:end], "article": key,
                           "supported": not kinds, "group": ", ".join(kinds) or "supported"})  # fmt: skip
        yield [{"id": key, "text": row["text"]}], claims


def _published(folder: Path) -> Rows:
    sources = {row["source_id"]: row for row in read_json(folder / "source_info.jsonl")}
    replies = [(row, sources[row["source_id"]]) for row in read_json(folder / "response.jsonl")]
    return [
        {"id": row["id"], "claim": row["response"], "marks": row["labels"],
         "text": source["source_info"]["passages"] if source["task_type"] == "QA" else source["source_info"]}
        for row, source in replies if source["task_type"] != "Data2txt"
    ]  # fmt: skip
