"""The network that is trained: the bundled cross-encoder made trainable, a head a judgement, and its int8 ONNX file."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Encoding, Tokenizer
from transformers import BertConfig, BertModel

from index.weights import bundled
from qa.rerank import DEFAULT_RERANKER

WIDTH, LAYERS, HEADS, WORDS = 384, 12, 12, 30522
FROZEN = 6  # lower layers, and the embeddings, that stay as they are: training them too is slower and gains nothing
MAX_TOKENS = 256
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Network(torch.nn.Module):
    """Reads a question or claim and a text together; gives a logit a judgement, and where an answer starts and ends.

    `answers`: the text answers the question. `supports`: the text states the claim. `relevance`: the cross-encoder's
    own judgement, kept: the text speaks of the question. `span`: for each token, of its being the first or last one.
    """

    def __init__(self) -> None:
        super().__init__()
        folder = bundled(DEFAULT_RERANKER)
        assert folder is not None
        self.bert, self.relevance = dequantised(folder)
        self.answers, self.supports = (torch.nn.Linear(WIDTH, 1) for _ in range(2))
        for head in (self.answers, self.supports):
            head.load_state_dict(self.relevance.state_dict())
        self.span = torch.nn.Linear(WIDTH, 2)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
        self.tokenizer.enable_padding()  # to the longest of a batch

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, shape (texts, 3): answers, supports, relevance; and span logits, (texts, tokens, 2)."""
        read = self.bert(ids, mask, types)
        heads = (self.answers, self.supports, self.relevance)
        return torch.cat([head(read.pooler_output) for head in heads], 1), self.span(read.last_hidden_state)

    def trained(self) -> list[torch.nn.Parameter]:
        """Freeze what stays as it is and return the rest."""
        for part in (self.bert.embeddings, *self.bert.encoder.layer[:FROZEN]):
            part.requires_grad_(False)
        return [weights for weights in self.parameters() if weights.requires_grad]


def batch(read: Sequence[Encoding]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return token ids, mask and types of some pairs, each of shape (pairs, tokens)."""
    ids, mask, types = torch.tensor([[one.ids, one.attention_mask, one.type_ids] for one in read]).unbind(1)
    return ids, mask, types


def dequantised(folder: Path) -> tuple[BertModel, torch.nn.Linear]:
    """Return the bundled cross-encoder with float weights: its logits differ from the int8 file's by about .15."""
    graph = onnx.load(str(folder / "model.onnx")).graph
    tensors = {stored.name: numpy_helper.to_array(stored) for stored in graph.initializer}

    def whole(name: str) -> torch.Tensor:
        base = name.removesuffix("_quantized")
        steps = tensors[name].astype(np.float32) - tensors[f"{base}_zero_point"].astype(np.float32)
        return torch.tensor(steps * tensors[f"{base}_scale"])

    floats = {name: torch.tensor(np.array(stored)) for name, stored in tensors.items() if stored.dtype == np.float32}
    state: dict[str, Any] = {name.removeprefix("bert."): w for name, w in floats.items() if name.startswith("bert.")}
    for name in tensors:
        if "embeddings" in name and name.endswith("_quantized"):
            state[name.removesuffix("_quantized").removeprefix("bert.")] = whole(name)
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.input[1] in tensors:  # its weights are stored transposed
            place = re.sub(r"^/|/MatMul_quant$|_quant$", "", node.name).replace("/", ".")
            place = re.sub(r"(?:[._](?:MatMul|Gemm))+$", "", place).removeprefix("bert.")
            state[f"{place}.weight"] = whole(node.input[1]).T.contiguous()
    config = BertConfig(
        vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=4 * WIDTH,
    )  # fmt: skip
    bert, head = BertModel(config), torch.nn.Linear(WIDTH, 1)
    lacking, _ = bert.load_state_dict(state, strict=False)
    assert set(lacking) <= {"embeddings.position_ids"}, lacking
    head.weight.data = state["classifier.weight"].reshape(1, WIDTH)
    head.bias.data = floats["classifier.bias"]
    return bert, head


def export(network: torch.nn.Module, example: tuple[torch.Tensor, ...], inputs: Sequence[str], path: Path) -> None:
    """Write a network as ONNX, its weights int8 with a scale for each output channel: with one a tensor it is worse."""
    network.eval()
    axes = {name: {0: "texts", 1: "tokens"} for name in (*inputs, "span")} | {"logits": {0: "texts"}}
    whole = path.with_suffix(".float.onnx")
    torch.onnx.export(
        network, example, str(whole), input_names=[*inputs], output_names=["logits", "span"], dynamic_axes=axes,
        dynamo=False, opset_version=17,
    )  # fmt: skip
    quantize_dynamic(whole, path, per_channel=True, weight_type=QuantType.QInt8)
    whole.unlink()
