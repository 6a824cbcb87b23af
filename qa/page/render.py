"""Answers and sources as HTML. Everything that came from outside is escaped."""

import html
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader

from index.types import Article
from qa.doors.show import around, day, origin
from qa.types import UNSUPPORTED, Answer, Citation, Sentence, as_json, bold

PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML in which each [n] opens its source; everything that came from outside is escaped."""
    document = as_json(answer)
    origins = [origin(sentence, document["citations"]) for sentence in document["sentences"]]
    body = text_html(answer.text, answer.citations, answer.sentences, origins)
    return PAGES.get_template("answer.html").render(answer=answer, body=body, link=_link, around=around(document))


def text_html(
    text: str, citations: Sequence[Citation], sentences: Sequence[Sentence] = (), origins: Sequence[str] = ()
) -> str:
    """Return an answer's text, as far as it is written, with links for the marks of its sentences, and no others.

    The phrases that answer are bold; where each sentence comes from stands behind its marks.
    """
    links = {f"[{c.n}]": _link(c, f"[{c.n}]") for c in citations}
    links[UNSUPPORTED] = '<b class="unsupported">not in the articles</b>'
    shown = {place: links[text[slice(*place)]] for sentence in sentences for place in sentence.marks}
    for said in sentences:
        if said.answer:
            place = bold(said.text, said.marks, said.answer.start, said.answer.end)
            shown[place] = f"<b>{html.escape(text[slice(*place)])}</b>"
    for said, where in zip(sentences, origins, strict=False):
        if where and said.marks:
            shown[said.marks[-1]] += f' <small class="origin">{html.escape(where)}</small>'
    done, parts = 0, list[str]()
    for (start, end), inside in sorted(shown.items()):
        parts += html.escape(text[done:start]), inside
        done = end
    return "".join((*parts, html.escape(text[done:]))).replace("\n", "<br>")


def source_path(article_id: str, field: str, start: int, end: int) -> str:
    """Return the address of a quotation on this service."""
    return f"/source/{quote(article_id, safe='')}?field={field}&start={start}&end={end}#quote"


PAGES.globals["source_path"], PAGES.filters["day"] = source_path, day


def source_page(article: Article, field: str, start: int, end: int, remarks: Sequence[str] = ()) -> str:
    """Return an article as a page with one span marked and remarks on it; all that came from outside is escaped."""
    whole = getattr(article, field)
    span = {"before": whole[:start], "quoted": whole[start:end], "after": whole[end:]}
    return PAGES.get_template("source.html").render(article=article, field=field, remarks=remarks, **span)


def _link(citation: Citation, mark: str) -> str:
    path = source_path(citation.article_id, citation.field, citation.start, citation.end)
    return f'<a class="cite" href="{html.escape(path)}" target="source">{mark}</a>'
