"""RealTimeQA (Kasai et al. 2023): a folder of its weeks, such as past/2022, with *_qa.jsonl, *_gold.jsonl, *_gcs.jsonl.

The articles are those that its authors' web search found for the questions, and those that the quizzes link to; the
latter are known to answer. The multiple choice is kept. Questions are put on their quiz's day.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from evals.sets import Batches, read_json
from index.types import BadInput

LINK = re.compile(r'href="([^"]+)"')


def load(path: Path) -> Batches:
    weeks = sorted(path.glob("*[0-9]_qa.jsonl"))
    if not weeks:
        raise BadInput(f"{path} holds no week such as 20220617_qa.jsonl")
    articles: dict[str, dict[str, object]] = {}
    for file in [*sorted(path.glob("*_gold.jsonl")), *sorted(path.glob("*_gcs.jsonl"))]:
        for hit in (hit for row in read_json(file) for hit in row["search_result"]):
            if hit.get("text", "").strip():
                key, url = _key(hit["url"]), hit["url"]
                article = {"id": key, "url": url, "authors": hit.get("authors") or [], "outlet": urlsplit(url).hostname}
                fields = {"text": hit["text"], "title": hit.get("title"), "published": hit.get("publish_date")}
                known = articles.setdefault(key, article)
                known.update({name: value for name, value in fields.items() if value and not known.get(name)})
    yield list(articles.values()), [
        {"id": row["question_id"], "question": row["question_sentence"],
         "answer": [row["choices"][int(n)] for n in row["answer"]], "choices": row["choices"],
         "asked": row["question_date"],
         "articles": [key for url in LINK.findall(row.get("evidence") or "") if (key := _key(url)) in articles]}
        for week in weeks for row in read_json(week)
    ]  # fmt: skip


def _key(url: str) -> str:
    """Return an address without what differs between two links to one article."""
    parts = urlsplit(url)
    path = parts.path.removesuffix("index.html").rstrip("/")
    return parts.netloc.removeprefix("www.").removeprefix("edition.") + path
