"""Notices: which article corrects or withdraws another, or says of itself that it was corrected, and what was wrong.

Where it is not certain which article is meant, none is: another must be named by its address or headline, or be of the
same story, earlier, of the outlet that is named (its own, where it says "we") and say what is said to be wrong.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from index.archive import Archive
from index.tables.stories import LEAD_CHARACTERS, STORIES
from index.text import days, fold, lists
from index.text.cut import sentences
from index.text.numbers import numbers
from index.types import Article

BEHIND = 60  # characters after "we reported", of "That is wrong."
LEAD = 3  # sentences in which an article says that it corrects another
WAITING = 200  # of the latest notices that found nothing to correct, looked at again when articles come
HINT = re.compile(r"correct|amend|clarif|retract|withdr|version|wrong", re.I)
OF_ITSELF = re.compile(rf"^corrections?\W|{lists.pattern('notices')}", re.I)
HEADLINE = re.compile(r"^(?:correction|clarification|retraction|withdrawn|retracted|corrected)\b|\bcorrected\b", re.I)
OF_ANOTHER = re.compile(
    r"\b(?:retract|withdr[ae]w|correct)\w* (?:(?:its|the|an?|our|their|his|her) )?(?:\w+ ){0,2}"
    r"(?:reports?|story|stories|articles?|statements?|figures?|claims?|attendance|toll|estimate)\b"
    r"|\bwe (?:wrongly|incorrectly|mistakenly|withdraw|retract)\b"
    r"|\bwe (?:reported|wrote|said)\b.*\b(?:wrong|incorrect)",
    re.I | re.S,
)
VALUE = rf"[$€£]?(?:\d[\d.,]*\d|\d|{lists.pattern('number-words')})\b"
WRONG = re.compile(
    rf"\b(?:not|instead of|rather than) (?:the )?({VALUE})"
    r"|\b(?:versions?|we|wrongly|incorrectly|retract\w*|withdr[ae]w\w*)"
    rf"\b[^.;]{{0,80}}?\b(?:said|stated|reported|gave|put|wrote|had|misstated|of|that)\b[^.;]{{0,60}}?({VALUE})",
    re.I,
)
ADDRESS = re.compile(r"https?://[^\s<>\"”’)\]]+[^\s<>\"”’)\].,;:]|(?<=[“\"‘])[^“”\"‘’]{12,200}(?=[”\"’])")


class Notice(NamedTuple):
    """The sentence that says it, `getattr(article, field)[start:end]`, and, where it can be read, the wrong figure."""

    kind: str  # correction, withdrawal
    field: str
    start: int
    end: int
    wrong: str | None
    own: bool  # is of the article in which it stands


def notices(article: Article) -> Iterator[Notice]:
    """Yield the sentences in which an article says that it, or another, was wrong."""
    if not HINT.search(f"{article.title}\n{article.text}"):
        return
    headed = bool(HEADLINE.search(article.title))
    lines = [("title", 0, len(article.title)), *(("text", s.start, s.end) for s in sentences(article.text))]
    for number, (field, start, end) in enumerate(lines):
        said = getattr(article, field)[start:end]
        own = field == "text" and not (headed and number <= LEAD) and bool(OF_ITSELF.search(said))
        other = OF_ANOTHER.search(getattr(article, field)[start : end + BEHIND])
        if own or (number <= LEAD and ((other and other.start() < len(said)) or (headed and not number))):
            wrong = WRONG.search(days.DATE.sub(lambda day: " " * len(day[0]), said))
            kind = "withdrawal" if re.search(r"retract|withdr[ae]w", said, re.I) else "correction"
            yield Notice(kind, field, start, end, wrong and (wrong[1] or wrong[2]), own)


def targets(archive: Archive, article: Article, found: Sequence[Notice]) -> list[str]:
    """Return the ids of the articles that those of these notices mean that are of others."""
    lead = f"{article.title}\n{article.text[:LEAD_CHARACTERS]}"
    said = " ".join(getattr(article, notice.field)[notice.start : notice.end] for notice in found)
    where = lead if HEADLINE.search(article.title) else said
    query = "SELECT id FROM articles WHERE url = ?1 OR id = ?1 OR title = ?1"
    named = {row[0] for address in ADDRESS.findall(where) for row in archive.read(query, address)} - {article.id}
    if named or not article.published:
        return sorted(named)
    others = {name for name in archive.outlets() if name in lead and name != article.outlet}
    outlets = {article.outlet} if re.search(r"\b(?:we|our)\b", said, re.I) else others
    story = filter(None, map(archive.article, STORIES.group(archive, article.id)))
    pool = [a for a in story if a.published and a.published <= article.published and a.id != article.id]
    pool = [a for a in pool if (a.outlet in outlets or not outlets) and not any(notices(a))]
    until = [said[: said.index(notice.wrong) + len(notice.wrong)] for notice in found if notice.wrong]
    if wrong := [n for text in until for n in [*numbers(text)][-1:]]:  # with the "more than" before it
        lead_of = {a.id: [*numbers(f"{a.title}\n{a.text[:LEAD_CHARACTERS]}")] for a in pool}
        return [a.id for a in pool if any(n.held(lead_of[a.id]) for n in wrong)]
    meant = {*days.dates(said), *days.meant({*fold.words(said)}, article.published)}
    then = [a.id for a in pool if a.published and any(days.same_day(d, a.published.timetuple()[:3]) for d in meant)]
    return then if len(then) == 1 else []


class Notices(NamedTuple):
    """The table."""

    name: str = "notices"
    rules: str = "1"
    script: str = Path(__file__).with_name("notices.sql").read_text("utf-8")

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Bring the table up to date with these articles; notices that found nothing are looked at again."""
        these = "IN (SELECT value FROM json_each(?1))"
        drop = f"DELETE FROM notices WHERE article_id {these} OR target {these} RETURNING article_id"
        free = archive.read(drop, json.dumps(ids))
        late = archive.read("SELECT article_id FROM notices WHERE target IS NULL ORDER BY rowid DESC LIMIT ?", WAITING)
        for article in filter(None, map(archive.article, dict.fromkeys([*ids, *(row[0] for row in free + late)]))):
            found = [*notices(article)]
            others = [notice for notice in found if not notice.own]
            archive.read("DELETE FROM notices WHERE article_id = ?", article.id)
            meant: list[str | None] = [*targets(archive, article, others)] if others else []
            pairs = [(n, to) for n in found for to in ([article.id] if n.own else meant or [None])]
            rows = [(article.id, to, *notice[:5]) for notice, to in pairs]
            archive.change("INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
