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
# Notices that found nothing to correct, and may now: of a story that has one of these articles, or they name it.
LATE = """WITH RECURSIVE
    new (url, id, title) AS (SELECT url, id, title FROM articles WHERE id IN (SELECT value FROM json_each(?))),
    up (id) AS (SELECT id FROM new
        UNION SELECT earlier FROM up JOIN stories ON article_id = id WHERE earlier IS NOT NULL),
    down (id) AS (SELECT id FROM up UNION SELECT article_id FROM down JOIN stories ON earlier = id)
    SELECT article_id FROM notices WHERE target IS NULL AND article_id IN (SELECT id FROM down)
    UNION SELECT article_id FROM notices, json_each(named) WHERE target IS NULL AND lower(value) IN
    (SELECT lower(url) FROM new WHERE url IS NOT NULL UNION SELECT lower(id) FROM new
        UNION SELECT lower(title) FROM new)"""
FAULT = re.compile(r"correct|amend|version|wrong|mis\w+|://", re.I)
OF_ITSELF = re.compile("|".join(lists.lines("corrected")), re.I | re.M)
HEADLINE = re.compile(r"^(?:corrections?|clarifications?|retraction|withdrawn|retracted)\b|\bcorrected\b", re.I)
OF_ANOTHER = re.compile("|".join(lists.lines("corrects")), re.I | re.S)
VALUE = rf"[$€£]?(?:\d[\d.,]*\d|\d|{lists.pattern('number-words')})\b"
WRONG = re.compile(rf"(?:{'|'.join(lists.lines('wrong-figures'))})({VALUE})", re.I)
# "Severin Wire reported that 60 people were injured", "gave the number as 60", under a headline that corrects
REPORTED = re.compile(rf"\b(?:reported|stated|said|gave|wrote|put)\b[^.;]{{,90}}?({VALUE})")
RIGHT = re.compile(lists.pattern("mended"), re.I)
ADDRESS = re.compile(r"https?://[^\s<>\"”’)\]]+[^\s<>\"”’)\].,;:]|(?<=[“\"‘])[^“”\"‘’]{12,200}(?=[”\"’])")


class Notice(NamedTuple):
    """A sentence, `said`, which is `getattr(article, field)[start:end]`, and the wrong figure where it can be read."""

    kind: str  # correction, withdrawal
    field: str
    start: int
    end: int
    wrong: str | None
    said: str
    own: bool  # is of the article in which it stands


def notices(article: Article) -> Iterator[Notice]:
    """Yield the sentences in which an article says that it, or another, was wrong."""
    whole, headed = f"{article.title}\n{article.text}", bool(HEADLINE.search(article.title))
    if not (headed or OF_ITSELF.search(whole) or OF_ANOTHER.search(whole[:LEAD_CHARACTERS])):
        return  # before it is cut into sentences, which takes longest
    lines = [("title", 0, len(article.title)), *(("text", s.start, s.end) for s in sentences(article.text))]
    for number, (field, start, end) in enumerate(lines):
        said = getattr(article, field)[start:end]
        itself = field == "text" and bool(OF_ITSELF.search(said))
        other = OF_ANOTHER.search(getattr(article, field)[start : end + BEHIND])
        tells = headed and (not number or (REPORTED.search(said) and not RIGHT.search(said)))
        first = number <= LEAD and (other.start() < len(said) if other else tells)
        points = headed and ADDRESS.search(said) and FAULT.search(said)
        if itself or first or points:
            undated = days.DATE.sub(lambda day: " " * len(day[0]), said)
            wrong = WRONG.search(undated) or (headed and number and REPORTED.search(undated)) or None
            kind = "withdrawal" if re.search(r"retract|withdr[ae]w", said, re.I) else "correction"
            yield Notice(kind, field, start, end, wrong and wrong[1], said, itself and not headed)


def targets(archive: Archive, article: Article, found: Sequence[Notice]) -> Iterator[tuple[Notice, str | None]]:
    """Yield each notice with the id of an article that it means, for each; None where none is certain."""
    each = ("url = ?1", "id = ?1", "title COLLATE NOCASE = lower(?1)")  # by an index each
    named = " UNION ".join(f"SELECT id FROM articles WHERE {one}" for one in each)
    query = f"SELECT id FROM ({named}) found WHERE id != ?2"
    rest = [notice for notice in found if not notice.own and not ADDRESS.search(notice.said)]
    told = _told(archive, article, rest) if rest else []
    for notice in found:
        held = {row[0] for address in ADDRESS.findall(notice.said) for row in archive.read(query, address, article.id)}
        meant = [article.id] if notice.own else told if notice in rest else sorted(held)
        yield from ((notice, to) for to in meant or (None,))


def _told(archive: Archive, article: Article, found: Sequence[Notice]) -> list[str]:
    """Return the earlier articles of a story that say these figures, or the one of the day that is named.

    They are of the outlets that the lead names, or its own where it says "we".
    """
    if not article.published:
        return []
    said, lead = " ".join(notice.said for notice in found), f"{article.title}\n{article.text[:LEAD_CHARACTERS]}"
    others = {name for name in archive.outlets() if name in lead and name != article.outlet}
    outlets = {article.outlet} if re.search(r"\b(?:we|our)\b", said, re.I) else others
    story = filter(None, map(archive.article, STORIES.group(archive, article.id)))
    pool = [a for a in story if a.published and a.published <= article.published and a.id != article.id]
    pool = [a for a in pool if (a.outlet in outlets or not outlets) and not any(notices(a))]
    until = [n.said[: n.said.index(n.wrong) + len(n.wrong)] for n in found if n.wrong]
    if wrong := [n for text in until for n in [*numbers(text)][-1:]]:  # with the "more than" before it
        lead_of = {a.id: [*numbers(f"{a.title}\n{a.text[:LEAD_CHARACTERS]}")] for a in pool}
        return [a.id for a in pool if any(n.held(lead_of[a.id]) for n in wrong)]
    meant = {*days.dates(said), *days.meant({*fold.words(said)}, article.published)}
    then = [a.id for a in pool if a.published and any(days.same_day(d, a.published.timetuple()[:3]) for d in meant)]
    return then if len(then) == 1 else []


class Notices(NamedTuple):
    """The table."""

    name: str = "notices"
    rules: str = "5"
    script: str = Path(__file__).with_name("notices.sql").read_text("utf-8")

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Bring the table up to date with these articles, and look again at what found nothing and may mean them."""
        these = "IN (SELECT value FROM json_each(?1))"
        drop = f"DELETE FROM notices WHERE article_id {these} OR target {these} RETURNING article_id"
        free = archive.read(drop, json.dumps(ids))
        late = archive.read(LATE, json.dumps(ids))
        for article in filter(None, map(archive.article, dict.fromkeys([*ids, *(row[0] for row in free + late)]))):
            found = [*notices(article)]
            archive.read("DELETE FROM notices WHERE article_id = ?", article.id)
            rows = [
                (article.id, to, *notice[:5], json.dumps(ADDRESS.findall(notice.said)))
                for notice, to in targets(archive, article, found)
            ]
            archive.change("INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
