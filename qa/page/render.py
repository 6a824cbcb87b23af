"""Answers and sources as HTML, from the documents of `as_json`. All that came from outside is escaped."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from index.types import Article
from qa.doors.show import unsure
from qa.kept import FAULTS
from qa.locale import DEFAULT, ENGLISH, Words, isolated
from qa.types import PASSED, bold

Document = Mapping[str, Any]
Span = tuple[int, int]
MARK = re.compile(r"\s*\[(?:\d+|unsupported)?\]?")  # of a sentence that is being written and not yet checked
SPANS = re.compile(r"(text|title):(\d{1,9})-(\d{1,9})", re.ASCII)
SPANS_MOST = 50  # of an article that are marked beside the one that is asked for
WORDS = {
    "verbatim": "word for word",
    "supported": "supported",
    "partial": "partly",
    "unsupported": "not in the articles",
}


def lines(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the sentences of an answer, as far as it is written, each a line.

    A line has the sentence's fields and, as text, what stands before it since the last (`lead`: the day of an event),
    and itself in three `parts`, the middle one being the phrase that answers. The last may not be checked yet.
    """
    text, done = document["text"], 0
    for said in document["sentences"]:
        if not said["marks"] or said["marks"][0][0] < done:
            continue
        end = said["marks"][0][0]
        start = max(end - 1 - len(said["text"]), done) if text[: end - 1].endswith(said["text"]) else done
        phrase = bold(said["text"], said["marks"], **said["answer"]) if said["answer"] else (end, end)
        cuts = [text[a:b] for a, b in pairwise((done, start, *phrase, end))]
        parts = [cuts[1].lstrip() if start == done else cuts[1], *cuts[2:]]
        yield dict(said) | {"lead": cuts[0].strip(), "parts": parts}
        done = said["marks"][-1][1]
    if rest := MARK.sub("", text[done:]).strip():
        yield {"lead": "", "parts": ["", "", rest], "support": "", "citations": (), "why": "", "stands_in": None}


def turn_html(turn: Document, words: Words = DEFAULT) -> str:
    """Return a question with its answer. Of a turn: n, asked, answer, good, faults, talk, and `working`."""
    answer = turn["answer"]
    cited = [*answer["citations"], *((answer["refusal"] or {}).get("closest", ()))]
    days = [c["published"] for c in cited if c["published"]]
    spans: dict[str, list[str]] = {}
    for c in cited:
        spans.setdefault(c["article_id"], []).append(f"{c['field']}:{c['start']}-{c['end']}")

    def link(c: Document) -> str:
        others = [span for span in spans[c["article_id"]] if span != f"{c['field']}:{c['start']}-{c['end']}"]
        return source_path(c["article_id"], c["field"], c["start"], c["end"], others)

    def mark(c: Document) -> str:
        """Name the outlet and the day, with its year where those of this answer are of several."""
        form = words._("d MMM y") if len({day[:4] for day in days}) > 1 else words._("d MMM")
        outlet = isolated(c["outlet"]) or words._("unknown outlet")
        return f"{outlet} · {words.day(c['published'], form)}{words.page(c)}"

    def abroad(c: Document) -> bool:
        """Tell whether a citation is in another language than the question."""
        return (c.get("language") or target) != target

    target = _language(answer, words)
    outlets = {c["outlet"] for c in answer["citations"]}
    outlets |= {name for said in answer["sentences"] for name in (said["stands_in"] or {}).get("outlets", ())}
    articles: dict[str, list[Document]] = {}
    for c in answer["citations"]:
        articles.setdefault(c["article_id"], []).append(c)
    numbered, shown = {c["n"]: c for c in answer["citations"]}, list(lines(answer))
    return pages(words).get_template("answer.html").render(
        turn, lines=shown, cited=lambda numbers: [numbered[n] for n in numbers], articles=list(articles.values()),
        link=link, mark=mark, outlets=outlets - {None}, read=read_from(turn, words), asks=asks(turn),
        doubtful=sum(line["support"] not in PASSED for line in shown), authors=answer.get("authors", {}),
        unsure=unsure(answer), target=target, abroad=abroad,
    )  # fmt: skip


def _language(answer: Document, words: Words) -> str:
    """Return the language of a question, where it is not known that of its page."""
    return answer["understood"].get("language") or (ENGLISH if answer["question"].isascii() else words.code)


