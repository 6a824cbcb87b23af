"""Quotations of any tradition, and who says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.encoder import Encoder
from index.text.speech import attribution, goes_on, speaker
from index.types import Article
from qa import Desk
from qa.check.verify import quotations, verify

MARKS = [
    "“…”",
    '"…"',
    "‘…’",
    "'…'",
    "”…”",
    "„…“",
    "„…”",
    "‚…‘",
    "«…»",
    "»…«",
    "»…»",
    "‹…›",
    "›…‹",
    "「…」",
    "『…』",
    "``…''",
]
SAID = "The bank can’t pay for the miners’ homes,"


@pytest.mark.parametrize("marks", MARKS)
def test_marks_of_every_tradition(marks: str) -> None:
    said = SAID.replace("’", "'") if marks in ("‚…‘", "'…'") else SAID
    assert quotations(f"{marks.replace('…', said)} Eva Stern said.") == [said]
    assert quotations(f"On Monday Eva Stern said: {marks.replace('…', 'never again')}.") == ["never again"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the so-called 'mini-budget' and the ‘bad losers’ of the city", ["mini-budget", "bad losers"]),
        ("‘No,’ said Lund. ‘We won’t go.’", ["No,", "We won’t go."]),
        ("“He told me ‘go away’ and left,” she said.", ["He told me ‘go away’ and left,"]),
        ("'He told me \"go away\" and left,' she said.", ['He told me "go away" and left,']),
        ("And then we left,” he said.", ["And then we left,"]),
        ('He said: "It is over', ["It is over"]),
        ('"It is over," he said, "and done."', ["It is over,", "and done."]),
    ],
)
def test_quotations_within_sentences(text: str, expected: list[str]) -> None:
    assert quotations(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Tim O'Brien's book sold well.",
        "The 1990s' music was loud.",
        "The workers' rights and the owners' plans clashed.",
        "The workers’ rights and the owners’ plans clashed.",
        "'Tis the season for the drivers' strikes.",
        "‘Twas the mayors’ idea, wasn’t it.",
        "Music of the '90s and the '80s came back.",
        "They played rock 'n' roll all night.",
        "Rock ’n’ roll isn’t dead, and the bands’ fans know it.",
        "The class of '68 met in the teachers' hall.",
        "The boys' and girls' teams won.",
        "It's James' house and the Joneses' garden.",
        "Get 'em while they're hot, the sellers' sign read.",
        "The pipe is 6' 2\" long.",
        "Fish 'n' chips' price rose.",
        "Two weeks' notice and three days' leave weren't enough.",
        "The MPs' expenses and the peers' too.",
        "'Ndrangheta bosses' homes were searched.",
        "Ma'am wouldn't say it's the residents' fault.",
        "The U.S.' plan and Texas' law.",
    ],
)
def test_an_apostrophe_is_no_quotation(text: str) -> None:
    assert quotations(text) == []


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("“It broke twice,” insisted Ivar Lund.", "Ivar Lund"),
        ("“It broke twice!” Ivar Lund shouted from the quay.", "Ivar Lund"),
        ("As Eva Stern left, Ivar Lund joked: “It broke twice.”", "Ivar Lund"),
        ("“It broke twice,” Eva Stern, the mayor of Karsk, said.", "Eva Stern"),
        ("“It broke twice,” the mayor, Eva Stern, told the Karsk Times.", "Eva Stern"),
        ("According to Eva Stern, “it broke twice”.", "Eva Stern"),
        ("In the words of Eva Stern, “it broke twice”.", "Eva Stern"),
        ("Eva Stern was quoted as saying “it broke twice”.", "Eva Stern"),
        ("“Who knew?” asked Eva Stern. “It broke twice,” replied Ivar Lund.", "Ivar Lund"),
        ("Eva Stern opened the hall.\n“It broke twice,” she said.", "Eva Stern opened the hall"),
        ("“It broke twice,” King told Eva Stern.", "King"),
        ("“Old,” said Ivar Lund. “It broke twice.”", "Ivar Lund"),
        ("“It broke twice,” a spokesman said.", ""),
        ("It broke twice, said Ivar Lund.", ""),
    ],
)
def test_who_says_a_quotation(text: str, who: str) -> None:
    at = text.lower().index("it broke twice")
    found = attribution(text, at, at + len("it broke twice"))
    assert speaker(found) in who if who else not speaker(found)
    assert bool(speaker(found)) == bool(who)


ROW = Article(
    "row",
    "Row over the tram of Karsk",
    "“When will the tram run again?” Eva Stern asked the council. “It will never run again,” retorted Ivar Lund. "
    "“What a waste of money,” yelled Tomas Reed.\n"
    "Nina Falk visited the depot. “The wheels are worn out,” she said.\n"
    "“The works go on,” a spokeswoman for the ministry said.\nOla Berg listened.",
)


@pytest.mark.parametrize(
    ("claim", "who"),
    [
        ("“It will never run again,” said Eva Stern.", "Ivar Lund"),
        ("Ola Berg said: “It will never run again.”", "Ivar Lund"),
        ("According to Ola Berg, “what a waste of money”.", "Tomas Reed"),
        ("'What a waste of money,' claimed Ivar Lund.", "Tomas Reed"),
        ("»When will the tram run again«, Ola Berg asked.", "Eva Stern"),
        ("“The wheels are worn out,” Ola Berg told reporters.", "Nina Falk"),
    ],
)
def test_a_quotation_in_another_mouth(claim: str, who: str, encoder: Encoder) -> None:
    verdict = verify(claim, (ROW,), encoder)
    assert verdict.support == "unsupported"
    assert verdict.why.startswith("not said there by ")
    assert verdict.why.endswith(f", said there by {who}")


@pytest.mark.parametrize(
    "claim",
    [
        "Ivar Lund said: “It will never run again.”",
        "According to Tomas Reed, “what a waste of money”.",
        "‘The wheels are worn out,’ Nina Falk said.",
        "“The wheels are worn out,” she said.",
        "“The works go on,” the ministry said.",
        "“When will the tram run again?” asked Eva Stern.",
    ],
)
def test_a_quotation_in_the_right_mouth(claim: str, encoder: Encoder) -> None:
    assert verify(claim, (ROW,), encoder).support in ("supported", "verbatim")


def test_a_verb_of_saying_that_may_mean_something_else_names_no_speaker(encoder: Encoder) -> None:
    text = "Eva Stern was cleared of fraud. Ivar Lund said she had continued to lead the harbour of Karsk."
    verdict = verify("Eva Stern continued to lead the harbour of Karsk.", (Article("a", "", text),), encoder)
    assert (verdict.support, verdict.why) == ("supported", "")


def test_a_sentence_that_names_the_speaker_belongs_to_its_quotation(desk: Desk, tmp_path: Path) -> None:
    assert goes_on("“Who pays?”", "Ivar Lund asked.")
    assert goes_on("'Nobody!'", "she shouted.")
    assert not goes_on("“Nobody pays.”", "The tram stood still.")
    assert not goes_on("Who pays?", "Ivar Lund asked.")


def test_a_quotation_of_another_article_is_told_from_an_invented_one(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "row.txt").write_text(f"{ROW.title}\n\n{ROW.text}\n")
    (tmp_path / "port.txt").write_text(
        "Port of Karsk opens\n\nIvar Lund opened the port of Karsk with a long speech.\n"
    )
    desk.ingest([tmp_path / "row.txt", tmp_path / "port.txt"])
    port = next(article["id"] for article in desk.articles() if "Port" in article["title"])
    elsewhere, invented, split = desk.check(
        "“What a waste of money,” said Ivar Lund. “The port is a triumph,” he said. “It never ran!” Lund shouted.",
        articles=[port],
    )
    assert elsewhere.why == (
        "“What a waste of money,” stands in another article, “Row over the tram of Karsk”, said there by Tomas Reed"
    )
    assert invented.why == "“The port is a triumph,” is not found in the articles"
    assert split.text == "“It never ran!” Lund shouted."
