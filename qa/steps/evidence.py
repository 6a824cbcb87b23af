"""Reads what was found: the sentences that may be quoted, each with how well it answers by itself."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from index.tables.related import Ties
from index.text import lists
from index.text.cut import is_caption, sentences
from index.text.fold import words
from index.text.names import lemmas
from index.text.terms import alike, content_terms, share, terms
from index.types import Hit, Query
from qa.check.spans import Span
from qa.rerank import Reader, Reranker
from qa.steps.understand import YEAR, covered, fits, kind
from qa.types import Outcome, Piece

# The cross-encoder is the slow part: it reads 16 short texts, 0.3 s on two cores, chosen by their words from the best
# passages of 8 articles. 12 whole passages and all sentences of the best four took 1.7 s and chose no better (§8).
READ_PASSAGES = 8
READ_SENTENCES = 16
FIT_WORTH, TITLE_WORTH, SCORE_WORTH = 0.5, 0.3, 0.8  # against 1 for a sentence with all words of the question
HEADED_WORTH, BEHIND_WORTH = 0.5, 0.3  # and for words that only its headline, or the sentence before, holds
LEAD_LOGIT = 3.0  # of what is first said of a topic: the cross-encoder knows no answer to no question
CELL = re.compile(r"(?P<column>[^·:]+): (?P<value>[^·]+?)(?= · |$)")  # of a table's row
ROW = " · "  # between them
ROW_LOGIT = 2.0  # of a row of which the question names row and column: the reader knows no tables
PHRASE_LEAST = -2.0  # the logit of a sentence's answering from which the phrase is marked: below, .2 of them are right
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")  # of a word two
CHROME = re.compile(lists.pattern("chrome"), re.I)


@dataclass(frozen=True)
class Candidate(Span):
    """A sentence or headline that may be quoted, with the hit that brought it.

    `logit` is the cross-encoder's, for `part`: the question, or the part of it that the sentence speaks of most.
    `answers` is the reader's, of its answering that; None where another cross-encoder takes its place.
    `phrase` is where in `text` it finds the number, day or name that was asked for. `ties` are those of its article.
    """

    hit: Hit
    part: str = ""
    logit: float = 0.0
    answers: float | None = None
    phrase: tuple[int, int] | None = None
    ties: Ties | None = None


class Evidence(NamedTuple):
    """What an answer may be written from: passages in their order, the sentences read of them, and how sure they make.

    `question` is complete in itself; `confidence`, 0…1, is how sure the desk is that there is an answer among them. Up
    to the day `latest` later reports take the place of earlier ones; None where the question has its day or outlet.
    `parts` are the questions that it asks in one. With `first`, it asks for what was reported first.
    `understood` is what was read from it, for people.
    """

    question: str
    hits: Sequence[Hit]
    candidates: Sequence[Candidate]
    confidence: float
    latest: date | None = None
    parts: Sequence[str] = ()
    first: bool = False
    understood: Mapping[str, Any] = MappingProxyType({})
    chosen: Sequence[Candidate] | None = None  # what to quote, none or more, where that is decided already


# From evidence to an answer: yields the text as it comes, with marks such as [1], and each Citation and Sentence as
# soon as it is there. `quotes` is one, a language model another.
Writer = Callable[[Evidence], Generator[Piece, None, Outcome]]


def read(reranker: Reranker, query: Query, hits: Sequence[Hit]) -> list[Candidate]:
    """Return the sentences and headlines of these hits (best first) that speak most of the question, scored."""
    wanted = {part: content_terms(part) for part in query.parts or (query.text,)}
    best = max((hit.score for hit in hits), default=0.0)

    def promise(candidate: Candidate) -> float:
        words, (headed, behind) = wanted[candidate.part], around[candidate.start, candidate.hit.passage.id]
        own, whole = share(words, candidate.terms), share(words, candidate.terms | headed)
        return (
            own
            + HEADED_WORTH * (whole - own)
            + BEHIND_WORTH * (share(words, candidate.terms | headed | behind) - whole)
            + FIT_WORTH * fits(query.text, candidate.text)
            + bool(_row(candidate))
            + TITLE_WORTH * (candidate.field == "title")
            + SCORE_WORTH * (candidate.hit.score - best)
        )

    firsts = {hit.passage.article_id: hit for hit in reversed(hits)}.values()
    others = [hit for hit in hits if hit not in firsts]  # are read where articles are few
    found = candidates([*sorted(firsts, key=lambda hit: -hit.score), *others][:READ_PASSAGES])
    around = {(c.start, c.hit.passage.id): _around(c, before) for before, c in zip([None, *found], found, strict=False)}
    parted = [replace(c, part=part) for c in found for part in _speaks_of(wanted, c)]
    promising = sorted(parted, key=promise, reverse=True)[:READ_SENTENCES]
    scored: list[Candidate] = []
    for part in wanted:
        own = [candidate for candidate in promising if candidate.part == part]
        heads = [_head(candidate, wanted[part]) if isinstance(reranker, Reader) else "" for candidate in own]
        logits = reranker.score(part, [head + c.text for head, c in zip(heads, own, strict=True)]).tolist()
        judged = [replace(c, logit=logit) for c, logit in zip(own, logits, strict=True)]
        if isinstance(reranker, Reader):
            judged = [_read(reranker, c, head) for c, head in zip(judged, heads, strict=True)]
        scored += judged
    return _dated(scored, {*YEAR.findall(query.text)})


def tied(candidates: Sequence[Candidate], ties: Callable[[str], Ties]) -> list[Candidate]:
    """Return sentences with what ties their articles to others."""
    known = {article_id: ties(article_id) for article_id in {c.article.id for c in candidates}}
    return [replace(c, ties=known[c.article.id]) for c in candidates]


def _head(candidate: Candidate, wanted: AbstractSet[str]) -> str:
    """Return the headline with which a sentence is read, where it holds more of the question's words; else nothing.

    So .72 instead of .69 of what answers is first, .92 instead of .90 among the first three (§25); all headlines: .70.
    """
    headed = wanted & alike(terms(candidate.article.title)) if candidate.field == "text" else set()
    return f"{candidate.article.title.rstrip('.')}. " if headed - candidate.terms else ""


def _around(candidate: Candidate, before: Candidate | None) -> tuple[AbstractSet[str], AbstractSet[str]]:
    """Return the words of the headline over a sentence and of the sentence before it: "It will pay nine million"."""
    same = before and before.article.id == candidate.article.id
    headed = alike(terms(candidate.article.title)) if candidate.field == "text" else frozenset[str]()
    return headed, before.terms if before and same else frozenset[str]()


def _speaks_of(parts: Mapping[str, AbstractSet[str]], candidate: Candidate) -> list[str]:
    """Return the parts of a question of which a sentence holds most."""
    held = {part: share(words, candidate.terms) for part, words in parts.items()}
    return [part for part, most in held.items() if most == max(held.values())]


def _dated(scored: Sequence[Candidate], asked: AbstractSet[str]) -> list[Candidate]:
    """Let a sentence of the year asked for change places with the best of its article that is of other years."""
    years = {c: {*YEAR.findall(c.said)} for c in scored}
    logits = {c: c.logit for c in scored}
    for article in {c.article for c in scored if asked}:
        dated = sorted((c for c in scored if c.article == article and years[c]), key=lambda c: -c.logit)
        right = next((c for c in dated if years[c] & asked), None)
        if right and not years[dated[0]] & asked:
            logits[right], logits[dated[0]] = dated[0].logit, right.logit
    return [replace(c, logit=logit) for c, logit in logits.items()]


def leads(topic: str, hits: Sequence[Hit]) -> list[Candidate]:
    """Return what each article that holds all words of a topic says first of it: its lead, where it is headed so."""
    wanted, found = alike(content_terms(topic)), list[Candidate]()
    head = alike(terms(topic.split()[-1]))  # the lighthouse of "the Kessin lighthouse"
    for hit in {hit.article.id: hit for hit in reversed(hits[:READ_PASSAGES])}.values():
        said = candidates([hit])
        held = {c: share(wanted, c.terms) for c in said}
        first = max(said, key=lambda c: (held[c], len(head & c.terms)), default=None)
        if first and min(covered(topic, f"{hit.article.title}\n{hit.article.text}")) == 1:
            headed = wanted & first.terms <= alike(terms(hit.article.title))
            lead = next((c for c in said if c.field == "text" and not c.article.text[: c.start].strip()), first)
            found.append(replace(lead if headed else first, part=topic, logit=LEAD_LOGIT))
    return found


def look_up(question: str, row: str) -> tuple[int, int] | None:
    """Return where in a row of a table stands the figure of which a question names row and column; else None."""
    cells = list(CELL.finditer(row)) if ROW in row else []
    counted = [cell for cell in cells if any(map(str.isdigit, cell["value"]))]
    asked, forms = content_terms(question), {form for word in words(question) for form in (word, *lemmas(word))}
    named = any((name := content_terms(cell["value"])) and name <= asked for cell in cells if cell not in counted)
    columns = (cell for cell in counted if all({word, *lemmas(word)} & forms for word in words(cell["column"])))
    return next((cell.span("value") for cell in columns), None) if named else None


def _row(candidate: Candidate) -> tuple[int, int] | None:
    """Return where in a table's row the figure stands that is asked for; None where it is no such row."""
    return look_up(candidate.part, candidate.text) if kind(candidate.part) == "number" else None


