"""What happened: dated sentences of the articles on a subject, oldest first, each with its citation."""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import date
from heapq import nlargest

from index.search import search
from index.sync import Index
from index.text import lists
from index.text.days import DATE, ONE_DAY, PERIOD, period, span
from index.text.names import capitalised
from index.text.syntax import parse
from index.text.terms import alike, content_terms, share, terms
from index.types import Hit, Passage
from qa.check.grammar import below
from qa.request import TimelineRequest
from qa.steps.evidence import Candidate, Evidence, candidates
from qa.steps.rank import collapse
from qa.steps.understand import covered, understand, values
from qa.types import Dated, Outcome, Piece, Sentence, Timeline, cite

Told = tuple[date, Candidate]
ASKS = re.compile(rf"^(?:{'|'.join(lists.lines('timeline'))})\b", re.I)
EVENT = re.compile(r"what (?:has )?happened (?:in|at|during|on|after) ", re.I)  # "… the Orrin Quay fire?"
NAMED = re.compile(r"\b(?:timeline|chronology)\b", re.I)
LEANING = re.compile("|".join(lists.lines("leaning-sentences")))
# Of the best score, that an article on the subject has; and more, where it lacks all of its words.
NEAR, LACKING = 0.57, 0.2
HEAD, WHOLE, ON = 800, 0.3, 0.5  # characters that hold its names; shares of its words in news, and in what else is told
NEWS_WORDS = 0.35  # share of the headline's words in the first sentence, where that is the news
SAME, RECALLED = 0.6, 0.4  # share of words that two reports of a day have in common, and one that looks back to it
# A day without a year, and a weekday, that are longer ago may be one to come, in a report that was brought up to date.
OLD_DAYS, OLD_WEEKDAY = 183, 5
FINITE = {"VBD", "VBZ", "VBP"}  # Where the main verb has none of these tags, and no auxiliary, the parser has lost it.
ASIDE = {"relcl", "acl", "advcl", "pcomp", "csubj"}  # clauses beside what a sentence tells
NOT_ON = {"of", "since", "until", "till", "by", "before", "after", "from", "between", "to", "than", "for", "and"}


def asks(question: str) -> bool:
    """Tell whether a question asks for a timeline: by that name, or for what happened in an event or some period."""
    event = EVENT.match(question) and capitalised(question)
    return bool(NAMED.search(question) or event or (ASKS.match(question) and period(question, date.today())))


def timeline(index: Index, request: TimelineRequest, outlets: Sequence[str]) -> Timeline:
    """Return what happened by the articles of an archive, which has these outlets."""
    about, newest = subject(request.question), index.archive.span()[1]
    today = request.day or request.filters.as_of
    within = period(request.question, today or date.today())
    if within and newest and not today and within[0] > newest:
        within = period(request.question, newest)  # "in March", of an archive that ends before
    query = replace(understand(about if content_terms(about) else request.question, request, outlets), present=None)
    hits = collapse(search(index, query), newest=False)
    best = {hit.article.id: hit for hit in reversed(hits)}.values()
    most = max((hit.score for hit in hits), default=0.0)
    first, last = within or (date.min, date.max)
    told = [one for hit in best for one in _told(about, hit, most) if first <= one[0] <= last]
    kept = list[Told]()
    for one in sorted(told, key=lambda one: (one[0], one[1].article.published or one[0], -one[1].hit.score)):
        if not any(_again(one, other) for other in kept):
            kept.append(one)
    kept = sorted(nlargest(request.top, kept, key=lambda one: one[1].hit.score), key=kept.index)
    total, kept = len(kept), kept[request.offset :][: request.limit]
    citations = tuple(cite(c.article, c.field, c.start, c.end, n) for n, (_, c) in enumerate(kept, 1))
    return Timeline(tuple(Dated(day, c.said, (n,)) for n, (day, c) in enumerate(kept, 1)), citations, total)


