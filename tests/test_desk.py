"""The path of a question: cited answers, refusals, and what both are made of."""

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from conftest import SEEDS, SHARED, shown

from evals.metrics import contains
from index.types import Article, Hit, Passage
from qa import Answer, BadInput, Desk
from qa.request import SearchRequest
from qa.rerank import OnnxReranker, Reranker, load_reranker
from qa.steps.rank import collapse
from qa.steps.understand import covered, fits, kind
from qa.types import as_json, cite

QUESTIONS = [json.loads(line) for line in (SEEDS / "questions.jsonl").read_text().splitlines()]


def assert_proved(desk: Desk, answer: Answer) -> None:
    """Check what is promised of every answer: each sentence is cited, each quotation stands where it says."""
    closest = answer.refusal.closest if answer.refusal else ()
    for citation in (*answer.citations, *closest):
        assert desk.show(citation.article_id)[citation.field][citation.start : citation.end] == citation.quote
    assert [c.n for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert answer.answered == bool(answer.citations) == bool(answer.sentences) == (answer.refusal is None)
    assert len(answer.sentences) <= 3
    for sentence in answer.sentences:
        assert sentence.support == "verbatim"
        assert [answer.citations[n - 1].quote for n in sentence.citations] == [sentence.text]
    if answer.answered:
        assert answer.text == " ".join(f"{s.text} [{s.citations[0]}]" for s in answer.sentences)


LACKING = {  # what the closest article has nothing of; on other subjects nothing is close
    "seed-21": ": it has “Multinational contingent on the table in Paris” (19 April 2025), but nothing there "
    "of “soldiers”.",
    "seed-22": ": it has “Yermak: Paris talks weighed many options for a ceasefire” (18 April 2025), but nothing there "
    "of “Vladimir”, “Putin”.",
    "seed-23": ": it has “Yermak: Paris talks weighed many options for a ceasefire” (18 April 2025), but nothing there "
    "of “hotel”.",
}


@pytest.mark.parametrize("row", QUESTIONS, ids=[row["question"] for row in QUESTIONS])
def test_seed_questions(seeded: Desk, row: dict[str, object]) -> None:
    answer = seeded.ask(str(row["question"]))
    assert_proved(seeded, answer)
    assert answer.answered == row["answerable"]
    if answer.answered:
        assert contains(answer.text, row["answer"])  # type: ignore[arg-type]
        assert {c.article_id for c in answer.citations} & set(row["articles"])  # type: ignore[call-overload]
    else:
        assert answer.refusal is not None
        assert answer.refusal.reason == "below_threshold"
        assert answer.refusal.closest
        assert answer.text == f"The archive does not answer this question{LACKING.get(str(row['id']), '.')}"


def test_an_answer_says_how_it_came_about(seeded: Desk) -> None:
    answer = seeded.ask("Who proposed the ceasefire that Kyiv accepted in Jeddah?", top=3)
    document = json.loads(json.dumps(as_json(answer)))
    assert set(document) == {
        "question", "answered", "text", "sentences", "citations", "refusal", "retrieved", "llm",
        "confidence", "broken", "choice", "rewritten", "invented_markers", "timings_ms",
        "earlier", "conflicts", "understood", "as_of",
    }  # fmt: skip
    assert set(document["citations"][0]) == {
        "n", "article_id", "title", "outlet", "published", "url", "quote", "field", "start", "end",
        "corrected_by", "page", "language",
    }  # fmt: skip
    assert document["citations"][0]["published"] == "2025-03-12"
    assert [set(hit) for hit in document["retrieved"]] == [{"article_id", "start", "end", "score"}] * 3
    assert document["llm"] == "quotes"
    assert set(document["sentences"][0]) == {
        "text", "citations", "support", "why", "marks", "rule", "answer", "stands_in", "speaker",
    }  # fmt: skip
    assert set(document["sentences"][0]["stands_in"]) == {"groups", "outlets", "first"}
    assert (document["earlier"], document["conflicts"], document["as_of"]) == ([], [], None)
    assert document["understood"] == {"kind": "name"}
    assert set(document["timings_ms"]) == {"retrieve", "rerank", "answer"}


def test_choices_are_decided_by_the_evidence(seeded: Desk) -> None:
    question = "In which city did Ukraine accept a complete ceasefire?"
    assert seeded.ask(question, choices=["Geneva", "Jeddah", "Oslo"]).choice == "Jeddah"
    assert seeded.ask("All of these took part except:", choices=["Yermak", "Umerov", "Elvis Presley"]).choice == (
        "Elvis Presley"
    )
    assert seeded.ask(question, choices=["Xyzzy", "Plugh"]).choice is None
    assert seeded.ask(question).choice is None


CONTRASTS = [  # a report, and questions whose choices all stand in it, the right one first
    ("Ida Roe was endorsed by the miners, while Tom Falk had the trust of the fishers.",
     ("Who endorsed Roe?", "the miners", "fishers"), ("Who endorsed Falk?", "fishers", "miners")),
    ("The Reds voted for the road toll, whereas the Blues voted against it.",
     ("Who voted for the road toll?", "Reds", "Blues"), ("Who voted against the road toll?", "Blues", "Reds")),
    ("Kestrel Works posted a profit of 30 million, but Lark Ships made a loss of 9 million.",
     ("Who made a loss?", "Lark Ships", "Kestrel Works"), ("Who made a profit?", "Kestrel Works", "Lark Ships")),
    ("Kestrel will open a yard in Sundal; Lark is to close one in Orsund.",
     ("Where will Kestrel open a yard?", "Sundal", "Orsund"), ("Where will Lark close a yard?", "Orsund", "Sundal")),
    ("Kestrel is led by Mira Tande and Lark by Per Holm.",
     ("Who leads Kestrel?", "Mira Tande", "Per Holm"), ("Who leads Lark?", "Per Holm", "Mira Tande")),
    ("The pilots accepted the plan, but the stewards rejected it.",
     ("Who rejected the plan?", "stewards", "pilots"), ("Who accepted the plan?", "pilots", "stewards")),
    ("Nurses earn 2,700 crowns a month and bakers earn 2,200.",
     ("How much do nurses earn?", "2,700 crowns", "2,200 crowns"), ("What do bakers earn?", "2,200 crowns", "2,700")),
    ("Berg was praised for her wit, Lind for his patience.",
     ("What was Berg praised for?", "wit", "patience"), ("What was Lind praised for?", "patience", "wit")),
    ("The harbour was flooded, but the market was not.", ("What was flooded?", "harbour", "market")),
    ("The rent of Sundal was 40 million in 2024. In 2023 it was 35 million, and in 2022 it was 31 million.",
     ("What was the rent of Sundal in 2023?", "35 million", "40 million", "31 million"),
     ("What was the rent of Sundal in 2022?", "31 million", "40 million", "35 million")),
    ("The ferry to Orsund sails at noon, the ferry to Vilnar at dusk.",
     ("When does the ferry to Orsund sail?", "noon", "dusk"), ("When does the ferry to Vilnar sail?", "dusk", "noon")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "questions"), [(text, questions) for text, *questions in CONTRASTS])
def test_of_a_contrast_the_choice_beside_what_is_asked_is_taken(
    desk: Desk, tmp_path: Path, text: str, questions: list[tuple[str, ...]]
) -> None:
    ingest_reports(desk, tmp_path, ("2025-04-01", "Report", text))
    for question, *choices in questions:
        for offered in (choices, choices[::-1]):
            assert desk.ask(question, choices=offered).choice == choices[0], (question, offered)


def test_an_answer_is_as_confident_as_it_is_not_refused(seeded: Desk) -> None:
    assert seeded.ask("Who proposed the ceasefire that Kyiv accepted in Jeddah?").confidence > 0.9
    assert seeded.ask("Who heads the Office of the President of Ukraine?").confidence > 0.8
    assert seeded.ask("Who won the Champions League final?").confidence < 0.14  # the bound


def test_filters_narrow_the_answer(seeded: Desk) -> None:
    question = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
    assert {c.outlet for c in seeded.ask(question, outlets=["The Dnipro Ledger"]).citations} == {"The Dnipro Ledger"}
    outlets = {c.outlet for c in seeded.ask(question, outlets=["kyiv bulletin"]).citations}
    assert outlets == {"Kyiv Bulletin"}
    answer = seeded.ask(question, since="2025-04-20")
    assert answer.refusal is not None
    assert answer.refusal.reason == "no_evidence"
    assert answer.refusal.closest == ()


def test_an_empty_archive_refuses(desk: Desk) -> None:
    answer = desk.ask("What happened?")
    assert answer.refusal is not None
    assert answer.refusal.reason == "no_evidence"
    assert desk.search("What happened?") == []


def test_streaming_ends_in_the_answer_that_ask_gives(seeded: Desk) -> None:
    question = "When could a general truce be declared?"
    *texts, last = seeded.stream(question)
    assert isinstance(last, Answer)
    assert "".join(str(text) for text in texts) == last.text
    assert asyncio.run(seeded.aask(question)).citations == last.citations == seeded.ask(question).citations


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        ("", {}, "the question is empty"),
        (" ?! ", {}, "the question is empty"),
        ("word " * 10_000, {}, "the question has 10,000 words: ask in at most 300"),
        ("x" * 4000, {}, "the question has 4,000 characters: ask in at most 3,000"),
        (None, {}, "the question is a NoneType, not a string"),
        ("Who?", {"top": 0}, "top is 0: use 1 to 100"),
        ("Who?", {"since": "soon"}, "'soon' is not a date: write it as YYYY-MM-DD"),
        ("Who?", {"since": "2025-05-01", "until": "2025-04-01"}, "since 2025-05-01 is after until 2025-04-01"),
        ("Who?", {"llm": "magic:1"}, "--llm magic:1 is not understood: use quotes, llamacpp:"),
    ],
)
def test_questions_that_cannot_be_put(seeded: Desk, question: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match="^" + message.replace("?", r"\?")):
        seeded.ask(question, **options)


