"""Measures speed as ratios against a baseline of the same run: `python -m evals.bench PATH…`.

ingest       passages a second of an ingestion, against the encoder's own `encode` on the same texts in one call
again        seconds of ingesting the same once more, against the first time
search       milliseconds of a search without reranking beyond encoding the question, median
ask          seconds of `copydesk ask`, a new process, against importing sentence_transformers in one, medians
"""

import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from timeit import timeit

from index.encoder import encoded_text
from index.ingest import ingest
from index.sync import Index
from qa.desk import Desk
from qa.request import SearchRequest

QUESTIONS = (
    "Who led the delegation?",
    "What did the president announce this week?",
    "How many people were killed in the earthquake?",
    "Which company reported record profits?",
    "When does the ceasefire begin?",
)
REPEATS = 5
timed = partial(timeit, number=1)  # the seconds that one call takes


def bench(paths: list[str], folder: str, rounds: int = 3) -> None:
    """Print every ratio for these articles, using `folder` for the archive; `rounds` of new processes."""
    with Index(folder) as index:
        index.encoder.encode(["warm up"])
        report = ingest(index, paths)
        again = ingest(index, paths)
        held = index.archive.passages(index.archive.passage_ids())
        texts = [encoded_text(*pair) for pair in held.values()]
        alone = timed(lambda: index.encoder.encode_document(texts))
        print(f"articles {report.added:,}, passages {report.passages:,}")
        print(f"ingest   {report.passages / report.seconds:.1f} passages/s; encode alone {len(texts) / alone:.1f}/s")
        print(f"         ratio {alone / report.seconds:.3f} (target 0.90 or more)")
        print(f"again    {again.seconds:.2f} s of {report.seconds:.1f} s: 1/{report.seconds / again.seconds:.0f}")
    with Desk(folder) as desk:
        desk.warm_up()
        encode = [timed(partial(desk.index.encoder.encode, [q])) for q in QUESTIONS * REPEATS]
        search = [timed(partial(desk.hits, SearchRequest(q), reranked=False)) for q in QUESTIONS * REPEATS]
        spent, encoding = median(search) * 1000, median(encode) * 1000
        print(f"search   {spent:.1f} ms, of which encoding {encoding:.1f}: {spent - encoding:.1f} beyond it")
    commands = ["-c", "import sentence_transformers"], ["-m", "qa", "--data", folder, "ask", QUESTIONS[0], "--json"]
    process = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    processes = [partial(process, [sys.executable, *command]) for command in commands]
    seconds = [[timed(process) for process in processes] for _ in range(rounds)]
    base, ask = (median(each) for each in zip(*seconds, strict=True))
    print(f"ask      {ask:.2f} s; importing sentence_transformers {base:.2f} s: ratio {ask / base:.2f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("bench: name files or folders of articles")
    if missing := [path for path in sys.argv[1:] if not Path(path).exists()]:
        sys.exit(f"bench: no such path: {', '.join(missing)}")
    with TemporaryDirectory(prefix="copydesk-bench-") as folder:
        bench(sys.argv[1:], folder)