def read_from(turn: Document, words: Words) -> list[str]:
    """Return in words what was read to answer a question: "8 articles of 3 stories", "since 1 April", "UNN"."""
    answer, asked = turn["answer"], asks(turn)
    found = len({place["article_id"] for place in answer["retrieved"]})
    _, stories = words._, answer.get("stories") or 0
    articles, of = (
        words.count("{n} article", "{n} articles", found),
        words.count("of {n} story", "of {n} stories", stories),
    )
    told = [" ".join([articles.format(n=found), *[of.format(n=stories)] * bool(stories)])] if found else []
    days = {"since": _("since {day}"), "until": _("until {day}"), "as_of": _("as of {day}")}
    told += [form.format(day=words.day(asked[key])) for key, form in days.items() if asked.get(key)]
    told += [*asked.get("outlets", ()), *(_("by {author}").format(author=one) for one in asked.get("authors", ()))]
    told += [_("in {language}").format(language=words.language(code)) for code in asked.get("languages", ())]
    told += [_("supported sentences only")] if asked.get("strict") else []
    told += [_("about {day}").format(day=_named(day, words)) for day in answer["understood"].get("days", ())]
    written = [_("written by {model}").format(model=answer["llm"])]
    return told + written * (answer["llm"] not in ("", "quotes"))


def asks(turn: Document) -> dict[str, Any]:
    """Return what was asked, with the outlets that were read from the question: what a change begins from."""
    named = turn["answer"]["understood"].get("outlets", ())
    return dict(turn["asked"]) | ({"outlets": [*named]} if named and not turn["asked"].get("outlets") else {})


def _named(told: str, words: Words) -> str:
    """Return a day of a question, whose year may be open: --04-18."""
    return words.day("2000" + told[1:], words._("d MMMM")) if told.startswith("--") else words.day(told)


def source_path(article_id: str, field: str, start: int, end: int, also: Sequence[str] = ()) -> str:
    """Return the address of a quotation on this service; `also` are further spans to mark, as text:120-245."""
    more = f"&also={','.join(also[:SPANS_MOST])}" if also else ""
    return f"{own(article_id)}?field={field}&start={start}&end={end}{more}#quote"


def own(article_id: str) -> str:
    """Return the address of an article on this service."""
    return f"/source/{quote(article_id, safe='')}"


def source_page(
    article: Article, field: str, start: int, end: int, remarks: Sequence[str] = (), also: str = "",
    words: Words = DEFAULT,
) -> str:  # fmt: skip
    """Return an article as a page with one span marked, others lightly, and remarks on it; all is escaped."""
    spans = [(name, (int(a), int(b))) for name, a, b in SPANS.findall(also)[:SPANS_MOST]]
    parts = {
        name: list(_marked(getattr(article, name), (start, end) if name == field else (0, 0), light))
        for name in ("title", "text")
        for light in [[span for of, span in spans if of == name]]
    }
    number = article.page(start) if field == "text" and start < end else None
    return pages(words).get_template("source.html").render(article=article, parts=parts, remarks=remarks, page=number)


def _marked(whole: str, strong: Span, light: Sequence[Span]) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a text, each with how it is marked: quote, also or not."""
    ends = {place for span in light for place in span if not strong[0] < place < strong[1]}
    cuts = sorted({min(max(place, 0), len(whole)) for place in (0, len(whole), *strong, *ends)})
    for a, b in pairwise(cuts):
        lightly = any(start <= a and b <= end for start, end in light)
        yield ("quote" if strong[0] <= a and b <= strong[1] else "also" if lightly else ""), whole[a:b]


def pieces(change: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the words of a change: those that went as `del`, those that came as `ins`, those that stayed with ""."""
    before, after = change["before"].split(), change["after"].split()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    # Of two sentences with little in common each is told whole.
    cuts = matcher.get_opcodes() if matcher.ratio() > 0.5 else [("replace", 0, len(before), 0, len(after))]
    for kind, i, j, k, m in cuts:
        told = [("", before[i:j])] if kind == "equal" else [("del", before[i:j]), ("ins", after[k:m])]
        yield from ((tag, " ".join(words)) for tag, words in told if words)


def foreign(words: Words, said: Any) -> Markup:
    """Return the attributes of what is in another language than the page: of an article, or what cites one."""
    code = said.get("language") if isinstance(said, Mapping) else said.language
    return Markup(' lang="{}" dir="auto"').format(code) if code and code != words.code else Markup()


@cache
def pages(words: Words) -> Environment:
    """Return the templates in a language."""
    made: Any = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    made.install_gettext_callables(words._, words.count, newstyle=True)
    made.globals |= {"source_path": source_path, "own": own, "words": WORDS, "said": words.said, "lang": words.code}
    made.globals |= {"all_faults": FAULTS, "kinds": [("md", "Markdown"), ("html", "HTML"), ("docx", "Word")]}
    made.filters |= {"day": words.day, "by": words.by, "page": words.page, "number": words.number, "pieces": pieces}
    made.filters |= {
        "language": words.language,
        "moment": words.moment,
        "lang": partial(foreign, words),
        "isolated": isolated,
    }
    environment: Environment = made
    return environment


PAGES = pages(DEFAULT)