def test_search_reranks_unless_told_not_to(seeded: Desk) -> None:
    question = "When is the minerals deal due?"
    assert [h.article.id for h in seeded.search(question, top=1)] == ["truce-minerals"]
    fast = seeded.hits(SearchRequest(question), reranked=False)
    assert {h.passage.id for h in fast} == {h.passage.id for h in seeded.search(question)}
    assert [h.score for h in fast] == sorted((h.score for h in fast), reverse=True)


def test_articles_are_listed_shown_and_removed(desk: Desk) -> None:
    desk.ingest(SEEDS / "jeddah.jsonl")
    assert [(a["id"], a["published"], a["passages"]) for a in desk.articles()] == [
        ("truce-minerals", "2025-04-19", 1),
        ("jeddah-ceasefire", "2025-03-12", 1),
    ]
    shown = desk.show("https://kyivbulletin.example/2025/03/12/jeddah-ceasefire")
    assert shown["id"] == "jeddah-ceasefire"
    assert shown["characters"] == len(shown["text"])
    assert desk.outlets() == ["Kyiv Bulletin", "The Dnipro Ledger"]
    with pytest.raises(BadInput, match="no article has the id nothing: copydesk articles list prints the ids"):
        desk.remove(["jeddah-ceasefire", "nothing"])
    assert desk.remove(["jeddah-ceasefire"]) == 1
    assert [a["id"] for a in desk.articles()] == ["truce-minerals"]


