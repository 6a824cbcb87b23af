"""Scores how well a text answers a question, reading both together: the trained reader, or any cross-encoder."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.text.fold import clean
from index.text.numbers import spoken
from index.types import BadInput, ModelError, translated
from index.weights import bundled, harmless

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

DEFAULT_RERANKER = "ms-marco-MiniLM-L-12-v2"
READER = "copydesk-reader"
PHRASE_TOKENS = 14  # at most in the phrase that answers
REMEMBERED = 1000  # Scores: choices have sentences read again, and questions are put again.
HUB_ID = re.compile(r"(?:\w[\w.-]*/)?\w[\w.-]*")
MAX_TOKENS = 384  # Of question and text together; the longer of them is cut at its end.
FIRST_TOKENS = 160  # Of a question or claim: a sentence of 600 characters has as many. Longer ones took 5 s to be read.

Scores = NDArray[np.float32]


class Reranker(Protocol):
    """What the desk needs of a cross-encoder."""

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        """Return one score a text, shape (len(texts),), as logits: about 0 where the model is in doubt."""
        ...


class OnnxReranker:
    """A BERT cross-encoder as an ONNX file beside its tokenizer; the default one came with the installation.

    onnxruntime and tokenizers load in 0.2 s, and the weights are int8: a quarter of the memory, twice the speed.
    """

    def __init__(self, name: str = DEFAULT_RERANKER) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = bundled(name) or Path(name).expanduser()
        unusable = f"reranker {name!r} is not bundled, and {folder} holds no usable model"
        with translated(ModelError, unusable, Exception):  # tokenizers and onnxruntime raise nothing narrower
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1  # a text a core: 16 in 70 ms on two, where both at one text take 120
            self._session = onnxruntime.InferenceSession(folder / "model.onnx", options, ["CPUExecutionProvider"])
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        self._tokenizer.no_padding()
        self._threads = ThreadPoolExecutor(os.cpu_count())
        self._known: dict[tuple[str, str], list[Any]] = {}  # what was made of the last questions and texts

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        return self._logits(question, texts, -1)

    def _logits(self, first: str, texts: Sequence[str], judgement: int) -> Scores:
        return np.array([made[0][0][judgement] for made in self._read(first, texts)], dtype=np.float32)

    def _pairs(self, first: str, texts: Sequence[str]) -> list[Any]:
        first = clean(first)
        if len(tokens := self._tokenizer.encode(first, add_special_tokens=False)) > FIRST_TOKENS:
            first = first[: tokens.offsets[FIRST_TOKENS - 1][1]]
        return list(self._tokenizer.encode_batch([(first, clean(text)) for text in texts]))

    def _inputs(self, pair: Any) -> dict[str, Any]:
        return {"input_ids": [pair.ids], "attention_mask": [pair.attention_mask], "token_type_ids": [pair.type_ids]}

    def _read(self, first: str, texts: Sequence[str]) -> list[list[Any]]:
        """Return what the network makes of a question or claim and each text: its outputs, for one pair each."""
        if len(self._known) > REMEMBERED:
            self._known = {}
        known = self._known  # the same to the end, whatever other threads do
        new = [text for text in dict.fromkeys(texts) if (first, text) not in known]
        # One text a call: int8 scales go by the whole batch, and a score would change with its company.
        rows = [self._inputs(pair) for pair in self._pairs(first, new)]
        run = map if len(rows) == 1 else self._threads.map
        known |= zip([(first, text) for text in new], run(partial(self._session.run, None), rows), strict=True)
        return [known[first, text] for text in texts]


class Reader(OnnxReranker):
    """The network that `evals.train` makes: one pass gives all of its judgements, the last the subject.

    docs/reader.md says what it was trained on, and what it is worth.
    """

    def answers(self, question: str, texts: Sequence[str]) -> Scores:
        """Return for each text the logit of its answering the question, shape (len(texts),)."""
        return self._logits(question, texts, 0)

    def judgements(self, first: str, text: str) -> list[float]:
        """Return all logits: of answering, of supporting, of being on the subject."""
        [[[judged], _]] = self._read(first, [text])
        return [float(logit) for logit in judged]

    def supports(self, claim: str, evidence: str) -> float:
        """Return the logit of some evidence stating all that a claim states."""
        return float(self._logits(spoken(claim), [spoken(evidence)], 1)[0])

    def phrase(self, question: str, text: str, first: int = 0) -> tuple[int, int] | None:
        """Return where the answer itself stands in a text that answers, [start, end); None where that is not known.

        It is looked for from the character `first` on: before it stands what the text is about, such as its headline.
        """
        if clean(text) != text:  # places would be those of another text
            return None
        [[_, [span]]], [pair] = self._read(question, [text]), self._pairs(question, [text])
        own = np.array(
            [part == 1 and to > first for part, (_, to) in zip(pair.sequence_ids, pair.offsets, strict=True)]
        )
        both = span[own, :1] + span[own, 1]  # shape (tokens, tokens): starting at the one and ending at the other
        possible = np.triu(np.tril(np.ones_like(both), PHRASE_TOKENS - 1)) > 0
        if not possible.any():
            return None
        begin, end = np.unravel_index(np.where(possible, both, -np.inf).argmax(), both.shape)
        places = [place for place, mine in zip(pair.offsets, own, strict=True) if mine]
        start, stop = max(first, places[begin][0]), places[end][1]
        found = text[start:stop]  # in some vocabularies a word has the space before it
        start += len(found) - len(found.lstrip())
        return (start - first, start + len(found.strip()) - first) if found.strip() else None


class HubReranker:
    """A cross-encoder of sentence-transformers, by hub id or folder: slower than the bundled ones, often better."""

    def __init__(self, name: str) -> None:
        self._model = cross_encoder(name, "a cross-encoder")
        if (labels := self._model.num_labels) != 1:
            raise ModelError(f"{name} is no reranker: it gives {labels} labels and not one score")

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        pairs = [(clean(question), clean(text)) for text in texts]
        if not pairs:
            return np.zeros(0, dtype=np.float32)
        found = self._model.predict(pairs, activation_fn=lambda logits: logits, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


def cross_encoder(name: str, kind: str) -> CrossEncoder:
    """Return a cross-encoder of sentence-transformers by folder or hub id; none runs code of its own.

    Raises BadInput for what can be neither, and ModelError where no model is; both say to give one of this kind.
    """
    from sentence_transformers import CrossEncoder

    give = f"give the folder of {kind}, or the id of one on the Hugging Face hub"
    folder = Path(name).expanduser()
    if not (local := folder.is_dir()) and not HUB_ID.fullmatch(name):
        raise BadInput(f"no folder is at {name}: {give}")
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells each of its retries
    try:
        source = str(harmless(folder)) if local else name
        safe = {"use_safetensors": True}  # else a pickle would do, too
        model: CrossEncoder = CrossEncoder(source, local_files_only=local, trust_remote_code=False, model_kwargs=safe)
        return model
    except (OSError, ValueError) as error:
        raise ModelError(f"{name} {'holds no model' if local else 'cannot be fetched'}: {give}") from error


def load_reranker(name: str) -> Reranker:
    """Return the cross-encoder of a name, a hub id or a folder, which may hold an ONNX file or a model as on the hub.

    "bundled" is the reader, or what came before it where that is absent. Raises BadInput where the name can be none,
    ModelError where no model is there, or its weights are not what they should be.
    """
    if name == "bundled":
        name = READER if (Path(__file__).parent / "reader" / "model.onnx").exists() else DEFAULT_RERANKER
    if name == READER:
        return Reader(name)
    onnx = name == DEFAULT_RERANKER or (Path(name).expanduser() / "model.onnx").exists()
    return OnnxReranker(name) if onnx else HubReranker(name)
