"""Articles are found, listed and shown by their language, at every door."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from index.alongside.readonly import ReadOnlyIndex
from index.encoder import Encoder
from index.sync import Index
from index.types import BadInput, Filters
from qa import Desk
from qa.doors.cli import main
from qa.web.app import build_app

ROWS = [
    {"id": "quay", "title": "The quay in Kelm opens", "outlet": "Kelm Post", "published": "2025-04-18",
     "text": "The quay in Kelm opened on Friday. The mayor, Anna Berg, said it had cost 4 million euros."},
    {"id": "naberezhna", "title": "У Кельмі відкрили набережну", "outlet": "Вісник", "published": "2025-04-19",
     "text": "У Кельмі в п’ятницю відкрили нову набережну. Роботи тривали два роки, повідомила мерія міста."},
    {"id": "kai", "title": "Kai in Kelm eröffnet", "outlet": "Kelmer Bote", "published": "2025-04-20",
     "text": "Der neue Kai in Kelm ist am Freitag eröffnet worden. Der Bau dauerte zwei Jahre, teilte die Stadt mit."},
]  # fmt: skip
UNKNOWN = "no article is in the language fr: the archive has de, en, uk"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    (folder / "in.json").write_text(json.dumps(ROWS), encoding="utf-8")
    with Desk(folder / "archive", encoder) as desk:
        assert desk.ingest([folder / "in.json"]).added == 3
    return folder / "archive"


@pytest.mark.parametrize("opened", [Index, ReadOnlyIndex])
@pytest.mark.parametrize(
    ("wanted", "found"),
    [(("uk",), {"naberezhna"}), (("uk", "de"), {"naberezhna", "kai"}), ((), {"quay", "naberezhna", "kai"})],
)
def test_each_index_finds_by_language(
    archive: Path, encoder: Encoder, opened: Callable[..., Index], wanted: tuple[str, ...], found: set[str]
) -> None:
    """What compares vectors where there is a filter, and tantivy."""
    with opened(archive, encoder) as index:
        filters = Filters(languages=wanted)
        [vector] = encoder.encode(["the quay in Kelm"])
        keys = index.scan.search(vector, 9, filters), index.lexical.search("Kelm набережну", 9, filters)
        assert [{held[0].id for held in index.archive.passages([key for key, _ in one]).values()} for one in keys] == [
            found,
            found,
        ]


def test_an_index_of_a_version_without_languages_is_built_again_and_nothing_is_encoded(
    index: Index, tmp_path: Path
) -> None:
    with Desk(tmp_path / "archive 2", index.encoder) as desk:
        (tmp_path / "in.json").write_text(json.dumps(ROWS), encoding="utf-8")
        desk.ingest([tmp_path / "in.json"])
        desk.index.dense._collection.modify(name="passages")

    class Still:
        name, count = index.encoder.name, index.encoder.count

    with Index(tmp_path / "archive 2", Still()) as again:  # type: ignore[arg-type]
        vector = again.archive.vectors(again.archive.passage_ids())[0]
        assert len(again.dense.search(vector, 9)) == 3
        assert len(again.scan.search(vector, 9, Filters(languages=("uk",)))) == 1


def test_python_takes_several_and_refuses_an_unknown_one(archive: Path, encoder: Encoder) -> None:
    with Desk(archive, encoder, read_only=True) as desk:
        assert {hit.article.id for hit in desk.search("Kelm", languages=["uk", "DE"])} == {"naberezhna", "kai"}
        assert [one["id"] for one in desk.articles(languages="en")] == ["quay"]
        assert desk.languages() == {"de": 1, "en": 1, "uk": 1}
        assert {said.article_id for said in desk.quotes(languages="en")} == {"quay"}
        for refused in (
            lambda: desk.ask("Who opened the quay?", languages="fr"),
            lambda: desk.timeline("the quay", languages=["en", "fr"]),
            lambda: desk.quotes(speaker="Anna Berg", languages="fr"),
            lambda: desk.quotes(about="the quay", languages="fr"),
            lambda: desk.articles(languages="fr"),
        ):
            with pytest.raises(BadInput, match=f"^{UNKNOWN}$"):
                refused()


def test_the_command_line_filters_and_tells_languages(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        return (main(["--data", str(archive), *words]), *capsys.readouterr())

    def hits(*words: str) -> list[tuple[str, str]]:
        return [(hit["article_id"], hit["language"]) for hit in json.loads(run("search", *words, "--json")[1])["hits"]]

    assert hits("Kelm", "--language", "uk") == [("naberezhna", "uk")]
    assert {*hits("Kelm", "--language", "uk", "--language", "en")} == {("naberezhna", "uk"), ("quay", "en")}
    answer = json.loads(run("ask", "What did the quay cost?", "--language", "en", "--json")[1])
    assert {(c["article_id"], c["language"]) for c in answer["citations"]} == {("quay", "en")}
    listed = json.loads(run("articles", "list", "--language", "de", "--json")[1])["articles"]
    assert [(one["id"], one["language"]) for one in listed] == [("kai", "de")]
    assert "2025-04-19  Вісник · uk · У Кельмі відкрили набережну\n" in run("articles", "list")[1]
    for command in (("ask", "Who?"), ("search", "Who?"), ("timeline", "the quay"), ("quotes",), ("articles", "list")):
        status, out, err = run(*command, "--language", "fr")
        assert (status, out, err.splitlines()[-1]) == (2, "", f"copydesk: {UNKNOWN}")
    status, _, error = run("articles", "show", "quay", "--language", "en")
    assert (status, error) == (2, "copydesk: articles show takes ids and no filters: articles list does\n")


def test_http_filters_by_language_in_bodies_and_addresses(archive: Path, encoder: Encoder) -> None:
    with Desk(archive, encoder) as desk, TestClient(build_app(desk), base_url="http://127.0.0.1") as client:
        listed = client.get("/api/articles?language=uk&language=de").json()
        assert [(one["id"], one["language"]) for one in listed["articles"]] == [("kai", "de"), ("naberezhna", "uk")]
        found = client.post("/api/search", json={"question": "Kelm", "languages": "de"}).json()["hits"]
        assert [(hit["article_id"], hit["language"]) for hit in found] == [("kai", "de")]
        refused = client.get("/api/quotes?language=fr")
        assert (refused.status_code, refused.json()["error"]) == (400, UNKNOWN)
        source = client.get("/source/naberezhna").text
        assert '<h1 lang="uk" dir="auto">У Кельмі відкрили набережну</h1>' in source
        assert '<div class="by">Вісник · 19 April 2025 · Ukrainian</div>' in source
