"""The desk: one open archive, asked from Python, the command line, HTTP and the page alike."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from index.encoder import DEFAULT_ENCODER, Encoder
from index.index import Index, Progress, silent
from index.ingest import IngestReport, ingest
from index.lexical import content_terms
from index.read.dates import parse_date
from index.split import sentences
from index.types import Article, BadInput, Filters, Hit, Query, UnknownArticle
from qa import quotes
from qa.choose import choose
from qa.compose import ANSWER_TOKENS, QUESTION_TOKENS, Draft, Message, compose, prompt
from qa.converse import rewrite, turns
from qa.evidence import Candidate, read
from qa.judge import load_judge
from qa.rank import collapse, rerank
from qa.rerank import DEFAULT_RERANKER, OnnxReranker, Reranker
from qa.types import Answer, Checked, Citation, Sentence
from qa.understand import understand
from qa.verify import Judge, Verdict, quotations, verify

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

QUESTION_WORDS, QUESTION_CHARACTERS = 300, 3000
TOP_MAX = 100
# A model is asked where the desk is at least this sure: the words of a question off the subject are rarely all there.
ASK_FROM = 0.05
CHECKED_CHARACTERS = 200_000
CHECKED_ARTICLES = 6  # in which a sentence of a draft is looked for

Day = date | str | None
Event = str | Citation | Sentence | Answer


class Desk:
    """Opens or creates an archive folder and answers from it. A context manager; one process an archive.

    `encoder` and `reranker` are names (bundled, or a local folder) or objects of those protocols; an archive
    remembers its encoder. `llm`, `llm_url`, `judge` and `strict` are what questions are answered and sentences checked
    with where they do not say otherwise, see `events`. `progress` is told what takes long. Methods may be called from
    several threads: searches run one after the other, since each uses every core.

    Raises BadInput for arguments that cannot be used, ArchiveInUse and ArchiveError for archives, ModelError
    for weights; all are CopydeskError, and their message says what to do.
    """

    def __init__(
        self,
        data: str | Path = "copydesk-data",
        encoder: Encoder | str = DEFAULT_ENCODER,
        reranker: Reranker | str = DEFAULT_RERANKER,
        progress: Progress = silent,
        llm: LLM | str = "quotes",
        llm_url: str | None = None,
        judge: Judge | str = "bundled",
        strict: bool = False,
    ) -> None:
        self.index = Index(data, encoder, progress)
        self._reranker = reranker
        self._lock = threading.RLock()
        self._llm, self._llm_url, self._strict = llm, llm_url, strict
        self._judge = load_judge(judge, llm_url) if isinstance(judge, str) else judge

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive and let other processes in."""
        with self._lock:
            self.index.close()

    @property
    def reranker(self) -> Reranker:
        if isinstance(self._reranker, str):
            self._reranker = OnnxReranker(self._reranker)
        return self._reranker

    # Questions

    def events(
        self,
        question: str,
        *,
        outlets: Sequence[str] = (),
        since: Day = None,
        until: Day = None,
        asked: Day = None,
        choices: Sequence[str] = (),
        top: int = 10,
        llm: LLM | str | None = None,
        llm_url: str | None = None,
        history: Sequence[Mapping[str, str]] = (),
        strict: bool | None = None,
    ) -> Generator[Event, None, None]:
        """Yield the answer's text as it comes, each Citation and checked Sentence with its marks, and last the Answer.

        This is the whole path of a question. `outlets`, `since` and `until` restrict what is searched; `asked` is the
        day the question is put, so that "this week" means that week (default: today); of `choices`, the answer's
        `choice` is the one that the evidence speaks for; `top` passages come back in `retrieved`. `llm` writes the
        answer: a spec such as `ollama:MODEL` with the `llm_url` of its server, any LlamaIndex LLM, or `quotes` for
        verbatim sentences and no model. `history` are the turns before, {"role", "content"}, oldest first; a question
        that leans on them is rewritten. With `strict`, sentences that are not supported are left out.

        Raises BadInput for what cannot be asked, ModelError for a model that cannot be reached or used.
        """
        said = turns(history)
        question, filters, asked = _checked(question, outlets, since, until, asked, top)
        check_choices(choices)
        model = self._model(llm, llm_url)
        clock = Clock()
        alone = rewrite(question, said, model and (lambda messages: model.write(messages, QUESTION_TOKENS)))
        if said:
            clock.lap("rewrite")
        with self._lock:
            query = understand(alone, filters, asked, self.index.archive.outlets())
            # While the encoder loads, the reranker already scores what the words alone find, and keeps the scores.
            hits = self.index.search(query, meanwhile=partial(self._read, query))
            hits = collapse(hits)
            clock.lap("retrieve")
            choice = choose(self.reranker, query, choices, hits, self.index.search) if choices else None
            candidates = read(self.reranker, query, hits)
            hits = rerank(query, hits, candidates)
            clock.lap("rerank")
        answer = quotes.answer(alone, candidates, hits)
        events = _told(answer)
        if model and answer.confidence >= ASK_FROM:  # below, nothing was found that it could answer from
            messages, used = prompt(alone, hits, model.room)
            pieces = model.write(messages, ANSWER_TOKENS)
            events = compose(alone, used, pieces, self._verify, self._strict if strict is None else strict)
        for event in events:
            if isinstance(event, Answer):
                written = event
            else:
                yield event
        clock.lap("answer")
        refused = written.refusal and replace(written.refusal, closest=_closest(answer))
        yield replace(
            written,
            question=question,
            refusal=refused,
            choice=choice,
            confidence=answer.confidence,
            llm=model.name if model else "quotes",
            rewritten=alone if alone != question else None,
            retrieved=tuple(hits[:top]),
            timings_ms=clock.laps | written.timings_ms,
        )

    @property
    def llm(self) -> LLM | str:
        """Who writes where a question does not say otherwise."""
        return self._llm

    def _model(self, llm: LLM | str | None, url: str | None) -> Model | None:
        llm, url = llm or self._llm, url or self._llm_url
        if llm == "quotes":
            return None
        from qa.llm import load, tokens, window, write  # llama-index takes 2 s to import

        loaded = load(llm, url) if isinstance(llm, str) else llm
        name = llm if isinstance(llm, str) else loaded.metadata.model_name
        return Model(name, partial(write, loaded), lambda text: window(loaded) - tokens(loaded, text))

    def _verify(self, claim: str, articles: Sequence[Article]) -> Verdict:
        return verify(claim, articles, self.index.encoder, self._judge)

    def check(self, text: str, *, articles: Sequence[str] = ()) -> Checked:
        """Check a text, a draft or anyone's answer, sentence by sentence: against the archive, or articles by id.

        Returns its sentences in order, each with its support and the numbers of its citations, which are in the
        result's `citations`. Raises BadInput for a text without words or of more than 200,000 characters, and for an
        unknown article.
        """
        if not isinstance(text, str) or not any(character.isalnum() for character in text):
            raise BadInput("the text is empty: give it some sentences to check")
        if len(text) > CHECKED_CHARACTERS:
            raise BadInput(f"the text has {len(text):,} characters: check at most {CHECKED_CHARACTERS:,} at once")
        named = [self.article(article_id) for article_id in ([articles] if isinstance(articles, str) else articles)]
        draft = Draft()
        found: list[Article] = []
        for span in sentences(text):
            sentence = text[span.start : span.end]
            found = named or self._about(sentence, found)
            draft.add(sentence, self._verify(sentence, found))
        return Checked(draft.sentences, tuple(draft.citations))

    def _about(self, sentence: str, before: Sequence[Article]) -> list[Article]:
        """Return the articles that may support a sentence; the first of those `before` know its "he" and "it"."""
        hits: list[Hit] = []
        with self._lock:
            for wanted in (sentence, *quotations(sentence)):
                words = " ".join(wanted.split()[:QUESTION_WORDS])
                hits += self.index.search(Query(words), top=2 * CHECKED_ARTICLES) if content_terms(words) else []
        articles = dict.fromkeys(hit.article for hit in hits)
        return [*articles][:CHECKED_ARTICLES] + [article for article in before[:2] if article not in articles]

    def _read(self, query: Query, hits: list[Hit]) -> list[Candidate]:
        return read(self.reranker, query, collapse(hits))

    def stream(self, question: str, **options: Any) -> Generator[str | Answer, None, None]:
        """Yield the answer's text as it comes, marks such as [1] in their places, and last the finished Answer.

        The options are those of `events`.
        """
        yield from (event for event in self.events(question, **options) if isinstance(event, str | Answer))

    def ask(self, question: str, **options: Any) -> Answer:
        """Return the answer to a question; the options are those of `events`."""
        *_, answer = self.stream(question, **options)
        assert isinstance(answer, Answer)
        return answer

    async def aask(self, question: str, **options: Any) -> Answer:
        """Return the answer to a question without blocking the event loop; the options are those of `events`."""
        return await asyncio.to_thread(self.ask, question, **options)

    def search(
        self,
        question: str,
        *,
        outlets: Sequence[str] = (),
        since: Day = None,
        until: Day = None,
        asked: Day = None,
        top: int = 10,
        reranked: bool = True,
    ) -> list[Hit]:
        """Return up to `top` passages, best first; without `reranked` in some milliseconds, and less well ordered."""
        question, filters, asked = _checked(question, outlets, since, until, asked, top)
        with self._lock:
            query = understand(question, filters, asked, self.index.archive.outlets())
            hits = self.index.search(query)
            if reranked:
                hits = rerank(query, hits, self._read(query, hits))
        return hits[:top]

    # Articles

    def ingest(self, paths: Iterable[str | Path], outlet: str | None = None, prune: bool = False) -> IngestReport:
        """Bring the archive up to date with files and folders; see `index.ingest.ingest`."""
        with self._lock:
            return ingest(self.index, [paths] if isinstance(paths, str | Path) else paths, outlet, prune)

    def articles(self) -> list[dict[str, Any]]:
        """Return every article without its text, newest first, with its numbers of characters and passages."""
        with self._lock:
            return [_listed(article, passages) for article, passages in self.index.archive.articles()]

    def outlets(self) -> list[str]:
        """Return the outlets in the archive, the most frequent first."""
        with self._lock:
            return self.index.archive.outlets()

    def article(self, article_id: str) -> Article:
        """Return an article by its id or url. Raises BadInput when there is none."""
        with self._lock:
            found = self.index.archive.article(article_id)
        if found is None:
            raise UnknownArticle(f"no article has the id {article_id}: copydesk articles list prints the ids")
        return found

    def show(self, article_id: str) -> dict[str, Any]:
        """Return an article as listed, with its authors and its text."""
        article = self.article(article_id)
        with self._lock:
            passages = self.index.archive.passage_count(article.id)
        return _listed(article, passages) | {"authors": list(article.authors), "text": article.text}

    def remove(self, ids: Sequence[str]) -> int:
        """Remove articles for good, earlier versions too; return how many. Raises BadInput for an unknown id."""
        with self._lock:
            return self.index.remove([self.article(article_id).id for article_id in dict.fromkeys(ids)])

    def warm_up(self) -> None:
        """Load everything that the first question would otherwise wait for."""
        with self._lock:
            self.index.search(Query("warm up"), top=1)
            self.reranker.score("warm", ["up"])


