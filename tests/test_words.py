"""Words of any language: which it is, and by what its articles are found."""

import json
from collections import Counter
from pathlib import Path

import pytest
import tantivy
from conftest import REPOSITORY, SEEDS

from index.encoder import Encoder
from index.ingest import ingest
from index.lexical import LexicalIndex
from index.search import search
from index.sync import Index
from index.text import language
from index.text.terms import content_terms, terms, tokens
from index.types import Article, Filters, Passage, Query

LANGUAGES = REPOSITORY / "evals/languages"


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", ["dev", "held"])
def test_the_language_of_each_question_is_known(name: str) -> None:
    asked = rows(LANGUAGES / f"questions-{name}.jsonl")
    wrong = [row["id"] for row in asked if language.of(str(row["question"])) != row["notes"]["language"]]  # type: ignore[index]
    assert len(wrong) <= 0.03 * len(asked), wrong


@pytest.mark.parametrize(
    "path",
    [SEEDS / "questions.jsonl", *(REPOSITORY / "evals/newsroom").glob("questions-*.jsonl")],
    ids=lambda path: str(path.relative_to(REPOSITORY)),
)
def test_no_english_question_is_taken_for_another_language(path: Path) -> None:
    assert Counter(language.of(str(row["question"])) for row in rows(path)).keys() == {"en"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Wer starb?", "de"), ("Warum?", "de"), ("Хто загинув?", "uk"), ("Коли?", "uk"), ("Причина пожежі?", "uk"),
        ("Кто погиб?", "ru"), ("Кой спечели?", "bg"), ("Ко је победио?", "sr"), ("誰が辞任しましたか", "ja"),
        ("谁辞职了？", "zh"), ("駅前 火災 死者", "ja"), ("누가 이겼나요?", "ko"), ("Ποιος κέρδισε;", "el"),
        ("من استقال؟", "ar"), ("چه کسی برنده شد؟", "fa"), ("Kto zginął?", "pl"), ("Ile ofiar?", "pl"),
        ("¿Quién dimitió?", "es"), ("quien gano?", "es"), ("Où ?", "fr"), ("Qui est mort ?", "fr"),
        ("Nachbarn brachten sie durch ein Fenster in Sicherheit.", "de"),
        ("Who is Владимир Путин?", "en"), ("Хто такий Keir Starmer?", "uk"), ("Macron", None), ("Łódź?", None),
        ("coup d'état in Niger", None), ("", None), ("2025", None),
    ],
)  # fmt: skip
def test_short_texts(text: str, code: str | None) -> None:
    assert language.of(text) == code


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        ("uk", "пожежа на ринку Вербогаю", "пожежі на ринках Вербогаї"),
        ("uk", "п'ятниця", "п’ятницю"),
        ("pl", "pożar w Olszanach", "pożaru w Olszany"),
        ("cs", "starosta města", "starostou města"),
        ("sk", "mesta", "mestá"),
        ("de", "die Brücken wurden gesperrt", "die Brücke wurde gesperrt"),
        ("fr", "les élections municipales", "l'election municipale"),
        ("es", "incendios forestales", "incendio forestal"),
        ("ar", "حُفرت البئر", "حفرت بئر"),
        ("ar", "عام ٢٠٢٣", "عام 2023"),
        ("hr", "požari", "požara"),
        ("ru", "пожарами", "пожаров"),
    ],
)
def test_forms_of_a_word_have_one_stem(code: str, one: str, other: str) -> None:
    assert content_terms(one, code) == content_terms(other, code)


def test_words_of_scripts_without_spaces_are_pairs_of_characters() -> None:
    assert tokens("給食の無償化", "ja") == ["給食", "食の", "の無", "無償", "償化", "給", "食", "無", "償", "化"]
    assert tokens("罚款 5 万元", "zh") == ["罚款", "罚", "款", "5", "万元", "万", "元"]
    assert tokens("ตลาด", "th") == ["ตล", "ลา", "าด"]
    assert tokens("다리는", "ko") == ["다리", "리는"]


