"""The network of many languages: multilingual-e5-small made a reader, and its int8 ONNX file without words.

It learns from English alone, beside the English reader's own judgements: with the words and the lower layers as they
are, what it learns holds for the other languages too.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Encoding
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

from index.encoder.e5 import HEADS, LAYERS, WIDTH, Weights

FROZEN = 4
MAX_TOKENS = 224
INPUTS = ("words", "mask")
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


def export(network: Many, path: Path) -> None:
    """Write a network as ONNX, its weights int8 with a scale for each output channel."""
    network.eval()
    example = network.batch(network.pairs(["who", "who came"], ["a man", "a man came"]))
    axes = {name: {0: "texts", 1: "tokens"} for name in (*INPUTS, "span")} | {"logits": {0: "texts"}}
    whole = path.with_suffix(".float.onnx")
    torch.onnx.export(
        network, example, str(whole), input_names=[*INPUTS], output_names=["logits", "span"], dynamic_axes=axes,
        dynamo=False, opset_version=17,
    )  # fmt: skip
    quantize_dynamic(whole, path, per_channel=True, weight_type=QuantType.QInt8)
    whole.unlink()