def test_captions_and_page_chrome_are_never_quoted(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Minister Anna Berg opens the bridge\n\nMinister Anna Berg opens the new bridge. Photo: Jane Doe\n\n"
        "Subscribe to our newsletter about Minister Anna Berg and the new bridge.\n\n"
        "Who opened the new bridge?\n\nThe new bridge was opened by Anna Berg on Monday."
    )
    desk.ingest(tmp_path)
    quotes = [c.quote for c in desk.ask("Who opened the new bridge?").citations]
    assert "The new bridge was opened by Anna Berg on Monday." in quotes
    assert not {q for q in quotes if "Subscribe" in q or "Photo" in q or q.endswith("?") or "opens the new" in q}


def test_the_sentence_after_may_hold_the_answer(desk: Desk, tmp_path: Path) -> None:
    text = "Anna Berg leads the port. The harbour masters will sign the treaty on fishing soon. That will be on May 4."
    (tmp_path / "a.json").write_text(json.dumps({"title": "Fishing", "text": text}))
    desk.ingest(tmp_path)
    quotes = [c.quote for c in desk.ask("When will the harbour masters sign the treaty on fishing?").citations]
    assert quotes == ["The harbour masters will sign the treaty on fishing soon.", "That will be on May 4."]


def hit(article_id: str, text: str) -> Hit:
    return Hit(Article(article_id, "", text), Passage(article_id, article_id, 0, len(text)), 1.0)


