"""What a question says of where and when its answer was published, and where it falls apart."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from index.encoder import DEFAULT_ENCODER, INT8
from index.types import Query
from qa import BadInput
from qa.request import SearchRequest
from qa.steps.understand import decline
from qa.steps.understand import understand as understand_request


def understand(question: str, known: Sequence[str] = (), **options: Any) -> Query:
    return understand_request(question, SearchRequest(question, **options), known)


OUTLETS = ["The Verge", "The Week", "FOX News - Health", "The Roar | Sports Writers Blog", "Fortune"]


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What did The Verge report?", ("The Verge",)),
        ("What did Fox News and 'The Roar' report?", ("FOX News - Health", "The Roar | Sports Writers Blog")),
        ("What happened later in the week?", ()),
        ("Who made a fortune?", ()),
        ("Who leads the Vergennes council?", ()),
    ],
)
def test_outlets_are_named_as_names(question: str, named: tuple[str, ...]) -> None:
    assert understand(question, OUTLETS).outlets == named


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("What was said on October 1st?", ((None, 10, 1),)),
        ("What was said on 17 April 2025 and on May 3, 2024?", ((2025, 4, 17), (2024, 5, 3))),
        ("Who may sign 12 treaties in 2025?", ()),
        ("What was said on February 31?", ()),
    ],
)
def test_days_with_and_without_a_year(question: str, days: tuple[object, ...]) -> None:
    assert understand(question).days == days


def test_current_news_is_of_the_day_asked_or_of_today() -> None:
    assert understand("Who resigned?").present is None
    assert understand("Who resigned this week?").present == date.today()
    assert understand("Who resigned this week?", asked=date(2022, 6, 3)).present == date(2022, 6, 3)


def test_a_question_that_names_reports_is_searched_for_in_parts_too() -> None:
    question = "Did The Verge report that prices rose, while Fortune reported that prices fell in May?"
    assert understand(question, OUTLETS).parts == (
        "Did The Verge report that prices rose", "Fortune reported that prices fell in May",
    )  # fmt: skip
    assert understand(question).parts == ()
    assert understand("Did The Verge report that prices rose?", OUTLETS).parts == ()


@pytest.mark.parametrize(
    ("outlets", "error"),
    [
        (["The Virge"], "no article is of the outlet The Virge: did you mean The Verge, The Week?"),
        ("fortun", "no article is of the outlet fortun: did you mean Fortune?"),
        (
            ["Fortune", "Kyiv Post"],
            "no article is of the outlet Kyiv Post: did you mean The Verge, The Week, FOX News - Health?",
        ),
    ],
)
def test_an_unknown_outlet_is_refused_with_the_closest(outlets: str | list[str], error: str) -> None:
    with pytest.raises(BadInput) as refused:
        understand("Who resigned?", OUTLETS, outlets=outlets)
    assert str(refused.value) == error


def test_a_filter_by_outlet_does_not_regard_case() -> None:
    assert understand("Who resigned?", OUTLETS, outlets="the verge").filters.outlets == ("the verge",)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("橋の工事はいつ終わりますか？", "Japanese"),
        ("iPhone 15の価格は？", "Japanese"),
        ("桥梁什么时候重建？", "Chinese"),
        ("다리는 언제 다시 지어집니까?", "Korean"),
        ("Коли відбудують міст?", "Ukrainian"),
        ("Что такое Brexit?", "Russian"),
        ("متى سيعاد بناء الجسر؟", "Arabic"),
        ("पुल कब बनेगा?", "Hindi"),
        ("Πότε θα ανοίξει η γέφυρα;", "Greek"),
        ("สะพานจะเปิดเมื่อไร", "Thai"),
        ("מתי ייפתח הגשר?", "Hebrew"),
        ("Wann wird die Brücke wieder geöffnet?", "German"),
        ("Wie viele Menschen leben in Orsund?", "German"),
        ("Combien de personnes vivent à Orsund ?", "French"),
        ("¿Cuándo se reconstruirá el puente?", "Spanish"),
        ("Kiedy zostanie odbudowany most?", "Polish"),
        ("Quando verrà ricostruito il ponte?", "Italian"),
    ],
)
def test_other_languages_are_declined_by_name(question: str, language: str) -> None:
    mend = "ask in English, or run copydesk reencode --encoder multilingual"
    said = f"Questions in {language} are not understood by this archive's encoder: {mend}."
    assert decline(question, DEFAULT_ENCODER) == decline(question, INT8) == (said, "language")
    assert decline(question, "a-multilingual-one") is None


@pytest.mark.parametrize(
    "question",
    [
        "Who is Gérard Depardieu?",
        "What did Borussia Mönchengladbach win?",
        "Brexit?",
        "Łódź?",
        "Ursula von der Leyen?",
        "Rio de Janeiro carnival",
        "Who is Владимир Путин?",
        "What does 平和 mean?",
        "Is π irrational?",
        "Who wrote Cien años de soledad?",
        'Who said "Ich bin ein Berliner"?',
        "What did Der Spiegel report on the Bundestag?",
        "Who leads Prawo i Sprawiedliwość?",
        "Prawo i Sprawiedliwość leader?",
        "Was Schloss Neuschwanstein closed?",
        "When did Auf der anderen Seite premiere?",
        "What is Gemütlichkeit?",
        "Ｗｈｏ ｒｅｓｉｇｎｅｄ?",
        "coup d'état in Niger",
        "Macron",
    ],
)
def test_english_is_never_taken_for_another_language(question: str) -> None:
    assert decline(question, DEFAULT_ENCODER) is None


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wer starb?", "German"), ("Warum?", "German"), ("Wer ist Juan Carlos?", "German"), ("wer gewann", "German"),
        ("Wo brennt es?", "German"), ("Wie viele Tote?", "German"), ("Qui a gagné ?", "French"),
        ("Où est Macron ?", "French"), ("¿Quién ganó?", "Spanish"), ("Quanti morti?", "Italian"),
        ("Kto wygrał?", "Polish"), ("Hoeveel doden?", "Dutch"), ("Brandursache Orsund?", "German"),
        ("Drei Tote bei Brand?", "German"), ("Wahlergebnis Orsund", "German"), ("Streik Orsund Fähren?", "German"),
        ("Résultats élection Orsund ?", "French"), ("Victimes incendie Orsund ?", "French"),
        ("Grève bus Orsund", "French"), ("Huelga autobuses Orsund", "Spanish"), ("Muertos en Orsund?", "Spanish"),
        ("Risultati elezioni Orsund", "Italian"), ("Pożar Orsund", "Polish"), ("Uitslag verkiezingen Orsund", "Dutch"),
    ],
)  # fmt: skip
def test_short_questions_in_other_languages_are_declined_by_name(question: str, language: str) -> None:
    declined = decline(question, DEFAULT_ENCODER)
    mend = "ask in English, or run copydesk reencode --encoder multilingual"
    assert declined == (f"Questions in {language} are not understood by this archive's encoder: {mend}.", "language")


@pytest.mark.parametrize(
    "question",
    ["Kim Jong Un?", "Doctor Who returns?", "Wen Jiabao speaks?", "Cosa Nostra arrests?", "dove soap recall",
     "Jak wins Tour?", "Chi Chi Wu wins?", "Hoe sales", "Mayor of Kells?", "Inflation?", "Hur leads Seoul?",
     "Sturm Graz score?", "Grand Prix results?", "École Polytechnique?", "Tote bag recall", "Brand new ferry?",
     "George W Bush", "Le Monde", "Cirque du Soleil", "Borussia Mönchengladbach?", "fire Orsund", "El Niño"],
)  # fmt: skip
def test_short_english_is_no_other_language(question: str) -> None:
    assert decline(question, DEFAULT_ENCODER) is None