def test_what_says_nothing_of_a_subject_is_no_content() -> None:
    assert content_terms("給食の無償化が遅くなったのはなぜですか。", "ja") == {
        *["給食", "無償", "償化", "給", "食", "無", "償", "化", "遅"]
    }
    assert content_terms("Скільки людей загинуло?", "uk") == terms("загинуло людей", "uk")
    assert content_terms("Wer hat gewonnen?", "de") == {"gewonn"}
    assert content_terms("为什么罚款？", "zh") >= {"罚款"}
    assert "什么" not in content_terms("为什么罚款？", "zh")


def test_english_is_analysed_as_before() -> None:
    said = "Who visited the café's bridges in 2025?"
    assert terms(said) == terms(said, "en") == {"who", "visit", "the", "cafe", "s", "bridg", "in", "2025"}
    assert content_terms(said, "en") == content_terms(said) == {"visit", "cafe", "s", "bridg", "2025"}


def held(*texts: tuple[str, str, str | None]) -> LexicalIndex:
    index = LexicalIndex(None)
    articles = [Article(key, "", text, language=code) for key, text, code in texts]
    index.apply([], [(one, Passage(one.id, one.id, 0, len(one.text))) for one in articles])
    return index


def test_an_article_is_found_by_words_of_its_language_and_names_in_all() -> None:
    index = held(
        ("uk", "Пожежі на ринках згубили сорок крамниць.", "uk"),
        ("ja", "市議会は給食の無償化を決めた。", None),  # its language was not told
        ("en", "The market of Verbohai burned.", "en"),
    )

    def found(question: str) -> list[str]:
        return [key for key, _ in index.search(question, 9, Filters(), language=language.of(question))]

    assert found("Коли сталася пожежа на ринку?") == ["uk"]
    assert found("給食の無償化はいつから?") == ["ja"]
    assert found("Wann brannte der Markt von Verbohai?") == ["en"]
    assert index.search("пожежа", 9, Filters()) == []  # as English, which has no such stem
    assert index.rarity(["пожеж"], "uk")["пожеж"] < 1.0 == index.rarity(["пожеж"])["пожеж"]


def test_other_languages_leave_english_scores_as_they_are() -> None:
    texts = [("a", "The bridge at Orsund was closed.", "en"), ("b", "Die Brücke wurde gesperrt.", "de")]
    question = "Why was the bridge closed?"
    index = held(*texts)
    assert index.search(question, 9, Filters(), language="en") == index.search(question, 9, Filters())
    assert [key for key, _ in index.search(question, 9, Filters())] == ["a"]


def test_an_older_lexical_index_is_built_again_without_encoding(tmp_path: Path, encoder: Encoder) -> None:
    text = "Пожежі на ринках згубили сорок крамниць у центрі міста, повідомили рятувальники."
    (tmp_path / "in.json").write_text(json.dumps({"id": "uk", "title": "Ринок", "text": text}))
    with Index(tmp_path / "archive", encoder) as index:
        ingest(index, [tmp_path / "in.json"])
    [folder] = (tmp_path / "archive").glob("lexical-*")
    for path in folder.iterdir():
        path.unlink()
    builder = tantivy.SchemaBuilder()  # as it was before languages
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="clean-stems")
    tantivy.Index(builder.build(), path=str(folder))
    (tmp_path / "archive" / "lexical.sums").unlink()

    class Silent:
        """An encoder that encodes no article."""

        name, encode_query, count, unrelated = encoder.name, encoder.encode_query, encoder.count, encoder.unrelated

    with Index(tmp_path / "archive", Silent()) as index:  # type: ignore[arg-type]
        assert [hit.article.id for hit in search(index, Query("пожежа на ринку", language="uk"))] == ["uk"]
        assert len(index.lexical.search("пожежа", 9, Filters(), language="uk")) == 1
    [rebuilt] = (tmp_path / "archive").glob("lexical-*")
    assert rebuilt.name != folder.name
