"""Makes a question that follows on others one that can be understood alone: by the model, or by carrying words over.

Where a question stands alone nothing is carried. Where it only may do so ("Why did prices rise?" names nothing), the
archive decides: it is asked as it stands where that finds an article with more of its words.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from index.text import lists
from index.text.cut import sentences
from index.text.days import WHEN, has_day
from index.text.names import runs
from index.text.numbers import SAID
from index.text.terms import content_terms
from qa.check.short import ASKED
from qa.steps.understand import SMALL_TALK, YEAR
from qa.types import REFUSED

Message = tuple[str, str]  # role, content

TURNS = 3  # questions with their answers that a model is shown; what was said before them is not carried on
CHARACTERS = 600  # of each: a long history must not crowd out what was asked
CARRIED_NAMES, CARRIED_WORDS = 5, 4
INSTRUCTIONS = """Rewrite the last question of a conversation so that it can be understood without the conversation: \
replace words such as "he", "there" or "that" by what they stand for. Change nothing else and do not answer it. \
If it is complete as it is, repeat it. Reply with the question alone, on one line."""
Ask = Callable[[Sequence[Message]], Iterator[str]]

TALK = re.compile(rf"^(?:[^\w?]*{lists.pattern('small-talk')})+[^\w\s?]+ *", re.I)  # "Thanks! And the mayor?"
PLACE = r"\b(?:in|at|near|around|outside|of|from) (?:the )?"  # before the name of one
THERE = re.compile(r"\bthere\b", re.I)
JOINED = re.compile(r"^(?:and|but|so|also|then|or|well|okay|ok)\b[, ]*", re.I)
ABOUT = re.compile(r"^(?:what|how) (?:about|of) ", re.I)
AUX = "(?:is|are|was|were|be|been|do|does|did|has|have|had|will|would|can|could|may|might|shall|should|must)(?:n[’']t)?"
CLAUSE = re.compile(rf"\b{AUX}\b|{ASKED.pattern}", re.I)
VERB = re.compile(rf"\b(?:{AUX}|happen\w*|sa(?:ys|id))\b", re.I)
FRAGMENT = re.compile(r"(?:(in|at|of|for|on|from|by|with|to) )?(?:the )?(.+)")
WH = re.compile(rf"(?:(?:by|for|since|until|till|at|in|on|from|to|with|of) )?{ASKED.pattern}", re.I)
BARE = re.compile(rf"({WH.pattern})(?: (?:not|exactly|then|that|{AUX} that))*", re.I)
POLITE = re.compile(r"^.*?\b(?:tell me|know|say)\s(?=wh|how)", re.I)  # "Can you tell me who won?"
OTHER_YEAR = re.compile(
    r"(?:(?:in|for) )?(?:(?P<year>(?:19|20)\d\d)|(?:the|a) (?:(?P<back>previous year|year (?:before|earlier))"
    r"|(?:next|following) year|year (?:after|later)))(?: that)?",
    re.I,
)
IMPERSONAL, LEANING = (
    re.compile("|".join(lists.lines(name)).replace("AUX", AUX), re.I) for name in ("impersonal", "leaning")
)
OWN = re.compile(r"\b(?:he|she|it|they|its|his|her|their)\b", re.I)
# What these may stand for: "the farmers", "farmers"; the names of a question are looked for apart.
THING = re.compile(r"\b(?:the|an?|which|many|some|every|each|most|all) \w|\b(?!wh)\w+ (?!does|was)\w{3,}s\b", re.I)
FILLERS = set(" ".join(lists.lines("fillers")).split())


def rewrite(question: str, history: Sequence[Message], ask: Ask | None) -> str:
    """Return the question as it is understood after this history; the same where it stands alone.

    `ask` sends messages to a language model; without one, what the last question and its answer name is carried over.
    """
    talk = [bool(SMALL_TALK.fullmatch(content)) for _, content in history]  # is forgotten, with what was replied to it
    history = [turn for turn, *idle in zip(history, talk, [False, *talk], strict=False) if not any(idle)]
    asked = [content for role, content in history if role == "user"]
    whole, question = question, TALK.sub("", question)
    if not asked or not follows(question):
        return whole
    if ask:
        said = "\n".join(f"{role}: {' '.join(content[:CHARACTERS].split())}" for role, content in history[-2 * TURNS :])
        reply = "".join(ask([("system", INSTRUCTIONS), ("user", f"{said}\n\nThe last question: {question}")]))
        rewritten = reply.strip().split("\n")[0].strip(' "“”*')
        # A weak model may answer, or speak of something else: then its words are not the question's.
        own = content_terms(LEANING.sub(" ", OWN.sub(" ", question)))  # without "he", which is what is replaced
        if rewritten.endswith("?") and ": " not in rewritten and own <= content_terms(rewritten):
            return rewritten
    answered = next((content for role, content in reversed(history) if role == "assistant"), "")
    return _carried(question, [said[:CHARACTERS] for said in asked[-TURNS:]], answered[:CHARACTERS])


def _carried(question: str, asked: Sequence[str], answered: str) -> str:
    """Return a question with what it needs of the questions before it and of the last one's answer."""
    last = asked[-1]
    whole = next((q for q in reversed(asked) if not leans(q) and (runs(q) or len(_subject(q)) > 1)), last)
    fragment = ABOUT.sub("", JOINED.sub("", question))
    first = "" if REFUSED[:-1] in answered else next((answered[s.start : s.end] for s in sentences(answered)), "")
    if exchanged := _exchanged(whole, fragment.rstrip(" ?.!"), f"{last} {first}"):
        return exchanged
    if not CLAUSE.search(fragment) and (replaced := _replaced(whole, fragment.rstrip(" ?.!"))):
        return replaced
    texts = list(dict.fromkeys((last, whole, first)))
    named = [name for text in texts for name in runs(text) if not (WHEN.fullmatch(name) or SAID.fullmatch(name))]
    there = THERE.search(IMPERSONAL.sub(lambda found: "_" * len(found[0]), question))
    if there and named:
        ends = (name for text in texts for name in reversed(runs(text)) if re.search(PLACE + re.escape(name), text))
        question = f"{question[: there.start()]}in {next(ends, named[0])}{question[there.end() :]}"
        if not leans(JOINED.sub("", question)):
            return question
    words = [word for text in dict.fromkeys((last, whole)) for word in _subject(text)]
    known, carried = content_terms(question), list[str]()
    for candidates, most in ((named, CARRIED_NAMES), (words, CARRIED_NAMES + CARRIED_WORDS)):
        for candidate in candidates:
            if len(carried) < most and content_terms(candidate) - known:
                carried.append(candidate)
                known |= content_terms(candidate)
    return f"{question.rstrip(' ?')} ({', '.join(carried)})?" if carried else question


