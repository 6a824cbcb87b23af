"""Who says what, in which words: texts of our own, the command, and marked articles where they are at hand."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED, Run
from fastapi.testclient import TestClient

from index.text.quotations import quotations
from index.types import BadInput, UnknownArticle
from qa import Desk
from qa.web.app import build_app

POLNEAR = SHARED / "data" / "polnear" / "dev.jsonl.gz"
Told = tuple[str | None, str, list[str], bool]


def told(text: str) -> list[Told]:
    """Return speaker, cue and pieces of each quotation as the words that stand there, and whether it is direct."""
    return [
        (text[slice(*one.speaker)] if one.speaker else None, text[slice(*one.cue)], [text[a:b] for a, b in one.content],
         one.direct)
        for one in quotations(text)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "speaker", "cue", "said", "direct"),
    [
        ("The ministry said the dam was safe.", "The ministry", "said", ["the dam was safe"], False),
        ("According to the union, 4,000 people came to the march on Monday.", "the union", "According",
         ["4,000 people came to the march on Monday"], False),
        ("“The bank can’t pay for the miners’ homes,” Eva Stern said.", "Eva Stern", "said",
         ["“The bank can’t pay for the miners’ homes,”"], True),
        ("“The bank can’t pay for their homes,” said Eva Stern. “We have tried. It will not do.”", "Eva Stern", "said",
         ["“The bank can’t pay for their homes,”", "“We have tried. It will not do.”"], True),
        ('"We are closing the mill," the company said, "and we will pay what we owe."', "the company", "said",
         ['"We are closing the mill,"', '"and we will pay what we owe."'], True),
        ("„The harbour will open in spring“, Berg told reporters.", "Berg", "told",
         ["„The harbour will open in spring“"], True),
        ("«The harbour will open in spring», Berg told reporters.", "Berg", "told",
         ["«The harbour will open in spring»"], True),
        ("'The harbour will open in June,' said Anna Berg.", "Anna Berg", "said",
         ["'The harbour will open in June,'"], True),
        ("Mayor Anna Berg, who has run the town since 2019, told reporters that the bridge would reopen in May.",
         "Mayor Anna Berg", "told", ["that the bridge would reopen in May"], False),
        ("Berg called the plan “a gift to the rich”.", "Berg", "called", ["the plan “a gift to the rich”"], False),
        ("The dam is safe, engineers say.", "engineers", "say", ["The dam is safe"], False),
        ("Officials and residents said they had not been warned.", "Officials and residents", "said",
         ["they had not been warned"], False),
        ("Lund and Stern told parliament that the budget was balanced.", "Lund and Stern", "told",
         ["that the budget was balanced"], False),
        ("“I asked her and she told me ‘go away’,” Lund said.", "Lund", "said",
         ["“I asked her and she told me ‘go away’,”"], True),
        ("Lund wrote:\n“Dear colleagues, the work is done and we can all go home.”", "Lund", "wrote",
         ["“Dear colleagues, the work is done and we can all go home.”"], True),
        ("Mayor warns of flood: 'We were lucky to live'", "Mayor", "warns", ["'We were lucky to live'"], True),
        ("Police: driver fled on foot", "Police", ":", ["driver fled on foot"], False),
        ("Finance Minister Karl Lund denied that taxes would rise.", "Finance Minister Karl Lund", "denied",
         ["that taxes would rise"], False),
        ("The report found that stocks had fallen by a third.", "The report", "found",
         ["that stocks had fallen by a third"], False),
        ("Three witnesses said they heard a shot.", "Three witnesses", "said", ["they heard a shot"], False),
        ("Experts warned that prices could double.", "Experts", "warned", ["that prices could double"], False),
        ("The road was said to be closed.", None, "said",
         ["The road", "to be closed"], False),
    ],
)  # fmt: skip
def test_who_says_what(text: str, speaker: str | None, cue: str, said: list[str], direct: bool) -> None:
    assert told(text) == [(speaker, cue, said, direct)]


def test_a_quotation_goes_on_in_the_next_paragraph() -> None:
    text = "“The mill was our life,” Lund said. “It fed us.\n“Now it is shut, and the town with it.”\nIt rained."
    goes_on = "“It fed us.\n“Now it is shut, and the town with it.”"
    assert told(text) == [("Lund", "said", ["“The mill was our life,”", goes_on], True)]


def test_pronouns_are_told_by_who_was_named_last() -> None:
    text = "Mayor Anna Berg opened the bridge on Monday. “It is a gift to the town,” she said."
    [one] = quotations(text)
    assert one.speaker is not None
    assert (text[slice(*one.speaker)], one.name) == ("she", "Mayor Anna Berg")


@pytest.mark.parametrize(
    "text", ["", "\n", "It rained all day in Orlo. The match was cancelled.", "“”", "\ud800 “", '"']
)
def test_nobody_says_anything(text: str) -> None:
    assert quotations(text) == []


ARTICLES: list[dict[str, Any]] = [
    {"id": "bridge", "title": "Bridge opens", "outlet": "Orlo Post", "published": "2026-03-02",
     "text": "Mayor Anna Berg opened the bridge on Monday. “It is a gift to the whole town,” she said.\n"
     "The Union of Bakers said bread would cost more. “Flour is dear this year,” the union said."},
    {"id": "dam", "title": "Dam holds", "outlet": "Tarn Daily", "published": "2026-03-04",
     "text": "Berg told reporters that the dam was safe. Karl Berg, her brother, said he had doubts.\n"
     "Anna Berg said the water was falling."},
]  # fmt: skip


def test_what_copies_say_is_told_once(desk: Desk, tmp_path: Path) -> None:
    report = ARTICLES[0] | {"id": "wire", "outlet": "Wire", "published": "2026-03-01"}
    said = "The lynx was found shot. Berg said that it was a loss to all."
    lynx = {"id": "lynx", "title": "Lynx", "published": "2026-03-05", "text": said}
    (tmp_path / "town.jsonl").write_text("\n".join(map(json.dumps, [*ARTICLES, report, lynx])))
    desk.ingest([tmp_path / "town.jsonl"])
    town = ["“It is a gift to the whole town,”", "bread would cost more", "“Flour is dear this year,”"]
    assert [(one.article_id, one.quote) for one in desk.quotes() if one.outlet != "Tarn Daily"] == [
        ("lynx", "that it was a loss to all"), *(("wire", quote) for quote in town)
    ]  # fmt: skip
    assert [one.article_id for one in desk.quotes(articles=["bridge"])] == ["bridge"] * 3


@pytest.fixture
def town(desk: Desk, tmp_path: Path) -> Desk:
    (tmp_path / "town.jsonl").write_text("\n".join(map(json.dumps, ARTICLES)))
    desk.ingest([tmp_path / "town.jsonl"])
    return desk


def test_by_speaker(town: Desk) -> None:
    def said(speaker: str) -> list[str]:
        return [one.quote for one in town.quotes(speaker=speaker)]

    gift, safe, doubts = "“It is a gift to the whole town,”", "that the dam was safe", "he had doubts"
    assert said("Anna Berg") == [safe, "the water was falling", gift]  # the newest first
    assert said("anna berg") == said("Anna Berg")
    assert said("Karl Berg") == [safe, doubts]  # who "Berg" is the text does not tell
    assert said("Berg") == [safe, doubts, "the water was falling", gift]
    assert said("the union") == ["“Flour is dear this year,”"]
    assert said("Union of Bakers") == ["bread would cost more"]
    assert said("Bakers") == said("Lund") == []


def test_by_subject_and_article(town: Desk) -> None:
    assert town.quotes(about="the price of bread")[0].quote == "bread would cost more"
    assert town.quotes(speaker="Berg", about="is the dam safe?", top=1)[0].quote == "that the dam was safe"
    assert {one.article_id for one in town.quotes(articles=["bridge"])} == {"bridge"}
    assert [one.article_id for one in town.quotes()][:1] == ["dam"]
    assert town.quotes(about="zebras in the zoo of Nairobi") == []


def test_what_is_done_or_tabled_is_not_said(desk: Desk, tmp_path: Path) -> None:
    text = (
        "Rustem Umerov met representatives of the United States and of the Coalition of the Willing.\n"
        "Group: Greens · For: 12 · Against: 7 · Away: 1\nThe commission considers the receipt of 1869 to be genuine."
    )
    assert [(text[slice(*said.cue)], said.direct) for said in quotations(text)] == [
        ("met", False), (":", False), ("considers", False),
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"text": text}))
    desk.ingest([tmp_path / "a.json"])
    assert [said.quote for said in desk.quotes()] == ["the receipt of 1869 to be genuine"]


def test_every_quotation_stands_where_it_says(seeded: Desk) -> None:
    found = seeded.quotes(top=100)
    assert len(found) > 10
    for one in found:
        text = seeded.article(one.article_id).text
        assert text[one.start : one.end] == one.quote
        assert one.cue in text
        assert (one.speaker is None) == (one.speaker_start is None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speaker": " "}, "the speaker is empty: ask something in words"),
        ({"about": 5}, "the about is a int, not a string"),
        ({"top": 0}, "top is 0: use 1 to 100"),
        ({"articles": 5}, "articles is neither a string nor a list of strings"),
    ],
)
def test_what_cannot_be_looked_for_is_told_in_one_line(seeded: Desk, given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        seeded.quotes(**given)
    with pytest.raises(UnknownArticle):
        seeded.quotes(articles="nowhere")
    client = TestClient(build_app(seeded), base_url="http://127.0.0.1")
    refused = client.post("/api/quotes", json=given)
    assert refused.status_code == 400
    assert "\n" not in refused.json()["error"]


def test_the_command_and_the_service_say_the_same(town: Desk, tmp_path: Path, run: Run) -> None:
    served = TestClient(build_app(town), base_url="http://127.0.0.1").post("/api/quotes", json={"speaker": "Anna Berg"})
    town.close()
    status, out, _ = run("quotes", "--speaker", "Anna Berg", "--json", data=tmp_path / "archive")
    assert (status, json.loads(out)) == (0, served.json())
    assert json.loads(out)["quotes"][2] == {
        "article_id": "bridge", "title": "Bridge opens", "outlet": "Orlo Post", "published": "2026-03-02",
        "speaker": "Mayor Anna Berg", "speaker_start": 79, "speaker_end": 82, "cue": "said",
        "quote": "“It is a gift to the whole town,”", "start": 45, "end": 78, "direct": True,
    }  # fmt: skip
    status, out, _ = run("quotes", "--speaker", "Anna Berg", "--top", "1", data=tmp_path / "archive")
    assert out.startswith("Berg · told · Tarn Daily, 4 March 2026\n  that the dam was safe\n")
    assert run("quotes", "--speaker", "Nobody", data=tmp_path / "archive") == (0, "Nothing found.\n", "")
    assert run("quotes", "--article", "nowhere", data=tmp_path / "archive")[0] == 2


def words(text: str, spans: list[tuple[int, int]]) -> set[int]:
    return {m.start() for start, end in spans for m in re.compile(r"\w+").finditer(text, start, end)}


def score(rows: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Return precision of the source where a content is found, recall with exact source, precision of all contents.

    A content is found where its words and those of a marked one have an F1 of .5 or more, one to one, the best first.
    """
    told = found = exact = right = sourced = 0
    for row in rows:
        text, ours = row["text"], quotations(row["text"])
        theirs = [mark for mark in row["attributions"] if mark["content"]]
        told, sourced = told + len(ours), sourced + sum(bool(mark["source"]) for mark in row["attributions"])
        pairs = []
        for i, one in enumerate(ours):
            for j, mark in enumerate(theirs):
                own, held = words(text, one.content), words(text, mark["content"])
                f1 = 2 * len(own & held) / (len(own) + len(held) or 1)
                source = [(start, start + len(text[start:end].rstrip())) for start, end in mark["source"]]
                pairs += [(f1, source == [one.speaker] * bool(one.speaker), i, j)] if f1 >= 0.5 else []
        met = set[tuple[str, int]]()
        for _, same, i, j in sorted(pairs, reverse=True):
            if not met & {("ours", i), ("theirs", j)}:
                met |= {("ours", i), ("theirs", j)}
                found, exact, right = found + 1, exact + same, right + (same and bool(theirs[j]["source"]))
    return exact / found, right / sourced, found / told


@pytest.mark.skipif(not POLNEAR.exists(), reason="needs the development data beside the repository")
def test_marked_articles() -> None:
    with gzip.open(POLNEAR, "rt", encoding="utf-8") as file:
        precision, recall, contents = score([json.loads(line) for line in file])
    assert (precision > 0.8, recall > 0.59, contents > 0.63) == (True, True, True)
