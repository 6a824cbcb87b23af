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
FAULT = re.compile(r"correct|amend|version|wrong|mis\w+|://", re.I)
THIS = r"(?:article|story|report|column|headline|piece|post|page|graphic|video|caption)"
OF_ITSELF = re.compile(
    r"^corrections?(?: (?:&|and) clarifications?)?(?: \([^)]*\))?\s?[:–—-]"
    rf"|\b(?:earlier|previous|original) versions? (?:of (?:this|our|the|the following) {THIS}\b"
    r"|(?:\w+ly )?(?:said|gave|mis\w+))"
    rf"|\bthis {THIS} (?:has been|was) (?:corrected|amended|revised|updated (?:to (?:correct|reflect)|with the corr))",
    re.I | re.M,
)
HEADLINE = re.compile(
    r"^(?:corrections?|clarifications?|retraction|withdrawn|retracted|corrected)\b|\bcorrected\b", re.I
)
OF_ANOTHER = re.compile(
    r"\b(?:retract|withdr[ae]w|correct)\w* (?:(?:its|the|an?|our|their|his|her) )?(?:\w+ ){0,2}"
    r"(?:reports?|story|stories|articles?|statements?|figures?|claims?|attendance|toll|estimate)\b"
    r"|\bwe (?:wrongly|incorrectly|mistakenly|withdraw|retract)\b"
    r"|\bwe (?:reported|wrote|said)\b.*\b(?:wrong|incorrect)",
    re.I | re.S,
)
VALUE = rf"[$€£]?(?:\d[\d.,]*\d|\d|{lists.pattern('number-words')})\b"
WRONG = re.compile(
    rf"\b(?:not|instead of|rather than) (?:the )?({VALUE})|\bmis\w+ [^.;]{{,60}}? as ({VALUE})"
    rf"|\b(?:versions?|we|report)\b[^.;]{{,80}}?\b(?:said|stated|reported|gave|put|wrote)\b[^.;]{{,60}}?({VALUE})"
    rf"|\b(?:retract|withdr[ae]w)\w*\b[^.;]{{,80}}?\b(?:of|that)\b[^.;]{{,60}}?({VALUE})",
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
    whole, headed = f"{article.title}\n{article.text}", bool(HEADLINE.search(article.title))
    if not (headed or OF_ITSELF.search(whole) or OF_ANOTHER.search(whole[:LEAD_CHARACTERS])):
        return  # before it is cut into sentences, which takes longest
    lines = [("title", 0, len(article.title)), *(("text", s.start, s.end) for s in sentences(article.text))]
    for number, (field, start, end) in enumerate(lines):
        said = getattr(article, field)[start:end]
        itself = field == "text" and bool(OF_ITSELF.search(said))
        other = OF_ANOTHER.search(getattr(article, field)[start : end + BEHIND])
        first = number <= LEAD and (other.start() < len(said) if other else headed and not number)
        points = headed and ADDRESS.search(said) and FAULT.search(said)
        if itself or first or points:
            wrong = WRONG.search(days.DATE.sub(lambda day: " " * len(day[0]), said))
            kind = "withdrawal" if re.search(r"retract|withdr[ae]w", said, re.I) else "correction"
            figure = next(filter(None, wrong.groups())) if wrong else None
            yield Notice(kind, field, start, end, figure, itself and not headed)


def targets(archive: Archive, article: Article, found: Sequence[Notice]) -> list[list[str]]:
    """Return for each notice the ids of the articles that it means."""
    query = "SELECT id FROM articles WHERE url = ?1 OR id = ?1 OR title = ?1"
    said = [getattr(article, notice.field)[notice.start : notice.end] for notice in found]
    named = [{row[0] for address in ADDRESS.findall(text) for row in archive.read(query, address)} for text in said]
    rest = [text for text, notice in zip(said, found, strict=True) if not notice.own and not ADDRESS.search(text)]
    told = _told(archive, article, " ".join(rest), [n.wrong for n in found if n.wrong]) if rest else []
    meant = [
        sorted(ids - {article.id}) or (told if text in rest else []) for ids, text in zip(named, said, strict=True)
    ]
    return [[article.id] if notice.own else ids for notice, ids in zip(found, meant, strict=True)]


def _told(archive: Archive, article: Article, said: str, figures: Sequence[str]) -> list[str]:
    """Return the earlier articles of a story that say these figures, or the one of the day that is named.

    They are of the outlets that the lead names, or its own where it says "we".
    """
    if not article.published:
        return []
    lead = f"{article.title}\n{article.text[:LEAD_CHARACTERS]}"
    others = {name for name in archive.outlets() if name in lead and name != article.outlet}
    outlets = {article.outlet} if re.search(r"\b(?:we|our)\b", said, re.I) else others
    story = filter(None, map(archive.article, STORIES.group(archive, article.id)))
    pool = [a for a in story if a.published and a.published <= article.published and a.id != article.id]
    pool = [a for a in pool if (a.outlet in outlets or not outlets) and not any(notices(a))]
    until = [said[: said.index(figure) + len(figure)] for figure in figures if figure in said]
    if wrong := [n for text in until for n in [*numbers(text)][-1:]]:  # with the "more than" before it
        lead_of = {a.id: [*numbers(f"{a.title}\n{a.text[:LEAD_CHARACTERS]}")] for a in pool}
        return [a.id for a in pool if any(n.held(lead_of[a.id]) for n in wrong)]
    meant = {*days.dates(said), *days.meant({*fold.words(said)}, article.published)}
    then = [a.id for a in pool if a.published and any(days.same_day(d, a.published.timetuple()[:3]) for d in meant)]
    return then if len(then) == 1 else []


class Notices(NamedTuple):
    """The table."""

    name: str = "notices"
    rules: str = "2"
    script: str = Path(__file__).with_name("notices.sql").read_text("utf-8")

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Bring the table up to date with these articles; notices that found nothing are looked at again."""
        these = "IN (SELECT value FROM json_each(?1))"
        drop = f"DELETE FROM notices WHERE article_id {these} OR target {these} RETURNING article_id"
        free = archive.read(drop, json.dumps(ids))
        late = archive.read("SELECT DISTINCT article_id FROM notices WHERE target IS NULL LIMIT ?", WAITING)
        for article in filter(None, map(archive.article, dict.fromkeys([*ids, *(row[0] for row in free + late)]))):
            found = [*notices(article)]
            archive.read("DELETE FROM notices WHERE article_id = ?", article.id)
            meant = zip(found, targets(archive, article, found), strict=True)
            rows = [
                (article.id, to, *notice[:5]) for notice, those in meant for to in (*those, None)[: len(those) or 1]
            ]
            archive.change("INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