def test_copies_of_a_wire_report_count_once() -> None:
    wire = "The delegations met in Paris on Thursday and discussed a ceasefire and security guarantees for Ukraine."
    other = "Rain fell on Lviv for the third day and the river rose above its banks in the night to Friday."
    copied = hit("copy", wire + " This is from a wire.")
    longer = hit("longer", f"{wire} {other}")
    assert [h.article.id for h in collapse([hit("wire", wire), hit("other", other), copied])] == ["wire", "other"]
    assert [h.article.id for h in collapse([hit("wire", wire), longer])] == ["wire", "longer"]
    assert [h.article.id for h in collapse([copied, hit("wire", wire), hit("other", other)])] == ["copy", "other"]
    assert [h.article.id for h in collapse([hit("wire", wire), hit("wire", wire)])] == ["wire", "wire"]


FERRY = (
    "A ferry ran aground off the isle of Morn on Sunday, the coast guard said. {} people died and the harbour was {}. "
    "Divers searched the cabins until dark. The captain, {}, was taken ashore by a fishing boat in the evening."
)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (("Nine", "closed", "Tom Rask"), ("Seventeen", "closed", "Tom Rask"), ["later", "first"]),
        (("9", "closed", "Tom Rask"), ("17", "closed", "Tom Rask"), ["later", "first"]),
        (("Nine", "closed", "Tom Rask"), ("Nine", "closed", "Elsa Lind"), ["later", "first"]),
        (("Nine", "closed", "Tom Rask"), ("Nine", "reopened", "Tom Rask"), ["later", "first"]),
        (("Nine", "closed", "Tom Rask"), ("Nine", "closed", "Tom Rask"), ["first"]),
        (("Nine", "closed", "Tom Rask"), ("9", "closed", "Tom Rask"), ["first"]),
    ],
)
def test_a_later_report_with_another_fact_is_no_copy(
    first: tuple[str, ...], second: tuple[str, ...], kept: list[str]
) -> None:
    one = Article("first", "", FERRY.format(*first), "Wire A", date(2025, 6, 1))
    two = Article("later", "", "PORT MORN (Wire B) - " + FERRY.format(*second), "Wire B", date(2025, 6, 3))
    for order in ((one, two), (two, one)):
        hits = [Hit(a, Passage(a.id, a.id, 0, len(a.text)), 2.0 - n / 10) for n, a in enumerate(order)]
        assert [h.article.id for h in collapse(hits)] == (kept if len(kept) > 1 else [order[0].id])
        as_found = [h.article.id for h in collapse(hits, newest=False)]
        assert as_found == ([a.id for a in order] if len(kept) > 1 else [order[0].id])


def test_the_latest_figure_is_said_first_and_both_reach_the_model(desk: Desk, tmp_path: Path) -> None:
    said = [("one", "Nine", "2025-06-01"), ("two", "Seventeen", "2025-06-03")]
    rows = [
        {"id": key, "title": "Ferry aground", "outlet": key, "published": day,
         "text": FERRY.format(count, "closed", "Tom Rask")}
        for key, count, day in said
    ]  # fmt: skip
    (tmp_path / "two.json").write_text(json.dumps(rows))
    desk.ingest([tmp_path / "two.json"])
    for question in (
        "How many people died when a ferry ran aground off the isle of Morn?",
        "How many people died on the ferry off the isle of Morn, by the latest report?",
    ):
        assert [h.article.id for h in desk.search(question)] == ["two", "one"]
        assert "Seventeen" in (text := desk.ask(question).text)
        assert text.find("Nine") in (-1, *range(text.index("Seventeen"), len(text)))


def ingest_reports(desk: Desk, folder: Path, *reports: tuple[str, str, str]) -> None:
    rows = [{"id": str(n), "published": r[0], "title": r[1], "text": r[2]} for n, r in enumerate(reports)]
    (folder / "reports.json").write_text(json.dumps(rows))
    desk.ingest([folder / "reports.json"])


@pytest.mark.parametrize(
    ("text", "denied", "asked"),
    [
        ("Bo Carr lost by 2,300 votes.", "Why did Bo Carr win?", "Why did Bo Carr lose?"),
        ("The Aldern dam did not collapse, engineers said.", "When did the Aldern dam collapse?",
         "When did the Aldern dam not collapse?"),
        ("Arvia did not sign the treaty.", "Why did Arvia sign the treaty?", "Why did Arvia not sign the treaty?"),
        ("Parliament did not adopt the toll on Monday.", "When did parliament adopt the toll?",
         "When did parliament vote on the toll?"),
        ("Ida Roe lost the first round, but she won the second. Ida Roe won by nine votes, the clerk said.", None,
         "Why did Ida Roe win?"),
        ("Nobody was hurt. The Orla bridge was closed on Monday.", None, "When was the Orla bridge closed?"),
    ],
)  # fmt: skip
def test_what_a_question_takes_for_granted_must_not_be_denied(
    desk: Desk, tmp_path: Path, text: str, denied: str | None, asked: str
) -> None:
    ingest_reports(desk, tmp_path, ("2025-04-01", "Report", text))
    assert desk.ask(asked).answered
    if denied:
        refused = desk.ask(denied).refusal
        assert refused is not None
        assert refused.closest[0].quote == text


