"""Answers written by a language model: it writes from numbered evidence, and every sentence it finishes is checked."""

import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from index.text.cut import sentences
from index.text.fold import fold
from index.types import Article, ModelError
from qa.check.draft import BULLET, Draft
from qa.check.short import verify_answer
from qa.check.spans import Verdict
from qa.llm.clean import Cleaner
from qa.llm.prompt import ANSWER_TOKENS, SHORTER, Model, prompt
from qa.steps.evidence import Evidence
from qa.types import REFUSED, Outcome, Piece, RefusalReason, Withdrawn

NOTHING_LEFT = "The articles support nothing of what the model wrote."
# Where a sentence seems to end, a few more characters tell whether it does, and whose an opening quotation mark is.
OPENING = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"”’»)]))\s.{0,24}$|\s+$", re.S)
WHOLE = re.compile(
    r"(?<!\d)[.!?…。！？؟।][\"”’»)\]*]*$"
)  # as a sentence ends; behind a digit, a point may be within a number
CUT = Verdict("unsupported", why="the model broke off here", rule="cut")
DECLINE_WORDS = 6  # that a refusal may hold besides: "I am sorry, but …"
Check = Callable[[str, Sequence[Article]], Verdict]


def compose(model: Model, check: Check, strict: bool, evidence: Evidence) -> Generator[Piece, None, Outcome]:
    """Yield an answer's text as the model writes it, and behind each sentence its marks once it is checked.

    A sentence is checked while the model writes the next, whose text waits for the marks; a Citation and a Sentence
    come with them. With `strict`, no text is yielded before it is checked, and none that is unsupported. Where the
    model breaks off, what it had written is the answer. Raises ModelError where that is nothing.
    """
    messages, hits = prompt(evidence.question, evidence.hits, model.room)
    articles = list(dict.fromkeys(hit.article for hit in hits))
    cleaner = Cleaner(len(hits), articles)
    broken: list[ModelError] = []
    spent: dict[str, float] = {}  # milliseconds
    started = time.perf_counter()

    def checked(sentence: str) -> Verdict:
        began = time.perf_counter()
        verdict = verify_answer(evidence.question, sentence, lambda text: check(text, articles))
        spent["check"] = round(spent.get("check", 0.0) + (time.perf_counter() - began) * 1000, 1)
        return verdict

    checker = ThreadPoolExecutor(1, "check")
    text = _Text(checked, strict, checker)
    try:
        with closing(_and_end(model.write(messages, ANSWER_TOKENS), broken)) as pieces:
            for piece in pieces:
                shown = cleaner.feed(piece or "", finished=piece is None)
                if cleaner.withdrawn:
                    yield Withdrawn()
                    text.drop()
                    text = _Text(checked, strict, checker)
                for event in text.take(shown, piece is None, bool(broken)):
                    spent.setdefault("first_token", round((time.perf_counter() - started) * 1000, 1))
                    yield event
    finally:
        checker.shutdown(wait=False, cancel_futures=True)
    if broken and not text.written.strip():
        raise broken[0]
    refusal: RefusalReason | None = None
    if not text.draft.sentences:
        refusal = "below_threshold" if text.written.strip() and not _declines(text.written) else "model_declined"
        if strict or not text.shown:
            yield NOTHING_LEFT if refusal == "below_threshold" else REFUSED
    return Outcome(refusal, cleaner.invented, str(broken[0]) if broken else None, spent)


def _and_end(pieces: Iterator[str], broken: list[ModelError]) -> Generator[str | None, None, None]:
    """Yield what a model writes, and None at its end, also where it breaks off; why it did is then in `broken`."""
    try:
        if (yield from pieces):  # type: ignore[func-returns-value]  # `write` returns whether it was stopped
            broken.append(ModelError(f"the model had not ended after {ANSWER_TOKENS} tokens: {SHORTER}"))
    except ModelError as error:
        broken.append(error)
    yield None


class _Text:
    """What a model has written so far, cleaned; what of it is finished, checked, and shown."""

    def __init__(self, check: Callable[[str], Verdict], strict: bool, checker: ThreadPoolExecutor) -> None:
        self.written = ""
        self.shown = 0  # characters of `written` that were shown, or with `strict` left out
        self.draft = Draft()
        self._check, self._strict, self._checker = check, strict, checker
        self._told = 0  # characters that were yielded, marks among them
        self._queued = 0  # characters of `written` that were given to the checker
        self._waiting: deque[tuple[int, str, Future[Verdict]]] = deque()  # its end, the sentence, its verdict to come

    def take(self, text: str, finished: bool, broken: bool) -> Iterator[Piece]:
        """Take in what was written, have the sentences checked that it finishes, and yield what can be shown now.

        That is sentences that are checked, and of the one behind them what is written. One that broke off is none.
        """
        self.written += text
        if not self.shown:
            self.written = self.written.lstrip()
        for end in _ends(self.written, self._queued, finished):
            sentence = BULLET.sub("", self.written[self._queued : end].strip()).strip()
            if sentence and not _declines(sentence):
                last = broken and end == len(self.written.rstrip())
                check = (lambda _: CUT) if last and not WHOLE.search(sentence) else self._check
                self._waiting.append((end, sentence, self._checker.submit(check, sentence)))
            self._queued = end
        while self._waiting:
            end, sentence, verdict = self._waiting[0]
            if not self._strict and self.shown < end:
                yield self._show(end)
            if not (finished or verdict.done()):
                return
            self._waiting.popleft()
            if self._strict and verdict.result().support == "unsupported":
                self.shown = end
                continue
            rest = self._show(end)
            if not self.draft.sentences:
                self._told -= len(rest) - len(rest.lstrip())
                rest = rest.lstrip()
            marks, new = self.draft.add(sentence, verdict.result(), self._told + 1)
            self._told += 1 + len(marks)
            yield f"{rest} {marks}"
            yield from new
            yield self.draft.sentences[-1]
        if self._strict:
            return
        tail = sentences(self.written[self._queued :], quotations=True)
        limit = self._queued + tail[0].end if len(tail) > 1 else len(self.written)
        unsure = None if finished else OPENING.search(self.written, self.shown, limit)
        if ready := self.written[self.shown : unsure.start() if unsure else limit].rstrip():
            yield self._show(self.shown + len(ready))

    def drop(self) -> None:
        """Check nothing more of it."""
        for *_, verdict in self._waiting:
            verdict.cancel()

    def _show(self, end: int) -> str:
        """Return what is yet to be shown before `end`: nothing where more had to be read to see a sentence's end."""
        text, self.shown = self.written[self.shown : end], max(self.shown, end)
        self._told += len(text)
        return text


def _ends(written: str, start: int, everything: bool) -> Iterator[int]:
    """Yield the ends of the sentences behind `start` that are finished: what is yet to be written will not change them.

    A quotation may go over several sentences, which are one as soon as it is closed; until then it is not finished.
    """
    tail = written[start:]
    spans = sentences(tail, quotations=True)
    for span in spans if everything else spans[:-1]:
        text = tail[span.start : span.end]
        if re.fullmatch(r"\d{1,2}[.)]", text) and re.match(r"[ \t]+\S", tail[span.end :]):
            continue  # the number of a line in a list
        if not everything and (text.count("“") > text.count("”") or text.count('"') % 2):
            return
        yield start + span.end


def _declines(text: str) -> bool:
    """Tell whether a text says what a model is told to say where the evidence does not answer, and little besides."""
    return fold(REFUSED)[0].strip(" .") in fold(text)[0] and len(text.split()) <= len(REFUSED.split()) + DECLINE_WORDS
