"""The page in a real browser: asking, sources, conversations, filters, by keyboard, wide and narrow, light and dark."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import browsing
from playwright.sync_api import expect
from scripted import Scripted

from index.types import Article, BadInput
from qa import Desk
from qa.kept import Turn
from qa.page.ask import asked
from qa.page.render import lines, source_page, source_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

DATED = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
UNKNOWN = "Who won the Champions League final?"
SAID = "Ukraine accepted a complete ceasefire on March 11 in Jeddah."
BROWSER = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")


@pytest.fixture
def page(address: str, own: Desk) -> Iterator[Page]:
    own.llm = "quotes"
    with browsing(address) as opened:
        opened.goto(address)
        opened.locator(".welcome").wait_for(timeout=30_000)
        yield opened


def ask(page: Page, question: str) -> None:
    """Ask by keyboard, and wait for the answer to be complete."""
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    page.locator("#live .turn:not(.working) h2", has_text=question).wait_for(timeout=60_000)


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds by all of its rules, Gradio's own parts too, and where."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_a_source_page_marks_spans_and_escapes_what_came_from_outside() -> None:
    article = Article("a/b", "<b>T</b>", "One <i>. Two & three. Four.", url="javascript:alert(1)")
    page = source_page(article, "text", 9, 21, also="text:0-7,title:0-3,text:11-40,text:x,no:1-2,text:9999999999-1")
    marks = [line for line in page.splitlines() if "<mark" in line]
    assert marks == [
        "<h1><mark>&lt;b&gt;</mark>T&lt;/b&gt;</h1>",
        '<div class="text"><mark>One &lt;i&gt;</mark>. <mark id="quote">Two &amp; three.</mark>'
        "<mark> Four.</mark></div>",
    ]
    assert "javascript:" not in page
    assert source_path("a/b", "title", 0, 3) == "/source/a%2Fb?field=title&start=0&end=3#quote"
    assert source_path("a", "text", 0, 3, ["text:5-9"]) == "/source/a?field=text&start=0&end=3&also=text:5-9#quote"


def test_an_answer_is_cut_into_lines_at_its_marks() -> None:
    text = "18 April 2025: Berg opened it. [1] Nobody came. [unsupported] And th"
    first = {"text": "Berg opened it.", "marks": [[31, 34]], "answer": {"start": 0, "end": 4}}
    second = {"text": "Nobody came.", "marks": [[48, 61]], "answer": None}
    told = list(lines({"text": text, "sentences": [first, second]}))
    assert [(line["lead"], line["parts"]) for line in told] == [
        ("18 April 2025:", ["", "Berg", " opened it. "]),
        ("", ["Nobody came. ", "", ""]),
        ("", ["", "", "And th"]),
    ]


def test_of_a_long_conversation_the_last_turns_go_along() -> None:
    def turns(number: int, length: int) -> list[Turn]:
        return [Turn(n, {"question": f"Question {n}?"}, {"text": "a" * length}) for n in range(1, number + 1)]

    _, many = asked({"question": "And then?", "strict": True}, turns(150, 9))
    assert (len(many.turns), many.turns[0], many.strict) == (200, ("user", "Question 51?"), True)
    assert asked({"question": "And then?"}, turns(5, 150_000))[1].turns[0] == ("user", "Question 4?")
    with pytest.raises(BadInput, match="since"):
        asked({"question": "And then?", "since": {"year": 2025}}, [])


@BROWSER
def test_an_answer_and_its_sources_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(DATED)
    page.keyboard.press("Enter")
    first = page.locator("#live .line").first
    expect(first.locator("p b")).to_have_text("March 11", timeout=60_000)
    expect(first.locator(".badge")).to_have_text("word for word")
    mark = first.locator("a.cite").first
    expect(mark).to_have_text("Kyiv Bulletin · 12 Mar")
    mark.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # the card is for who comes by keyboard, and for the mouse
    expect(page.locator("#card blockquote")).to_contain_text("March 11")
    page.keyboard.press("Enter")
    source = page.frame_locator("iframe[name=source]")
    expect(source.locator("mark#quote")).to_contain_text("March 11")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(mark).to_be_focused()
    page.locator("#question").blur()
    page.keyboard.press("j")
    expect(page.locator("#panel-place")).to_contain_text("1 of")
    ask(page, UNKNOWN)
    expect(page.locator("#live .refusal")).to_have_text("The archive does not answer this question.")
    expect(page.locator("#live .closest a.cite").first).to_be_visible()


@BROWSER
def test_what_is_written_from_right_to_left_stands_so(page: Page) -> None:
    question = "لماذا تأخر مشروع AquaNova؟"
    page.locator("#question").fill(question)
    place = """(box) => { const range = document.createRange(), text = box.firstChild, end = text.length;
      const at = (n) => { range.setStart(text, n); range.setEnd(text, n + 1); return range.getBoundingClientRect().x; };
      return at(0) > at(end - 10) && at(end - 10) > at(end - 1); }"""
    page.keyboard.press("Enter")
    head = page.locator("#live .turn:not(.working) h2", has_text=question)
    head.wait_for(timeout=60_000)
    assert head.evaluate(place)
    expect(page.locator("#live .refusal")).to_contain_text("Questions in Arabic are not understood")


@BROWSER
def test_several_sources_are_gone_through(page: Page) -> None:
    ask(page, "What is reported of “After Paris: truce possible by April 20, minerals deal due April 24”?")
    for link in page.locator("#live .line a.cite:visible").all():
        link.click()
        expect(page.frame_locator("iframe[name=source]").locator("mark#quote")).to_be_visible()
    total = int(page.locator("#panel-place").inner_text().split()[2])
    assert total > 1
    back, after = page.get_by_label("Back to the source before"), page.get_by_label("Next source")
    before = page.get_by_label("Previous source")
    while before.is_enabled():
        before.click()
    expect(page.locator("#panel-place")).to_have_text(f"1 of {total} quotations")
    after.click()
    expect(page.locator("#panel-place")).to_have_text(f"2 of {total} quotations")
    back.click()
    expect(page.locator("#panel-place")).to_have_text(f"1 of {total} quotations")
    page.get_by_label("Close the source").click()
    expect(page.locator("#panel")).to_be_hidden()


@BROWSER
def test_conversations_are_kept_renamed_searched_and_deleted(page: Page, address: str) -> None:
    ask(page, DATED)
    page.wait_for_url("**/?talk=*")
    ask(page, "And where?")
    page.get_by_label("Something is wrong").last.click()
    page.get_by_label("wrong source").last.check()
    page.reload()
    expect(page.locator(".turn h2")).to_have_text([DATED, "And where?"], timeout=30_000)
    expect(page.get_by_label("wrong source").last).to_be_checked()
    page.locator("#talks li").first.hover()
    page.get_by_label(f"Rename {DATED}").first.click()
    page.locator("#asked-name").fill("Jeddah <b>")
    page.keyboard.press("Enter")
    expect(page.locator("#talks a").first).to_have_text("Jeddah <b>")
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator(".welcome")).to_be_visible()
    assert page.url == f"{address}/"
    page.locator("#search").fill("jeddah <b>")
    expect(page.locator("#talks a")).to_have_count(1)
    page.locator("#search").fill("nothing like it")
    expect(page.locator("#talks")).to_have_text("Nothing was found")
    page.locator("#search").fill("")
    page.locator("#talks a").first.click()
    expect(page.locator(".turn")).to_have_count(2)
    page.locator("#talks li").first.hover()
    page.get_by_label("Delete Jeddah <b>").click()
    page.get_by_role("button", name="Delete", exact=True).last.click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#talks a", has_text="Jeddah <b>")).to_have_count(0)


@BROWSER
@pytest.mark.parametrize(("width", "height"), [(1400, 900), (390, 844)])
def test_a_new_question_comes_to_the_top_and_stays_there(page: Page, width: int, height: int) -> None:
    def tops() -> list[float]:
        return [place["y"] for place in (head.bounding_box() for head in page.locator(".turn h2").all()) if place]

    page.set_viewport_size({"width": width, "height": height})
    for number, question in enumerate((DATED, "And where?", UNKNOWN)):
        ask(page, question)
        page.wait_for_timeout(700)  # it is scrolled softly
        assert 56 <= tops()[number] < 160
    page.get_by_role("button", name="Conversations").click() if width < 900 else None
    page.get_by_role("button", name="New", exact=True).click()
    page.locator(".welcome").wait_for()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Outlets").fill("Nowhere Times")
    page.keyboard.press("Enter")
    ask(page, DATED)  # and the start page is gone, also where the first question cannot be answered
    expect(page.locator("#live .broken")).to_contain_text("Nowhere Times")
    expect(page.locator(".welcome")).to_be_hidden()


@BROWSER
def test_filters_are_seen_changed_and_linked(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=What+did+Umerov+say%3F&outlet=Kyiv+Bulletin&since=2025-04-01")
    read = page.locator("#live .read summary")
    expect(read).to_contain_text("since 1 April 2025, Kyiv Bulletin", timeout=60_000)
    page.get_by_role("button", name="change").click()
    expect(page.locator(".chips li")).to_have_text(["Kyiv Bulletin×", "from 1 Apr 2025×"])
    page.get_by_label("Remove Kyiv Bulletin").click()
    page.get_by_label("From", exact=True).fill("2025-04-20")
    page.locator("#question").focus()
    page.keyboard.press("Enter")
    expect(read).not_to_contain_text("Kyiv Bulletin", timeout=60_000)
    expect(page.locator(".turn")).to_have_count(1)  # it was asked anew
    page.reload()
    expect(page.locator(".chips li")).to_have_text(["from 20 Apr 2025×"], timeout=30_000)
    page.get_by_role("button", name="Edit").click()
    expect(page.locator("#question")).to_have_value("What did Umerov say?")
    page.keyboard.press("Escape")
    expect(page.get_by_text("This asks question 1 anew.")).to_be_hidden()
    expect(page.locator("#question")).to_have_value("")
    expect(page.locator(".chips li")).to_have_text(["from 20 Apr 2025×"])
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.locator("#told")).to_have_text("Link copied")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("From", exact=True).evaluate("field => { field.value = ''; }")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Outlets").fill("Nowhere Times")
    page.keyboard.press("Enter")
    page.locator("#question").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#live .broken")).to_contain_text("Nowhere Times", timeout=60_000)


@BROWSER
def test_what_is_not_supported_stands_alone_and_what_is_stopped_stays(page: Page, own: Desk) -> None:
    own.llm = Scripted(script=lambda: [f"{SAID} ", "Berlin was pleased with the weather."])
    ask(page, DATED)
    expect(page.locator("#live .line .badge")).to_have_text(["supported", "not in the articles"])
    page.get_by_label("Show only what is not supported (1 of 2)").check()
    expect(page.locator("#live .line:visible p:first-child")).to_have_text(["Berlin was pleased with the weather."])

    def endless() -> Iterator[str]:
        yield f"{SAID} "
        while True:
            time.sleep(0.05)
            yield "and so on "

    own.llm = Scripted(script=endless)
    page.locator("#question").fill("What did Kyiv accept?")
    page.keyboard.press("Enter")
    page.get_by_text("and so on and so on").wait_for(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#live .line").first).to_contain_text("March 11")
    own.llm = "quotes"
    ask(page, DATED)
    expect(page.locator(".turn")).to_have_count(3)
    expect(page.locator(".turn").nth(1).locator(".broken")).to_contain_text("you stopped it")
    expect(page.locator(".turn").nth(1).locator(".line").first).to_contain_text("March 11")


@BROWSER
def test_whenever_it_is_stopped_a_turn_ends_with_its_tools(page: Page) -> None:
    for number, wait in enumerate((0, 60, 120, 250)):
        page.locator("#question").fill(DATED)
        page.keyboard.press("Enter")
        page.wait_for_timeout(wait)
        page.keyboard.press("Escape")
        page.wait_for_timeout(1000 if number else 2000)
        expect(page.locator(".working")).to_have_count(0)
        expect(page.locator("#composer.busy")).to_have_count(0)
        said = page.locator("#live").get_by_text("you stopped it").or_(page.locator("#live .line b"))
        expect(said.first).to_be_visible()
        expect(page.locator("#live").get_by_role("button", name="Retry")).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#live .line b").first).to_have_text("March 11", timeout=60_000)


@BROWSER
def test_a_question_that_does_not_reach_the_service_stands_in_the_box(page: Page) -> None:
    page.context.set_offline(True)
    page.locator("#question").fill(DATED)
    page.keyboard.press("Enter")
    expect(page.locator("#composer").get_by_role("alert")).to_contain_text("No answer", timeout=10_000)
    expect(page.locator("#question")).to_have_value(DATED)
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#question")).to_have_value(DATED, timeout=30_000)
    page.locator("#question").press("Enter")
    expect(page.locator("#live .line b").first).to_have_text("March 11", timeout=60_000)
    assert page.evaluate("sessionStorage.length") == 0


@BROWSER
def test_what_is_typed_is_text(page: Page) -> None:
    typed = "<img src=x onerror='window.ran=1'> {{value}} ${window.ran=1} **Who** proposed it?"
    ask(page, typed)
    expect(page.locator("#live h2")).to_have_text(typed)
    assert page.evaluate("window.ran") is None
    assert page.locator("img").count() == 0


STATES: dict[str, Callable[[Page], None]] = {
    "empty": lambda page: None,
    "answer": lambda page: ask(page, DATED),
    "source": lambda page: (ask(page, DATED), page.locator("#live a.cite").first.click())[-1],
    "filters": lambda page: page.get_by_role("button", name="Filters").click(),
    "refusal": lambda page: ask(page, UNKNOWN),
}


@BROWSER
def test_nothing_is_wider_than_the_page_and_axe_finds_nothing(page: Page, address: str) -> None:
    for width, scheme in ((390, "light"), (1200, "dark"), (390, "dark"), (1200, "light"), (2000, "light")):
        page.set_viewport_size({"width": width, "height": 850})
        page.emulate_media(color_scheme=scheme)
        for name in [*STATES] if (width, scheme) in ((390, "light"), (1200, "dark")) else ["source"]:
            page.goto(address)
            page.locator(".welcome").wait_for(timeout=30_000)
            STATES[name](page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            assert violations(page) == [], (name, width, scheme)
