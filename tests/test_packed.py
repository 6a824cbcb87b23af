"""ZIP files of any of the formats."""

import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
from test_intake import BODY, RECORD, found

from index.read import Known, read
from index.read.notes import Notes
from index.types import Article

TEXT = f"Mill burns at Aldby\n\n2026-05-03\n\n{BODY}"


def packed(files: dict[str, str | bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as whole:
        for name, content in files.items():
            whole.writestr(name, content)
    return held.getvalue()


def test_each_file_is_read_by_its_own_reader(tmp_path: Path) -> None:
    lines = f"{json.dumps(RECORD)}\n{{bad\n{json.dumps(RECORD | {'title': 'Mill burns again'})}\n"
    files: dict[str, str | bytes] = {
        "news/mill.txt": TEXT,
        "news/rows.jsonl": lines,
        "news/page.md": f"# Mill closes\n\n{BODY} It was old.",
        "news/photo.jpg": b"\xff\xd8",
        "news/.hidden.txt": TEXT,
        "__MACOSX/news/._mill.txt": TEXT,
        "README.txt": "none",
    }
    (tmp_path / "x.zip").write_bytes(packed(files))
    notes = Notes()
    every = [(f.item, f.source) for f in read([tmp_path], Known(), notes)]
    assert [item.id for item, _ in every if isinstance(item, Article)] == [
        "x.zip#news/mill.txt",
        "x.zip#news/rows.jsonl, line 1",
        "x.zip#news/rows.jsonl, line 3",
        "x.zip#news/page.md",
    ]
    assert [item.text for item, _ in every if isinstance(item, Article)] == [BODY, BODY, BODY, f"{BODY} It was old."]
    assert [source for item, source in every if not isinstance(item, Article)] == [
        f"{tmp_path / 'x.zip'}, news/rows.jsonl, line 2"
    ]
    assert dict(notes.skipped) == {".jpg": 1}


def test_names_of_others_for_fields_hold_in_a_zip_file(tmp_path: Path) -> None:
    data = packed({"a.jsonl": json.dumps({"kop": "Mill burns", "lap": BODY})})
    articles, rejected, _ = found(tmp_path / "x.zip", data, names={"kop": "title", "lap": "text"})
    assert ([(one.title, one.text) for one in articles], rejected) == ([("Mill burns", BODY)], [])


@pytest.mark.parametrize("name", ["Mühle/Brände.txt", "新聞.txt"])
def test_names_in_utf_8_that_do_not_say_so(tmp_path: Path, name: str) -> None:
    data = packed({name: TEXT})
    silent = data.replace(struct.pack("<HH", 20, 0x800), struct.pack("<HH", 20, 0))
    assert silent != data
    articles, _, _ = found(tmp_path / "x.zip", silent)
    assert [article.id for article in articles] == [f"x.zip#{name}"]


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "a\x1b[2J.txt"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    articles, rejected, _ = found(tmp_path / "x.zip", packed({name: TEXT, "in.txt": TEXT}))
    assert [article.id for article in articles] == ["x.zip#in.txt"]
    assert rejected == ["its name leads out of the ZIP file or holds control characters: pack it again"]


def locked(data: bytes) -> bytes:
    """Mark the files of a ZIP file as locked."""
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark) + place
        data = data[:at] + bytes([data[at] | 1]) + data[at + 1 :]
    return data


def overlapping() -> bytes:
    """Return a ZIP file two of whose names have the same content."""
    data = packed({"a.txt": TEXT, "b.txt": TEXT})
    first, second = data.index(b"PK\x01\x02"), data.rindex(b"PK\x01\x02")
    return data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]


def spoilt() -> bytes:
    data = bytearray(packed({"a.txt": TEXT}, zipfile.ZIP_STORED))
    data[60] ^= 255
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (locked(packed({"a.txt": TEXT})), "it is locked by a password: unpack it"),
        (packed({"b.zip": packed({"a.txt": TEXT})}), "a ZIP file in a ZIP file: unpack it"),
        (packed({"a.txt": "0" * 200_000_000}), "it unzips to 200 MB, over 100 times its size, as no articles do"),
        (overlapping(), "its files overlap, as nothing packs them: look into it"),
        (
            spoilt(),
            "no such file in a ZIP file, a damaged or a locked one (Bad CRC-32 for file 'a.txt'): save it again",
        ),
        (packed({"a.txt": b"x " * 3_000_000}, zipfile.ZIP_STORED), "it has 6.0 MB and 5 are the most: split it"),
        (packed({"a.txt": TEXT})[:-30], "no ZIP file, or a damaged one (File is not a zip file): pack it again"),
        (b"", "no ZIP file, or a damaged one (File is not a zip file): pack it again"),
        (packed({f"{n}.jpg": b"" for n in range(100_001)}), "it holds over 100,000 files: unpack it"),
    ],
    ids=["locked", "nested", "bomb", "overlapping", "spoilt", "large", "cut", "empty", "many"],
)
def test_hostile_and_damaged_zip_files(tmp_path: Path, data: bytes, why: str) -> None:
    assert found(tmp_path / "x.zip", data)[:2] == ([], [why])
