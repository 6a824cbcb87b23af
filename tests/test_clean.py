"""What a model writes beside its answer is taken out, wherever its pieces end, and nothing else."""

import pytest
from scripted import scripted

from index.types import Article
from qa import Answer, Desk
from qa.llm.clean import Cleaner
from qa.types import Withdrawn

SAID = "The Orvik bridge opened on Monday"
ARTICLE = Article(
    "b",
    "Bridge opens",
    f"{SAID}. “We sold [12] boats,” Mayor Una Holt said.",
    outlet="Orvik Times",
    url="https://o.example/b",
)


def cleaned(*pieces: str) -> tuple[str, bool, int]:
    """Return what is shown in the end, whether something was withdrawn on the way, and the markers of no passage."""
    cleaner, shown, withdrawn = Cleaner(4, [ARTICLE]), "", False
    for piece in (*pieces, None):
        new = cleaner.feed(piece or "", finished=piece is None)
        withdrawn = withdrawn or cleaner.withdrawn
        shown = new if cleaner.withdrawn else shown + new
    return shown, withdrawn, cleaner.invented


def assert_cleaned(written: str, shown: str, may_withdraw: bool = False) -> None:
    """Check what is shown of a text, cut in two at every place and into single characters."""
    whole = cleaned(written)
    assert whole[0].strip() == shown
    for pieces in ([written[:n], written[n:]] for n in range(len(written))):
        assert cleaned(*pieces)[::2] == whole[::2]
    assert cleaned(*written)[::2] == whole[::2]
    assert may_withdraw or not cleaned(*written)[1]


@pytest.mark.parametrize(
    "thought",
    [
        "<think>Hm.</think>", "<THINKING>Hm.</THINKING>", "<think >Hm.</think >\n", "<reasoning>Hm.</reasoning>",
        "<thought>Hm</thought>", "[THINK]Hm.[/THINK]", "◁think▷Hm◁/think▷", "<seed:think>Hm</seed:think>",
        "<|begin_of_thought|>Hm<|end_of_thought|>\n", "<|START_THINKING|>Hm<|END_THINKING|>", "```thinking\nHm\n```\n",
        "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>",
        "&lt;think&gt;Hm&lt;/think&gt;", "Reasoning: Hm.\n\nFinal Answer: ", "<scratchpad>a <b> c</scratchpad>",
    ],
)  # fmt: skip
def test_a_thought_is_hidden(thought: str) -> None:
    assert_cleaned(f"{thought}{SAID}.", f"{SAID}.")


@pytest.mark.parametrize(
    "end", ["</think>\n", "</THINKING>", "[/THINK]", "◁/think▷", "<|end|><|start|>assistant<|channel|>final<|message|>"]
)
def test_a_thought_of_which_only_the_end_is_marked_is_hidden(end: str) -> None:
    assert_cleaned(f"I look. It opened.{end}{SAID}.", f"{SAID}.", may_withdraw=True)


def test_what_was_streamed_of_a_thought_is_withdrawn(seeded: Desk) -> None:
    said = "Ukraine accepted such a ceasefire in Jeddah on March 11."
    llm = scripted("I read one. Then", " I answer.", "</think>", f"\n\n{said}")
    *events, answer = seeded.events("On what date did Ukraine accept a complete ceasefire in Jeddah?", llm=llm)
    assert isinstance(answer, Answer)
    [place] = [n for n, event in enumerate(events) if isinstance(event, Withdrawn)]
    assert "".join(event for event in events[place:] if isinstance(event, str)) == answer.text == f"{said} [1]"
    assert [(s.text, s.marks) for s in answer.sentences] == [(said, ((len(said) + 1, len(said) + 4),))]


@pytest.mark.parametrize(
    "token",
    ["</s>", "<s>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<eos>", "<end_of_turn>", "[/INST]", "<pad>",
     "<｜end▁of▁sentence｜>", "<|im_end|>\n<|im_start|>user\nAnd then?"],
)  # fmt: skip
def test_special_tokens_are_not_shown(token: str) -> None:
    assert_cleaned(f"{SAID}.{token}", f"{SAID}.")


@pytest.mark.parametrize(
    "marker",
    ["【4:0†source】", " [citation:1]", " [doc1]", " [Document 1]", " [ID:0]", " [ 1 ]", " [Evidence 1, Evidence 2]",
     " ［1］", " [^1]", " (1)", "¹", " [1, 2]", " [1-3]", " [source: 1]", " <cite>1</cite>", " [Source 2]",
     " (Source: article 1)", " {{1}}", " [1], [2]", "<sup>1</sup>", " [Orvik Times]", " (see [1])", " [S1]"],
)  # fmt: skip
def test_markers_are_not_shown(marker: str) -> None:
    assert_cleaned(f"{SAID}{marker}.", f"{SAID}.")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("According to [1], it opened.", "According to the article, it opened."),
        ("[1] and [2] both say that it opened.", "The articles both say that it opened."),
        (f"{SAID} [1].\n\nSources: [1] Orvik Times, 18 April 2025", f"{SAID}."),
        (f"{SAID} [1].\n\n[^1]: Orvik Times", f"{SAID}."),
        (f"{SAID} [1].\n\n**References**\n- [1] Orvik Times", f"{SAID}."),
        ("“We sold [12] boats,” Holt said [1].", "“We sold [12] boats,” Holt said."),
        ("“The Orvik bridge opened [1] on Monday,” Holt said.", "“The Orvik bridge opened on Monday,” Holt said."),
        (f"{SAID}. <img src=//x.example/a.png> Go.", f"{SAID}.  Go."),
        ("The [bridge](javascript:alert(1)) opened.", "The bridge opened."),
        ('The <a href="//x.example">bridge</a> opened.<!-- x -->', "The bridge opened."),
        ("See ftp://x.example/a now.", "See (link removed) now."),
        (
            "See //x.example/a, data:text/html,a or <http://x.example>.",
            "See (link removed), (link removed) or (link removed).",
        ),
        ("See <https://o.example/b>.", "See https://o.example/b."),
        ("خانه‌ها 👩‍👧 a\u200bb\ufeff\u202ec.", "خانه‌ها 👩‍👧 abc."),
    ],
)
def test_what_is_left_of_a_text(written: str, shown: str) -> None:
    assert_cleaned(written, shown)


@pytest.mark.parametrize(
    "text",
    ["3 < 5 and 7 > 6.", "AT&T and R&D.", "I <3 it.", "TCP/IP and/or the U.S. at 9:30.", "Una Holt (34) lost (1-3).",
     "5 km² and 3 m³.", "Sources said so. Source code leaked.", "The note [sic] said.", "Article 5 (2) of the law.",
     "The file is open: the data are good.", "Reasoning is hard.", "He won (1) gold and (2) silver."],
)  # fmt: skip
def test_true_text_stays(text: str) -> None:
    assert_cleaned(text, text)
