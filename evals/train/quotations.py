"""Trains what finds quotations: `python -m evals.train.quotations ARTICLES OUT.zip`.

ARTICLES is JSON Lines, laid out as PolNeAR's: {"text", "attributions": [{"source", "cue", "content": spans}]}.
"""

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_LZMA, ZipFile

import pycrfsuite

from evals.sets import Rows, read_json
from index.text.quotations import TOKEN, Word, beside, governed, grammar, units

L1 = {"cue": 0.15, "speaker": 0.2, "content": 0.2}  # at 0.05 three times the size and no better


def train(rows: Rows, out: Path) -> None:
    """Write the taggers learnt from these articles."""
    trainers = {name: pycrfsuite.Trainer(verbose=False) for name in L1}
    cues = ((row["text"], *span) for row in rows for said in row["attributions"] for span in said["cue"])
    cued = Counter(match[0].lower() for cue in cues for match in TOKEN.finditer(*cue))
    every = Counter(word.lower() for row in rows for unit in units(row["text"]) for _, _, word in unit)
    tells = {word: cued[word] / (every[word] + 5) for word in cued}  # how surely it names speech
    for row in rows:
        sentences = list(units(row["text"]))
        for unit, parse in zip(sentences, grammar(sentences), strict=True):
            view, named = governed(unit, parse), dict[int, dict[str, list[str]]]()
            for said in row["attributions"]:
                cue, *spans = (_marks(unit, said[name]) for name in ("cue", "source", "content"))
                if words := [n for n, mark in enumerate(cue) if mark != "O"]:
                    word = max(words, key=lambda n: (tells.get(unit[n][2].lower(), 0), n))
                    named[word] = {
                        name: ["K" if m == "O" != c else m for m, c in zip(own, cue, strict=True)]
                        for name, own in zip(("speaker", "content"), spans, strict=True)
                    }
            trainers["cue"].append(view, ["01"[n in named] for n in range(len(unit))])
            for word, marks in named.items():
                for name, own in marks.items():
                    trainers[name].append(beside(unit, view, parse, word), own)
    with ZipFile(out, "w", ZIP_LZMA) as file, TemporaryDirectory() as folder:
        for name, trainer in trainers.items():
            settings = {"c1": L1[name], "c2": 0.05, "max_iterations": 150, "feature.possible_transitions": True}
            trainer.set_params(settings)
            trainer.train(f"{folder}/{name}")
            file.write(f"{folder}/{name}", name)


def _marks(unit: list[Word], spans: list[tuple[int, int]]) -> list[str]:
    """Return for each word B where a span begins, I within it, O elsewhere."""
    marks = ["O"] * len(unit)
    for first, last in spans:
        own = [n for n, (start, end, _) in enumerate(unit) if start < last and end > first]
        for n in own:
            marks[n] = "B" if n == own[0] else "I"
    return marks


if __name__ == "__main__":
    train(read_json(Path(sys.argv[1])), Path(sys.argv[2]))
