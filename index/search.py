"""Searches both indexes and joins what they found, with what is known of news: it leads with its point, and it ages."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import compress

from index.encoder import likeness
from index.sync import Index
from index.text.days import shifted
from index.types import Article, Filters, Hit, Passage, Query

POOL = 100  # Passages asked of each index before fusion.
DENSE_WEIGHT = 0.6
DENSE_LEAST = 0.2
LEAD_WEIGHT = 0.1
LEAD_CHARACTERS = 1500.0
RECENCY_WEIGHT = 0.8
RECENCY_DAYS = 30.0
PART_WEIGHT = 1.0
OUTLET_WEIGHT = 0.8
DAY_WEIGHT = 0.3
NEWS_DAYS = 14  # What is current news is searched for again among the articles of these days alone.


def search(index: Index, query: Query, top: int = POOL) -> list[Hit]:
    """Return up to `top` passages, best first; scores order the hits of one search and mean nothing beyond it."""
    index.archive.check_languages(query.filters.languages)
    texts = [query.text, *query.parts]
    everywhere, authors = [query.filters, *narrowed(query)], query.filters.authors
    only = index.archive.passages_by(authors) if authors else None
    by_words = [[index.lexical.search(text, POOL, f, only, query.language) for f in everywhere] for text in texts]
    lexical = [{key: score for found in each for key, score in found} for each in by_words]
    vectors = index.encoder.encode_query(texts)
    index.archive.check_size(vectors)
    narrow = only is not None or query.filters.narrow or index.opens_late
    near = partial(index.scan.search, filters=query.filters, only=only) if narrow else index.dense.search
    dense = [dict(near(vector, POOL)) for vector in vectors]
    keys = {key for scores in (*dense, *lexical) for key in scores}
    held = index.archive.passages(list(keys))  # the dense index knows only what stands now
    found = {key: one for key, one in held.items() if one[1].stood(query.filters.as_of)}
    if not found:
        return []
    stored = index.archive.vectors(list(found))
    there = [bool(row.any()) for row in stored]  # what waits for its vector is ranked by its words
    similar = likeness(index.encoder, vectors, stored[there].reshape(-1, vectors.shape[1])).tolist()
    cosines = [dict(zip(compress(found, there), row, strict=True)) for row in similar]
    whole, *parts = map(fuse, cosines, lexical)  # of the question, and of each of its parts
    best = {key: max((part.get(key, 0.0) for part in parts), default=0.0) for key in whole}
    hits = [
        Hit(article, passage, whole[key] + PART_WEIGHT * best[key] + prior(article, passage, query))
        for key, (article, passage) in found.items()
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))[:top]


def fuse(dense: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    """Return the convex combination of two searches' scores, each divided by its best, 0…1 a passage.

    Bruch et al. (2023, "An Analysis of Fusion Functions for Hybrid Retrieval") find such a combination better
    than reciprocal rank fusion; our measurements are in evals/EXPERIMENTS.md. Cosines below 0 count 0, and the best is
    taken to be `DENSE_LEAST`: where no text is near, as with a name alone, the nearest would outweigh the one with it.
    What has no cosine yet has its other score in place of it (§35).
    """
    best_dense = max((DENSE_LEAST, *dense.values()))
    best_lexical = max(lexical.values(), default=0.0) or 1.0
    told = {key: score / best_lexical for key, score in lexical.items()}
    near = told | {key: max(score, 0.0) / best_dense for key, score in dense.items()}
    return {key: DENSE_WEIGHT * near[key] + (1 - DENSE_WEIGHT) * told.get(key, 0.0) for key in near}


def prior(article: Article, passage: Passage, query: Query) -> float:
    """Return what a passage gains before its words count: for standing early, for being news, for being named.

    Without a `present` age does not matter. With it, an article published later gains nothing.
    """
    gain = LEAD_WEIGHT * math.exp(-passage.start / LEAD_CHARACTERS)
    if article.outlet in query.outlets:
        gain += OUTLET_WEIGHT
    if day := article.published:
        if {(day.year, day.month, day.day), (None, day.month, day.day)} & set(query.days):
            gain += DAY_WEIGHT
        if query.present and day <= query.present:
            gain += RECENCY_WEIGHT * math.exp(-(query.present - day).days / RECENCY_DAYS)
    return gain


def narrowed(query: Query) -> list[Filters]:
    """Return the filters under which to search once more, so that what will gain is among what is found."""
    found, held = [], query.filters
    if until := query.present:
        since = shifted(until, -NEWS_DAYS)
        found.append(replace(held, since=max(held.since or since, since), until=min(held.until or until, until)))
    if query.outlets and not held.outlets:
        found.append(replace(held, outlets=query.outlets))
    return found