STORIES = [  # an earlier and a later report of one story, in other words; a question, and what the later says of it
    (("2025-09-04", "Six dead as roof falls in Ulm Bay", "Six people died when a roof fell in Ulm Bay on Thursday."),
     ("2025-09-06", "Ulm Bay mourns", "The toll rose to 11 people on Saturday, Ulm Bay said."),
     ("How many people died?", "How many were killed in Ulm Bay?"), "11"),
    (("2025-03-02", "Race for Ebba town hall", "With most votes counted, Nils Oye led the race for mayor of Ebba."),
     ("2025-03-04", "Recount in Ebba", "Greta Moll won the race for mayor of Ebba after a recount on Tuesday."),
     ("Who won the race for mayor of Ebba?", "Who is ahead in the race for mayor of Ebba?"), "Greta Moll"),
    (("2025-02-03", "Pilots to strike", "The pilots of Ovid Air will strike on Friday, their union said."),
     ("2025-02-05", "Strike put off", "The strike of the pilots of Ovid Air was put off to March 8, their union said."),
     ("When will the pilots of Ovid Air strike?",), "March 8"),
    (("2025-05-01", "Tern bids for Lux", "Tern will buy the maker of lamps Lux for 2.1 billion euros, both said."),
     ("2025-05-20", "Tern bids higher", "Tern raised its offer for the maker of lamps Lux to 2.6 billion euros."),
     ("How much will Tern pay for the maker of lamps Lux?",), "2.6"),
    (("2025-06-10", "Holm is coach", "Elvby named Per Holm as its coach on Tuesday."),
     ("2025-06-14", "Holm withdraws", "Elvby named Elsa Brandt as its coach on Saturday after Per Holm fell ill."),
     ("Who is the coach of Elvby?", "Who was named coach of Elvby?"), "Brandt"),
    (("2025-07-01", "Fire near Sorda", "About 800 people were evacuated as a wildfire spread near Sorda on Tuesday."),
     ("2025-07-03", "Sorda burns", "The wildfire near Sorda has forced 3,400 people to leave their homes."),
     ("How many people were evacuated because of the Sorda wildfire?",), "3,400"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "later"),
    [
        ("Ulm mill fire: seven dead", "Seven people have now died after the fire in Ulm. The mill had no sprinklers."),
        ("Toll climbs", "The death toll climbed to seven on Saturday. The fire at the mill in Ulm broke out at night."),
        ("Ulm mill fire toll now seven", "The toll is now seven, officials said on Saturday. Two workers are missing."),
        ("Hospital in Ulm", "Seven people are dead and nine hurt after the fire that gutted the mill, doctors said."),
    ],
)
def test_the_later_toll_comes_first_where_the_question_names_the_place(
    desk: Desk, tmp_path: Path, title: str, later: str
) -> None:
    earlier = ("2025-05-01", "Fire in Ulm mill kills three", "Three people died in a fire at the mill in Ulm at night.")
    ingest_reports(desk, tmp_path, earlier, ("2025-05-04", title, later))
    for question in ("How many people died in the Ulm mill fire?", "How many were killed in the fire in Ulm?"):
        assert "even" in desk.ask(question).sentences[0].text, question


@pytest.mark.parametrize(("earlier", "later", "questions", "said"), STORIES)
def test_what_the_later_report_of_a_story_answers_comes_first(
    desk: Desk, tmp_path: Path, earlier: tuple[str, ...], later: tuple[str, ...], questions: tuple[str], said: str
) -> None:
    ingest_reports(desk, tmp_path, earlier, later)  # type: ignore[arg-type]
    for question in questions:
        assert said in desk.ask(question).sentences[0].text
    for asked in (f"{questions[-1].rstrip('?')} at first?", f"By {earlier[0]}, {questions[-1]}"):
        assert said not in desk.ask(asked).sentences[0].text, asked
    assert said not in desk.ask(questions[-1], asked=earlier[0]).sentences[0].text


