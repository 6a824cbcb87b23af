"""Short answers: "No.", "Elias Rask.", "9 to 2." state nothing by themselves, but something with their question."""

import re
from collections.abc import Callable

from index.text import language, lists
from index.text.days import DATE, WEEKDAYS
from index.text.names import is_verb
from index.text.numbers import SAID
from qa.check.clauses import TITLE, clauses
from qa.check.figures import facts
from qa.check.grammar import OBJECT, SUBJECT
from qa.check.signs import signs
from qa.check.spans import NOTHING, UNSAID, Span, Verdict, content
from qa.types import PASSED

WHOLE_WORDS = 4  # A shorter sentence is an answer to its question, whatever it is made of;
FRAGMENT_WORDS = 8  # one up to this long is, if it has no verb.
AUXILIARY = (
    r"(?:is|are|was|were|am|did|does|do|has|have|had|can|could|will|would|shall|should|may|might|must)(?:n['’]t)?\b"
)
POLAR = re.compile(rf"(?:and |but |so |then )?{AUXILIARY}(?P<statement>.+?)\?*\s*$", re.I | re.S)
END = r"(?:\s*[,;:.!–—]+\s*|\s*$)"  # "No injuries were reported" is no "no".
YES_OR_NO = re.compile(rf"(?:(?P<no>{lists.pattern('no')})|{lists.pattern('yes')}){END}", re.I)
HOW = r"how(?: (?:many|much|long|old|far|tall|high|big|often|soon|come|so))?"
ASKED = re.compile(rf"\b(?:who(?:m|se)?|what|which|when|where|why|{HOW})\b", re.I)


def verify_answer(question: str, said: str, check: Callable[[str], Verdict]) -> Verdict:
    """Return how far a sentence of an answer is supported; one that needs its question is checked together with it.

    Yes and no are the question as a statement, or its denial. What else is short stands in the place of what the
    question asks for, and must be said in the sentence of the evidence that speaks of the question.
    """
    if language.of(question) not in (None, "en"):
        return _other(question, said, check)
    polar = POLAR.match(question)
    said = said.strip()
    if word := YES_OR_NO.match(said):
        rest = said[word.end() :]
        verdict = _polar(polar["statement"], word["no"] is not None, check) if polar else NOTHING
        if not content(rest) or (polar and verdict.rule == "polarity"):
            return verdict
        return check(rest)
    if not _needs_question(said):
        return check(said)
    asked, answer = polar["statement"].strip() if polar else question.strip(" ?"), said.strip(" .!?")
    placed = ASKED.sub(lambda _: answer, asked, count=1)
    verdict = check(placed if placed != asked and not polar else f"{asked} {answer}")
    if verdict.support not in PASSED:
        return verdict
    wanted = content(asked) - content(answer)
    most = max(len(wanted & span.terms) for span in verdict.spans)
    holding = [span for span in verdict.spans if _holds(span, answer)]
    if any(2 * len(wanted & span.terms) >= most for span in holding):
        return verdict
    if holding:
        return Verdict("partial", verdict.spans, "the articles speak of it, but not as the answer", "partly")
    return Verdict("unsupported", why=f"not in the evidence: {answer}", rule="missing")


def _other(question: str, said: str, check: Callable[[str], Verdict]) -> Verdict:
    """Return the same in a language of which no grammar is known: a number or a day may need its question there."""
    verdict, held = check(said), signs(said, language.of(question) or "")
    if verdict.spans or len(said.split()) >= WHOLE_WORDS or not (held.numbers or held.dates or held.weekdays):
        return verdict
    verdict = check(f"{question.strip(' ?？؟')} {said}")
    return (
        Verdict("partial", verdict.spans, verdict.why or "only partly said there", "partly")
        if verdict.spans
        else verdict
    )


def _polar(statement: str, denied: bool, check: Callable[[str], Verdict]) -> Verdict:
    """Return how far the yes or, where `denied`, the no to a statement is supported."""
    verdict = check(statement)
    if not denied:
        return verdict._replace(rule="polarity") if verdict.against else verdict
    if verdict.rule in ("denies", "opposes"):
        return Verdict("supported", verdict.against)
    if verdict.support in PASSED:
        return Verdict("unsupported", (), f"the article says yes: “{verdict.spans[0].text}”", "polarity")
    return UNSAID


def _needs_question(said: str) -> bool:
    words = re.findall(r"[\w’']+", said)
    stated = (c for c in clauses(said) if c.finite and c.text != TITLE)
    if any(c.heads.get(SUBJECT) or c.heads.get(OBJECT) for c in stated):  # "Kyiv agreed."
        return False
    if len(words) < WHOLE_WORDS:
        return True
    verbs = (re.fullmatch(AUXILIARY, word, re.I) or is_verb(word, "VBD", "VBZ") for word in words)
    return len(words) <= FRAGMENT_WORDS and not any(verbs)


def _holds(span: Span, answer: str) -> bool:
    """Tell whether a sentence holds all that a short answer says: its numbers and its words; `check` knows its days."""
    values = {number.value for number in facts(answer).numbers}
    plain = (word for word in re.findall(r"[^\W\d_]+", DATE.sub(" ", answer)) if not SAID.fullmatch(word))
    rest = content(" ".join(word for word in plain if word.lower() not in {*lists.meanings("units"), *WEEKDAYS}))
    return values <= {number.value for number in facts(span.said).numbers} and rest <= span.terms
