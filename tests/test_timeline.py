"""Timelines: the period of a question, the day of a sentence, what is told once, and what each door says."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from conftest import REPOSITORY, Run, serving
from fastapi.testclient import TestClient

from index.encoder import Encoder
from index.text.days import period
from index.types import Article, Hit, Passage
from qa import Desk
from qa.rerank import Reranker
from qa.steps.evidence import Candidate
from qa.steps.timeline import asks, day_of, subject
from qa.web.app import build_app

THURSDAY = date(2025, 3, 13)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What happened in Pell this week?", "2025-03-10", "2025-03-16"),
        ("What happened last week?", "2025-03-03", "2025-03-09"),
        ("What happened last weekend?", "2025-03-08", "2025-03-09"),
        ("What happened over the past three days?", "2025-03-10", "2025-03-13"),
        ("What happened in the past week?", "2025-03-06", "2025-03-13"),
        ("What happened in Pell yesterday?", "2025-03-12", "2025-03-12"),
        ("What happened on Tuesday?", "2025-03-11", "2025-03-11"),
        ("What happened on Thursday?", "2025-03-13", "2025-03-13"),
        ("What happened last Thursday?", "2025-03-06", "2025-03-06"),
        ("What happened in March?", "2025-03-01", "2025-03-31"),
        ("What happened in december?", "2024-12-01", "2024-12-31"),
        ("What happened last March?", "2024-03-01", "2024-03-31"),
        ("What happened last month?", "2025-02-01", "2025-02-28"),
        ("What happened in February 2024?", "2024-02-01", "2024-02-29"),
        ("What happened at the beginning of January?", "2025-01-01", "2025-01-31"),
        ("What happened in 2024?", "2024-01-01", "2024-12-31"),
        ("What happened on 14 May?", "2024-05-14", "2024-05-14"),
        ("What happened on May 14th, 2023?", "2023-05-14", "2023-05-14"),
        ("What happened on 29 February?", "2024-02-29", "2024-02-29"),
        ("What changed since January?", "2025-01-01", "2025-03-13"),
        ("What changed after 3 March?", "2025-03-04", "2025-03-13"),
        ("What had happened before March?", "0001-01-01", "2025-02-28"),
        ("What had happened by September 2024?", "0001-01-01", "2024-09-30"),
        ("What happened between 3 and 9 March 2025?", "2025-03-03", "2025-03-09"),
        ("What happened from March 3 to 9?", "2025-03-03", "2025-03-09"),
        ("What happened between 28 December and 3 January?", "2024-12-28", "2025-01-03"),
        ("What happened between November and January?", "2024-11-01", "2025-01-31"),
        ("What happened from Monday to Wednesday?", "2025-03-10", "2025-03-12"),
        ("What happened from January until now?", "2025-01-01", "2025-03-13"),
        ("What happened from 10th to 12th March?", "2025-03-10", "2025-03-12"),
        ("What happened on 3 march?", "2025-03-03", "2025-03-03"),
        ("What happened from 2023 to 2024?", "2023-01-01", "2024-12-31"),
    ],
)
def test_the_period_of_a_question(question: str, first: str, last: str) -> None:
    assert tuple(map(str, period(question, THURSDAY) or ())) == (first, last)


@pytest.mark.parametrize(
    "question",
    [
        "What happened in the Brackwater flood?",
        "What may happen to Mr March?",
        "Who is the author of the flood of 14 January?",
        "What happened to Lannes between his arrest in June 2023 and the trial?",
        "What happened on 30 February?",
        "What happened between 9 March 2025 and 3 March 2025?",
        "What happened to 3 of 9 people?",
        "What happened after May 2025?",
        "What happened in 2 to 3 weeks?",
        "What happened in Market 5 to Mayor 12?",
    ],
)
def test_no_period(question: str) -> None:
    assert period(question, THURSDAY) is None


@pytest.mark.parametrize(
    ("sentence", "published", "day"),
    [
        ("The council closed the baths on Tuesday.", "2025-03-13", "2025-03-11"),
        ("The council on Thursday closed the baths.", "2025-03-13", "2025-03-13"),
        ("Yesterday the council closed the baths.", "2025-01-01", "2024-12-31"),
        ("The baths were closed three days ago.", "2025-03-02", "2025-02-27"),
        ("Three days earlier the council closed the baths.", "2025-03-02", "2025-02-27"),
        ("On 28 December the council closed the baths.", "2025-01-03", "2024-12-28"),
        ("On 3 May 2019 the council closed the baths.", "2025-01-03", "2019-05-03"),
        ("10 August: the baths are closed.", "2025-10-16", "2025-08-10"),
        ("The council voted on Monday and closed the baths on Tuesday.", "2025-03-13", "2025-03-11"),
        ("The council will close the baths on Tuesday.", "2025-03-13", None),
        ("The council meets on Tuesday.", "2025-03-13", None),
        ("The council decided to close the baths on Tuesday.", "2025-03-13", None),
        ("The baths, which the council closed on Tuesday, are old.", "2025-03-13", None),
        ("The baths have been closed since Tuesday.", "2025-03-13", None),
        ("The victims of 14 January were buried.", "2025-01-20", None),
        ("The council closed the baths last month.", "2025-03-13", None),
        ("The council closed the baths in March.", "2025-03-13", None),
        ("Mayor 12 and Martin 3 closed the baths.", "2025-03-13", None),
        ("The last man missing since the flood was found on Tuesday.", "2025-03-13", "2025-03-11"),
        ("On 3 June the council closed the baths.", "2025-03-13", None),  # of which year?
        ("On 30 February the council closed the baths.", "2025-03-13", None),
        ("The council closed the baths on Friday.", "2025-03-13", None),  # or tomorrow, in a report brought up to date
        ("The council closed the baths last Friday.", "2025-03-13", "2025-03-07"),
        ("The council closed the baths on Tuesday.", None, None),
        ("On 3 May 2019 the council closed the baths.", None, "2019-05-03"),
    ],
)
def test_the_day_of_a_sentence(sentence: str, published: str | None, day: str | None) -> None:
    article = Article("a", "", sentence, published=date.fromisoformat(published) if published else None)
    hit = Hit(article, Passage("p", "a", 0, len(sentence)), 1.0)
    found = day_of(Candidate(article, "text", 0, len(sentence), hit))
    assert (str(found) if found else None) == day


@pytest.mark.parametrize(
    ("question", "about", "asked_for"),
    [
        ("What happened in the Brackwater flood?", "of the Brackwater flood", True),
        ("What happened in Pell between 3 and 9 March?", "of Pell", True),
        ("Timeline of the Stavenport strike", "of the Stavenport strike", True),
        ("Give me a short chronology of Reyl's affair since May", "of Reyl affair", True),
        ("Brackwater flood timeline", "Brackwater flood", True),
        ("What has changed since January?", "of", True),
        ("Who resigned in March?", "Who resigned", False),
        ("How many people died on 3 March?", "How many people died", False),
    ],
)
def test_what_a_timeline_is_asked_of(question: str, about: str, asked_for: bool) -> None:
    assert (subject(question), asks(question)) == (about, asked_for)


def report(number: int, published: str | None, title: str, text: str, outlet: str = "Lund Post") -> dict[str, object]:
    return {"id": f"n{number}", "title": title, "text": text, "published": published, "outlet": outlet}


BURST = "The Sallow dyke burst on Tuesday and three people died in the Lund flood, the county said."
REPORTS = [
    report(1, "2025-01-14", "Three dead in Lund flood", f"{BURST}\n\nThe Lund school will reopen on Monday."),
    report(2, "2025-01-14", "Dyke bursts", f"{BURST}\n\nThe Lund school will reopen on Monday.", "Radio Orlo"),
    report(3, "2025-01-15", "Lund flood toll rises to nine",
           "The death toll in the Lund flood rose to nine on Wednesday, the county said.\n\n"
           "On Tuesday officials had spoken of three dead.\n\nHe called it a dark day."),
    report(4, "2025-02-03", "Last man missing in Lund flood is found",
           "The last man missing since the Lund flood was found on Sunday near the weir.\n\n"
           "On 20 January the mayor of Lund resigned over the flood.\n\n"
           "The Sallow dyke burst on 14 January and three people died.\n\n"
           "On Friday the flood inquiry will begin, the mayor said."),
    report(5, "2025-02-04", "Lund plans a new swimming pool", "Lund plans a new swimming pool at the station."),
    report(6, None, "Flood relief", "On Monday the Lund flood fund paid out. "
           "On 10 February 2025 the Lund flood fund closed its books."),
    report(7, "2025-02-12", "Orla votes for a tram", "The council of Orla voted for a tram on Tuesday."),
]  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Path:
    folder = tmp_path_factory.mktemp("timeline")
    (folder / "reports.jsonl").write_text("\n".join(map(json.dumps, REPORTS)))
    with Desk(folder / "archive", encoder, reranker) as desk:
        desk.ingest([folder / "reports.jsonl"])
    return folder / "archive"


@pytest.fixture
def flooded(archive: Path, encoder: Encoder, reranker: Reranker) -> Iterator[Desk]:
    with Desk(archive, encoder, reranker) as desk:
        yield desk


def told(desk: Desk, question: str, **options: str | int) -> list[tuple[str, str]]:
    found = desk.timeline(question, **options)  # type: ignore[arg-type]
    assert [event.citations for event in found.events] == [(n,) for n in range(1, len(found.events) + 1)]
    for event, citation in zip(found.events, found.citations, strict=True):
        assert getattr(desk.article(citation.article_id), citation.field)[citation.start : citation.end] == event.text
        assert citation.quote == event.text
    return [(str(event.date), event.text) for event in found.events]


FIRST = ("2025-01-14", BURST)
NINE = ("2025-01-15", "The death toll in the Lund flood rose to nine on Wednesday, the county said.")
MAYOR = ("2025-01-20", "On 20 January the mayor of Lund resigned over the flood.")
LAST = ("2025-02-02", "The last man missing since the Lund flood was found on Sunday near the weir.")
FUND = ("2025-02-10", "On 10 February 2025 the Lund flood fund closed its books.")


def test_a_timeline(flooded: Desk) -> None:
    assert told(flooded, "What happened in the Lund flood?") == [FIRST, NINE, MAYOR, LAST, FUND]


def test_a_period_restricts_the_days_of_events(flooded: Desk) -> None:
    assert told(flooded, "What happened in the Lund flood between 15 and 31 January 2025?") == [NINE, MAYOR]
    assert told(flooded, "What happened in Lund this week?", asked="2025-01-15")[:2] == [FIRST, NINE]
    assert told(flooded, "What changed in the Lund flood since February?", asked="2025-03-01") == [LAST, FUND]
    assert told(flooded, "What happened in the Lund flood on 15 January?") == [
        NINE
    ]  # the latest that there are reports of


def test_filters_restrict_the_articles(flooded: Desk) -> None:
    assert told(flooded, "timeline of the Lund flood", until="2025-01-31") == [FIRST, NINE]
    assert told(flooded, "timeline of the Lund flood", outlets="Radio Orlo") == [FIRST]
    assert told(flooded, "timeline of the Lund flood", as_of="2025-01-31") == [FIRST, NINE]
    assert told(flooded, "What happened in the Lund flood this week?", as_of="2025-01-14") == [FIRST]
    assert len(told(flooded, "timeline of the Lund flood", top=2)) == 2


def test_a_question_without_a_subject_is_of_all(flooded: Desk) -> None:
    orla = ("2025-02-11", "The council of Orla voted for a tram on Tuesday.")
    assert told(flooded, "What changed since 10 February?", asked="2025-02-20") == [FUND, orla]


@pytest.mark.parametrize(
    "question", ["What happened in Paris?", "timeline of the Lund flood in 2019", "Lund on 1 May 2020?"]
)
def test_nothing_is_found(flooded: Desk, run: Run, question: str) -> None:
    flooded.close()
    assert run("timeline", question) == (0, "Nothing found.\n", "")
    status, out, _ = run("timeline", question, "--json")
    assert (status, json.loads(out)) == (0, {"events": [], "citations": [], "total": 0})


def test_nothing_in_an_empty_archive(desk: Desk) -> None:
    assert told(desk, "What changed since January?") == []


def test_for_people(run: Run) -> None:
    status, out, err = run("timeline", "What happened in the Lund flood before 20 January 2025?")
    assert (status, err) == (0, "")
    assert out.splitlines()[:5] == [
        f"14 January 2025: {FIRST[1]} [1]",
        f"15 January 2025: {NINE[1]} [2]",
        "",
        "Sources",
        "[1] Lund Post · 14 January 2025 · Three dead in Lund flood",
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("timeline",), "the following arguments are required: QUESTION (see copydesk timeline --help)"),
        (("timeline", "?"), "the question is empty: ask something in words"),
        (("timeline", "Lund", "--top", "0"), "top is 0: use 1 to 100"),
        (("timeline", "Lund", "--asked", "soon"), "'soon' is not a date: write it as YYYY-MM-DD"),
        (
            ("timeline", "Lund", "--outlet", "Lund Past"),
            "no article is of the outlet Lund Past: did you mean Lund Post?",
        ),
    ],
)
def test_what_cannot_be_asked(run: Run, words: tuple[str, ...], why: str) -> None:
    assert run(*words) == (2, "", f"copydesk: {why}\n")


def test_over_http(flooded: Desk) -> None:
    client = TestClient(build_app(flooded), base_url="http://127.0.0.1")
    body = {"question": "What happened in the Lund flood?", "until": "2025-01-14"}
    document = client.post("/api/timeline", json=body).json()
    assert document["events"] == [{"date": "2025-01-14", "text": BURST, "citations": [1]}]
    assert [(c["n"], c["quote"], c["field"], c["start"]) for c in document["citations"]] == [(1, BURST, "text", 0)]
    refused = client.post("/api/timeline", json={"question": "Lund", "history": []})
    error = (
        "history is no field: use outlets, authors, languages, since, until, limit, offset, question, asked, as_of, top"
    )
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_the_service_that_holds_the_archive_is_asked(archive: Path, run: Run) -> None:
    with serving(archive) as address:
        status, out, _ = run("timeline", "What happened in the Lund flood?", "--until", "2025-01-14", "--json")
        body = {"question": "What happened in the Lund flood?", "until": "2025-01-14"}
        assert (status, json.loads(out)) == (0, httpx.post(f"{address}/api/timeline", json=body, timeout=60).json())


NEWSROOM = REPOSITORY / "evals" / "newsroom"
NUMBERS = "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"
SMALL = {word: number for number, word in enumerate(NUMBERS, 1)}
STORIES = {  # a word that an article has twice which is of the story, and none of the questions' articles
    "flood": "Brackwater", "strike": "Stavenport Transit", "hospital": "Ebba", "trial": "Lannes", "takeover": "Corvane",
    "handball": "andball", "minister": "Reyl", "baths": "Fennick", "lynx": "ynx",
}  # fmt: skip


def plain(text: str) -> str:
    """Return words and figures alone, number words up to twelve as figures."""
    return " ".join(str(SMALL.get(word, word)) for word in re.findall(r"\w+(?:[.,]\d+)*", text.casefold()))


def test_timelines_of_the_newsroom(desk: Desk) -> None:
    desk.ingest([NEWSROOM / "articles"])
    questions = list(map(json.loads, (NEWSROOM / "questions-dev.jsonl").read_text().splitlines()))
    stories = {article: q["notes"]["story"] for q in questions for article in q["articles"]}
    for article in (desk.article(listed["id"]) for listed in desk.articles()):
        counts = {story: f"{article.title} {article.text}".count(word) for story, word in STORIES.items()}
        story = max(counts, key=lambda story: counts[story])
        stories.setdefault(article.id, story if counts[story] > 1 else "")
    figures = []
    for group in ("what happened in a period", "what changed since"):
        held, sizes, own, asked = 0, 0, 0, [q for q in questions if q["group"] == group]
        for q in asked:
            found = desk.timeline(q["question"], asked=q["notes"].get("as_of", "2025-10-31"))
            said = plain("\n".join(event.text for event in found.events))
            parts = q["answer"] if isinstance(q["answer"][0], list) else [q["answer"]]
            held += all(any(plain(accepted) in said for accepted in part) for part in parts)
            sizes += len(found.events)
            own += sum(stories[c.article_id] == q["notes"]["story"] for c in found.citations)
        figures.append((round(held / len(asked), 2), round(sizes / len(asked), 1), round(own / sizes, 2)))
        print(group, *figures[-1])
    assert all(held >= least and own >= 0.9 for (held, _, own), least in zip(figures, (0.5, 0.35), strict=True))
