"""SQuAD 2.0 (Rajpurkar et al. 2018): its JSON file, or one object a line with question, context and answers.

Each paragraph is an article; half of the questions cannot be answered from theirs, though they read as if.
"""

from pathlib import Path

from evals.sets import Batches, read_json
from index.text.fold import words
from index.types import digest


def load(path: Path) -> Batches:
    rows = read_json(path)
    if "data" in rows[0]:
        rows = [
            qa | {"context": paragraph["context"], "title": page["title"].replace("_", " ")}
            for page in rows[0]["data"] for paragraph in page["paragraphs"] for qa in paragraph["qas"]
        ]  # fmt: skip
    for row in rows:
        key = digest(row["context"], 8)
        question = {"id": row["id"], "question": row["question"], "answerable": not row["is_impossible"]}
        if question["answerable"]:
            answers = [answer["text"] if isinstance(answer, dict) else answer for answer in row["answers"]]
            said = [answer for answer in answers if words(answer)]  # "." is in the published file
            question |= {"answer": list(dict.fromkeys(said)), "articles": [key]}
        yield [{"id": key, "title": row.get("title"), "text": row["context"]}], [question]
