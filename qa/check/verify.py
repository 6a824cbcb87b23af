"""Checks sentences against articles: which spans support each, and how. The cheapest test that decides comes first.

1. The sentence stands in an article, word for word.
2. Its quotations stand there word for word; its numbers, units, days, names, speakers and denials agree with the
   sentences that say most of it.
3. A scorer tells how far the rest is said there: the trained reader with words and vectors, these alone where there is
   none, or the judge that the user set.
"""

import math
import re
from collections.abc import Sequence
from textwrap import shorten
from typing import NamedTuple, Protocol

from index.encoder import Encoder, likeness
from index.text.days import DATE, has_day
from index.text.fold import clean
from index.text.names import surname, words
from index.text.numbers import SAID
from index.text.speech import QUOTED, attribution, named, speaker
from index.types import Article
from qa.check import foreign, rules
from qa.check.clauses import clauses
from qa.check.figures import derived, facts, lacking, misplaced
from qa.check.rules import DOUBT, NEGATION
from qa.check.spans import NOTHING, UNSAID, Span, Verdict, content, find, source
from qa.rerank import Reader

OMISSION = re.compile(r"\[?(?:…|\.\.\.)\]?|\[[^\]]*\]")
AROUND = 2  # sentences before and behind in which a fact may stand: "He said …"
VERBATIM_WORDS = 3  # Fewer stand somewhere by chance.
SPANS = 3  # sentences that may support one between them
PEOPLE = content("people persons")  # "Thirteen people died" says no more than "13 dead"
READ = 6  # sentences that the encoder reads for one: those that hold most of its words
GAIN = 0.08  # share of a sentence's words for which one more span is cited
APART = 0.4  # share of them that one of another article must hold itself
SAME_ARTICLE = 1.2  # what a further span gains where it stands beside the first
# Of the share of a sentence's words and its cosine, together 0…2: set on WiCE's and SummEdits' development sets. The
# cross-encoder's logit in place of the cosine tells less and takes three times as long, §11 of evals/EXPERIMENTS.md.
SUPPORTED, PARTIAL = 1.1, 0.8
JUDGED_SUPPORTED, JUDGED_PARTIAL = 0.5, 0.3  # of a judge's probability
# Of the reader's: a logistic regression on its logit, the share of words, the cosine and a constant, §21.
READ_WEIGHTS = (0.541, 1.034, 0.044, -0.728)
READ_SUPPORTED, READ_PARTIAL = 0.43, 0.2
# Rules that prove a sentence false; where another speaks against one that the reader is so sure of, it is partial.
PROVES, READ_SURE = {"missing", "denies"}, 0.6
WORD = r"(?:[^\s;,.]|[.,](?=\d))+"
SET_RIGHT = re.compile(rf", (?:and )?not {WORD}(?: {WORD}){{,3}}(?:,|(?=[.;]|$))")
READ_TOGETHER = 5  # sentences that it reads at once; and the best one alone


class Judge(Protocol):
    """Tells how far a text supports a sentence."""

    def support(self, claim: str, evidence: str) -> float:
        """Return a probability, 0…1; .5 and more is support."""


def verify(
    claim: str, articles: Sequence[Article], encoder: Encoder, judge: Judge | None = None, reader: Reader | None = None
) -> Verdict:
    """Return how far these articles support a sentence, by which spans of theirs, and what speaks against it.

    An article in another language than English, and a claim in another than its article's, go to `foreign`: first those
    in the claim's language, and where these do not have what it says, those in others.
    """
    claim = clean(claim)
    english = [article for article in articles if foreign.english(claim, article)]
    other = [article for article in articles if article not in english]
    verdict = _verify(claim, english, encoder, judge, reader) if english or not other else UNSAID
    if verdict == NOTHING and foreign.states(claim):
        verdict = UNSAID
    if not other or verdict.rule not in (UNSAID.rule, "missing"):
        return verdict
    found = foreign.judge(claim, other, encoder)
    return found if verdict.rule == UNSAID.rule or found.spans else verdict