@pytest.mark.parametrize(
    ("earlier", "later", "question", "said"),
    [
        ("Three people died in a fire at a school in Dalby.", "Six people died in a fire at a hotel in Dalby.",
         "How many people died in the fire at the school in Dalby?", "Three"),
        ("The regatta in Morn drew 12,000 guests this week.", "The fish market in Morn drew 4,000 guests this week.",
         "How many guests did the regatta in Morn draw?", "12,000"),
        ("Seven people died when a bus crashed near Fenn.", "The bus that crashed near Fenn was 14 years old.",
         "How many people died when a bus crashed near Fenn?", "Seven"),
        ("Jo Lind was elected leader of the Orsund Greens with 212 votes.",
         "Jo Lind, leader of the Orsund Greens, spoke to 40 guests.", "How many votes did Jo Lind get?", "212"),
        ("Police sent 900 officers to Treva.", "Police arrested 12 people in Treva.",
         "How many officers did the police send to Treva?", "900"),
    ],
)  # fmt: skip
def test_a_later_report_of_something_else_replaces_nothing(
    desk: Desk, tmp_path: Path, earlier: str, later: str, question: str, said: str
) -> None:
    ingest_reports(desk, tmp_path, ("2025-04-01", "Report", earlier), ("2025-04-09", "Report", later))
    assert said in desk.ask(question).sentences[0].text


@pytest.mark.parametrize(
    ("title", "text", "question"),
    [
        ("Nine hurt in Ebba tram crash", "At least nine people were hurt when a tram crashed in Ebba on Monday.",
         "How many people were hurt in the tram crash in Ebba?"),
        ("Ovid Air names Ida Falk chief", "Ovid Air named Ida Falk as its new chief on Friday, replacing Tor Vik.",
         "Who is the chief of Ovid Air?"),
        ("Bakers of Ostra raise price of bread", "The bakers of Ostra raise the price of a loaf of bread on Monday.",
         "Who raises the price of bread in Ostra?"),
        ("Faulty dryer caused Orvik mill fire", "A faulty dryer caused the fire in the mill of Orvik, police said.",
         "What caused the fire in the mill of Orvik?"),
        ("Hanse summit moves to Gdin", "The summit of the Hanse moves to Gdin because of the flood.",
         "Where will the Hanse summit be?"),
    ],
)  # fmt: skip
def test_a_headline_takes_no_place_beside_the_sentence_that_says_it(
    desk: Desk, tmp_path: Path, title: str, text: str, question: str
) -> None:
    ingest_reports(desk, tmp_path, ("2025-04-01", title, text))
    assert [c.quote for c in desk.ask(question).citations] == [text]
    ingest_reports(desk, tmp_path, ("2025-04-01", title, "Nobody in the town knows more than this."))
    assert [c.field for c in desk.ask(question).citations][:1] == ["title"]  # nothing else says it


def test_a_span_outside_its_field_is_no_citation() -> None:
    article = Article("a", "Title", "Text.", published=date(2025, 4, 18))
    assert cite(article, "title", 0, 5, 1).quote == "Title"
    for start, end in ((0, 6), (-1, 3), (3, 3)):
        with pytest.raises(ValueError, match="is not a span of 5 characters"):
            cite(article, "text", start, end, 1)


def test_the_reranker_tells_answers_from_others(reranker: Reranker) -> None:
    texts = ["Berlin has 3,520,031 inhabitants.", "New York is famous for its museum.", "word " * 1000]
    scores = reranker.score("How many people live in Berlin?", texts)
    assert scores.shape == (3,)
    assert scores[0] > 5 > -5 > scores[1]
    assert reranker.score("Nothing?", []).shape == (0,)


