"""Trains the reader of many languages: `python -m evals.train.many DATA --out FOLDER`, in 12 minutes on two cores.

multilingual-e5-small is made a reader, and its int8 ONNX file, without words, written. It learns from short English
pairs alone, and from the English reader's own judgements of them: with the words and the lower layers as they are,
what it learns holds for other languages too. Cut off, the same command goes on where it was.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from tokenizers import Encoding
from tokenizers.processors import TemplateProcessing
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import BertConfig, BertModel

from evals.train.__main__ import SPAN, WARM, order, span_loss
from evals.train.examples import Example, claims, public, questions, reports
from evals.train.network import export
from index.encoder import load_encoder
from index.encoder.e5 import HEADS, LAYERS, WIDTH, Weights
from qa.rerank import READER, Reader

FROZEN = 4
MAX_TOKENS = 224
INPUTS = ("words", "mask")
SHORT, ASKED, CLAIMED = 64, 17_000, 6_000  # words of a pair, and how many of each kind are learnt from
PUBLIC = 14_760  # of the public sets, SQuAD 2's and NLI, which stand first
RATE, SAVED = 2e-4, 100
OWN, TAUGHT, RELEVANCE = (
    0.6,
    0.6,
    0.01,
)  # weights of the losses: of the label, of the reader's judgement, of the subject
PARTS = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm", "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip


class Many(torch.nn.Module):
    """Reads a question or claim and a text together, as `Network` does; words come as vectors, see `embedded`."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Weights()
        self.tokenizer = self.held.tokenizer
        self.tokenizer.post_processor = TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
        self.tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
        self.tokenizer.enable_padding(pad_id=1)
        config = BertConfig(
            vocab_size=1, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
            intermediate_size=4 * WIDTH, hidden_dropout_prob=0.05, attention_probs_dropout_prob=0.05,
        )  # fmt: skip
        self.bert = BertModel(config)
        named = {
            f"encoder.layer.{n}.{whole}.{kind}": (f"l{n}.{short}.{kind[0]}", whole)
            for n in range(LAYERS) for short, whole in PARTS.items() for kind in ("weight", "bias")
        }  # fmt: skip
        state = {name: torch.tensor(self.held.tensor(own)) for name, (own, _) in named.items()}
        state |= {
            "embeddings.position_embeddings.weight": torch.tensor(self.held.tensor("emb.pos").reshape(-1, WIDTH)),
            "embeddings.token_type_embeddings.weight": torch.tensor(self.held.tensor("emb.type").reshape(-1, WIDTH)),
            "embeddings.LayerNorm.weight": torch.tensor(self.held.tensor("emb.ln.w")),
            "embeddings.LayerNorm.bias": torch.tensor(self.held.tensor("emb.ln.b")),
        }
        lacking, foreign = self.bert.load_state_dict(state, strict=False)
        assert not foreign, foreign
        assert all(name.startswith(("pooler", "embeddings.word", "embeddings.position_ids")) for name in lacking), (
            lacking
        )
        self.judge, self.span = torch.nn.Linear(WIDTH, 3), torch.nn.Linear(WIDTH, 2)

    def forward(self, words: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, shape (texts, 3): answers, supports, relevance; and span logits, (texts, tokens, 2)."""
        read = self.bert(inputs_embeds=words, attention_mask=mask)
        return self.judge(read.pooler_output), self.span(read.last_hidden_state)

    def pairs(self, firsts: Sequence[str], texts: Sequence[str]) -> list[Encoding]:
        normal = self.held.normal
        both = [(normal(first), normal(text)) for first, text in zip(firsts, texts, strict=True)]
        read: list[Encoding] = self.tokenizer.encode_batch(both)
        return read

    def trained(self) -> list[torch.nn.Parameter]:
        """Freeze what stays as it is and return the rest."""
        for part in (self.bert.embeddings, *self.bert.encoder.layer[:FROZEN]):
            part.requires_grad_(False)
        return [weights for weights in self.parameters() if weights.requires_grad]

    def batch(self, read: Sequence[Encoding]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors of words and the mask of some pairs, of shape (pairs, tokens, 384) and (pairs, tokens)."""
        ids = np.array([one.ids for one in read])
        words = torch.tensor(self.held.words(ids.reshape(-1)).reshape(*ids.shape, WIDTH))
        return words, torch.tensor([one.attention_mask for one in read])


def learnt(folder: Path, rng: random.Random) -> list[Example]:
    """Return the pairs to learn from."""
    encoder, made = load_encoder(), reports()
    every = [*islice(public(folder, encoder, rng), PUBLIC), *questions(made, encoder, rng), *claims(made, rng)]
    short = [one for one in every if len(f"{one.first} {one.text}".split()) <= SHORT]
    kinds = [[one for one in short if (one.task == "answers") == asks] for asks in (True, False)]
    return [
        one for own, most in zip(kinds, (ASKED, CLAIMED), strict=True) for one in rng.sample(own, min(most, len(own)))
    ]


def train(network: Many, some: Sequence[Example], checkpoint: Path, rng: random.Random) -> None:
    """Train a network in place; the state is kept beside, and what is there already is not done again."""
    teacher, steps, done = Reader(READER), [*order(some, range(len(some)), rng)], 0
    trained = network.trained()
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01)
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["done"]
    network.train()
    for step in track(range(done, len(steps)), "training", disable=not sys.stderr.isatty()):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / (WARM * len(steps))) * (1 - step / len(steps))
        loss = _loss(network, [some[n] for n in steps[step]], teacher)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        if (step + 1) % SAVED == 0 or step + 1 == len(steps):
            kept = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "done": step + 1}
            torch.save(kept, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            print(f"step {step + 1} of {len(steps)}, loss {loss.item():.3f}", file=sys.stderr)


def _loss(network: Many, some: Sequence[Example], teacher: Reader) -> Any:
    """Return the loss of one step: of the label, of the English reader's judgement, and of where answers stand."""
    taught = torch.tensor(np.array([teacher.judgements(one.first, one.text) for one in some]))
    read = network.pairs([one.first for one in some], [one.text for one in some])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, spans = (out.float() for out in network(*network.batch(read)))
    rows, columns = torch.arange(len(some)), torch.tensor([int(one.task != "answers") for one in some])
    own, holds = logits[rows, columns], torch.tensor([float(one.holds) for one in some])
    loss = OWN * binary_cross_entropy_with_logits(own, holds)
    loss = loss + TAUGHT * binary_cross_entropy_with_logits(own, taught[rows, columns].sigmoid())
    loss = loss + RELEVANCE * ((logits[:, 2] - taught[:, 2]) ** 2).mean()
    # Of a text that the vocabulary has in other forms, places would be others.
    same = [one if network.held.normal(one.text) == one.text else one._replace(span=None) for one in some]
    return loss + SPAN * span_loss(same, read, spans)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--out", type=Path, required=True)
    given = arguments.parse_args()
    rng, network = random.Random(1), Many()  # noqa: S311
    torch.manual_seed(1)
    given.out.mkdir(parents=True, exist_ok=True)
    train(network, learnt(given.data, rng), given.out / "multilingual.pt", rng)
    example = network.batch(network.pairs(["who", "who came"], ["a man", "a man came"]))
    export(network, example, INPUTS, given.out / "multilingual.onnx")


if __name__ == "__main__":
    main()
