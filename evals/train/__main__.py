"""Trains the reader: `python -m evals.train DATA --out FOLDER`. Cut off, the same command goes on where it was.

DATA is a folder with the public sets, laid out as evals/train/examples.py reads them. What is trained is the upper half
of the bundled cross-encoder: first on short pairs, then on everything.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from evals.train.examples import Example, claims, public, questions, reports
from evals.train.network import INPUTS, Network, batch, export
from index.encoder import DEFAULT_ENCODER, load_encoder
from index.types import BadInput, CopydeskError, digest

BATCH, SORTED, SAVED = 32, 30, 200  # pairs a step; batches sorted by length together; steps between two checkpoints
RATE, WARM = 6e-5, 0.06
SPAN, RELEVANCE = 0.3, 0.02  # weights of the losses beside that of the judgement
LIGHT, HEAVY = 0.2, 3.0  # the least and the most that an example may count
SHORT = 48  # words of a short pair


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--most", type=int, help="examples to learn from, for a trial")
    given = arguments.parse_args()
    rng, made = random.Random(given.seed), reports()  # noqa: S311
    torch.manual_seed(given.seed)
    network = Network()
    try:
        encoder = load_encoder(DEFAULT_ENCODER)
        learnt = [*public(given.data, encoder, rng), *questions(made, encoder, rng), *claims(made, rng)]
        learnt = rng.sample(learnt, min(len(learnt), given.most or len(learnt)))
        given.out.mkdir(parents=True, exist_ok=True)
        train(network, learnt, given.out / "checkpoint.pt", rng)
    except (CopydeskError, OSError) as error:
        arguments.error(str(error))
    example = batch(network.tokenizer.encode_batch([("who", "a man"), ("who came", "a man came")]))
    export(network, example, INPUTS, given.out / "model.onnx")
    network.tokenizer.save(str(given.out / "tokenizer.json"))


def train(network: Network, learnt: Sequence[Example], checkpoint: Path, rng: random.Random) -> None:
    """Train a network in place; the state is kept beside, and what is there already is not done again.

    Raises BadInput for a state of other examples: its steps were others.
    """
    done, own = 0, digest(repr(learnt), 16)
    if checkpoint.exists() and (state := torch.load(checkpoint, weights_only=True))["of"] != own:
        raise BadInput(f"{checkpoint} is of other examples: give another --out, or remove it")
    weights = weigh(learnt)
    known = relevance(network, learnt)
    short = [n for n, one in enumerate(learnt) if len(f"{one.first} {one.text}".split()) <= SHORT]
    steps = [step for stage in (short, range(len(learnt))) for step in order(learnt, stage, rng)]
    trained = network.trained()
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01)
    if checkpoint.exists():
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["done"]
    network.train()
    for step in track(range(done, len(steps)), "training", disable=not sys.stderr.isatty()):
        rate = RATE * min(1, step / (WARM * len(steps))) * (1 - step / len(steps))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = _loss(network, [learnt[n] for n in steps[step]], weights[steps[step]], known[steps[step]])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        if (step + 1) % SAVED == 0 or step + 1 == len(steps):
            kept = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "done": step + 1, "of": own}
            torch.save(kept, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            print(f"step {step + 1} of {len(steps)}, loss {loss.item():.3f}", file=sys.stderr)


def weigh(learnt: Sequence[Example]) -> torch.Tensor:
    """Return how much each example counts: little where its question or claim alone, without the text, tells its label.

    A style that goes with a label would be learnt instead of reading.
    """
    weights = np.ones(len(learnt))
    for task in ("answers", "supports"):
        own = [n for n, one in enumerate(learnt) if one.task == task]
        if len(own) < 100:  # a trial: nothing can be told of so few
            continue
        firsts, holds = [learnt[n].first for n in own], np.array([learnt[n].holds for n in own])
        model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2), LogisticRegression(max_iter=300))
        folds = cross_val_predict(model, firsts, holds, groups=firsts, cv=GroupKFold(5), method="predict_proba")
        told = np.maximum(folds[np.arange(len(own)), holds.astype(int)], 0.05)
        share = np.where(holds, holds.mean(), 1 - holds.mean())
        counts = np.clip(share / told, LIGHT, HEAVY)
        weights[own] = counts / counts.mean()
    return torch.tensor(weights, dtype=torch.float32)


@torch.no_grad()
def relevance(network: Network, learnt: Sequence[Example]) -> torch.Tensor:
    """Return the untrained cross-encoder's logit of each question and text, NaN for claims: it is to keep them."""
    network.eval()
    known = torch.full((len(learnt),), torch.nan)
    own = sorted((n for n, one in enumerate(learnt) if one.task == "answers"), key=lambda n: len(learnt[n].text))
    for some in track(_parts(own, BATCH), "reading", disable=not sys.stderr.isatty()):
        pairs = network.tokenizer.encode_batch([(learnt[n].first, learnt[n].text) for n in some])
        known[some] = network(*batch(pairs))[0][:, 2]
    return known


def order(learnt: Sequence[Example], stage: Sequence[int], rng: random.Random) -> Iterator[list[int]]:
    """Yield the steps of a stage: batches of pairs of like length, in an order by chance."""
    for some in _parts(rng.sample([*stage], len(stage)), BATCH * SORTED):
        alike = _parts(sorted(some, key=lambda n: len(learnt[n].first + learnt[n].text)), BATCH)
        yield from rng.sample(alike, len(alike))


def _parts(items: Sequence[int], size: int) -> list[list[int]]:
    return [[*items[start : start + size]] for start in range(0, len(items), size)]


def _loss(network: Network, some: Sequence[Example], weights: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the loss of one step: of the judgement asked for, of relevance as it was, and of where answers stand."""
    read = network.tokenizer.encode_batch([(one.first, one.text) for one in some])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, spans = (out.float() for out in network(*batch(read)))
    judged = torch.where(torch.tensor([one.task == "answers" for one in some]), logits[:, 0], logits[:, 1])
    holds = torch.tensor([float(one.holds) for one in some])
    loss = (binary_cross_entropy_with_logits(judged, holds, reduction="none") * weights).mean()
    asked = ~known.isnan()
    if asked.any():
        loss = loss + RELEVANCE * ((logits[:, 2] - known)[asked] ** 2).mean()
    return loss + SPAN * span_loss(some, read, spans)


def span_loss(some: Sequence[Example], read: Sequence[Any], spans: torch.Tensor) -> torch.Tensor:
    """Return the loss of where answers start and end; `read` are encodings, `spans` the logits of their tokens."""
    places: list[tuple[int, int, int]] = []
    for n, (one, pair) in enumerate(zip(some, read, strict=True)):
        if one.span and one.holds:
            first, last = pair.char_to_token(one.span[0], 1), pair.char_to_token(one.span[1] - 1, 1)
            places += [(n, first, last)] if first is not None and last is not None else []
    if not places:
        return torch.zeros(())
    rows, *ends = torch.tensor(places).T
    first_last = [cross_entropy(spans[rows, :, k], end) for k, end in enumerate(ends)]
    return torch.stack(first_last).mean()


if __name__ == "__main__":
    main()
