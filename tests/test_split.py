import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.text.cut import is_caption, passages, sentences
from index.types import Article

NEWS = (
    'Mr. Umerov met U.S. Secretary of State Marco Rubio on Jan. 6 in Washington. "We agreed," he said. '
    "Acme Inc. of St. Louis paid $3.5 million.\n\nThen he left."
)
# Text with everything that shifts offsets: line breaks, astral and combining characters, quotes, soft hyphens.
TEXTS = st.text(alphabet=st.sampled_from("ab. \n\t\r“”\"'İ\u00ad😀e\u0301!?U.S"), max_size=400) | st.text(max_size=200)


def words(texts: Sequence[str]) -> list[int]:
    """Count tokens as words: the splitter asks only for numbers."""
    return [len(text.split()) for text in texts]


def test_sentences_keep_abbreviations_together() -> None:
    assert [NEWS[s.start : s.end] for s in sentences(NEWS)] == [
        "Mr. Umerov met U.S. Secretary of State Marco Rubio on Jan. 6 in Washington.",
        '"We agreed," he said.',
        "Acme Inc. of St. Louis paid $3.5 million.",
        "Then he left.",
    ]


@given(TEXTS)
@settings(max_examples=500, deadline=None, print_blob=True)
def test_sentences_hold_every_character_once_in_order(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(text[s.start : s.end].split()) for s in spans) == "".join(text.split())
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(text[s.start : s.end] == text[s.start : s.end].strip() != "" for s in spans)


@given(TEXTS, st.integers(min_value=1, max_value=40))
@settings(max_examples=500, deadline=None, print_blob=True)
def test_passages_are_runs_of_whole_sentences(text: str, size: int) -> None:
    spans = sentences(text)
    cut = passages(Article("id", "title", text), words, size)
    assert "".join("".join(text[p.start : p.end].split()) for p in cut) == "".join(text.split())
    assert {p.start for p in cut} <= {s.start for s in spans}
    assert {p.end for p in cut} <= {s.end for s in spans}
    assert len({p.id for p in cut}) == len(cut)
    for passage in cut:
        inside = [text[s.start : s.end] for s in spans if passage.start <= s.start < passage.end]
        assert sum(words(inside)) <= size or len(inside) == 1


def test_passages_start_with_a_paragraph_rather_than_divide_it() -> None:
    text = "One two three four. Five six.\nSeven eight nine. Ten eleven twelve.\nThirteen."
    assert [text[p.start : p.end] for p in passages(Article("id", "", text), words, 8)] == [
        "One two three four. Five six.",
        "Seven eight nine. Ten eleven twelve.\nThirteen.",
    ]


def test_a_passage_id_tells_articles_and_versions_apart() -> None:
    ids = [passages(Article(i, "", t), words)[0].id for i, t in (("a", "x y."), ("b", "x y."), ("a", "x z."))]
    assert len(set(ids)) == 3


def test_text_without_breaks_is_cut_at_spaces() -> None:
    text = "word " * 400
    assert max(s.end - s.start for s in sentences(text)) <= 600
    assert {text[s.start : s.end].split()[0] for s in sentences(text)} == {"word"}


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("Ukrainian Defense Minister Rustem Umerov. Photo: Novyny.LIVE", True),
        ("Protesters march on Monday. (AP Photo/Jane Doe)", True),
        ("FILE - The president speaks.", True),
        ("A view of the square. Getty Images", True),
        ("The minister published a photo of the meeting.", False),
        ("Photographers were kept out of the room.", False),
    ],
)
def test_captions_are_known_by_their_credit(line: str, caption: bool) -> None:
    assert is_caption(line) is caption


@pytest.mark.parametrize("code", ["en", "de", "uk", "fr", "es", "pl"])
def test_sentence_ends_are_found_in_six_languages(code: str) -> None:
    right = count = 0
    for paragraph in (Path(__file__).parent / "sets" / "sentences" / f"{code}.txt").read_text("utf-8").split("\n\n"):
        wanted = paragraph.strip().split("\n")
        text = " ".join(wanted)
        found = {text[s.start : s.end] for s in sentences(text)}
        right += sum(sentence in found for sentence in wanted)
        count += len(wanted)
    assert count >= 200
    assert right / count >= 0.98


@pytest.mark.parametrize(
    "said",
    [
        ["The bridge opened in May.", "Officials celebrated."],
        ["The cargo left the U.S.", "The port confirmed it."],
        ["The answer was no.", "Reporters left."],
        ["She studied modern art.", "Officials praised her."],
        ["“Are we safe?” he asked.", "Nobody knew."],
        ["Rund 2,5 Mio. Euro fehlten am 3. März."],
    ],
)
def test_ends_that_abbreviations_and_quotations_hide(said: list[str]) -> None:
    text = " ".join(said)
    assert [text[s.start : s.end] for s in sentences(text)] == said


@pytest.mark.parametrize("unit", ["![", ".", "a. ", "Mr. ", "U.S. ", "1. ", "Go home. ", "( . ", "“"])
def test_odd_text_is_cut_in_time_that_grows_with_it(unit: str) -> None:
    started = time.process_time()
    sentences(unit * (20_000 // len(unit)))
    assert time.process_time() - started < 10
