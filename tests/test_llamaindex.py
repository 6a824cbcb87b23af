import asyncio

from qa import Desk
from qa.llamaindex import CopydeskQueryEngine, CopydeskRetriever

QUESTION = "When could a general truce be declared?"


def test_the_retriever_gives_exact_spans(seeded: Desk) -> None:
    best, *_ = CopydeskRetriever(seeded, outlets=["The Dnipro Ledger"], top=3).retrieve(QUESTION)
    shown = seeded.show(best.node.metadata["article_id"])
    assert shown["id"] == "truce-minerals"
    assert shown["text"][best.node.start_char_idx : best.node.end_char_idx] == best.node.text
    assert best.node.metadata["published"] == "2025-04-19"


def test_the_query_engine_answers_as_the_desk_does(seeded: Desk) -> None:
    engine = CopydeskQueryEngine(seeded)
    response = engine.query(QUESTION)
    assert response.response == seeded.ask(QUESTION).text
    assert response.metadata["answer"]["citations"][0]["quote"] in response.response
    assert response.source_nodes
    assert asyncio.run(engine.aquery(QUESTION)).response == response.response


def test_the_metadata_holds_what_stands_beside_an_answer(seeded: Desk) -> None:
    answer = CopydeskQueryEngine(seeded, as_of="2025-04-30").query(QUESTION).metadata["answer"]
    assert (answer["earlier"], answer["conflicts"], answer["as_of"]) == ([], [], "2025-04-30")
    assert answer["understood"] == {"kind": "day"}
    assert answer["sentences"][0]["stands_in"] == {
        "groups": 1, "outlets": ["The Dnipro Ledger"], "first": "2025-04-19",
    }  # fmt: skip
    assert {citation["corrected_by"] for citation in answer["citations"]} == {None}
