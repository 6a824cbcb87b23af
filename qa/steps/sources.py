"""Tells of an answer what else the archive has of it: which reports say the same, what it replaces, who differs."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from index.tables.related import Ties
from index.text import lists
from index.text.names import runs
from index.text.speech import SAYS, leaning
from index.text.terms import alike, content_terms, share, terms
from index.types import Hit
from qa.steps.evidence import Candidate, Evidence, candidates
from qa.steps.newest import CLAIMING, ERRED, replaces, sides, variant
from qa.steps.understand import fits, values
from qa.types import Citation, Conflict, Earlier, Sentence, Side, Standing, cite

SAID_AGAIN, SEARCHED = 0.7, 30  # of a sentence's words, in one that says the same; passages that are searched for it
EARLIER_MOST = 3  # sentences
EARLIER_LOSS, EARLIER_LEAST = 3.0, -1.5  # the reader's logit of one: so much below that of the newest, and at least
FIGURE = re.compile(
    rf"(?:[$€£¥] ?)?(?:\d[\d.,]*\d|\d|{lists.pattern('number-words')})"
    r"(?: (?:million|billion|thousand|hundred)\b)?(?: ?(?:%|percent\b|per cent\b))?",
    re.I,
)


@dataclass(frozen=True)
class Beside:
    """An answer's sentences with where they stand, all its citations, and what stands beside it."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    earlier: tuple[Earlier, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def beside(
    evidence: Evidence, said: Sequence[Sentence], cited: Sequence[Citation], ties: Callable[[str], Ties]
) -> Beside:
    """Return what stands beside an answer's sentences, which may be quoted or a model's."""
    if not any(s.citations for s in said):
        return Beside(tuple(said), tuple(cited))
    ties = cache(ties)
    places: dict[tuple[str, str, int, int], Citation] = {(c.article_id, c.field, c.start, c.end): c for c in cited}

    def number(c: Candidate) -> int:
        new = cite(c.article, c.field, c.start, c.end, len(places) + 1)
        return places.setdefault(c.place, new).n

    first = next((s.citations for s in said if s.citations), ())
    quoted = [place[:3] for place, c in places.items() if c.n in first]  # by a model, from amid a sentence too
    within = ((c, start) for *of, start in quoted for c in evidence.candidates if [*c.place[:2]] == of)
    pick = next((c for c, start in within if c.start <= start < c.end), None)
    earlier, conflicts = tuple[Earlier, ...](), tuple[Conflict, ...]()
    if pick:
        replaced = _replaced(evidence, pick)
        earlier = tuple(Earlier(c.text, c.article.published, (number(c),)) for c in replaced)
        others = sides(pick.part, pick, evidence.candidates)
        differing = _in_one(pick) or [(_value(pick), pick), *((_figure(c), c) for c in others)]
        if others and (varied := variant(pick, others[0])):
            differing = list(zip(varied, (pick, others[0]), strict=True))
        differing = list({frozenset(values(value)) or value: (value, c) for value, c in reversed(differing)}.values())[
            ::-1
        ]
        if len(differing) > 1:
            conflicts = (Conflict(pick.part, tuple(Side(value, (number(c),)) for value, c in differing)),)
    searched = [line for hit in evidence.hits[:SEARCHED] for line in _lines(hit)]
    quotes, texts = {c.n: c for c in cited}, {hit.article.id: hit.article.text for hit in evidence.hits}

    def told(s: Sentence) -> Sentence:
        c = quotes[s.citations[0]]
        who = leaning(texts.get(c.article_id, ""), c.start, c.end) if c.field == "text" else ""
        return replace(s, stands_in=_standing(searched, c, ties), speaker=who or None)

    standing = (told(s) if s.citations else s for s in said)
    citations = (replace(c, corrected_by=ties(c.article_id).corrected_by) for c in places.values())
    return Beside(tuple(standing), tuple(citations), earlier, conflicts)


def _replaced(evidence: Evidence, pick: Candidate) -> list[Candidate]:
    """Return the sentences, one a figure, the latest first, that an answer's sentence takes the place of."""
    found: dict[object, Candidate] = {}
    worth = max((pick.answers or 0.0) - EARLIER_LOSS, EARLIER_LEAST)
    told = sorted((c for c in evidence.candidates if (c.answers or 0.0) >= worth), key=lambda c: c.answers or 0.0)
    asked = alike(content_terms(pick.part))
    told = [c for c in told if asked & c.terms and fits(pick.part, c.text)]
    told = [c for c in told if replaces(pick.part, pick, c, evidence.latest)]
    stands = values(_value(pick))  # what says it already, "four, not five, died", is not what it replaces
    told = [c for c in told if not (stands and stands <= values(c.said))]
    for c in {c.article: c for c in told}.values():  # of each report what answers best
        before = found.setdefault(values(_value(c)), c)
        if (c.article.published or date.max) < (before.article.published or date.max):
            found[values(_value(c))] = c
    return sorted(found.values(), key=lambda c: c.article.published or date.min, reverse=True)[:EARLIER_MOST]


def _in_one(pick: Candidate) -> list[tuple[str, Candidate]]:
    """Return the figures of two sources in one sentence: "police counted 9,000; the city spoke of 12,000"."""
    claims = [found["figure"] for found in CLAIMING.finditer(pick.said)]
    figures = [found[0] for claim in claims if (found := FIGURE.search(claim))]
    return [(figure, pick) for figure in figures] if len({*figures}) > 1 else []


def _value(c: Candidate) -> str:
    return c.text[slice(*c.phrase)] if c.phrase else _figure(c)


def _figure(c: Candidate) -> str:
    claim = CLAIMING.search(c.said)
    found = FIGURE.search(claim["figure"] if claim else c.said)
    return found[0] if found else c.said


def _lines(hit: Hit) -> Iterator[tuple[Hit, set[str]]]:
    """Yield the lines of a passage with their words and the headline's: most are not worth cutting into sentences."""
    headed = alike(terms(hit.article.title))
    for line in re.finditer(r"[^\n]+", hit.text):
        start, end = (hit.passage.start + place for place in line.span())
        yield replace(hit, passage=replace(hit.passage, start=start, end=end)), headed | alike(terms(line[0]))


def _standing(searched: Sequence[tuple[Hit, set[str]]], cited: Citation, ties: Callable[[str], Ties]) -> Standing:
    """Return in how many independent reports, of those found, a sentence stands: in its words, with its numbers."""
    text = cited.quote
    wanted, counted = alike(content_terms(re.sub(SAYS, " ", text))), values(text)
    telling = wanted - {stem for name in runs(f", {text}") for stem in alike(content_terms(name))}
    groups = {cited.article_id: ties(cited.article_id).copies}
    counted_in = {one.id for group in groups.values() for one in group}

    def again(c: Candidate) -> bool:
        said = min(share(wanted, c.terms), share(telling, c.terms) if telling else 1.0) >= SAID_AGAIN
        return said and counted <= values(c.said) and not ERRED.search(c.said)  # "We reported …" takes it back

    for hit, held in searched:
        own = hit.article.id
        if own not in counted_in and share(wanted, held) >= SAID_AGAIN and any(map(again, candidates([hit]))):
            groups[own] = ties(own).copies
            counted_in |= {own, *(one.id for one in groups[own])}
    groups = {group[0].id: group for group in groups.values() if group}  # one of two versions has the other's
    carriers = sorted((c for group in groups.values() for c in group), key=lambda c: (str(c.published or "~"), c.id))
    days = [one.published for one in carriers if one.published]
    return Standing(len(groups), tuple(dict.fromkeys(c.outlet for c in carriers if c.outlet)), min(days, default=None))
