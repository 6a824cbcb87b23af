"""Finds who said what: the quotations of the articles that may hold them, by speaker, subject and day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from index.encoder import likeness
from index.search import search
from index.sync import Index
from index.tables.copies import COPIES
from index.text import fold, language, lists
from index.text.names import lemmas, runs
from index.text.quotations import SAYING, quotations
from index.text.terms import content_terms, share
from index.types import Article, Query
from qa.request import QuotesRequest, part
from qa.types import Page, Said

if TYPE_CHECKING:
    from qa.desk import Desk

POOL = 500  # passages that may name a speaker
ARTICLES = 100  # that are read, 0.1 ms a word, and kept read
NEAR = 0.25  # cosine below which what shares no word with a subject is said of something else
WORDS = 4  # at least, of what no word of saying reports, and a clause or an opinion: whom somebody met is not said
OPINIONS = {*lists.lines("opinions")}
CLAUSE = re.compile(r"(?:that|to|whether|if|how|why|what|who|when|where)\b", re.I)
NOBODY = {"which", "that", "what", "its", "the"}  # as speakers
HEAD = re.compile(r"[,;(–—]|\b(?:who|which|that|in|at|from|with)\b")  # ends the name of a speaker
told = lru_cache(1000)(quotations)
THE = re.compile(r"\b(?:the|an?) ", re.I)


def find(desk: Desk, request: QuotesRequest, given: list[Article]) -> Page[Said]:
    """Return what is said in the articles given or, if none, in those that searches find: nearest or newest first."""
    asked, about, found = request.speaker, request.about, list[Said]()
    with desk.reading() as index:
        articles = given or _articles(index, request)
    for article in articles:
        with desk.reading():  # a turn for each: a hundred take seconds, in which others ask
            found += [said for said in _said(article) if not asked or _is_by(asked, said, article.text)]
    if not given:
        with desk.reading():
            found = _once(index, found)
    found.sort(key=lambda said: said.published or date.min, reverse=True)
    if about and found:
        wanted = content_terms(about)
        texts = [f"{said.title}: {said.quote}" for said in found]  # its "it" is often what is headed
        vectors = index.encoder.encode([about, *texts])
        cosines = likeness(index.encoder, vectors[:1], vectors[1:])[0]
        shares = [share(wanted, content_terms(text)) for text in texts]
        near = [
            (-round(cosine + shared, 1), n)  # of those as near the newest first
            for n, (cosine, shared) in enumerate(zip(cosines, shares, strict=True))
            if cosine > NEAR or shared
        ]
        found = [found[n] for _, n in sorted(near)]
    return part(found, request)


def _once(index: Index, found: list[Said]) -> list[Said]:
    """Return what is said without what copies say again: what all of them say is the report's."""
    copies = {said.article_id: COPIES.group(index.archive, said.article_id) for said in found}
    kept = dict[tuple[str, ...], Said]()
    found = [said for said in found if copies[said.article_id]]  # others may have been removed meanwhile
    for said in sorted(found, key=lambda said: copies[said.article_id].index(said.article_id)):
        kept.setdefault((copies[said.article_id][0], *fold.words(said.quote)), said)
    return [*kept.values()]


def _articles(index: Index, request: QuotesRequest) -> list[Article]:
    """Return the newest of the articles that name the speaker, or are on the subject; else of all."""
    archive, filters = index.archive, request.filters
    archive.check_languages(filters.languages)
    if request.speaker:
        passages = index.lexical.search(request.speaker, POOL, filters)
        found = [article for article, _ in archive.passages([key for key, _ in passages]).values()]
    elif request.about:
        query = Query(request.about, filters, language=language.of(request.about))
        found = [hit.article for hit in search(index, query)]
    else:
        listed, _ = archive.page(*archive.where(filters), limit=ARTICLES)
        found = list(filter(None, (archive.article(one.id) for one in listed)))
    by_id = {article.id: article for article in found}
    return sorted(by_id.values(), key=lambda one: one.published or date.min, reverse=True)[:ARTICLES]


def _said(article: Article) -> Iterator[Said]:
    """Yield what an article quotes or reports, each piece of an interrupted quotation by itself."""
    text, meta = article.text, (article.id, article.title, article.outlet, article.published)
    for by, name, cue, pieces, direct in told(text):
        word = text[slice(*cue)].lower()
        held = bool(OPINIONS & {word, *lemmas(word)})
        by = None if name and name.lower() in NOBODY else by
        first, last = by or (None, None)
        for start, end in pieces:
            if by and not direct and start <= by[0] < end:  # "…, officials said"
                end = start + len(text[start : by[0]].rstrip(" ,–—"))
            said, words = text[start:end], len(text[start:end].split())
            sure = word in SAYING or (by and words >= WORDS and (held or CLAUSE.match(said)))
            if direct or (sure and words > 1):  # and no number alone
                yield Said(*meta, name if by else None, first, last, text[slice(*cue)], said, start, end, direct)


def _is_by(asked: str, said: Said, text: str) -> bool:
    """Tell whether a speaker is the one asked for: a person by surname or whole name, a body by all its words."""
    head = HEAD.split(said.speaker or "", maxsplit=1)[0].strip()
    wanted, held = (fold.words(THE.sub("", name)) for name in (asked, head))
    person = fold.words(["", *runs(f", {head}")][-1])  # "Mayor Anna Berg"
    body = not person or person != held[-len(person) :] or "of" in person or (THE.match(head) and person == held)
    if wanted == held or body or wanted[-1:] != person[-1:]:
        return wanted == held != []
    return {*wanted} <= {*person} or ({*person} <= {*wanted} and asked.casefold() in text.casefold())
