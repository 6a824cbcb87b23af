"""The reader's training: material without tells, a network that begins as the bundled one, and a small file."""

import random
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import LONG
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from evals.train import __main__ as training
from evals.train.examples import Example, claims, exchanged, questions, reports
from evals.train.network import INPUTS, Network, batch, export
from index.encoder import DEFAULT_ENCODER, load_encoder
from index.types import BadInput
from qa.rerank import OnnxReranker

PAIRS = [
    ("Who leads the council?", "Mara Dell has led the council since May."),
    ("Who leads the council?", "The council met on Tuesday in the old hall."),
    ("How many boats were sent?", "Norland sent 12 boats to the coast, a minister said."),
]


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def test_every_report_is_whole() -> None:
    for report in reports():
        text = report["text"]
        assert all(
            any(asked["a"] in text[i] for i in asked["s"]) or asked["a"] in report["title"] for asked in report["qa"]
        )
        assert all(0 <= asked["twin"] < len(report["qa"]) for asked in report["near"])
        assert all(0 <= i < len(text) for side in ("true", "false") for claim in report[side] for i in claim["s"])


@pytest.mark.parametrize("make", [pytest.param(questions, marks=LONG), claims])
def test_the_first_text_alone_does_not_tell(make: object) -> None:
    encoder = [load_encoder(DEFAULT_ENCODER)] if make is questions else []
    learnt = [*make(reports(), *encoder, random.Random(1))]  # type: ignore[operator]
    firsts, holds = [one.first for one in learnt], [one.holds for one in learnt]
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2), LogisticRegression(max_iter=300))
    told = cross_val_predict(model, firsts, holds, groups=firsts, cv=GroupKFold(5), method="predict_proba")[:, 1]
    assert roc_auc_score(holds, told, sample_weight=training.weigh(learnt).numpy()) < 0.58


def test_the_network_begins_as_the_bundled_one(network: Network) -> None:
    bundled = OnnxReranker()
    with torch.no_grad():
        logits, _ = network.eval()(*batch(network.tokenizer.encode_batch(PAIRS)))
    assert logits.shape == (len(PAIRS), 3)
    published = [bundled.score(question, [text])[0] for question, text in PAIRS]
    assert np.abs(logits[:, 2].numpy() - published).max() < 0.25


def test_names_and_numbers_are_exchanged_for_those_of_the_report() -> None:
    text = ["Anna Berg beat Leo Carr by 120 votes.", "Olin and Falk met on Monday.", "Turnout was 61 percent."]
    made = {exchanged(text[0], text, random.Random(seed)) for seed in range(20)}
    assert "Leo Carr beat Anna Berg by 120 votes." in made
    assert not any("Monday" in claim or "61" in claim for claim in made)
    assert exchanged(text[1], text[1:2], random.Random(1)) == ""  # "Falk and Olin met" is as true


def test_training_goes_on_where_it_was_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = [Example("answers", *PAIRS[n % 3], n % 3 != 1, None) for n in range(8)]
    learnt += [Example("supports", "Dell leads it.", PAIRS[0][1], True), Example("answers", *PAIRS[0], True, (0, 9))]
    monkeypatch.setattr(training, "BATCH", 4)
    monkeypatch.setattr(training, "SAVED", 1)
    losses: list[float] = []
    step = training._loss

    def cut(*given: object) -> torch.Tensor:
        if len(losses) == 3:
            raise KeyboardInterrupt
        losses.append(float((loss := step(*given)).detach()))  # type: ignore[arg-type]
        return loss

    monkeypatch.setattr(training, "_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        training.train(Network(), learnt, tmp_path / "checkpoint.pt", random.Random(1))
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["done"] == 3
    losses[:] = [0.0] * 4  # cut no more
    network = Network()
    training.train(network, learnt, tmp_path / "checkpoint.pt", random.Random(1))
    assert len(losses) - 4 == 6 - 3  # two stages of three steps, three of them done
    assert not torch.equal(network.answers.weight, network.supports.weight)
    with pytest.raises(BadInput, match="is of other examples: give another --out"):
        training.train(Network(), learnt[1:], tmp_path / "checkpoint.pt", random.Random(1))
    untouched = Network().bert.encoder.layer[0].output.dense.weight
    assert torch.equal(network.bert.encoder.layer[0].output.dense.weight, untouched)


def test_a_folder_without_the_sets_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["evals.train", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="2"):
        training.main()
    assert "No such file or directory" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_the_file_is_small_and_judges_as_the_network_does(network: Network, tmp_path: Path) -> None:
    example = batch(network.tokenizer.encode_batch([("who", "a man"), ("who came", "a man came")]))
    export(network, example, INPUTS, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").stat().st_size <= 36e6
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for pair in PAIRS:
        inputs = batch(network.tokenizer.encode_batch([pair]))
        with torch.no_grad():
            logits, spans = network.eval()(*inputs)
        names = ("input_ids", "attention_mask", "token_type_ids")
        small = session.run(None, {name: given.numpy() for name, given in zip(names, inputs, strict=True)})
        assert np.abs(small[0] - logits.numpy()).max() < 0.5
        assert small[1].shape == spans.shape