def _read(reader: Reader, candidate: Candidate, head: str) -> Candidate:
    """Return a sentence with how well it answers, and by which phrase, if it does and asked is for a kind of thing."""
    if row := _row(candidate):
        return replace(candidate, answers=ROW_LOGIT, phrase=row)
    text, asked = head + candidate.text, kind(candidate.part)
    [answers] = reader.answers(candidate.part, [text]).tolist()
    phrase = reader.phrase(candidate.part, text, len(head)) if asked != "any" and answers >= PHRASE_LEAST else None
    if phrase and asked in ("number", "day") and not fits(candidate.part, candidate.text[slice(*phrase)]):
        phrase = None
    return replace(candidate, answers=answers, phrase=phrase)


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Return what may be quoted: sentences that state something, and the headlines over them."""
    found: list[Candidate] = []
    titled: set[str] = set()
    for hit in hits:
        article, start = hit.article, hit.passage.start
        if article.id not in titled and article.title.rstrip("…") not in article.text:
            titled.add(article.id)
            found.append(Candidate(article, "title", 0, len(article.title), hit))
        said = (Candidate(article, "text", start + span.start, start + span.end, hit) for span in sentences(hit.text))
        found += filter(_states, said)
    return found


def _states(candidate: Candidate) -> bool:
    """Tell a statement from captions, headings, questions and the chrome of web pages."""
    text, whole = candidate.said, candidate.article.text
    line = whole[: candidate.start].rpartition("\n")[2] + whole[candidate.start :].partition("\n")[0]
    words = len(text.split()) + len(UNSPACED.findall(text)) // 2
    return (
        words >= 4
        and (text[-1] in ".!…\"'”’)»“。！」』" or words > 8)
        and not text.rstrip("\"'”’»“」』 ").endswith(("?", "？", "؟"))
        and not CHROME.search(text)
        and not is_caption(line)
    )
