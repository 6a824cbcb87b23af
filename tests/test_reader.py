"""The trained reader and what rests on it: which sentence answers, how sure that is, its phrase, what is missing."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from conftest import REPOSITORY, SEEDS, shown

from index.encoder import Encoder
from index.lexical import LexicalIndex
from index.sync import Index
from index.types import Article, Hit, Passage
from qa import Desk
from qa.check.verify import verify
from qa.doors import show
from qa.languages.reader import ManyReader
from qa.rerank import DEFAULT_RERANKER, OnnxReranker, Reader, Reranker, load_reranker
from qa.steps.evidence import Candidate, Evidence
from qa.steps.quotes import confidence, signals, write
from qa.types import Answer, Citation, Phrase, Sentence, as_json


def test_the_reader_tells_what_answers_from_what_is_only_on_the_subject(reranker: Reranker) -> None:
    assert isinstance(reranker, Reader)
    question = "How many people were arrested during the strike at Osk harbour?"
    texts = [
        "Police arrested 41 people during the strike at Osk harbour.",
        "The strike at Osk harbour began on Monday.",
    ]
    right, beside = reranker.answers(question, texts)
    assert right > 0 > beside
    assert reranker.score(question, texts)[0] > reranker.score(question, ["Trains ran late in the rain."])[0] + 10


def test_the_reader_tells_what_is_supported(reranker: Reranker) -> None:
    assert isinstance(reranker, Reader)
    evidence = "The council of Vilnar approved the new bridge on Monday. Mayor Anna Berg called it overdue."
    true = reranker.supports("The new bridge was approved by the council of Vilnar.", evidence)
    assert true > 0 > reranker.supports("The union of teachers called a strike in Vilnar.", evidence)


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Who opened the bridge in Vilnar?", "Mayor Anna Berg opened the bridge in Vilnar on Monday.", "Anna Berg"),
        ("When was the bridge opened?", "Mayor Anna Berg opened the bridge in Vilnar on 12 May.", "12 May"),
        ("Where was the bridge opened?", "Mayor Anna Berg opened the bridge in Vilnar on 12 May.", "Vilnar"),
        ("How many people came?", "Some 4,000 people came to see the bridge on 12 May.", "4,000"),
        ("How much did the bridge cost?", "The bridge cost 3.2 million euros, the town said.", "3.2 million euros"),
        ("Which company built the bridge?", "It was built by Rivus Stahl, from the south, in 2021.", "Rivus Stahl"),
    ],
)
def test_the_phrase_that_answers(reranker: Reranker, question: str, text: str, expected: str) -> None:
    assert isinstance(reranker, Reader)
    place = reranker.phrase(question, text)
    assert place is not None
    assert expected in text[slice(*place)]
    assert len(text[slice(*place)]) <= len(expected) + 12


def test_no_phrase_where_there_is_no_place_for_one(reranker: Reranker) -> None:
    assert isinstance(reranker, Reader)
    assert reranker.phrase("Who came?", "") is None
    assert reranker.phrase("Who came?", "Anna\u00ad Berg came.") is None  # as it reads, it is shorter


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Скільки коштував міст?", "Довжина мосту — 418 метрів, а вартість — 612 мільйонів гривень.",
         "612 мільйонів гривень"),
        ("Combien de salariés perdront leur emploi ?", "La laiterie ferme. Soixante-douze salariés partiront.",
         "Soixante-douze"),
    ],
)  # fmt: skip
def test_a_phrase_of_any_language_is_whole_words(question: str, text: str, expected: str) -> None:
    first = text.find("Soixante") if "Soixante" in text else 0
    place = ManyReader().phrase(question, text, first)
    assert place is not None
    assert text[first:][slice(*place)].startswith(expected)


class Sure:
    """Takes every claim to follow."""

    def supports(self, claim: str, evidence: str) -> float:
        return 5.0


@pytest.mark.parametrize(
    ("claim", "alone", "beside_the_reader"),
    [
        ("Norland sold the ferry to Osk.", "unsupported", "partial"),  # who did it: a rule of grammar
        ("Osk did not sell the ferry.", "unsupported", "unsupported"),  # a denial
        ("Osk sold the ferry for 7 million crowns.", "unsupported", "unsupported"),  # a number that is not there
    ],
)
def test_a_rule_of_grammar_that_the_reader_does_not_share_makes_it_partial(
    encoder: Encoder, claim: str, alone: str, beside_the_reader: str
) -> None:
    article = Article("a", "Ferry sold", "Osk sold the ferry to Norland for 6 million crowns on Monday.")
    assert verify(claim, [article], encoder).support == alone
    verdict = verify(claim, [article], encoder, reader=Sure())
    assert verdict.support == beside_the_reader
    assert verdict.why == verify(claim, [article], encoder).why


def test_without_the_reader_the_cross_encoder_does_and_is_less_sure(tmp_path: Path, encoder: Encoder) -> None:
    for room in ("index", "qa"):
        shutil.copytree(REPOSITORY / room, tmp_path / room, ignore=shutil.ignore_patterns("reader"))
    said = "from qa.rerank import load_reranker; print(type(load_reranker('bundled')).__name__)"
    done = subprocess.run([sys.executable, "-c", said], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "OnnxReranker\n"
    assert type(load_reranker(DEFAULT_RERANKER)) is OnnxReranker
    with Desk(tmp_path / "archive", encoder, DEFAULT_RERANKER) as desk:
        desk.ingest([SEEDS])
        answer = desk.ask("Who heads the Office of the President of Ukraine?")
        assert "Yermak" in answer.text
        assert [sentence.answer for sentence in answer.sentences] == [None] * len(answer.sentences)
        assert not desk.ask("Who won the Champions League final?").answered


def test_how_rare_a_word_is_in_the_archive(index: Index) -> None:
    articles = [
        Article(f"{n}", "Report", f"A {word} in the harbour.") for n, word in enumerate(("crane", "fire", "fog"))
    ]
    passages = [Passage(article.id, article.id, 0, len(article.text)) for article in articles]
    lexical = index.lexical
    assert isinstance(lexical, LexicalIndex)
    lexical.apply([], list(zip(articles, passages, strict=True)))
    rarity = lexical.rarity(["crane", "harbour", "report", "zebra"])
    in_one, in_all = (1 - math.log(n + 1, 1001) for n in (1, 3))  # of a thousand passages, as few as there are
    assert rarity == pytest.approx({"crane": in_one, "harbour": in_all, "report": in_all, "zebra": 1.0})


def candidate(
    text: str, title: str = "", before: str = "", published: date | None = None, **known: object
) -> Candidate:
    article = Article("a", title, before + text, published=published)
    hit = Hit(article, Passage("a", "a", 0, len(article.text)), 1.0)
    return Candidate(article, "text", len(before), len(before + text), hit, **known)  # type: ignore[arg-type]


def test_the_signals_of_an_answer() -> None:
    """Of arrested (.8), strike (.4) and harbour (.2), the sentence has strike, and what stands before it harbour."""
    rarity = {"arrest": 0.8, "strike": 0.4, "harbour": 0.2}
    one = candidate(
        "The strike ended.", "Cranes stand still", "Osk has a harbour. ", date(2025, 3, 1),
        part="How many were arrested in the harbour strike?", logit=2.0, answers=-1.0,
    )  # fmt: skip
    told = signals(one, rarity, date(2025, 3, 31))
    assert told == pytest.approx((-1.0, 2.0, 0.6 / 1.4, 0.8, 0.8, 30 / 90, 0.0))
    assert signals(one, rarity, None)[5] == 0.0
    assert signals(one, rarity, date(2027, 1, 1))[5] == 1.0
    assert signals(one, rarity, date(2025, 1, 1))[5] == 0.0  # a later report is not old


def test_confidence_falls_with_what_is_missing_and_with_age() -> None:
    part, told = "How many were arrested in the strike?", {"logit": 6.0, "answers": 2.0}
    whole = candidate("In the strike 41 were arrested.", published=date(2025, 3, 1), part=part, **told)
    lacking = candidate("In the strike 41 were fined.", published=date(2025, 3, 1), part=part, **told)
    day = date(2025, 3, 2)
    assert confidence([whole, lacking], {}, day) == confidence([whole], {}, day) > confidence([lacking], {}, day)
    assert confidence([whole], {}, date(2026, 3, 2)) < confidence([whole], {}, day) - 0.1
    assert confidence([], {}, day) == 0.0
    assert not math.isnan(confidence([candidate("Yes.", part="Who?")], {}, None))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How many were arrested in the strike at Osk harbour?",
            "it has “Strike closes Osk harbour” (9 March 2025), but nothing there of “arrested”.",
        ),
        ("How many joined the strike?", "it has “Strike closes Osk harbour” (9 March 2025), but not how many."),
        ("Why did dockers strike?", "it has “Strike closes Osk harbour” (9 March 2025), but not this."),
        (
            "Who leads the strike at Osk harbour's cranes?",
            "it has “Strike closes Osk harbour” (9 March 2025), but nothing there of “cranes”.",
        ),
        ("Who leads the dockers?", "it has “Strike closes Osk harbour” (9 March 2025), but not who."),
        ("Who won the cup final in handball?", None),
        ("What happened?", None),
    ],
)
def test_a_refusal_says_what_is_missing(question: str, expected: str | None) -> None:
    one = candidate(
        "Dockers joined the strike on Sunday.", "Strike closes Osk harbour", published=date(2025, 3, 9), logit=1.0
    )
    text, *_ = write(Evidence(question, [one.hit], [one], 0.05))
    refusal = "The archive does not answer this question"
    assert text == (f"{refusal}: {expected}" if expected else f"{refusal}.")


def test_a_further_sentence_marks_its_phrase_only_where_it_surely_answers() -> None:
    def said(text: str, answers: float) -> Candidate:
        return candidate(text, logit=3.0, part="How many died?", answers=answers, phrase=(0, 2))

    least = [said("43 people died.", -1.5), said("46 men were below.", -1.6), said("29 had died by noon.", 0.5)]
    for one, other, marked in ((0, 1, [True, False]), (2, 0, [True, False]), (2, 2, [True])):
        chosen = list(dict.fromkeys((least[one], least[other])))
        hits = [c.hit for c in chosen]
        sentences = [
            piece for piece in write(Evidence("How many died?", hits, chosen, 0.9)) if isinstance(piece, Sentence)
        ]
        assert [sentence.answer is not None for sentence in sentences] == marked[: len(sentences)]


def answered() -> Answer:
    citation = Citation(1, "a", "Bridge", None, None, None, "Berg & Co opened it.", "text", 0, 20)
    sentence = Sentence("Berg & Co opened it.", (1,), "verbatim", marks=((21, 24),), answer=Phrase(0, 9))
    return Answer("Who opened it?", True, "Berg & Co opened it. [1]", (sentence,), (citation,), None, (), "quotes", 0.9)


def test_the_phrase_is_in_the_document_and_bold_at_the_doors(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(json.dumps(as_json(answered())))
    assert document["sentences"][0]["answer"] == {"start": 0, "end": 9}
    assert "<p><b>Berg &amp; Co</b> opened it.</p>" in shown(answered())
    marked = show._marked(document["text"], document["sentences"])
    assert [(span.start, span.end, span.style) for span in marked.spans] == [(21, 24, "bold cyan"), (0, 9, "bold")]


def test_an_answer_marks_its_phrase(seeded: Desk) -> None:
    answer = seeded.ask("Who heads the Office of the President of Ukraine?")
    phrases = [s.text[s.answer.start : s.answer.end] for s in answer.sentences if s.answer]
    assert phrases[0] == "Andriy Yermak"
    assert f"<b>{phrases[0]}</b>" in shown(answer)
    assert not any(s.answer for s in seeded.ask("What should be the first step towards a sustainable peace?").sentences)
