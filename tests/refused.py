"""Run below refusing.c: lets a disk refuse writes of an ingestion, and prints what became of it, a line a run.

python refused.py FOLDER [AT:ONCE:CODE]…   FOLDER/archive is the archive before, FOLDER/in what is read
"""

import ctypes
import json
import shutil
import sys
from pathlib import Path

from index.encoder import load_encoder
from index.ingest import ingest
from index.search import search
from index.sync import Index
from index.types import Query

refuse = ctypes.CDLL(None).refuse_writes
encoder = load_encoder()
folder = Path(sys.argv[1])
for number, run in enumerate(sys.argv[2:]):
    at, once, code = map(int, run.split(":"))
    data = folder / f"run-{number}"
    if (folder / "archive").exists():
        shutil.copytree(folder / "archive", data)
    told: dict[str, object] = {"run": run, "error": None, "kind": None}
    refuse(str(data).encode(), at, once, code)
    try:
        with Index(data, encoder) as index:
            ingest(index, [folder / "in"])
    except Exception as error:
        told |= {"error": str(error), "kind": type(error).__name__}
    told["writes"] = refuse(b"", 0, 0, 0)
    with Index(data, encoder) as index:  # there is room again
        told["kept"] = index.archive.counts()[0]
        report = ingest(index, [folder / "in"])
        told["rest"] = report.added
        found = [search(index, Query(f"quay number{n}"), 1)[0].article.id for n in range(told["kept"] + report.added)]
        told["lost"] = [n for n, article in enumerate(found) if article != str(n)]
        told["health"] = index.doctor().problems
    shutil.rmtree(data)
    print(json.dumps(told), flush=True)