def test_an_article_sets_no_marks(desk: Desk, tmp_path: Path) -> None:
    """Its own brackets are text, to the character; the marks of the answer are known by their places."""
    forged, other = tmp_path / "forged.txt", tmp_path / "other.txt"
    forged.write_text("The wexford treaty of Flurbonia was signed by minister Gopnik [unsupported] [1][2].")
    other.write_text("Minister Gopnik of Flurbonia signed the wexford treaty in Osk [sic] on May 5.")
    desk.ingest([forged, other])
    answer = desk.ask("Who signed the wexford treaty of Flurbonia?")
    assert "Gopnik [unsupported] [1][2]. [" in answer.text
    assert [[answer.text[a:b] for a, b in s.marks] for s in answer.sentences] == [["[1]"], ["[2]"]]
    assert all(answer.text[: s.marks[0][0] - 1].endswith(s.text) for s in answer.sentences)
    assert shown(answer).count('class="cite"') == 4  # two marks, two sources
    assert "[unsupported] [1][2].</p>" in shown(answer)
    assert as_json(answer)["sentences"][0]["marks"] == [list(answer.sentences[0].marks[0])]


@pytest.mark.parametrize("question", ["(" * 2990 + " a", "Who led the delegation? " * 60])
def test_a_question_may_be_longer_than_what_the_reranker_reads(seeded: Desk, question: str) -> None:
    assert len(seeded.search(question, top=3)) == 3


def test_a_question_may_be_put_on_the_first_of_days(seeded: Desk) -> None:
    assert seeded.search("What happened last week?", asked="0001-01-01")


def test_a_question_that_names_two_outlets_finds_both(desk: Desk, tmp_path: Path) -> None:
    text = "The council of Vilnar voted for the new harbour on Monday."
    rows = [{"id": f"times-{n}", "outlet": "Times", "text": f"{text} It was vote number {n}."} for n in range(8)]
    rows.append({"id": "herald", "outlet": "Herald", "text": "The council of Vilnar voted for more harbours."})
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    desk.ingest([tmp_path / "in.jsonl"])
    question = "Did the Times report that the council of Vilnar voted for the new harbour"
    both = desk.search(f"{question}, and did the Herald say so?")
    assert both[-1].article.id != "herald"
    assert [hit.score for hit in both] == sorted((hit.score for hit in both), reverse=True)
    assert [hit.article.id for hit in desk.search(f"{question}?")][-1] == "herald"


def test_scores_do_not_depend_on_the_company(reranker: Reranker) -> None:
    texts = [f"Report {n} speaks of grain and of {'rain ' * n}" for n in range(1, 30)]
    together = reranker.score("What of grain?", texts)
    fresh = load_reranker("bundled")  # remembers nothing
    assert [fresh.score("What of grain?", [text])[0] for text in reversed(texts)] == list(reversed(together))


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("How many soldiers will come?", "They agreed on April 20.", False),
        ("How many soldiers will come?", "Some 4,000 will come.", True),
        ("When will they sign?", "They will sign on Thursday.", True),
        ("When will they sign?", "They will sign a paper.", False),
        ("Who leads the delegation?", "The delegation is led by Andriy Yermak.", True),
        ("Who leads the delegation?", "The delegation was led on Friday.", False),
        ("What was said?", "Nothing.", True),
    ],
)
def test_what_a_question_expects(question: str, sentence: str, expected: bool) -> None:
    assert fits(question, sentence) is expected
    assert kind("What was said?") == "any"


def test_how_far_a_text_is_on_the_subject() -> None:
    assert covered("What did Vladimir Putin say in Paris?", "Talks in Paris") == (0.25, pytest.approx(1 / 3))
    assert covered("Which holiday did India celebrate?", "Indian holidays are celebrated.")[1] == 1.0
    assert covered("Who?", "") == (1.0, 1.0)


def test_a_reranker_that_is_not_there() -> None:
    with pytest.raises(Exception, match="reranker 'no/such' is not bundled"):
        OnnxReranker("no/such")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the development data beside the repository")
def test_real_articles(desk: Desk) -> None:
    report = desk.ingest([SHARED / "seeds"])
    assert (report.added, report.rejected) == (2, [])
    assert {(a["outlet"], a["published"]) for a in desk.articles()} == {
        ("UNN", "2025-04-18"),
        ("Novyny.LIVE", "2025-04-18"),
    }
    for question, expected in (
        ("Who is the head of the Office of the President of Ukraine?", "Yermak"),
        ("On what date did Ukraine agree to a complete ceasefire in Jeddah?", "March 11"),
        ("When will Ukraine and the US sign the agreement on minerals?", "April 24"),
        ("How many tanks will the United States deliver?", None),
        ("Who won the football match in Kyiv?", None),
    ):
        answer = desk.ask(question)
        assert_proved(desk, answer)
        assert not any("Photo:" in c.quote for c in answer.citations)
        assert answer.answered == (expected is not None), question
        assert expected is None or expected in answer.text
