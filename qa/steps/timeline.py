"""What happened: dated sentences of the articles on a subject, oldest first, each cited."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from index.encoder import Encoder
from index.search import search
from index.sync import Index
from index.text import lists
from index.text.days import ONE_DAY, WEEKDAY, Period, period, span, undated
from index.text.syntax import parse
from index.text.terms import alike, content_terms, share, terms
from index.types import Hit, Passage
from qa.request import SearchRequest
from qa.steps.evidence import Candidate, candidates
from qa.steps.rank import collapse
from qa.steps.understand import covered, understand, values
from qa.types import Dated, Timeline, cite

ASKS = re.compile(rf"^(?:{'|'.join(lists.lines('timeline'))})\b", re.I)
NAMED = re.compile(r"\b(?:timeline|chronology)\b", re.I)
ARTICLES = 60  # the best that are read
HEAD = 800  # characters of an article in which a name is its subject
OPENING = 5  # sentences among which the news of the headline is
NEWS_WORDS = 0.4  # of the headline's words, that the sentence holds which says the news
SAME_WORDS, SAME_MEANING = 0.6, 0.8  # at which two sentences say the same of a day: share of words, cosine
OLD_DAYS = 183  # A day without a year that is longer ago may be one to come.
OTHER_CLAUSES = {"relcl", "acl", "advcl", "pcomp", "csubj"}
NOT_ON = {"of", "since", "until", "till", "by", "before", "after", "from", "between", "to", "than", "for", "and"}
NOT_YET = {"MD", "TO"}


def asks(question: str) -> bool:
    """Tell whether a question asks for a timeline: by that name, or for what happened or changed in some period."""
    return bool(NAMED.search(question) or (ASKS.search(question) and period(question, date.today())))


def subject(question: str) -> str:
    """Return what a timeline is asked of: the question without its period and without "what happened in"."""
    rest = re.sub(r"\b(?:timeline|chronology|changed?)\b", " ", ASKS.sub(" ", undated(question).strip(), count=1))
    return " ".join(re.sub(r"[?!.\s]+$", "", rest).split())


def timeline(index: Index, request: SearchRequest, outlets: Sequence[str]) -> Timeline:
    """Return what happened by the articles of an archive, which has these outlets."""
    about = subject(request.question)
    newest = index.archive.span()[1] or date.max
    within = period(request.question, request.day or date.today())
    if within and within[0] > newest and not request.day:
        within = period(request.question, newest)  # "in March", of an archive that ends before
    query = understand(about if content_terms(about) else request.question, request, outlets)
    searched = [query.filters]
    if within:
        since = max(within[0], query.filters.since or within[0])
        searched = [replace(query.filters, since=since)]
        until = min(within[1], query.filters.until or within[1])
        searched += [replace(query.filters, since=since, until=until)] * (since <= until)
    found = {hit.passage.id: hit for filters in searched for hit in search(index, replace(query, filters=filters))}
    hits = collapse(sorted(found.values(), key=lambda hit: -hit.score), newest=False)
    return events(about, hits, within, index.encoder, request.top)


def events(about: str, hits: Sequence[Hit], within: Period | None, encoder: Encoder, top: int) -> Timeline:
    """Return what the articles of these hits say that happened to a subject, on days within a period where one is given."""
    best = {hit.article.id: hit for hit in sorted(hits, key=lambda hit: hit.score)}
    articles = sorted(best.values(), key=lambda hit: -hit.score)[:ARTICLES]
    told = [one for hit in articles if _on(about, hit) for one in _told(about, hit)]
    told = [(day, said) for day, said in told if not within or within[0] <= day <= within[1]]
    told.sort(key=lambda one: (one[0], one[1].article.published or one[0], -one[1].hit.score, one[1].start))
    kept = _once(told, encoder)
    kept = sorted(sorted(kept, key=lambda one: -one[1].hit.score)[:top], key=kept.index)
    citations = tuple(cite(c.article, c.field, c.start, c.end, n) for n, (_, c) in enumerate(kept, 1))
    return Timeline(tuple(Dated(day, c.quote, (c.n,)) for (day, _), c in zip(kept, citations, strict=True)), citations)


def _on(about: str, hit: Hit) -> bool:
    """Tell whether an article is on a subject: its names stand at its head, its words in it."""
    article = hit.article
    wanted = alike(content_terms(about))
    head = covered(f"the {about}", f"{article.title}\n{article.text[:HEAD]}")
    held = len(wanted & alike(terms(f"{article.title}\n{article.text}")))
    return head[1] == 1 and (head[0] > 0 or not wanted) and held >= len(wanted) * 2 / 3


def _told(about: str, hit: Hit) -> Iterator[tuple[date, Candidate]]:
    """Yield what an article tells, with its day: its news, and sentences that say another day."""
    article = hit.article
    said = candidates([replace(hit, passage=Passage(hit.passage.id, article.id, 0, len(article.text)))])
    title = next((c for c in said if c.field == "title"), None)
    texts = [c for c in said if c.field == "text"]
    headed = alike(content_terms(article.title))
    lead = next((c for c in texts[:OPENING] if share(headed, c.terms) >= NEWS_WORDS), title or next(iter(texts), None))
    news = None
    if lead and article.published:
        news = day_of(lead.said, article.published) or article.published
        yield news, lead
    for c in texts:
        if c != lead and (day := day_of(c.said, article.published)) and day != news and c.said[0] not in "\"“‘'":
            yield day, c


def day_of(said: str, published: date | None) -> date | None:
    """Return the day on which happened what a sentence tells, if it says one, past, of its main clause."""
    found = set()
    for match in ONE_DAY.finditer(said):
        dated, year = re.search(r"\d", match[0]), re.search(r"\d{4}", match[0])
        if not published and not year:
            continue
        days = span(match[0], published or date.today())
        old = dated and not year and published and days and (published - days[0]).days > OLD_DAYS
        if days and not old and days[0] <= (published or days[0]) and _main(said, *match.span(), bool(dated)):
            found.add(days[0])
    return max(found, default=None)


def _main(said: str, start: int, end: int, dated: bool) -> bool:
    """Tell whether the day at [start:end] is that of the sentence's main clause, and not of what is to come."""
    doc = parse(said)
    words = doc.char_span(start, end, alignment_mode="expand")
    if words.start and doc[words.start - 1].lower_ in NOT_ON:
        return False
    chain = [words.root, *words.root.ancestors]
    if any(token.dep_ in OTHER_CLAUSES for token in chain):
        return False
    verb = next((token for token in chain if token.pos_ in ("VERB", "AUX") or token.dep_ == "ROOT"), chain[-1])
    tags = {verb.tag_, *(child.tag_ for child in verb.children if child.dep_ in ("aux", "auxpass"))}
    return not tags & NOT_YET and (dated or "VBD" in tags or ("VBN" in tags and not tags & {"VBZ", "VBP"}))


def _once(told: Sequence[tuple[date, Candidate]], encoder: Encoder) -> list[tuple[date, Candidate]]:
    """Return events, oldest first, without those that say again what another says of the day."""
    if not told:
        return []
    vectors = encoder.encode([c.said for _, c in told])
    meaning = vectors @ vectors.T
    kept: list[int] = []
    for n, (day, c) in enumerate(told):
        words = alike(content_terms(c.said))
        for k in kept:
            other = alike(content_terms(told[k][1].said))
            alike_words = len(words & other) / max(1, min(len(words), len(other)))
            if abs((day - told[k][0]).days) <= 1 and values(c.said) <= values(told[k][1].said) and (
                alike_words >= SAME_WORDS or meaning[n, k] >= SAME_MEANING
            ):
                break
        else:
            kept.append(n)
    return [told[n] for n in kept]