def _verify(
    claim: str, articles: Sequence[Article], encoder: Encoder, judge: Judge | None, reader: Reader | None
) -> Verdict:
    places = filter(None, (source(a).find(claim) for a in articles if len(claim.split()) >= VERBATIM_WORDS))
    if found := next((place for place in places if not _left_out(place)), None):
        return Verdict("verbatim", (found,))
    quoted: list[Span] = []
    told = False  # whether an article names the speaker of a quotation as the claim does
    for quotation in quotations(claim):
        if not (place := find(quotation, articles)):
            return Verdict("unsupported", why=f"“{quotation}” is not found in the articles", rule="quotation")
        start = claim.find(quotation)
        ours, theirs = named(attribution(claim, start, start + len(quotation))), said_by(place)
        if ours and theirs and not _same(ours, theirs):
            why = f"not said there by {' or '.join(ours)}, said there by {speaker(theirs)}"
            return Verdict("unsupported", (), why, "speaker", (place,))
        told |= _same(ours, theirs)
        quoted.append(place)
    if not content(claim):
        return NOTHING
    chosen, read, share, near = evidence(claim, articles, encoder)
    if not chosen:
        return Verdict("unsupported", why="no article speaks of it", rule="unsaid")
    rule, why = _disagreement(claim, chosen, quoted, told)
    if rule and (rule in PROVES or judge or not reader):
        return Verdict("unsupported", (), why, rule, tuple(chosen))
    score, supported, partial = share + near, SUPPORTED, PARTIAL
    if judge:
        score, supported, partial = judge.support(claim, _joined(chosen)), JUDGED_SUPPORTED, JUDGED_PARTIAL
    elif reader:
        # One thing is not said by two articles together: who resigns in the one is not the mayor of the other.
        several = sum(clause.finite for clause in clauses(claim)) > 1
        near_by = [s for s in read[:READ_TOGETHER] if several or s.article == chosen[0].article]
        logit = max(reader.supports(claim, said) for said in (in_order(near_by or chosen[:1]), read[0].said))
        score, supported, partial = logistic(READ_WEIGHTS, (logit, share, near)), READ_SUPPORTED, READ_PARTIAL
    if rule and score < READ_SURE:
        return Verdict("unsupported", (), why, rule, tuple(chosen))
    if score < partial:
        return UNSAID
    spans = tuple(dict.fromkeys((*chosen, *quoted)))
    if rule:
        return Verdict("partial", spans, why, rule, tuple(chosen))
    if doubt := rules.doubts(clauses(claim), [c for s in chosen for c in clauses(s.said)]):
        return Verdict("partial", spans, f"the article is less certain: “{doubt}”", "doubts")
    if score < supported:
        return Verdict("partial", spans, "only partly said there", "partly")
    # A title may be written in many ways: its words are checked like any others, and that it is so, is said.
    titles = filter(_is_title, _quoted(claim))
    other = next((title for title in titles if not find(title, articles)), "")
    return Verdict("supported", spans, f"“{other}” is not found word for word" if other else "")


def logistic(weights: Sequence[float], signals: Sequence[float]) -> float:
    """Return the probability that a logistic regression gives; the last weight is its constant."""
    odds = sum(weight * signal for weight, signal in zip(weights, (*signals, 1.0), strict=True))
    return 1 / (1 + math.exp(-odds))


def quotations(text: str) -> list[str]:
    """Return what stands in quotation marks, cut where the writer left something out, save titles of works."""
    return [part for part in _quoted(text) if not _is_title(part)]


def _quoted(text: str) -> list[str]:
    whole = (next(filter(None, match.groups())) for match in QUOTED.finditer(text))
    return [part for quotation in whole for part in OMISSION.split(quotation) if re.search(r"\w", part)]


def said_by(place: Span) -> str:
    """Return the words that name who says what stands in a place of an article; "" where they name nobody."""
    if place.field != "text":
        return ""
    # By the grammar of its sentence: "the chairwoman, Dina Lund, called it “a mess”"; else by what stands beside it.
    whole = source(place.article).around(place)[0].said
    saying = [c for c in clauses(whole) if c.speaker and place.said in c.text and named(c.by)]
    if saying:
        return min(saying, key=lambda c: len(c.text)).by
    words = attribution(place.article.text, place.start, place.end)
    return words if named(words) else ""


def _same(ours: Sequence[str], theirs: str) -> bool:
    return any(words(surname(name)) & words(theirs) for name in ours)


def _is_title(text: str) -> bool:
    """Tell the title of a film or a case from what someone said: its long words, two or more, are capitalised."""
    long = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3]
    return len(long) > 1 and all(word[0].isupper() for word in long)


def _left_out(found: Span) -> bool:
    """Tell whether a sentence of which only a part is repeated denies or doubts that part in the rest of it."""
    whole = source(found.article).around(found)
    rests = (f"{s.text[: max(0, found.start - s.start)]} … {s.text[found.end - s.start :]}" for s in whole)
    return any(NEGATION.search(rest) or DOUBT.search(rest) for rest in rests)


class Grounds(NamedTuple):
    """What the articles say of a claim: the spans cited for it, those read with it, best first, and how near it is.

    `share` is the share of its words that the cited ones hold, `near` the cosine of their vectors and its own.
    """

    cited: list[Span]
    read: list[Span]
    share: float
    near: float