class Model(NamedTuple):
    """A language model as the path of a question uses it."""

    name: str
    write: Callable[[Sequence[Message], int], Iterator[str]]  # messages and at most so many tokens
    room: Callable[[str], int]  # tokens that fit beside a text


def _told(answer: Answer) -> Iterator[Event]:
    yield answer.text
    yield from answer.citations
    yield from answer.sentences
    yield answer


def _closest(answer: Answer) -> tuple[Citation, ...]:
    return answer.refusal.closest if answer.refusal else answer.citations


class Clock:
    """Times the steps of one question, in milliseconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 1)
        self._last = now


def _listed(article: Article, passages: int) -> dict[str, Any]:
    published = article.published.isoformat() if article.published else None
    names = {name: getattr(article, name) for name in ("id", "title", "outlet", "url")}
    return names | {"published": published, "characters": len(article.text), "passages": passages}


def checked_question(question: str) -> str:
    """Return a question in one line of printable characters. Raises BadInput for what cannot be asked."""
    if not isinstance(question, str):
        raise BadInput(f"the question is a {type(question).__name__}, not a string")
    printable = "".join(c if c.isprintable() else " " for c in question)  # no control characters, no lone surrogates
    question = " ".join(printable.split())
    if not any(character.isalnum() for character in question):
        raise BadInput("the question is empty: ask something in words")
    if (words := len(question.split())) > QUESTION_WORDS:
        raise BadInput(f"the question has {words:,} words: ask in at most {QUESTION_WORDS}")
    if len(question) > QUESTION_CHARACTERS:
        raise BadInput(f"the question has {len(question):,} characters: ask in at most {QUESTION_CHARACTERS:,}")
    return question


def check_choices(choices: Sequence[str]) -> None:
    """Raise BadInput for choices between which nothing can be decided; none at all are fine."""
    if choices and (isinstance(choices, str) or len({str(choice).strip() for choice in choices} - {""}) < 2):
        raise BadInput("choices are two or more different texts in a list")


def _checked(
    question: str, outlets: Sequence[str], since: Day, until: Day, asked: Day, top: int
) -> tuple[str, Filters, date | None]:
    question = checked_question(question)
    if not 1 <= top <= TOP_MAX:
        raise BadInput(f"top is {top}: use 1 to {TOP_MAX}")
    if isinstance(outlets, str):
        outlets = [outlets]
    first, last, now = (parse_date(day) if day is not None else None for day in (since, until, asked))
    if first and last and first > last:
        raise BadInput(f"since {first} is after until {last}: no day is between them")
    return question, Filters(tuple(outlets), first, last), now
