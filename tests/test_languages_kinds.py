"""What a question in another language than English asks for, which sentences have it, and the days that it names."""

from __future__ import annotations

import pytest

from index.text import language
from index.types import Article
from qa.languages.kinds import has, kind
from qa.languages.quotes import strangers
from qa.request import AskRequest
from qa.steps.understand import understand


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Скільки людей загинуло, коли впав міст?", "number"), ("Кого затримали?", "person"),
        ("Коли відкриють лікарню?", "day"), ("Через що загорівся склад?", "reason"), ("Де сховали картину?", "place"),
        ("Сколько человек погибло?", "number"), ("Почему закрыли завод?", "reason"), ("Ile kosztował most?", "number"),
        ("Dlaczego zamknięto szkołę?", "reason"), ("Wie viele Menschen starben?", "number"),
        ("Weshalb trat sie zurück?", "reason"), ("Wer folgt ihr nach?", "person"), ("À quelle heure ?", "day"),
        ("Combien de personnes ont été évacuées ?", "number"), ("¿Quién destapó el fraude?", "person"),
        ("¿A qué hora empezó el incendio?", "day"), ("Quanti soldi servono?", "number"),
        ("Perché ha chiuso?", "reason"),
        ("متى تفتح المدرسة؟", "day"), ("كم شخصاً أصيب في الحريق؟", "number"), ("ما الذي جاء من المدينة؟", "any"),
        ("誰が辞任しましたか。", "person"), ("何人が避難しましたか。", "number"), ("火事の原因は何ですか。", "reason"),
        ("谁当选了市长？", "person"), ("有多少人受伤？", "number"), ("学校什么时候开学？", "day"),
        ("How many people died?", "number"), ("Who resigned?", "person"), ("Why did she resign?", "reason"),
        ("Qu’est-ce qui a changé ?", "any"), ("Який девіз партії?", "any"),
    ],
)  # fmt: skip
def test_what_a_question_asks_for(question: str, asked: str) -> None:
    assert kind(question, language.of(question)) == asked


@pytest.mark.parametrize(
    ("asked", "code", "having", "lacking"),
    [
        ("number", "uk", "Роботи коштували 12 млн грн.", "Роботи почалися 12 травня 2024 року."),
        ("number", "ja", "工事には４億円かかる。", "工事は５月に始まる。"),
        ("number", "ar", "وأصيب ٣٤ شخصاً في الحريق.", "ولم يصب أحد في الحريق."),
        ("day", "de", "Das Gericht entscheidet am Dienstag.", "Das Gericht entscheidet später über 14 Fälle."),
        ("day", "uk", "Школу закрили вчора.", "Школу закрили без пояснень."),
        ("day", "fr", "La gare rouvrira avant le 15 juin.", "La gare rouvrira bientôt."),
        ("person", "pl", "Wniosek złożył radny Jan Kos.", "Wniosek złożyli rolnicy."),
        ("person", "de", "Den Hinweis gab die Buchhalterin Ute Kranz.", "Den Hinweis gab eine Buchhalterin im Ort."),
        ("person", "zh", "法官李静宣布了判决。", "法院宣布了判决。"),
        ("reason", "es", "El retraso se debió debido a una tormenta.", "El encuentro acabó con empate."),
        ("reason", "zh", "比赛因大雾推迟。", "比赛推迟了一小时。"),
    ],
)
def test_a_sentence_that_has_it(asked: str, code: str, having: str, lacking: str) -> None:
    assert has(asked, "", having, code)
    assert not has(asked, "", lacking, code)


def test_what_the_question_says_itself_is_no_answer() -> None:
    question = "Wer half Mirko Sanft beim Brand am 3. Mai?"
    assert not has("person", question, "Beim Brand half Mirko Sanft.", "de")
    assert not has("day", question, "Beim Brand am 3. Mai half niemand.", "de")
    assert has("person", question, "Beim Brand half Anna Rott.", "de")


@pytest.mark.parametrize(
    ("question", "day"),
    [
        ("Wer starb am 3. Mai 2026 in Hasselrode?", (2026, 5, 3)), ("Хто загинув 18 травня?", (None, 5, 18)),
        ("¿Quién murió el 4 de julio?", (None, 7, 4)), ("７月７日に何人が避難しましたか。", (None, 7, 7)),
        ("من استقال في ٢١ أبريل؟", (None, 4, 21)),
    ],
)  # fmt: skip
def test_a_day_asked_for_is_known(question: str, day: tuple[int | None, int, int]) -> None:
    assert understand(question, AskRequest(question), []).days == (day,)


@pytest.mark.parametrize(
    ("code", "text", "question", "named"),
    [
        ("uk", "У Києві та Львові страйкують водії.", "Скільки водіїв страйкує у Харкові?", ["харкові"]),
        ("uk", "Київ і Львів: страйк. Директор Гаврилюк мовчить.", "Що у Києві та Львові сказали Гаврилюку?", []),
        ("pl", "Strajk w Gdańsku trwa. Marek Zawadzki negocjuje.", "Czego chce Zawadzki w Gdańsku, a czego PKP?", []),
        ("es", "El alcalde de Vilnar cerró el puente.", "¿Cuándo se cerró el puente de Toledo?", ["toledo"]),
        ("de", "Der Leuchtturm von Nordhafen ist geschlossen.", "Wie hoch ist der Turm in Cuxhaven?", []),
    ],
)  # fmt: skip
def test_names_of_which_an_article_does_not_speak(code: str, text: str, question: str, named: list[str]) -> None:
    assert strangers(question, Article("a", "", text, language=code)) == named
