"""Makes a question that follows on others one that can be understood alone: by the model, or by carrying words over."""

import re
from collections.abc import Callable, Iterator, Sequence

from index.text.days import has_day
from index.text.names import runs
from index.text.terms import content_terms

Message = tuple[str, str]  # role, content

TURNS = 3  # questions with their answers that a model is shown; what was said before them is not carried on
CHARACTERS = 600  # of each: a long history must not crowd out what was asked
CARRIED_NAMES, CARRIED_WORDS = 4, 6
INSTRUCTIONS = """Rewrite the last question of a conversation so that it can be understood without the conversation: \
replace words such as "he", "there" or "that" by what they stand for. Change nothing else and do not answer it. \
If it is complete as it is, repeat it. Reply with the question alone, on one line."""
FOLLOWS = re.compile(
    r"^(?:and|but|so|also|then|what about|how about|what else|who else|why not|how so)\b|^why\b.{0,5}$"
    r"|\b(?:he|she|him|her|hers|his|they|them|their|theirs|it|its|that|this|those|these|there|then|the same|the latter"
    r"|the former|someone else|anyone else|others)\b",
    re.I,
)
Ask = Callable[[Sequence[Message]], Iterator[str]]


def rewrite(question: str, history: Sequence[Message], ask: Ask | None) -> str:
    """Return the question as it is understood after this history; the same where it stands alone.

    `ask` sends messages to a language model; without one, names and terms of the last question and the names of its
    answer are carried over.
    """
    asked = [content for role, content in history if role == "user"]
    if not asked or not follows(question):
        return question
    if ask:
        said = "\n".join(f"{role}: {' '.join(content[:CHARACTERS].split())}" for role, content in history[-2 * TURNS :])
        reply = "".join(ask([("system", INSTRUCTIONS), ("user", f"{said}\n\nThe last question: {question}")]))
        rewritten = reply.strip().split("\n")[0].strip(' "“”*')
        # A weak model may answer, or speak of something else: then its words are not the question's.
        own = content_terms(FOLLOWS.sub(" ", question))  # without "he", which is what is replaced
        if rewritten.endswith("?") and ": " not in rewritten and own <= content_terms(rewritten):
            return rewritten
    answered = next((content for role, content in reversed(history) if role == "assistant"), "")
    known, carried = content_terms(question), list[str]()
    both = (f", {asked[-1]}", f", {answered[:CHARACTERS]}")  # with a comma: what begins an answer may be a name
    names = [name for text in both for name in runs(text)][: 2 * CARRIED_NAMES]
    words = [word for word in re.findall(r"[\w’'-]+", asked[-1]) if word.islower()]
    for candidates, most in ((names, CARRIED_NAMES), (words, CARRIED_NAMES + CARRIED_WORDS)):
        for candidate in candidates:
            if len(carried) < most and not has_day(candidate) and content_terms(candidate) - known:
                carried.append(candidate)
                known |= content_terms(candidate)
    return f"{question.rstrip(' ?')} ({', '.join(carried)})?" if carried else question


def follows(question: str) -> bool:
    """Tell whether a question leans on what was said before: by its words, or by naming nothing of its own."""
    return bool(FOLLOWS.search(question)) or not runs(question)