def tell(happened: Timeline, evidence: Evidence) -> Generator[Piece, None, Outcome]:
    """Yield events as an answer: a line each, its day before its sentence, its mark behind it."""
    text, said = "", list[Sentence]()
    for event in happened.events:
        text += f"{chr(10) * bool(text)}{event.date:%-d %B %Y}: {event.text} "
        mark = f"[{event.citations[0]}]"
        said.append(Sentence(event.text, event.citations, "verbatim", marks=((len(text), len(text) + len(mark)),)))
        text += mark
    yield text
    yield from happened.citations
    yield from said
    return Outcome()


def subject(question: str) -> str:
    """Return what a timeline is asked of: the question without its period and "what happened in"."""
    rest = ASKS.sub("of ", PERIOD.sub(" ", question).strip())
    return " ".join(re.sub(r"\bchanged?\b|[’']s\b|[?:]", " ", NAMED.sub(" ", rest)).split())


def _told(about: str, hit: Hit, most: float) -> Iterator[Told]:
    """Yield what an article tells of a subject, with its day: its news, and what happened on another day.

    `most` is the best score of those found; of a chronology all days are told.
    """
    article, wanted = hit.article, alike(content_terms(about))
    lacking = 1 - share(wanted, alike(terms(f"{article.title}\n{article.text}")))
    if wanted and hit.score < most * (NEAR + LACKING * lacking):
        return
    said = candidates([replace(hit, passage=Passage(hit.passage.id, article.id, 0, len(article.text)))])
    said = [c for c in said if not LEANING.search(c.said)]
    headed, days = alike(content_terms(article.title)), {c: day_of(c) for c in said if c.field == "text"}
    news = next(iter(days), None)
    if not news or (headed and share(headed, news.terms) < NEWS_WORDS):
        news = next((c for c in said if c.field == "title"), None)
    head = covered(about, f"{article.title}\n{article.text[:HEAD]}")[1] == 1
    whole = not wanted or (head and news and share(wanted, news.terms | alike(terms(article.title))) >= WHOLE)
    if not whole:  # it may say something of the subject all the same
        news = max(days, key=lambda c: share(wanted, c.terms), default=None)
        if not news or covered(about, f"{article.title}\n{news.said}")[1] < 1 or share(wanted, news.terms) < ON:
            return
    first = news and (days.get(news) or article.published)
    if news and first:
        yield first, news
    others = [(day, c) for c, day in days.items() if whole and day and day != first and c != news]
    yield from (one for one in others if one == others[0] or DATE.match(one[1].said))


def day_of(said: Candidate) -> date | None:
    """Return the latest day, past, that a sentence says of what its main clause tells, or None."""
    found, published = list[date](), said.article.published
    for match in ONE_DAY.finditer(said.said):
        digits, year = re.search(r"\d", match[0]), re.search(r"\d{4}", match[0])
        words = parse(said.said).char_span(*match.span(), alignment_mode="expand")
        assert words is not None  # it holds what was matched
        chain = [words.root, *words.root.ancestors]
        verb = next((token for token in chain if token.pos_ in ("VERB", "AUX")), chain[-1])
        tags = {verb.tag_, *(token.tag_ for token in below(verb, "aux", "auxpass"))}
        past = digits or "VBD" in tags or ("VBN" in tags and not tags & {"VBZ", "VBP"})
        finite = chain[-1].tag_ in FINITE or below(chain[-1], "aux", "auxpass")
        aside = finite and ASIDE & {token.dep_ for token in chain}
        beside = aside or words.doc[words.start - 1].lower_ in NOT_ON
        if past and not beside and not tags & {"MD", "TO"} and (published or year):
            [day, _] = span(match[0], published or date.today()) or (date.max, None)
            ago, most = ((published or day) - day).days, OLD_DAYS if " " in match[0] else OLD_WEEKDAY
            found += [day] * (ago >= 0 and (bool(year) or ago <= most))
    return max(found, default=None)


def _again(one: Told, other: Told) -> bool:
    """Tell whether a sentence says again what another tells of the same day."""
    (day, later), (before, earlier) = one, other
    recalls = (later.article.published or day) > day and later.article != earlier.article
    words, held = (alike(content_terms(c.said)) for c in (later, earlier))
    same = len(words & held) >= (RECALLED if recalls else SAME) * min(len(words), len(held))
    return day == before and same and (recalls or values(later.said) <= values(earlier.said))
