"""The page in Ukrainian: every string has its translation and none is left over; who gets which language."""

import ast
import re
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import REPOSITORY, browsing
from fastapi.testclient import TestClient

from qa import Desk
from qa.locale import ENGLISH, FOLDER, LANGUAGES, SAID, catalogue, chosen, words_of
from qa.locale.__main__ import strings, write
from qa.page.render import turn_html
from qa.types import REFUSED, as_json
from qa.web.app import build_app

PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|%%|</?\w+>")
OTHERS = [code for code in LANGUAGES if code != ENGLISH]
UK = words_of("uk")
# Where what readers see on the page is said: reasons of the check, refusals, what cannot be asked.
SAYING = [*(REPOSITORY / "qa/check").glob("*.py"), *(REPOSITORY / name for name in (
    "qa/request.py", "qa/service.py", "qa/kept.py", "qa/steps/understand.py", "qa/steps/quotes.py", "qa/llm/compose.py",
    "qa/types.py", "qa/page/ask.py", "qa/page/render.py", "qa/web/signin.py", "index/archive.py", "index/text/days.py",
    "qa/doors/show.py", "qa/desk.py", "qa/llm/translate.py", "evals/page.py",
))]  # fmt: skip
CALLS = {"Verdict", "BadInput", "UnknownTalk", "UnknownArticle", "Busy", "Gone"}
# Said to programs and at the command line alone, of what the page never sends.
NOT_THERE = re.compile(
    r"choices is|choices are|llm is|llm_url|history|of the outlet 7|no fault of an answer|minutes are no interval"
    r"|nothing is watched|is one version|the \w+ is a 7, not|conversations cannot be kept in"
)


@pytest.mark.parametrize("code", OTHERS)
def test_every_string_is_translated_and_none_is_stale(code: str, tmp_path: Path) -> None:
    held, said = catalogue(code), strings()
    assert {message.id for message in held} == {message.id for message in said}, "run python -m qa.locale"
    for message in (message for message in held if message.id):
        forms = message.string if message.pluralizable else (message.string,)
        assert all(forms), message.id
        assert not message.fuzzy, message.id
        for form in forms:
            wanted = message.id[1] if message.pluralizable else message.id
            assert sorted(PLACES.findall(form)) == sorted(PLACES.findall(wanted)), message.id
    held.update(said, no_fuzzy_matching=True)
    write(held, tmp_path / "copydesk.po")
    kept = FOLDER / code / "LC_MESSAGES" / "copydesk.po"
    assert (tmp_path / "copydesk.po").read_text("utf-8") == kept.read_text("utf-8"), "run python -m qa.locale"


