"""Fields and heads of real exports: names of others, envelopes, slug lines, datelines, credits."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from index.read import LEFT_OUT, Known, read
from index.read.notes import Notes
from index.read.plain import of_text
from index.text.cut import sentences
from index.text.days import day_or_none
from index.types import Article, BadInput, Rejected

EXPORTS = Path(__file__).parent / "sets" / "exports"


def exports() -> Iterator[tuple[dict[str, Any], Article | None, Article | None]]:
    """Yield what is expected of each article of the set, and the article, read without and with its year."""
    for line in (EXPORTS / "expected.jsonl").read_text().splitlines():
        wanted = json.loads(line)
        found = [
            [f.item for f in read([EXPORTS / wanted["file"]], known=Known(year=year)) if isinstance(f.item, Article)]
            for year in (None, wanted.get("year"))
        ]
        place = wanted.get("index", 0)
        yield wanted, *(articles[place] if len(articles) > place else None for articles in found)  # type: ignore[misc]


def right(wanted: dict[str, Any], name: str, value: Any) -> bool:
    others = wanted.get(f"{name}_alt") or []
    accepted = [wanted[name], *(others if isinstance(others, list) else [others])]
    if name == "authors":
        return (
            value in accepted or (wanted.get("authors_alt") and isinstance(others[0], str) and value == others) or False
        )
    return (name == "title" and wanted[name] is None) or value in accepted


def misses(wanted: dict[str, Any], bare: Article | None, article: Article | None) -> list[str]:
    """Name what is wrong of an article, each with what was found."""
    if article is None or bare is None:
        return ["missing"]
    day = article.published and article.published.isoformat()
    found = {"title": article.title, "outlet": article.outlet, "date": day, "authors": list(article.authors)}
    wrong = [
        f"{name}: {value!r}, not {wanted[name]!r}"
        for name, value in found.items()
        if name in wanted and not right(wanted, name, value)
    ]
    if "year" in wanted and bare.published:
        wrong.append(f"date: {bare.published} without a year")
    text = " ".join(article.text.split())
    starts = [" ".join(start.split()) for start in [wanted.get("starts"), *wanted.get("starts_alt", [])] if start]
    if starts and not any(map(text.startswith, starts)):
        wrong.append(f"starts: {text[:60]!r}, not {starts[0]!r}")
    wrong += [f"text holds {part!r}" for part in wanted.get("not_in_text") or [] if part in article.text]
    return wrong + [f"text lacks {part!r}" for part in wanted.get("must_contain") or [] if part not in article.text]


def test_exports_of_a_set_written_apart() -> None:
    lost: dict[str, list[str]] = {}
    for wanted, bare, article in exports():
        lost.setdefault(wanted["file"], []).extend(misses(wanted, bare, article))
    heads = [
        file
        for file, wrong in lost.items()
        if not any(w.startswith(("title", "outlet", "date", "missing")) for w in wrong)
    ]
    print(len(heads), "of", len(lost), "whole:", sum(not wrong for wrong in lost.values()))
    assert len(heads) >= 27, {file: wrong for file, wrong in lost.items() if wrong}


BODY = "Tram drivers stopped work at dawn. They want more pay."
WANTED = ("Trams stop", BODY, "Northern Wire", "2025-06-03")
UNDER = {"headline": "Trams stop", "body": BODY}


def one(path: Path, content: str, **known: Any) -> Article:
    path.write_text(content, encoding="utf-8")
    (found,) = [f.item for f in read([path], known=Known(**known))]
    assert isinstance(found, Article), found
    return found


@pytest.mark.parametrize(
    "record",
    [
        {
            "headline": "Trams stop",
            "articleBody": BODY,
            "publisher": {"name": "Northern Wire"},
            "datePublished": "2025-06-03",
        },
        {
            "title": "Trams stop",
            "content": BODY,
            "source": {"id": None, "name": "Northern Wire"},
            "publishedAt": "2025-06-03T10:00:00Z",
        },
        {"Title": "Trams stop", "Text": BODY, "Publication": "Northern Wire", "Date": "3 June 2025"},
        {**UNDER, "source": "Northern Wire", "pub_date": 1748944800},
        {**UNDER, "source": "Northern Wire", "timestamp": "1748944800000"},
        {**UNDER, "publication": "Northern Wire", "pubDate": "Tue, 03 Jun 2025 09:00:00 +0300"},
        {**UNDER, "provider": [{"name": "Northern Wire"}], "created_at": {"$date": "2025-06-03T01:00:00Z"}},
        {
            "title": {"rendered": "Trams&nbsp;stop"},
            "content": {"rendered": f"<p>{BODY}</p>\n"},
            "date": "2025-06-03T08:00:00",
            "site_name": "Northern Wire",
        },
        {
            "post_title": "Trams stop",
            "post_content": BODY,
            "post_date": "2025-06-03 08:00:00",
            "source": "Northern Wire",
        },
        {
            "webTitle": "x",
            "fields": {"headline": "x", "bodyText": BODY, "publication": "Northern Wire"},
            "title": "Trams stop",
            "webPublicationDate": "2025-06-03T08:00:00Z",
        },
        {
            "headline": {"main": "Trams stop"},
            "lead_paragraph": BODY,
            "source": "Northern Wire",
            "pub_date": "2025-06-03T08:00:00+0000",
        },
        {
            "HD": "Trams stop",
            "LP": BODY.split(" They")[0],
            "TD": "They want more pay.",
            "SN": "Northern Wire",
            "PD": "3 June 2025",
        },
    ],
)
@pytest.mark.parametrize("envelope", ["{}", '{{"articles": [{}]}}', '{{"response": {{"docs": [{}]}}}}', "[{}]"])
def test_the_names_that_others_use(tmp_path: Path, record: dict[str, Any], envelope: str) -> None:
    article = one(tmp_path / "a.json", envelope.format(json.dumps(record)))
    assert (article.title, " ".join(article.text.split()), article.outlet, str(article.published)) == WANTED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("author", "Ann Ray"),
        ("author", {"@type": "Person", "name": "Ann Ray"}),
        ("author", [{"name": "Ann Ray"}]),
        ("authors", ["Ann Ray"]),
        ("byline", "By ANN RAY Health Correspondent"),
        ("byline", {"original": "By Ann Ray"}),
        ("dc:creator", "news@wire.example (Ann Ray)"),
        ("author", "['Ann Ray']"),
    ],
)
def test_authors_in_any_shape(tmp_path: Path, name: str, value: Any) -> None:
    assert one(tmp_path / "a.json", json.dumps({**UNDER, name: value})).authors == ("Ann Ray",)


def test_a_graph_of_schema_org(tmp_path: Path) -> None:
    graph = [
        {"@type": "WebPage", "@id": "#p", "name": "Trams stop - Northern Wire"},
        {"@type": "NewsArticle", "headline": "Trams stop", "articleBody": BODY, "publisher": {"@id": "#o"}},
        {"@type": "Organization", "@id": "#o", "name": "Northern Wire"},
    ]
    assert one(tmp_path / "a.json", json.dumps({"@context": "x", "@graph": graph})).outlet == "Northern Wire"


def test_what_is_no_article_is_left_out(tmp_path: Path) -> None:
    rows = [
        {**UNDER, "post_type": "attachment"},
        {**UNDER, "post_status": "draft"},
        {"title": "[Removed]", "content": "[Removed]"},
    ]
    one(tmp_path / "a.json", json.dumps([*rows, {**UNDER, "post_type": "post"}]))


def test_a_name_that_no_table_has(tmp_path: Path) -> None:
    row = {"overskrift": "Trams stop", "tekst": BODY}
    article = one(tmp_path / "a.jsonl", json.dumps(row), names={"overskrift": "title", "Tekst": "text"})
    assert (article.title, article.text) == ("Trams stop", BODY)
    with pytest.raises(BadInput, match="map tekst=body: what stands behind = must be one of id, url, title, text"):
        list(read([tmp_path], known=Known(names={"tekst": "body"})))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_columns_parted_by_other_marks(tmp_path: Path, mark: str) -> None:
    article = one(tmp_path / "a.csv", f"headline{mark}date{mark}content\nTrams stop{mark}2025-06-03{mark}{BODY}\n")
    assert (article.title, article.text, str(article.published)) == ("Trams stop", BODY, "2025-06-03")


@pytest.mark.parametrize("bad", ['b,"He said "yes". Then left."', 'b,"He never closed it.', 'b,"One" two', 'b,"x"y"z"'])
def test_csv_goes_on_after_a_bad_row(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'id,text\na,"One, two."\n{bad}\nc,"Of two\nlines."\nd,Four.\n')
    found = [f.item for f in read([path])]
    assert [item.id for item in found if isinstance(item, Article)] == ["a", "c", "d"]
    assert [item.source for item in found if isinstance(item, Rejected)] == [f"{path}, line 3"]


@pytest.mark.parametrize(
    "head",
    [
        "NORTHERN WIRE\nPOLITICS / URGENT\n",
        "URGENT\n",
        "BC-Brasov-Strike\nEds: Adds quote.\n",
        "BC-Brasov-Strike, 1st Ld-Writethru\n",
        "BRASOV STRIKE\n",
        "Slug: strike-brasov\nPriority: 3\n",
        "FOR IMMEDIATE RELEASE\n",
        "BRASOV-STRIKE/TRAMS (UPDATE 2)\n",
        "",
    ],
)
@pytest.mark.parametrize(
    "tail", ["", "\n\nENDS", "\n\n###", "\n\n-30-", "\n\n(c) 2025 Northern Wire. All rights reserved.", "\n\nap/jl"]
)
def test_what_agencies_put_around_a_report(tmp_path: Path, head: str, tail: str) -> None:
    credit = "(Reporting by Ann Ray in Brasov; editing by Jo Lee)"
    content = f"{head}\nTram drivers walk out in Brasov\n\nBRASOV, June 3 (Northern Wire) - {BODY}\n\n{credit}{tail}\n"
    article = one(tmp_path / "wire.txt", content, year=2025)
    assert article.title == "Tram drivers walk out in Brasov"
    assert article.text == f"BRASOV, June 3 (Northern Wire) - {BODY}"
    assert (article.outlet, str(article.published), article.authors) == ("Northern Wire", "2025-06-03", ("Ann Ray",))


@pytest.mark.parametrize(
    ("name", "below", "year", "day"),
    [
        ("2025-06-03-strike.txt", "", None, "2025-06-03"),
        ("wire_20250603.txt", "", None, "2025-06-03"),
        ("strike-2024.txt", "", 2025, "2024-06-03"),
        ("a.txt", "\n\nCopyright 2023 Northern Wire", 2025, "2023-06-03"),
        ("a.txt", "", 2025, "2025-06-03"),
        ("a.txt", "", None, "None"),
        ("sent-20260101.txt", "", None, "2025-06-03"),
    ],
)
def test_the_year_of_a_dateline(tmp_path: Path, name: str, below: str, year: int | None, day: str) -> None:
    article = one(tmp_path / name, f"Trams stop\n\nBRASOV, June 3 (NW) - {BODY}{below}", year=year)
    assert str(article.published) == day


@pytest.mark.parametrize(
    "sent",
    [
        "BRASOV, June 3 (Northern Wire) - ",
        "KYIV, Ukraine — ",
        "KYIV/MOSCOW, June 3 (Reuters) - ",
        "(Reuters) - ",
        "Brasov (dpa) - ",
        "NEW YORK, June 3, 2025 /PRNewswire/ -- ",
        "LONDON — ",
        "PORT-AU-PRINCE, Haiti (AP) — ",
        "MOSCOW, June 3. /TASS/. ",
        "Brasov, 3 June (NW) ",
    ],
)
def test_a_dateline_is_no_part_of_a_sentence(sent: str) -> None:
    text = f"{sent}{BODY}\n\nMore."
    first, second, *_ = [text[span.start : span.end] for span in sentences(text)]
    assert (first, second) == (sent.strip(), "Tram drivers stopped work at dawn.")


@pytest.mark.parametrize(
    "text",
    [
        "NATO — The alliance met.",
        "Apple (AAPL) — shares rose.",
        "Trams stopped on June 3 - The strike went on.",
        "COVID-19 — The illness.",
        "Written by hand, the letters were sold.",
        "Cases were reported from all regions.",
        "Дощ ішов цілу ніч у Львові.",
        "Sports fans cheered in London.",
        "The end",
    ],
)
def test_what_only_looks_like_wire_copy_stays(tmp_path: Path, text: str) -> None:
    assert one(tmp_path / "a.json", json.dumps({"text": f"{BODY}\n\n{text}"})).text == f"{BODY}\n\n{text}"
    assert sentences(text)[0][:2] == (0, len(text))


def noted(path: Path, content: str, **known: Any) -> list[str]:
    """Return what is noted of a file."""
    path.write_text(content, encoding="utf-8")
    notes = Notes()
    list(read([path], known=Known(**known), notes=notes))
    return notes.lines()


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("date", "03/04/2025", "'03/04/2025' may be 3 April or 4 March"),
        ("Pub Date", "3-4-2025", "'3-4-2025' may be 3 April or 4 March"),
        ("pubDate", "5/6/25 10:00", "'5/6/25 10:00' may be 5 June or 6 May"),
        ("publishedAt", "soon", "'soon' is not a date"),
        ("created_at", "June 2025", "'June 2025' is not a date"),
        ("timestamp", 12, "12 is not a date"),
        ("post_date", "0000-00-00 00:00:00", "'0000-00-00 00:00:00' is not a date"),
        ("published date", "31 February 2025", "'31 February 2025' is not a date"),
    ],
)
def test_a_day_that_cannot_be_read_is_told(tmp_path: Path, name: str, value: object, found: str) -> None:
    lines = noted(tmp_path / "a.json", json.dumps({**UNDER, name: value}))
    assert lines == [f"undated: a.json ({found}): write it as YYYY-MM-DD"]
    (article,) = read([tmp_path / "a.json"], notes=(notes := Notes()))
    assert (isinstance(article.item, Article), notes.not_used) == (True, set())
    assert noted(tmp_path / "a.json", json.dumps({**UNDER, name: value, "issued": "2025-06-03"})) == []


@pytest.mark.parametrize("name", ["Story No", "post_id", "newsId", "Article Number", "DOCNO", "itemId", "story-number"])
def test_ids_as_others_name_them(tmp_path: Path, name: str) -> None:
    article = one(tmp_path / "a.json", json.dumps({**UNDER, name: "A-1", "link": "https://wire.example/1"}))
    assert article.id == "A-1"


@pytest.mark.parametrize("value", ["nan", "None", "null", "N/A", "", None])
def test_what_stands_for_nothing_is_nothing(tmp_path: Path, value: object) -> None:
    record = {"title": value, "text": BODY, "outlet": value, "author": value, "date": value, "url": None}
    article = one(tmp_path / "a.json", json.dumps(record))
    assert (article.title, article.outlet, article.authors) == ("Tram drivers stopped work at dawn.", None, ())
    lines = noted(tmp_path / "a.json", json.dumps(record))
    assert lines == ["undated: a.json (nothing declares the day): give it as published"]


def test_a_dateline_without_a_year_is_told(tmp_path: Path) -> None:
    for name, day in (("a", "June 3"), ("b", "4 June"), ("c", "5 June")):
        (tmp_path / f"{name}.txt").write_text(f"Trams stop\n\nBRASOV, {day} (NW) - {BODY}")
    notes = Notes()
    list(read([tmp_path], notes=notes))
    assert notes.lines() == ["undated: a.txt, b.txt, c.txt (June 3 has no year): --year gives it"]
    list(read([tmp_path], known=Known(year=2025), notes=(notes := Notes())))
    assert notes.lines() == []


def test_a_line_that_may_be_two_days_is_told(tmp_path: Path) -> None:
    lines = noted(tmp_path / "a.txt", f"Trams stop\n03/04/2025\n\n{BODY}")
    assert lines == ["undated: a.txt (03/04/2025 may be two days or is none): write it as YYYY-MM-DD"]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("… [+1834 chars]", "… [+1834 chars]"),
        ("... [2714 chars]", "... [2714 chars]"),
        (" [+1,834 characters]", "[+1,834 characters]"),
        (" […]", "[…]"),
        (" [...]", "[...]"),
        (" [truncated]", "[truncated]"),
        ("… Continue reading Trams stop →", "… Continue reading Trams stop →"),
        ("... Read more »", "... Read more »"),
        ("… Read the full story", "… Read the full story"),
        ("…", "…"),
    ],
)
def test_a_text_that_is_cut_off_is_told(tmp_path: Path, end: str, told: str) -> None:
    row = json.dumps({**UNDER, "body": BODY + end, "date": "2025-06-03"})
    assert noted(tmp_path / "a.json", row) == [f"cut off: a.json ({told}): ingest the whole text"]
    assert one(tmp_path / "a.json", row).text == (BODY if len(end) > 1 else BODY + end)


@pytest.mark.parametrize("text", [f"{BODY} Read more books.", f"He said: “Go on… {BODY}”", f"{BODY} (And more.)"])
def test_a_whole_text_is_not_cut_off(tmp_path: Path, text: str) -> None:
    assert noted(tmp_path / "a.json", json.dumps({**UNDER, "body": text, "date": "2025-06-03"})) == []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"Story No": "A-1", "Body": ""}, "its Body is empty"),
        ({"newsId": 7, "content": {"rendered": " "}}, "its content is empty"),
        ({"title": "Trams stop", "content": "[Removed]"}, "its content is '[Removed]'"),
        ({"title": "Trams stop", "content": "ONLY AVAILABLE IN PAID PLANS"}, "its content is 'ONLY AVAILABLE IN PAID"),
        ({"title": "Trams stop", "text": "nan"}, "its text is 'nan'"),
        ({"fliess": BODY}, "--map NAME=text tells which field holds it (fliess)"),
    ],
)
def test_why_a_record_has_no_text(tmp_path: Path, record: dict[str, Any], reason: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(record))
    (found,) = read([tmp_path / "a.json"])
    assert isinstance(found.item, Rejected)
    assert found.item.reason.startswith(f"it has no text: {reason}")


def test_a_short_row_lacks_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("headline,content,words\nTrams stop\n")
    (found,) = read([tmp_path / "a.csv"])
    assert isinstance(found.item, Rejected)
    assert found.item.reason == "it has no text: its content is empty"


def test_records_that_are_left_out_are_told(tmp_path: Path) -> None:
    rows = [{"title": "[Removed]", "content": "[Removed]"}, {**UNDER, "date": "2025-06-03"}]
    rows += [{**UNDER, "post_status": "draft"}] * 2
    told = f"left out: 3 articles of a.json (title: [Removed]): {LEFT_OUT}"
    assert noted(tmp_path / "a.json", json.dumps({"articles": rows})) == [told]


@pytest.mark.parametrize(
    ("line", "outlet"), [("Northern Wire, 14 January 2025", "Northern Wire"), ("Paris, 3 May 2025", None)]
)
def test_an_outlet_may_stand_before_the_day(tmp_path: Path, line: str, outlet: str | None) -> None:
    (tmp_path / "a.txt").write_text(
        f"Three dead as river breaks its bank\n{line}\nBy Ana Kolt\n\nAt least three died.\n"
    )
    [article] = [f.item for f in read([tmp_path / "a.txt"])]
    assert isinstance(article, Article)
    assert (article.outlet, str(article.published)[:4]) == (outlet, "2025")


@pytest.mark.parametrize(
    ("head", "title", "outlet", "day"),
    [
        ("У Сумах відкрили музей\nСумський оглядач\n2026-05-22", "У Сумах відкрили музей", "Сумський оглядач", 22),
        ("Дата: 22 травня 2026\nВидання: Сумський оглядач\nЗаголовок: Музей", "Музей", "Сумський оглядач", 22),
        ("水産市場が再開\n白浜新聞\n2026年5月22日", "水産市場が再開", "白浜新聞", 22),
        ("标题：新图书馆开放\n来源：海港日报\n日期：2026年5月22日", "新图书馆开放", "海港日报", 22),
        ("Titre : La foire du livre\nDate : 22 mai 2026", "La foire du livre", None, 22),
        ("Titel: Die Brücke\nQuelle: Nordkurier\nDatum: 22. Mai 2026", "Die Brücke", "Nordkurier", 22),
        ("Data: 22 maja 2026\nTytuł: Most otwarty", "Most otwarty", None, 22),
        ("افتتاح متحف جديد\nصحيفة الساحل\n22 مايو 2026", "افتتاح متحف جديد", "صحيفة الساحل", 22),
    ],
)
def test_heads_of_other_languages(head: str, title: str, outlet: str | None, day: int) -> None:
    fields = of_text(f"{head}\n\nМузей відкрили у п'ятницю. Директор сказав, що радий.", {})
    found = [fields["title"], fields["outlet"], day_or_none(str(fields["published"]))]
    assert found == [title, outlet, date(2026, 5, day)]
    assert fields["text"].startswith("Музей відкрили")


def test_a_label_of_a_day_that_is_none_is_text() -> None:
    fields = of_text("Most otwarty\nData: wkrótce\n\nMost otwarto w piątek. Kosztował dużo.", {})
    assert (fields["published"], fields["title"]) == (None, "Most otwarty")
    assert "Data: wkrótce" in fields["text"]
