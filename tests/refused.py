"""Run below refusing.c: lets a disk refuse writes of ingestions, and prints what each raised, a line a run.

python refused.py FOLDER AT:ONCE:CODE…   FOLDER/archive is the archive before, FOLDER/in what is read into a copy of it
"""

import ctypes
import json
import shutil
import sys
from pathlib import Path

from index.encoder import load_encoder
from index.ingest import ingest
from index.sync import Index
from index.types import CopydeskError

refuse = ctypes.CDLL(None).refuse_writes
encoder = load_encoder()
folder = Path(sys.argv[1])
for run in sys.argv[2:]:
    at, once, code = map(int, run.split(":"))
    data = folder / run
    if (folder / "archive").exists():
        shutil.copytree(folder / "archive", data)
    told: dict[str, object] = {"run": run, "error": None, "kind": None}
    refuse(str(data).encode(), at, once, code)
    try:
        with Index(data, encoder) as index:
            ingest(index, [folder / "in"])
    except CopydeskError as error:
        told |= {"error": str(error), "kind": type(error).__name__}
    told["writes"] = refuse(b"", 0, 0, 0)
    print(json.dumps(told), flush=True)
