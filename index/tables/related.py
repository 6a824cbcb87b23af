"""What the derived tables tell of one article."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import chain, pairwise, repeat

from index.archive import Archive
from index.tables.copies import COPIES
from index.tables.stories import STORIES
from index.text.cut import sentences
from index.types import Article, Listed


@dataclass(frozen=True)
class Correction:
    """The other article of a notice, its kind (correction, withdrawal) and words, and the figure that was wrong."""

    article: Listed
    kind: str
    quote: str
    wrong: str | None


@dataclass(frozen=True)
class Related:
    """The report that an article carries, or who carries it; the ids of its story, its own too, the earliest first.

    One that says of itself that it was corrected is corrected by itself. Changes are what an earlier version said
    (`before`) and the next says in its place (`after`); either may be empty. `since` is when the next stands, or "".
    """

    copy_of: Listed | None
    carried_by: tuple[Listed, ...]
    story: tuple[str, ...]
    corrected_by: tuple[Correction, ...]
    corrects: tuple[Correction, ...]
    changes: tuple[dict[str, str], ...]


def related(archive: Archive, article: Article) -> Related:
    """Return what the tables, which must be up to date, tell of an article."""
    report, *copies = (listed for key in COPIES.group(archive, article.id) for listed in archive.listed(key))
    ours, story = report.id == article.id, STORIES.group(archive, article.id)
    corrected = _corrections(archive, "target", "article_id", article)
    corrects = (c for c in _corrections(archive, "article_id", "target", article) if c.article.id != article.id)
    versions = pairwise((*archive.versions(article.id), article))
    days = chain((since for _, since, _ in archive.stood(article.id)[1:]), repeat(None))
    changes = (_changes(*pair, day) for pair, day in zip(versions, days, strict=False))
    shown = None if ours else report, tuple(copies if ours else ())
    return Related(*shown, tuple(story), tuple(corrected), tuple(corrects), tuple(chain.from_iterable(changes)))


def _corrections(archive: Archive, of: str, by: str, article: Article) -> Iterator[Correction]:
    """Yield the other side of an article's notices, one an article: the sentence with the figure, if any."""
    query = f"""SELECT {by}, article_id, kind, field, start, "end", wrong FROM notices
        WHERE {of} = ? AND {by} IS NOT NULL ORDER BY {by}, wrong IS NOT NULL, start DESC"""
    rows = {row[0]: row for row in archive.read(query, article.id)}  # the last of each
    for key, notice, kind, field, start, end, wrong in rows.values():
        [other], said = archive.listed(key), archive.article(notice)
        quote = getattr(said, field)[start:end]
        yield Correction(other, kind, quote, wrong)


def _changes(one: Article, other: Article, since: str | None) -> Iterator[dict[str, str]]:
    said = [[a.text[span.start : span.end] for span in sentences(a.text)] for a in (one, other)]
    for before, after in ([one.title], [other.title]), said:
        for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if kind != "equal":
                yield {"before": " ".join(before[i:j]), "after": " ".join(after[k:m]), "since": since or ""}


@dataclass(frozen=True)
class Ties:
    """Of an article: its copies and the ids of its story, its own in both; who corrects it, and what was wrong.

    A figure that was taken back is wrong in all reports of the story that repeat it, save one of a single digit.
    """

    copies: tuple[Listed, ...]
    story: frozenset[str]
    corrected_by: str | None
    wrong: tuple[str, ...]


def ties(archive: Archive, article_id: str, as_of: date | None = None) -> Ties:
    """Return what ties an article, or a version of one, to others, by a day; the tables must be up to date."""
    current = archive.current(article_id)  # an earlier version does not say of itself yet that it was wrong
    story = frozenset(STORIES.group(archive, current))
    query = """SELECT n.article_id, n.target, n.wrong FROM notices n LEFT JOIN articles a ON a.id = n.article_id
        WHERE n.target IN (SELECT value FROM json_each(?1)) AND (CAST(?2 AS TEXT) IS NULL OR a.published <= ?2)
        ORDER BY a.published ASC"""
    known = archive.read(query, json.dumps([*story, current]), as_of and as_of.isoformat())
    notices = [row for row in known if current == article_id or row[0] != current]
    others = [by for by, target, _ in notices if target == current != by]
    wrong = dict.fromkeys(figure for _, target, figure in notices if figure and (target == current or len(figure) > 1))
    listed = (one for key in COPIES.group(archive, current) for one in archive.listed(key))
    copies = tuple(one for one in listed if not as_of or (one.published and one.published <= as_of))
    return Ties(copies, story, others[-1] if others else None, tuple(wrong))