def test_templates_hold_no_words_of_their_own() -> None:
    """All that is written in them is behind `_`; names are not translated."""
    names = r"Copydesk|Esc|Markdown|CSV|/\?\S+"
    for path in (*(REPOSITORY / "qa/page/templates").glob("*.html"), REPOSITORY / "evals/page.html"):
        text = re.sub(r"<style>.*?</style>|\{#.*?#\}|\{%.*?%\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
        text = re.sub(r"\{\{.*?\}\}", "", text, flags=re.DOTALL)
        told = [*re.findall(r'(?:title|aria-label|placeholder)="([^"]*)"', text), re.sub(r"<[^>]*>", " ", text)]
        assert not re.findall(r"[A-Za-z]{2,}", re.sub(names, "", " ".join(told))), path.name


def written(node: ast.expr) -> list[str]:
    """Return what an expression may be, with 7 for what is known when it is run."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(one) for one in product(*map(written, parts))]
        case ast.FormattedValue(value=inner) if isinstance(inner, ast.IfExp):
            return written(inner)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return ["".join(one) for one in product(written(left), written(right))]
        case ast.IfExp(body=one, orelse=other):
            return [*written(one), *written(other)]
    return ["7"]


def spoken() -> Iterator[tuple[str, str]]:
    """Yield all that the service says by itself to readers of the page, and where."""
    for path in SAYING:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            said: list[ast.expr] = []
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
                said = [*node.args, *(one.value for one in node.keywords if one.arg == "why")]
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and path.parent.name == "check":
                said = [*node.value.elts[1:]]  # a rule, and why
            elif isinstance(node, ast.Assign) and [getattr(one, "id", "") for one in node.targets] == ["why"]:
                said = [node.value]
            for text in (text for one in said for text in written(one)):
                if re.search(r"[a-z]{2} [a-z]", text) and not NOT_THERE.search(text):
                    yield path.name, text


def test_what_the_service_says_of_its_own_is_known() -> None:
    """A sentence that is new in the code is missing from said.txt; one that is there and nowhere said is stale."""
    assert [(name, text) for name, text in spoken() if UK.said(text) == text] == []
    others = (
        "qa/ask.py", "qa/llm/models.py", "qa/llm/prompt.py", "qa/web/articles.py", "qa/web/problems.py",
        "qa/web/streams.py", "evals/questions.py", "evals/run.py",
    )  # fmt: skip
    files = [*SAYING, *(REPOSITORY / name for name in others), *(REPOSITORY / "index").rglob("*.py")]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    sources = "\n".join(str(node.value) for node in nodes if isinstance(node, ast.Constant))
    for line in SAID:
        parts = [part.strip() for part in re.split(r"\{\w+\}|[:().,“”]", line)]
        assert all(part in sources for part in parts if part.count(" ") > 1), line


@pytest.mark.parametrize(
    ("english", "ukrainian"),
    [
        (REFUSED, "В архіві немає відповіді на це запитання."),
        (
            "The archive does not answer this question: it has “Flood in Kelm” (3 May 2025), but nothing there of "
            "“dam”.",
            "В архіві немає відповіді на це запитання: є матеріал «Flood in Kelm» (3 травня 2025), але у ньому не "
            "згадано “dam”.",
        ),
        ("“a mess” stands in another article, “Kelm”, said there by Dina Lund",
         "«a mess» — з іншого матеріалу, «Kelm», там це говорить Dina Lund"),
        ("not in the evidence: 43, Thursday", "у джерелах немає: 43, Thursday"),
        ("limit is 0: use 1 to 100,000", "limit: 0; допустимі значення від 1 до 100,000"),
        ("“Lund” stands for “Berg” of the article: the check knows this language by words, numbers, days, names and "
         "denials alone",
         "тут «Lund», а в матеріалі «Berg»: у цій мові перевірка порівнює лише слова, числа, дні, імена й заперечення"),
        ("Questions in German are not understood by this archive's encoder: ask in English, or run copydesk reencode "
         "--encoder multilingual.",
         "Запитань цією мовою (німецька) кодувальник архіву не розуміє: запитайте англійською або виконайте copydesk "
         "reencode --encoder multilingual."),
        ("what no catalogue knows", "what no catalogue knows"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_sentence_of_the_service_is_translated_around_what_it_names(english: str, ukrainian: str) -> None:
    assert UK.said(english) == ukrainian
    assert words_of(ENGLISH).said(english) == english


def test_days_numbers_and_names_of_languages_are_written_as_a_language_does() -> None:
    told = [(w.day("2025-04-08"), w.day(None), w.number(12345), w.language("uk")) for w in map(words_of, LANGUAGES)]
    assert told == [
        ("8 April 2025", "undated", "12,345", "Ukrainian"),
        ("8 квітня 2025", "без дати", "12\xa0345", "українська"),
    ]


def test_a_name_in_arabic_letters_leaves_the_day_beside_it_whole() -> None:
    source = {"outlet": "صحيفة الساحل", "published": "2026-02-10"}
    assert words_of(ENGLISH).by(source) == "\u2068صحيفة الساحل\u2069 · 10 February 2026"
    assert words_of(ENGLISH).by(source | {"outlet": "UNN"}) == "UNN · 10 February 2026"


@pytest.mark.parametrize(
    ("query", "cookie", "header", "code"),
    [
        ("", "", "", "en"),
        ("", "", "uk-UA,uk;q=0.9,en;q=0.8", "uk"),
        ("", "", "de-DE, uk; q=0.3, en;q=0.4", "en"),
        ("", "", "de, uk;q=0, *", "en"),
        ("", "", "en;q=x, uk;q=0.1", "uk"),
        ("", "en", "uk", "en"),
        ("uk", "en", "en", "uk"),
        ("xx", "../en", "uk", "uk"),
    ],
)
def test_the_language_is_what_was_asked_chosen_or_preferred(query: str, cookie: str, header: str, code: str) -> None:
    given = {"lang": query}, {"copydesk_language": cookie}, {"accept-language": header}
    request = SimpleNamespace(query_params=given[0], cookies=given[1], headers=given[2])
    assert chosen(request).code == code


def test_an_answer_in_ukrainian_keeps_what_articles_say(seeded: Desk) -> None:
    turn = {"n": 1, "asked": {"question": "?"}, "faults": ()}
    shown = turn_html(turn | {"answer": as_json(seeded.ask("Who won the Champions League final?"))}, UK)
    assert '<p class="refusal">В архіві немає відповіді на це запитання' in shown
    assert "<h3>Найближче до запитання</h3>" in shown
    assert '<blockquote lang="en" dir="auto">' in shown


def test_json_stays_english_and_pages_speak_the_language_of_their_reader(seeded: Desk, tmp_path: Path) -> None:
    preferring = {"accept-language": "uk", "accept": "text/html"}
    with TestClient(build_app(seeded), base_url="http://127.0.0.1", headers=preferring) as client:
        answer = client.post("/api/ask", json={"question": "Who won the Champions League final?"}).json()
        assert answer["text"] == REFUSED
        assert client.get("/api/articles?limit=0").json()["error"] == "limit is 0: use 1 to 100000"
        source = client.get("/source/truce-minerals").text
        assert '<html lang="uk">' in source
        assert "19 квітня 2025" in source
        assert client.get("/source/truce-minerals?lang=en").text.count('<html lang="en">') == 1
        assert '"lang": "uk"' in client.get("/page/words.js").text
        assert "<script nonce=" in client.get("/").text.partition("/page/words.js")[0].rpartition("<head>")[2]
    with TestClient(build_app(seeded, token="secret"), base_url="http://127.0.0.1", headers=preferring) as client:
        page = client.get("/?tab=check")
        assert (page.status_code, '<html lang="uk">' in page.text) == (401, True)
        assert '<a href="?tab=check&amp;lang=en" lang="en" hreflang="en">English</a>' in page.text
        assert "words.js" not in page.text
        assert "Неправильний токен." in client.post("/login", data={"token": "wrong"}).text
        assert "<button>Sign in</button>" in client.get("/?lang=en").text
        assert "<button>Sign in</button>" in client.get("/").text  # it was remembered


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_the_page_speaks_another_language_from_the_choice_on(service: str) -> None:
    from playwright.sync_api import expect

    with browsing(service) as page:
        page.goto(f"{service}/?tab=archive")
        expect(page.locator("#archive th").nth(2)).to_have_text("Headline", timeout=30_000)
        page.get_by_role("link", name="Українська").click()
        expect(page.locator("#archive th").nth(2)).to_have_text("Заголовок", timeout=30_000)
        expect(page.locator("html")).to_have_attribute("lang", "uk")
        expect(page.get_by_role("tab", name="Архів")).to_have_attribute("aria-selected", "true")
        page.get_by_role("tab", name="Хронологія").click()
        assert page.url == f"{service}/?tab=timeline"
        expect(page.get_by_label("Що сталося")).to_be_visible()
        page.get_by_role("tab", name="Запитати").click()
        page.locator("#question").fill("Who won the Champions League final?")
        page.keyboard.press("Enter")
        expect(page.locator("#live .refusal")).to_contain_text("В архіві немає відповіді", timeout=60_000)
        page.goto(f"{service}/?lang=en")
        expect(page.locator(".welcome h1")).to_have_text("What does the archive say?", timeout=30_000)
        assert page.url == f"{service}/"