def _exchanged(question: str, fragment: str, said: str) -> str | None:
    """Return a question with what it asks exchanged, "Why?" or "Since when?", or its year; None for other fragments."""
    question = POLITE.sub("", question)
    if bare := BARE.fullmatch(fragment):
        asked = "Why" if bare[1].lower() in ("how so", "how come") else bare[1].capitalize()
        if re.match(AUX, question, re.I):  # "Did the pool close?"
            return f"{asked} {question[0].lower()}{question[1:]}"
        if found := WH.match(question):
            who = runs(said) if found[0].lower() == "who" else []
            named = [name for name in who if name not in question and not WHEN.fullmatch(name)]
            return " ".join([asked, *named[:1], question[found.end() :].strip()])
    if other := OTHER_YEAR.fullmatch(fragment):
        known = YEAR.search(said) or YEAR.search(question)
        year = other["year"] or (known and str(int(known[0]) + (-1 if other["back"] else 1)))
        if year and YEAR.search(question):
            return YEAR.sub(year, question, count=1)
        return f"{question.rstrip(' ?')} in {year}?" if year else None
    return None


def _replaced(question: str, fragment: str) -> str | None:
    """Return a question with one of its names replaced: "Who leads Brenn?" by "Kells"; None where that cannot be done.

    It is the last name behind the same preposition; for one without, the last behind none, or else the last.
    """
    match, names = FRAGMENT.fullmatch(fragment), [name for name in runs(question) if f"the {name}" not in question]
    if not match or runs(f", {match[2]}") != [match[2]]:
        return None
    behind = [re.search(rf"\b(in|at|of|for|on|from|by|with|to) {re.escape(name)}", question) for name in names]
    same = [name for name, found in zip(names, behind, strict=True) if (found and found[1]) == match[1]]
    found = same or ([] if match[1] else names)
    return question.replace(found[-1], match[2], 1) if found else None


def _subject(question: str) -> list[str]:
    """Return the words of a question, names aside, that say what it is about."""
    words = (word for word in re.findall(r"[^\W\d_][\w’'-]*", question) if word.islower() and word not in FILLERS)
    return [word for word in dict.fromkeys(words) if content_terms(word)]


def follows(question: str) -> bool:
    """Tell whether a question leans on what was said before, or may do so: it names nothing of its own."""
    return leans(question) or all(map(has_day, runs(question)))


def points(question: str) -> bool:
    """Tell whether a question has nothing of its own to be searched for, or a pronoun that stands for what was said."""
    rest, fragment = IMPERSONAL.sub(",", question), ABOUT.sub("", JOINED.sub("", question)).rstrip(" ?.!")
    return bool(LEANING.search(rest) or OWN.search(rest) or BARE.fullmatch(fragment) or OTHER_YEAR.fullmatch(fragment))


def leans(question: str) -> bool:
    """Tell whether a question cannot be understood alone: by a pronoun, or by what it leaves out."""
    rest = IMPERSONAL.sub(",", joined := JOINED.sub("", question))
    topic = ABOUT.sub("", rest)  # "What about the Oxton mill?" says what it asks for, "What about Oxton?" does not
    if LEANING.search(rest) or (joined != question and not CLAUSE.search(topic)):
        return True
    if topic != rest:
        return not (_subject(topic) and runs(topic))
    subject, named = _subject(rest), not all(map(has_day, runs(rest)))
    if (CLAUSE.search(rest) and not VERB.search(rest) and not subject) or (not named and len(subject) < 2):
        return True
    own = OWN.search(rest)
    return own is not None and not (runs(rest[: own.start()]) or THING.search(rest[: own.start()]))
