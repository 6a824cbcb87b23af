import asyncio
from typing import Any

import pytest
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.evaluation import BatchEvalRunner
from scripted import scripted

from qa import Desk
from qa.llamaindex import CopydeskEvaluator, CopydeskQueryEngine, CopydeskRetriever

QUESTION = "When could a general truce be declared?"


def test_the_retriever_gives_exact_spans(seeded: Desk) -> None:
    best, *_ = CopydeskRetriever(seeded, outlets=["The Dnipro Ledger"], top=3).retrieve(QUESTION)
    shown = seeded.show(best.node.metadata["article_id"])
    assert shown["id"] == "truce-minerals"
    assert shown["text"][best.node.start_char_idx : best.node.end_char_idx] == best.node.text
    assert best.node.metadata["published"] == "2025-04-19"
    retriever = CopydeskRetriever(seeded, top=3)
    assert asyncio.run(retriever.aretrieve(QUESTION)) == retriever.retrieve(QUESTION)


def test_the_query_engine_answers_as_the_desk_does(seeded: Desk) -> None:
    engine = CopydeskQueryEngine(seeded)
    response = engine.query(QUESTION)
    assert response.response == seeded.ask(QUESTION).text
    assert response.metadata["answer"]["citations"][0]["quote"] in response.response
    places = [(one.node.metadata["article_id"], one.node.start_char_idx) for one in response.metadata["retrieved"]]
    assert places == [(one["article_id"], one["start"]) for one in response.metadata["answer"]["retrieved"]]
    assert asyncio.run(engine.aquery(QUESTION)).response == response.response


def test_the_metadata_holds_what_stands_beside_an_answer(seeded: Desk) -> None:
    answer = CopydeskQueryEngine(seeded, as_of="2025-04-30").query(QUESTION).metadata["answer"]
    assert (answer["earlier"], answer["conflicts"], answer["as_of"]) == ([], [], "2025-04-30")
    assert answer["understood"] == {"kind": "day"}
    assert answer["sentences"][0]["stands_in"] == {
        "groups": 1, "outlets": ["The Dnipro Ledger"], "first": "2025-04-19",
    }  # fmt: skip
    assert {citation["corrected_by"] for citation in answer["citations"]} == {None}


def assert_nodes_are_citations(desk: Desk, nodes: list[Any], answer: dict[str, Any]) -> None:
    assert len(nodes) == len(answer["citations"]) > 0
    for node, citation in zip(nodes, answer["citations"], strict=True):
        meta = node.node.metadata
        assert node.node.text == citation["quote"]
        assert {name: meta[name] for name in ("n", "article_id", "outlet", "published", "url")} == {
            name: citation[name] for name in ("n", "article_id", "outlet", "published", "url")
        }
        field = desk.show(meta["article_id"])[meta["field"]]
        assert field[node.node.start_char_idx : node.node.end_char_idx] == node.node.text


def test_a_source_node_is_a_citation(seeded: Desk) -> None:
    response = CopydeskQueryEngine(seeded).query("What is the minerals deal, and when was the ceasefire accepted?")
    assert_nodes_are_citations(seeded, response.source_nodes, response.metadata["answer"])


def test_a_response_is_streamed(seeded: Desk) -> None:
    written = ("Ukraine accepted such a ceasefire ", "in Jeddah on March 11. ", "The ceasefire began on May 9.")
    engine = CopydeskQueryEngine(seeded, streaming=True, llm=scripted(*written))
    response = engine.query(QUESTION)
    assert isinstance(response, StreamingResponse)
    assert response.source_nodes == []  # it has not been read
    pieces = list(response.response_gen)
    answer = response.metadata["answer"]
    assert len(pieces) > 1
    assert "".join(pieces) == answer["text"]
    assert_nodes_are_citations(seeded, response.source_nodes, answer)

    async def ask() -> tuple[str, list[Any]]:
        there = await engine.aquery(QUESTION)
        assert isinstance(there, AsyncStreamingResponse)
        text = "".join([piece async for piece in there.async_response_gen()])
        return text, there.source_nodes

    text, nodes = asyncio.run(ask())
    assert text == answer["text"]
    assert_nodes_are_citations(seeded, nodes, answer)


def test_citations_of_a_thought_are_none_of_the_answer(seeded: Desk) -> None:
    verbatim = "Ukraine accepted such a ceasefire in Jeddah on March 11."
    thought = f"{verbatim} The truce, too. </think>\n"
    response = CopydeskQueryEngine(seeded, llm=scripted(thought, verbatim)).query(
        "When did Ukraine accept a ceasefire?"
    )
    assert response.response == f"{verbatim} [1]"
    assert_nodes_are_citations(seeded, response.source_nodes, response.metadata["answer"])


def test_the_evaluator_tells_what_the_archive_supports(seeded: Desk) -> None:
    good, bad = "Ukraine accepted such a ceasefire in Jeddah on March 11.", "The ceasefire began on May 9."
    evaluator = CopydeskEvaluator(seeded)
    result = evaluator.evaluate(response=f"{good} [1] {bad} [unsupported]")
    assert (result.passing, result.score) == (False, 0.5)
    [checked] = [one for one in seeded.check(f"{good} {bad}") if one.text == bad]
    assert result.feedback == f"{bad} ({checked.why})"
    assert CopydeskEvaluator(seeded, threshold=0.5).evaluate(response=f"{good} {bad}").passing is True
    assert CopydeskEvaluator(seeded, articles=["truce-minerals"]).evaluate(response=good).passing is False


@pytest.mark.parametrize("response", [None, "", "The archive does not answer this question."])
def test_what_states_nothing_is_no_result(seeded: Desk, response: str | None) -> None:
    result = CopydeskEvaluator(seeded).evaluate(response=response)
    assert (result.invalid_result, result.passing, result.score) == (True, None, None)
    assert result.invalid_reason


def test_llamaindex_evaluates_our_answers_with_it(seeded: Desk) -> None:
    async def run() -> dict[str, list[Any]]:
        runner = BatchEvalRunner({"faithful": CopydeskEvaluator(seeded)}, workers=2)
        return await runner.aevaluate_queries(
            CopydeskQueryEngine(seeded), queries=[QUESTION, "Who won the Champions League final?"]
        )

    results = asyncio.run(run())["faithful"]
    assert [(one.passing, one.score, one.invalid_result) for one in results] == [(True, 1.0, False), (None, None, True)]
    assert results[0].contexts == [results[0].response.removesuffix(" [1]")]