def in_order(spans: Sequence[Span]) -> str:
    """Return spans as one text, those of an article in its order."""
    return _joined(sorted(spans, key=lambda span: (span.article.id, span.field == "text", span.start)))


def evidence(claim: str, articles: Sequence[Article], encoder: Encoder) -> Grounds:
    """Return the evidence of a claim; its words weigh by how rare they are in these articles."""
    wanted = content(DATE.sub(" ", claim)) - PEOPLE or content(claim)  # days are compared as days
    pool = [span for article in articles for span in source(article).spans]
    weight = {term: math.log((len(pool) + 1) / (0.5 + sum(term in span.terms for span in pool))) for term in wanted}
    whole = sum(weight.values()) or 1.0

    def held(span: Span, of: set[str]) -> float:
        return sum(weight[term] for term in of & span.terms) / whole

    def counted(span: Span) -> float:
        """Return the share of the claim's numbers that a span holds, "43" for "forty-three" too."""
        return sum(n.held(facts(span.said).numbers) for n in stated) / max(1, len(stated))

    # Its numbers are worth as much as all its words; so is its vector, of what has most of these.
    stated = facts(claim).numbers
    told = {span: held(span, wanted) + counted(span) for span in pool if wanted & span.terms}
    best = sorted(told, key=told.__getitem__, reverse=True)[:READ]
    if not best:
        return Grounds([], [], 0.0, 0.0)
    vectors = encoder.encode([claim, *(span.text for span in best)])
    own = vectors[:1]
    near = dict(zip(best, likeness(encoder, own, vectors[1:])[0].tolist(), strict=True))
    best.sort(key=lambda span: told[span] + near[span], reverse=True)
    chosen = best[:1]
    left = wanted - chosen[0].terms
    article = chosen[0].article
    more = [*(s for s in best if s.article == article or held(s, wanted) >= APART), *source(article).spans]
    while left and len(chosen) < SPANS:
        span = max(more, key=lambda s: held(s, left) * (SAME_ARTICLE if s.article == article else 1.0))
        if held(span, left) < GAIN:
            break
        chosen.append(span)
        left -= span.terms
    together = near[chosen[0]] if len(chosen) == 1 else likeness(encoder, own, encoder.encode([_joined(chosen)])).item()
    return Grounds(chosen, best, 1 - sum(weight[term] for term in left) / whole, together)


def _asserted(text: str) -> str:
    """Return a text without the figures that it sets right: "four people, not five, died" denies nothing."""
    return SET_RIGHT.sub(lambda found: "" if SAID.search(found[0]) else found[0], text)


def _joined(spans: Sequence[Span]) -> str:
    return " ".join(span.said for span in spans)


def _disagreement(claim: str, chosen: Sequence[Span], quoted: Sequence[Span], told: bool) -> tuple[str, str]:
    """Return the rule by which the evidence speaks against a sentence, and why in words for people; "" for none."""
    article = chosen[0].article
    own = [span for span in (*chosen, *quoted) if span.article == article]  # a fact of another report is another fact
    sentences = [
        _asserted(s.said) for s in dict.fromkeys(s for span in own for s in source(article).around(span, AROUND))
    ]
    around = "\n".join(sentences)
    # Where the evidence has a day itself, the days of the sentences around it are those of other events.
    said = _asserted(_joined(own))
    dated = said if has_day(said) else around
    evidence = facts(around)._replace(days=facts(dated).days)
    stated = facts(claim)
    stated = stated._replace(numbers=stated.numbers - derived(claim, sentences))
    if missing := lacking(stated, evidence, words(dated), source(article).words, article.published):
        return "missing", f"not in the evidence: {', '.join(missing)}"
    ours, near = clauses(claim), [clause for said in sentences for clause in clauses(said)]
    if whole := rules.of_another(ours, near):
        return "another", f"the article says this of another: “{whole}”"
    if clause := misplaced(claim, sentences):
        return "misplaced", f"the article has another number there: “{clause}”"
    first = _asserted(chosen[0].said)
    against = {
        "denies": rules.denies(ours, near),
        "widens": rules.widens(ours, near),
        "opposes": rules.opposes(claim, first) or rules.opposes(claim, _joined(chosen)),
        "reorders": rules.reorders(claim, first),
    }
    for rule, word in against.items():
        if word:
            return rule, f"the article says otherwise ({word}): “{shorten(first, 100, placeholder=' …')}”"
    who, other = rules.speaks(ours, near)
    if who and not told:
        return "speaker", f"not said there by {who}" + (f", said there by {other}" if other else "")
    return "", ""
