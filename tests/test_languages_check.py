"""How sentences in other languages than English are checked: by words, vectors, numbers, days, names and denials."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from conftest import REPOSITORY

from index.encoder import Encoder, load_encoder
from index.types import Article
from qa import Desk
from qa.check.against import align, sentences
from qa.check.signs import denials, signs
from qa.check.signs.measures import measured
from qa.check.signs.names import same_name
from qa.check.signs.words import plain
from qa.check.verify import Verdict, verify

LANGUAGES = REPOSITORY / "evals" / "languages"
TEXTS = {
    "uk": "Міська рада Вільнара у вівторок, 4 березня, виділила 2,4 млн грн на ремонт мосту. Мер Олена Шевчук "
    "не підтримала новий податок. Роботи почнуться в травні.",
    "pl": "Rada miasta Wilnar we wtorek, 4 marca, przeznaczyła 2,4 mln zł na remont mostu. Burmistrz Helena "
    "Szewczyk nie poparła nowego podatku. Prace zaczną się w maju.",
    "de": "Der Stadtrat von Wilnar hat am Dienstag, 4. März, 2,4 Mio. Euro für die Brücke bewilligt. "
    "Bürgermeisterin Helene Schuster unterstützte die neue Steuer nicht. Die Arbeiten beginnen im Mai.",
    "fr": "Le conseil municipal de Vilnar a accordé mardi 4 mars 2,4 millions d’euros à la réfection du pont. "
    "La maire, Hélène Cordier, n’a pas soutenu la nouvelle taxe. Les travaux commenceront en mai.",
    "ar": "خصص مجلس بلدية فيلنار يوم الثلاثاء ٤ مارس مبلغ ٢٫٤ مليون دينار لإصلاح الجسر. ولم تؤيد رئيسة البلدية "
    "هدى الكرمي الضريبة الجديدة. وتبدأ الأعمال في مايو.",
    "ja": "ヴィルナル市議会は火曜日の３月４日、橋の修理に２億４０００万円を充てると決めた。"
    "中村春香市長は新しい税を支持しなかった。"
    "工事は５月に始まる。",
    "zh": "维尔纳市议会3月4日星期二批准2.4亿元用于修桥。市长苏海兰没有支持新的税种。工程将于5月开始。",
    "tr": "Vilnar belediye meclisi 4 Mart Salı günü köprünün onarımı için 2,4 milyon lira ayırdı. Başkan Ayla "
    "Demir yeni vergiyi desteklediğini söyledi. Çalışmalar mayısta başlayacak.",
}


@pytest.fixture(scope="module")
def many() -> Encoder:
    return load_encoder("multilingual")


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("abroad"), encoder="multilingual") as desk:
        desk.ingest([str(LANGUAGES / "articles")])
        yield desk


def article(code: str) -> Article:
    return Article(code, "", TEXTS[code], None, date(2025, 3, 5), language=code)


def judged(code: str, claim: str, encoder: Encoder) -> Verdict:
    verdict = verify(claim, [article(code)], encoder)
    for span in verdict.spans:
        assert span.text == TEXTS[code][span.start : span.end] != ""
    assert bool(verdict.spans) == (verdict.support != "unsupported")
    return verdict


@pytest.mark.parametrize(
    ("code", "claim"),
    [
        ("uk", "У Вільнарі на ремонт моста дали 2,4 мільйона гривень."),
        ("pl", "Na naprawę mostu Wilnar wyda 2,4 mln zł."),
        ("de", "Für die Brücke hat der Stadtrat von Wilnar 2,4 Millionen Euro bewilligt."),
        ("fr", "Le pont de Vilnar sera refait pour 2,4 millions d’euros."),
        ("ar", "خصصت بلدية فيلنار 2.4 مليون دينار لإصلاح الجسر."),
        ("ja", "ヴィルナル市議会は橋の修理に2億4000万円を充てる。"),
        ("zh", "维尔纳市议会批准2.4亿元用于修桥。"),
        ("tr", "Vilnar belediye meclisi köprü için 2,4 milyon lira ayırdı."),
    ],
)
def test_what_an_article_says_is_supported(code: str, claim: str, many: Encoder) -> None:
    assert judged(code, claim, many).support in ("supported", "verbatim")


NUMBERS = {
    "fr": "Soixante-douze salariés perdront leur emploi à Vilnar, et quatre-vingt-dix-sept pompiers sont venus.",
    "es": "Treinta y dos personas resultaron heridas en Vilnar. El puente costó 11 millones de euros.",
    "de": "Zweiundzwanzig Arbeiter wurden in Vilnar verletzt, hundertzwei blieben unverletzt.",
}


@pytest.mark.parametrize(
    ("code", "claim", "stands"),
    [
        ("fr", "72 salariés perdront leur emploi à Vilnar.", True),
        ("fr", "Douze salariés perdront leur emploi à Vilnar.", False),
        ("fr", "97 pompiers sont venus.", True),
        ("fr", "Sept pompiers sont venus.", False),
        ("es", "32 personas resultaron heridas en Vilnar.", True),
        ("es", "Dos personas resultaron heridas en Vilnar.", False),
        ("es", "El puente costó once millones de euros.", True),
        ("de", "22 Arbeiter wurden in Vilnar verletzt.", True),
        ("de", "Zwei Arbeiter wurden in Vilnar verletzt.", False),
    ],
)
def test_numbers_of_several_words_are_one(code: str, claim: str, stands: bool, many: Encoder) -> None:
    text = Article(code, "", NUMBERS[code], None, date(2025, 3, 5), language=code)
    assert (verify(claim, [text], many).support in ("supported", "verbatim")) is stands


@pytest.mark.parametrize(
    ("code", "claim", "rule"),
    [
        ("uk", "Міська рада Вільнара виділила 4,2 млн грн на ремонт мосту.", "missing"),
        ("uk", "Міська рада Вільнара у середу, 4 березня, виділила 2,4 млн грн.", "missing"),
        ("uk", "Мер Ірина Коваль не підтримала новий податок.", "missing"),
        ("uk", "Мер Олена Шевчук підтримала новий податок.", "denies"),
        ("pl", "Rada miasta Wilnar przeznaczyła 2,8 mln zł na remont mostu.", "missing"),
        ("pl", "Prace zaczną się w czerwcu.", "missing"),
        ("pl", "Burmistrz Helena Szewczyk poparła nowy podatek.", "denies"),
        ("de", "Der Stadtrat hat am Mittwoch, 5. März, 2,4 Mio. Euro für die Brücke bewilligt.", "missing"),
        ("de", "Bürgermeisterin Katrin Vogel unterstützte die neue Steuer nicht.", "missing"),
        ("de", "Bürgermeisterin Helene Schuster unterstützte die neue Steuer.", "denies"),
        ("fr", "Les travaux commenceront en juin.", "missing"),
        ("fr", "La maire, Hélène Cordier, a soutenu la nouvelle taxe.", "denies"),
        ("ar", "خصص مجلس بلدية فيلنار يوم الثلاثاء ٤ مارس مبلغ ٤٫٢ مليون دينار لإصلاح الجسر.", "missing"),
        ("ar", "وتبدأ الأعمال في يونيو.", "missing"),
        ("ar", "ولم تؤيد رئيسة البلدية سلمى النجار الضريبة الجديدة.", "partly"),
        ("ja", "橋の修理に２億６０００万円を充てると決めた。", "missing"),
        ("ja", "中村春香市長は新しい税を支持した。", "denies"),
        ("ja", "佐藤花子市長は新しい税を支持しなかった。", "partly"),
        ("zh", "维尔纳市议会3月4日星期三批准2.4亿元用于修桥。", "missing"),
        ("zh", "市长苏海兰支持新的税种。", "denies"),
        ("zh", "市长李国强没有支持新的税种。", "partly"),
        ("tr", "Vilnar belediye meclisi köprünün onarımı için 4,2 milyon lira ayırdı.", "missing"),
        ("tr", "Çalışmalar haziranda başlayacak.", "missing"),
    ],
)
def test_one_thing_changed_is_seen(code: str, claim: str, rule: str, many: Encoder) -> None:
    verdict = judged(code, claim, many)
    assert verdict.support in ("partial", "unsupported")
    assert (verdict.rule, verdict.why != "") == (rule, True)


def test_a_claim_in_another_language_is_supported_by_no_article(many: Encoder) -> None:
    near = verify("The Vilnar city council gave 2.4 million hryvnias for repairing the bridge.", [article("uk")], many)
    assert (near.support, near.rule) == ("partial", "partly")
    assert "two languages" in near.why
    other = verify("The Vilnar city council gave 7.5 million hryvnias for repairing the bridge.", [article("uk")], many)
    assert (other.support, other.rule) == ("unsupported", "missing")


def test_what_no_article_speaks_of_is_unsaid(many: Encoder) -> None:
    assert judged("uk", "Ціни на каву в Бразилії зросли через посуху.", many).support == "unsupported"
    assert judged("zh", "巴西的咖啡价格因干旱上涨。", many).support == "unsupported"


def test_words_alone_decide_where_the_encoder_knows_english_only(encoder: Encoder) -> None:
    assert (
        judged("de", "Für die Brücke hat der Stadtrat von Wilnar 2,4 Mio. Euro bewilligt.", encoder).support
        == "supported"
    )
    assert (
        judged("de", "Für die Brücke hat der Stadtrat von Wilnar 2,9 Mio. Euro bewilligt.", encoder).rule == "missing"
    )


def test_numbers_months_and_days_are_read_as_a_language_writes_them() -> None:
    read = {
        "uk": ("1 250 кв. м, 4,7 млн, двадцять", {1250.0, 4.7e6, 20.0}),
        "de": ("2.317 Stimmen, 8,5 Mio. Euro", {2317.0, 8.5e6}),
        "ar": ("٥٬٦٠٠ منزل و ١٢٧٫٥ ملم و 6 آلاف", {5600.0, 127.5, 6000.0}),
        "ja": ("４億６０００万円、４１２・５ミリ", {4.6e8, 412.5}),
        "zh": ("1.26万条，八十人", {12600.0, 80.0}),
    }
    for code, (text, values) in read.items():
        assert values <= signs(text, code).numbers, code
    assert signs("у середу, 26 березня", "uk")[2:] == ({3}, {(3, 26)}, {2})
    assert signs("am Dienstagabend, dem 3. Januar", "de")[2:] == ({1}, {(1, 3)}, {1})
    assert signs("يوم الأربعاء 15 دجنبر", "ar")[2:] == ({12}, {(12, 15)}, {2})
    assert signs("9月7日（水曜日）", "ja")[2:] == ({9}, {(9, 7)}, {2})


def test_a_claim_is_laid_beside_a_sentence_whatever_its_endings() -> None:
    beside = align("Вогонь знищив ринок", "Ринок знищило вогнем, але вогонь згас")
    assert 0.3 < beside.covered < 1
    assert [plain("Бюджет не схвалили")[a:b] for a, b in denials("Бюджет не схвалили", "uk")] == ["не"]
    assert [span.said for span in sentences(article("zh"))][1] == "市长苏海兰没有支持新的税种。"


@pytest.mark.parametrize(
    ("claim", "support", "reason"),
    [
        ("The Verbohai city council raised the trolleybus fare from 10 to 15 hryvnias.", "partial", "two languages"),
        ("The new fare takes effect on 1 July.", "partial", "two languages"),
        ("The new fare takes effect on 1 August.", "unsupported", "1 August"),
        ("The market fire in Staryi Brid destroyed 47 stalls.", "unsupported", "47"),
        ("Мобільна бібліотека, що обслуговує 19 сіл, припинить роботу 30 червня.", "partial", "two languages"),
        ("Мобільна бібліотека припинить роботу 30 липня.", "unsupported", "30 липня"),
        ("Пором Lady Marisol пройшов щорічну перевірку 3 квітня.", "unsupported", "квітня"),
    ],
)
def test_a_draft_in_another_language_is_checked_as_far_as_numbers_and_days_go(
    abroad: Desk, claim: str, support: str, reason: str
) -> None:
    checked = abroad.check(claim)
    assert [sentence.support for sentence in checked] == [support]
    assert reason in checked[0].why
    for citation in checked.citations:
        assert abroad.article(citation.article_id).text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    ("code", "claim", "support"),
    [
        ("de", "Sechs Jahre lang, so der Stadtrat von Wilnar, wartete die Brücke auf 2,4 Mio. Euro.", "unsupported"),
        ("uk", "Новий податок мер Олена Шевчук підтримала.", "unsupported"),
        ("uk", "Не підтримала новий податок мер Олена Шевчук.", "supported"),
        ("pl", "Prace zaczną się w maju, 31 maja o 5.42.", "unsupported"),
    ],
)
def test_other_words_neither_hide_a_denial_nor_make_one(code: str, claim: str, support: str, many: Encoder) -> None:
    assert judged(code, claim, many).support == support


def test_what_looks_like_a_day_or_a_denial_is_none() -> None:
    assert signs("so das Gericht", "de").weekdays == signs("en el mar", "es").weekdays == frozenset()
    assert signs("So., 5. Januar", "de").weekdays == {6}
    assert signs("31 sierpnia o 5.42", "pl").dates == {(8, 31)}
    assert signs("тридцять одна квартира, шістнадцять хвилин", "uk").numbers == {31.0, 16.0}
    for code, text in (("es", "sin embargo"), ("de", "nicht nur"), ("ja", "少なくとも３週間"), ("zh", "未来不仅")):
        assert denials(text, code) == []


@pytest.mark.parametrize(
    ("code", "claim", "why"),
    [
        ("uk", "Міська рада Вільнара виділила 2,4 млн доларів на ремонт мосту.", "2,4 млн доларів"),
        ("pl", "Na naprawę mostu Wilnar wyda 2,4 mln euro.", "2,4 mln euro"),
        ("fr", "Le pont de Vilnar sera refait pour 2,4 millions de dollars.", "2,4 millions de dollars"),
        ("ar", "خصصت بلدية فيلنار 2.4 مليون يورو لإصلاح الجسر.", "2.4 مليون يورو"),
        ("ja", "ヴィルナル市議会は橋の修理に２億４０００万ドルを充てる。", "2億4000万ドル"),
        ("zh", "维尔纳市议会批准2.4亿美元用于修桥。", "2.4亿美元"),
        ("uk", "Роботи почнуться в червні.", "червні"),
        ("uk", "Мер Ірина Коваль не підтримала новий податок.", "Ірина, Коваль"),
        ("ja", "市長の山田美咲氏は新しい税を支持しなかった。", "山田美咲"),
    ],
)
def test_what_is_missing_is_said_as_the_claim_writes_it(code: str, claim: str, why: str, many: Encoder) -> None:
    verdict = judged(code, claim, many)
    assert (verdict.rule, verdict.why.partition(": ")[2]) == ("missing", why)


def test_numbers_have_the_units_that_a_language_writes() -> None:
    read = {
        "uk": ("418 метрів, три роки, 120 кв. м", {(418.0, "length-meter"), (3.0, "duration-year"),
                                                 (120.0, "area-square-meter")}),
        "pl": ("po jedenastu dniach, 650 zł", {(11.0, "duration-day"), (650.0, "PLN")}),
        "es": ("dieciocho meses, 11 millones de euros", {(18.0, "duration-month"), (11e6, "EUR")}),
        "ja": ("１万2500人、約３千円、7.3キロ", {(12500.0, "person"), (3000.0, "JPY"),
                                              (7.3, "length-kilometer"), (7.3, "mass-kilogram")}),
        "de": ("$5, 3,2 Mio. US-Dollar", {(5.0, "USD"), (3.2e6, "USD")}),
    }  # fmt: skip
    for code, (text, expected) in read.items():
        assert {(value, unit) for value, units in measured(text, code) for unit in units} == expected, code
    assert signs("１万2500人、約３千人", "ja").numbers == {12500.0, 3000.0}


def test_a_name_has_cases_and_another_name_is_none_of_them() -> None:
    same = [("pl", "zawadzki", "zawadzkiego"), ("pl", "marek", "marka"), ("uk", "шевченко", "шевченком"),
            ("de", "krumm", "krumms"), ("tr", "demir", "demirin")]  # fmt: skip
    other = [("pl", "zawadzki", "zawadzka"), ("pl", "zawadzki", "zawada"), ("uk", "мельничук", "мельник"),
             ("uk", "гаврилюк", "гаврилов"), ("de", "krumm", "krummer")]  # fmt: skip
    assert [same_name(one, two, code) for code, one, two in same] == [True] * len(same)
    assert [same_name(one, two, code) for code, one, two in other] == [False] * len(other)


NEWS = {
    "uk": "Голова профспілки Ірина Мельничук заявила, що страйк триватиме два тижні.",
    "es": "Un incendio destruyó el mercado de Ostra. No hubo muertos, pero nueve personas resultaron heridas.",
    "fr": "Le maire, Paul Orsan, a refusé de racheter les bâtiments. Ils réclament 150 euros de prime mensuelle.",
    "de": "Der Leuchtturm bleibt bis zum 30. Juni geschlossen. Die Polizei sperrte die Straße für sechs Stunden.",
    "zh": "考古队队长林志远表示,这座桥是在修建地铁时被发现的。",
    "ja": "市長の田中美咲氏は「観光客が増えることを期待している」と述べた。",
}


@pytest.mark.parametrize(
    ("code", "claim", "support"),
    [
        ("uk", "Голова профспілки Ірина Мельник заявила, що страйк триватиме два тижні.", "partial"),
        ("uk", "За словами Ірини Мельничук, страйк триватиме два тижні.", "supported"),
        ("es", "Hubo muertos en el incendio del mercado de Ostra.", "unsupported"),
        ("es", "No resultaron heridas nueve personas.", "unsupported"),
        ("es", "Nadie murió en el incendio del mercado de Ostra.", "supported"),
        ("fr", "Le maire a accepté de racheter les bâtiments.", "unsupported"),
        ("fr", "Le maire n’a pas accepté de racheter les bâtiments.", "supported"),
        ("fr", "Ils réclament 150 euros de prime annuelle.", "unsupported"),
        ("de", "Der Leuchtturm bleibt nicht geschlossen.", "unsupported"),
        ("de", "Die Straße wurde nicht gesperrt.", "partial"),
        ("zh", "考古队队长王志远表示,这座桥是在修建地铁时被发现的。", "partial"),
        ("ja", "市長の田中美咲氏は「観光客が減ることを期待している」と述べた。", "unsupported"),
    ],
)
def test_opposites_denials_and_names_are_compared(code: str, claim: str, support: str, many: Encoder) -> None:
    said = Article(code, "", NEWS[code], None, date(2025, 3, 5), language=code)
    assert verify(claim, [said], many).support == support


def test_what_articles_in_a_claim_s_own_language_say_of_it_decides(many: Encoder) -> None:
    english = Article("en", "", "A fire destroyed the market of Ostra. Nobody died, nine people were hurt.", None, None)
    own = Article("es", "", NEWS["es"], None, date(2025, 3, 5), language="es")
    assert verify("Hubo muertos en el mercado de Ostra.", [english, own], many).support == "unsupported"
    alone = verify("El mercado de Ostra quedó destruido por el fuego.", [english], many)
    assert (alone.support, "numbers and days agree" in alone.why) == ("partial", False)
    assert verify("县政府将投资建设博物馆。", [], many).rule == "unsaid"


@cache
def _articles() -> dict[str, Article]:
    found = {}
    for path in sorted((LANGUAGES / "articles").glob("*/*.md")):
        _, head, body = path.read_text("utf-8").split("---\n", 2)
        field = dict(re.findall(r'^(\w+): "?(.*?)"?$', head, re.M))
        found[field["url"]] = Article(
            field["url"], field["title"], body.strip(), field["outlet"], date.fromisoformat(field["published"]),
            language=Path(path).parent.name,
        )  # fmt: skip
    return found


def test_the_development_claims_are_told_apart(many: Encoder) -> None:
    """At least .85 of the false ones are caught and .85 of the true ones kept, in each language."""
    right, asked = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    for row in map(json.loads, (LANGUAGES / "claims-dev.jsonl").read_text("utf-8").splitlines()):
        passed = verify(row["claim"], [_articles()[row["article"]]], many).support in ("verbatim", "supported")
        right[row["language"], row["label"]] += passed == row["label"]
        asked[row["language"], row["label"]] += 1
    shares = {key: right[key] / asked[key] for key in asked}
    assert {key: share for key, share in shares.items() if share < 0.85} == {}
