import gzip
import json
import os
from datetime import date
from pathlib import Path

import pytest
from conftest import SHARED

from index.read import Known, read
from index.read.notes import Notes
from index.text.days import parse_date
from index.types import Article, BadInput, Rejected


def articles(*paths: Path, outlet: str | None = None, notes: Notes | None = None) -> list[Article]:
    found = [f.item for f in read(paths, Known(outlet), notes)]
    assert [item for item in found if isinstance(item, Rejected)] == []
    return [item for item in found if isinstance(item, Article)]


def reason(path: Path) -> str:
    """Return why a file is rejected; it must be rejected as a whole."""
    (found,) = read([path])
    assert isinstance(found.item, Rejected)
    return found.item.reason


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_plain_text_as_newsrooms_paste_it(tmp_path: Path) -> None:
    (article,) = articles(
        write(
            tmp_path / "talks.txt",
            " date 2025-04-18 The talks went on for a day, reports UNN.\r\n\r\n"
            "Delegates arrive. Photo: UNN\r\n\r\nThey ended late.",
        )
    )
    assert article == Article(
        "talks.txt",
        "The talks went on for a day, reports UNN.",
        "The talks went on for a day, reports UNN.\n\nDelegates arrive. Photo: UNN\n\nThey ended late.",
        "UNN",
        date(2025, 4, 18),
    )


HEADED = "Town gets a library\n\n"
PROSE = "The town opened a library on Monday. It holds nine thousand books. The mayor paid the first fee herself."
WRAPPED = (
    "The town opened a library on Monday, and nine\nthousand books stand in it. The mayor came and\n"
    "paid the first fee herself, which was three crowns\nand a half."
)


@pytest.mark.parametrize(
    ("lead", "day"),
    [
        (f"{HEADED}Published: 12 May 2025\n\n", "2025-05-12"),
        ("Town gets a library\nUpdated: May 14, 2025\nPublished: May 12, 2025\n\n", "2025-05-12"),
        ("Published on 12 May 2025, 09:15 CEST | Updated 14 May 2025\nTown gets a library\n\n", "2025-05-12"),
        ("2025-05-12T09:15:00Z\nTown gets a library\n\n", "2025-05-12"),
        ("Town gets a library\n2025-05-12\n\n", "2025-05-12"),
        ("Town gets a library\n\n13/05/2025\n\n", "2025-05-13"),
        ("Lund, 12.5.2025\nTown gets a library\n\n", "2025-05-12"),
        ("Updated 14 May 2025\nTown gets a library\n\n", "None"),
        (f"{HEADED}The old one burnt down on Friday, 12 March 1999. ", "None"),
        (f"{HEADED}On Saturday, June 5 1982 it was founded. ", "None"),
        (f"{HEADED}The vote is on Friday, November 27. ", "None"),
        (f"{HEADED}The mayor said that it will open on Friday, April 18.\n", "None"),
        (f"{HEADED}The mayor said so in Lund on Friday, April 18.\n", "2025-04-18"),
        ("Date: 3 December 2199\nTown gets a library\n\n", "None"),
    ],
)
def test_only_what_declares_a_day_dates_a_text(tmp_path: Path, lead: str, day: str) -> None:
    (article,) = articles(write(tmp_path / "a.txt", lead + PROSE))
    assert (article.title, str(article.published)) == ("Town gets a library", day)
    assert article.text.endswith(PROSE)


@pytest.mark.parametrize(
    ("lead", "outlet", "authors"),
    [
        ("12 May 2025 09:15 CEST\n", None, ()),
        ("09:15\n", None, ()),
        ("By Mia Holm and Ola Berg\n\n", None, ("Mia Holm", "Ola Berg")),
        ("Harbour Post\n\nBy Mia Holm, Harbour Post\n", "Harbour Post", ("Mia Holm",)),
        ("By Mia Holm | 12 May 2025\n", None, ("Mia Holm",)),
    ],
)
def test_the_title_is_the_first_line_that_is_one(
    tmp_path: Path, lead: str, outlet: str | None, authors: tuple[str, ...]
) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"{lead}Town gets a library\n\n{PROSE}"))
    assert (article.title, article.outlet, article.authors) == ("Town gets a library", outlet, authors)
    assert article.text == PROSE


@pytest.mark.parametrize(
    ("lead", "title"),
    [
        ("Deadlock\n\n", "Deadlock"),
        ("Deadlock!\n12 May 2025\n\n", "Deadlock!"),
        ("UNN\n\n", "The town opened a library on Monday."),
        ("World\n\nTown gets a library\n\n", "Town gets a library"),
    ],
)
def test_a_headline_may_be_one_word(tmp_path: Path, lead: str, title: str) -> None:
    (article,) = articles(write(tmp_path / "a.txt", lead + PROSE))
    assert article.title == title


@pytest.mark.parametrize(("lead", "title"), [("", "The town opened a library on Monday"), (HEADED, "Town gets")])
def test_wrapped_text_is_one_paragraph(tmp_path: Path, lead: str, title: str) -> None:
    for name, between in (("a.txt", lead), ("b.txt", lead.replace("\n\n", "\n"))):
        (article,) = articles(write(tmp_path / name, between + WRAPPED))
        assert article.title.startswith(title)
        assert article.text == WRAPPED.replace("\n", " ")


def test_lines_that_nobody_wrapped_stay_lines(tmp_path: Path) -> None:
    lines = "He came on Monday with his dog and cat.\nShe went on Tuesday.\nThey met on a Wednesday in the rain."
    (article,) = articles(write(tmp_path / "a.txt", lines))
    assert article.text == lines


@pytest.mark.parametrize(
    "lead",
    [
        "ODESA, 12 May 2025 (Harbour Post) - Ships left.",
        "Ships leave Odesa\n\nBy Jane Doe\n\nMay 12, 2025\n\nShips left.",
    ],
)
def test_datelines(tmp_path: Path, lead: str) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"{lead}\n\nMore is to come."))
    assert article.published == date(2025, 5, 12)


@pytest.mark.parametrize(
    ("lead", "outlet"),
    [
        ("ODESA, 12 May 2025 (Harbour Post) - Ships left.", "Harbour Post"),
        ("PARIS, April 18 (Reuters) - Talks ended on Thursday without a result.", "Reuters"),
        ("Talks ended on Thursday, The Dnipro Ledger reports.", "The Dnipro Ledger"),
        ("The minister at the table. Photo: Novyny.LIVE\n\nTalks ended on Thursday.", "Novyny.LIVE"),
        ("The minister at the table. Photo: Getty Images\n\nTalks ended, he reports.", None),
    ],
)
def test_the_only_trace_of_an_outlet(tmp_path: Path, lead: str, outlet: str | None) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"{lead}\n\nMore is to come."))
    assert article.outlet == outlet


def test_hard_wrapped_lines_are_joined(tmp_path: Path) -> None:
    wrapped = "\n".join(["The delegations of both countries met in the morning and"] * 3 + ["parted at night."])
    (article,) = articles(write(tmp_path / "a.txt", f"{wrapped}\n\n{wrapped}"))
    assert article.text.count("\n") == 2
    assert "met in the morning and The delegations" in article.text


def test_markdown_is_stored_as_it_reads(tmp_path: Path) -> None:
    (article,) = articles(
        write(
            tmp_path / "a.md",
            "---\noutlet: Kyiv Bulletin\ndate: 2025-04-18\nauthors: [A. B., C. D.]\n---\n"
            "# Talks *end*\n\nThe [delegations](https://x.example) **agreed**\nto meet.\n\n"
            "![map](m.png)\n\n- one\n- two\n",
        )
    )
    assert article.title == "Talks end"
    assert article.text == "The delegations agreed to meet.\n\none\n\ntwo"
    assert (article.outlet, article.published, article.authors) == (
        "Kyiv Bulletin",
        date(2025, 4, 18),
        ("A. B.", "C. D."),
    )


def test_a_web_page_without_its_menus(tmp_path: Path) -> None:
    (article,) = articles(Path(__file__).parent.parent / "seeds" / "paris-talks-copy.html")
    assert article.title == "Multinational contingent on the table in Paris"
    assert article.outlet == "Harbour Daily"
    assert article.published == date(2025, 4, 19)
    assert article.url == article.id == "https://harbourdaily.example/world/paris-contingent"
    assert article.text.startswith("Talks in Paris turned to a multinational contingent")
    assert "Subscribe" not in article.text
    assert "Sport" not in article.text


STORY = "".join(
    f"<p>The town of Lund opened a library on Monday, in which nine thousand books stand on {kind} shelves, part "
    f"{n}. Readers pay three crowns a year.</p>"
    for n, kind in enumerate(("oak", "pine", "steel", "glass"))
)
OWN = {"@type": "NewsArticle", "headline": "Town gets a library", "datePublished": "2025-05-12T09:00Z"}


def linked(things: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(things)}</script>'


def page(
    head: str = "", above: str = "", story: str = STORY, after: str = "", title: str = "Town gets a library"
) -> str:
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body><article><h1>{title}</h1>{above}{story}</article>{after}</body></html>"
    )


@pytest.mark.parametrize(
    "html",
    [
        page('<meta property="article:modified_time" content="2025-06-30">' + linked(OWN)),
        page(linked({"@graph": [{"@type": "WebPage", "datePublished": "2020-01-01"}, OWN | {"@type": ["Article"]}]})),
        page(linked([OWN | {"headline": "Mill burns", "datePublished": "2021-01-01"}, OWN])),
        page('<meta name="pubdate" content="20250512"><meta property="og:updated_time" content="2025-06-30">'),
        page(above='<p>Published <time>12 May 2025</time> Updated <time datetime="2025-06-30">30 June</time></p>'),
        page(above='<p class="byline">By Mia Holm, <time datetime="2025-05-12">12 May</time></p>'),
        page(above='<meta itemprop="datePublished" content="2025-05-12">'),
        page(above="<p>12 May 2025</p>"),
        page('<link rel="canonical" href="https://lund.example/2025/05/12/library">'),
    ],
)  # fmt: skip
def test_a_page_declares_its_day(tmp_path: Path, html: str) -> None:
    (article,) = articles(write(tmp_path / "a.html", html))
    assert article.published == date(2025, 5, 12)


@pytest.mark.parametrize(
    "html",
    [
        page('<meta name="last-modified" content="2025-06-30">'),
        page(linked({"@type": "VideoObject", "datePublished": "2020-01-01"})),
        page(linked({"@type": "NewsArticle", "dateModified": "2025-06-01", "datePublished": "\0"})),
        page('<script>var build = {"datePublished": "2022-11-12T10:00:00Z"}</script>'),
        page('<link rel="stylesheet" href="/2020-02-03/a.css"><meta property="og:image" content="/2017/05/06/b.jpg">'),
        page(above="<!-- published 2022-11-12T10:00:00Z -->"),
        page(above='<p>Updated <time datetime="2025-06-30">30 June 2025</time></p>'),
        page(story=STORY + "<p>The fire of 14 July 2003 killed nobody.</p>"),
        page(story=STORY + '<p>It burnt on <time datetime="2003-07-14">14 July 2003</time> at night.</p>'),
        page(story=STORY + '<div><a href="/m">Mill burns</a> <span class="date">4 March 2021</span></div>'),
        page(story=STORY + '<section id="comments"><p>Bo on <time>2 Feb 2024</time></p></section>'),
        page(after="<footer>© 2019 Lund Post</footer>"),
        page(title="Lund recalls the fire of 14 July 2003"),
    ],
)  # fmt: skip
def test_no_other_day_of_a_page_is_its_own(tmp_path: Path, html: str) -> None:
    (article,) = articles(write(tmp_path / "a.html", html))
    assert article.published is None


@pytest.mark.parametrize("suffix", ["html", "md"])
@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("10<sup>6</sup> books, 40 km<sup>2</sup>", "10⁶ books, 40 km²"),
        ("10<sup>-6</sup> m, 7 m<sup>3</sup>/s", "10⁻⁶ m, 7 m³/s"),
        ("a note<sup>1</sup>, since 2003<sup>2</sup>", "a note, since 2003"),
        ('a note<sup><a href="#fn1">12</a></sup>, one<a href="#fn2">[2]</a>', "a note, one"),
        ("18<sup>th</sup> street, CO<sub>2</sub>", "18th street, CO2"),
        ("3<sup>1</sup>/<sub>2</sub> miles", "3 1/2 miles"),
    ],
)
def test_superscripts(tmp_path: Path, suffix: str, html: str, text: str) -> None:
    sentence = f"Lund has {html} to show."
    content = page(story=f"<p>{sentence}</p>{STORY}") if suffix == "html" else f"# Lund\n\n{sentence}\n\nThe end."
    (article,) = articles(write(tmp_path / f"a.{suffix}", content))
    assert article.text.split("\n")[0] == f"Lund has {text} to show."


def test_a_lead_keeps_the_words_that_are_the_title(tmp_path: Path) -> None:
    lead = "Rain fell on Lund all night, the weather service said on Monday."
    html = page(story=f"<p>{lead}</p>{STORY}", title="Rain fell on Lund").replace("<h1>Rain fell on Lund</h1>", "")
    (article,) = articles(write(tmp_path / "a.html", html))
    assert article.title == "Rain fell on Lund"
    assert article.text.startswith(f"{lead}\n")


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_a_row_of_a_table_is_a_line_with_its_headers(tmp_path: Path, suffix: str) -> None:
    rows = (("Party", "Seats", "Share"), ("Greens", "12", "14 %"), ("Liberals", "9", ""))
    if suffix == "md":
        table = "".join(f"| {' | '.join(row)} |\n{'|-|-|-|' * (row is rows[0])}\n" for row in rows).replace(
            "|\n\n", "|\n"
        )
        content = f"# Lund votes\n\n{PROSE}\n\n{table}\nThe end."
    else:
        cells = (
            "".join(f"<{tag}>{cell}</{tag}>" for cell in row) for tag, row in zip(("th", "td", "td"), rows, strict=True)
        )
        content = page(story=f"{STORY}<figure><table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table></figure>")
    (article,) = articles(write(tmp_path / f"a.{suffix}", content))
    lines = article.text.split("\n")
    assert "Party: Greens · Seats: 12 · Share: 14 %" in lines
    assert "Party: Liberals · Seats: 9" in lines


@pytest.mark.parametrize(
    "body",
    [
        '<ul><li><a href="/">Home</a></li><li><a href="/s">Sport</a></li><li>Contact</li></ul>',
        '<div class="cookie-note"><p>We use cookies on our site. By clicking accept you agree to their use.</p></div>',
    ],
)
def test_a_page_without_an_article(tmp_path: Path, body: str) -> None:
    html = f"<html><head><title>Lund Post</title></head><body>{body}</body></html>"
    assert reason(write(tmp_path / "a.html", html)) == "no article text can be made out in this page"


@pytest.mark.parametrize(
    "title", ["Index of /news", "Directory listing for /", "Directory: /news/", "pell.example - /a/"]
)
def test_a_list_of_files_is_no_article(tmp_path: Path, title: str) -> None:
    rows = "".join(f'<a href="{n}.html">{n}.html</a>  18-Apr-2025 10:0{n}  {n}K\n' for n in range(9))
    html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><pre>{rows}</pre></body></html>"
    assert reason(write(tmp_path / "a.html", html)).startswith("a web server's list of files, no article: ")
    (article,) = articles(write(tmp_path / "b.html", page(title="Index of prices rises")))
    assert article.text


@pytest.mark.parametrize(
    ("content", "title", "text"),
    [
        ("---\n\nOne: two.\n\n---\n\nThree.", "One: two.", "One: two.\n\nThree."),
        ("---\nThe mayor said: no.\n---\nThree.", "The mayor said: no.", "The mayor said: no.\n\nThree."),
        ("---\ntitle: 1984\n---\nOne.\n\n---\n\nTwo.", "1984", "One.\n\nTwo."),
        ("# T\n\n<div>In a div.</div>\n\n<p>In a <b>p</b>.</p>\n\nLast.", "T", "In a div.\n\nIn a p.\n\nLast."),
        ("# T\n\n*By Mia Holm*\n\nOne  \ntwo.\n\n    code  here", "T", "One\ntwo.\n\ncode  here"),
    ],
)
def test_no_text_of_markdown_is_lost(tmp_path: Path, content: str, title: str, text: str) -> None:
    (article,) = articles(write(tmp_path / "a.md", content))
    assert (article.title, article.text) == (title, text)


@pytest.mark.parametrize(
    ("front", "content"),
    [
        ("headline: Trams stop\nsource: Northern Wire\npubDate: 2025-06-03\nbyline: Ann Ray\nlink: U", ""),
        ("Title: Trams stop\nPublisher: Northern Wire\nPub Date: 3 June 2025\nauthor: [Ann Ray]\npermalink: U", ""),
        ("name: Trams stop\nsite_name: Northern Wire\ndatePublished: 2025-06-03T10:00Z\nby: Ann Ray\nweb-url: U", ""),
        (
            "publication: Northern Wire\ndate: 2025-06-03\nwriter: Ann Ray\nurl: U\ndescription: Short.",
            "# Trams stop\n",
        ),
        (
            "title: Trams stop\nagency: Northern Wire\nissued: 2025-06-03\nauthors: Ann Ray\nurl: U",
            "# **Trams** stop\n",
        ),
    ],
)
def test_front_matter_has_the_names_that_others_use(tmp_path: Path, front: str, content: str) -> None:
    front = front.replace("U", "https://wire.example/1")
    (article,) = articles(write(tmp_path / "a.md", f"---\n{front}\n---\n{content}\n{PROSE}"))
    assert article == Article(
        "https://wire.example/1", "Trams stop", PROSE, "Northern Wire", date(2025, 6, 3), article.url, ("Ann Ray",)
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("It rose.[^1]\n\n[^1]: Survey of 2,000.", "It rose.\n\nSurvey of 2,000."),
        ("It rose [^note], then fell.[^b-2]\n\n[^note]: One.\n[^b-2]: Two.", "It rose, then fell.\n\nOne.\n\nTwo."),
        ("It rose.[^1][^2] It fell.", "It rose. It fell."),
        ("Item [1] and x^2 stay. So do [brackets].", "Item [1] and x^2 stay. So do [brackets]."),
        ("The pattern `[^a]` stays.", "The pattern [^a] stays."),
    ],
)
def test_marks_of_footnotes_in_markdown(tmp_path: Path, content: str, text: str) -> None:
    (article,) = articles(write(tmp_path / "a.md", f"# Rents\n\n{content}"))
    assert article.text == text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.md", f"---\ntitle: Town gets a library\n---\n# Town gets a library\n\n{PROSE}"),
        ("a.md", f"---\ntitle: “Town” gets a library\n---\n## *Town* gets a library\n\n{PROSE}"),
        ("a.json", json.dumps({"title": "Town gets a library", "text": f"Town gets a library\n\n{PROSE}"})),
        ("a.json", json.dumps({"title": "Town gets a library", "body": f"<h1>Town gets a library</h1><p>{PROSE}</p>"})),
        ("a.txt", f"Headline: Town gets a library\n\nTown gets a library\n\n{PROSE}"),
    ],
)
def test_a_title_is_not_repeated_in_the_text(tmp_path: Path, name: str, content: str) -> None:
    (article,) = articles(write(tmp_path / name, content))
    assert (article.title.replace("“", "").replace("”", ""), article.text) == ("Town gets a library", PROSE)


def test_a_text_that_only_begins_as_its_title_stays(tmp_path: Path) -> None:
    row = {"title": "Rain fell", "text": f"Rain fell on Lund.\n{PROSE}"}
    assert articles(write(tmp_path / "a.json", json.dumps(row)))[0].text == row["text"]
    alone = {"title": "Rain fell", "text": "Rain fell"}
    assert articles(write(tmp_path / "a.json", json.dumps(alone)))[0].text == "Rain fell"


@pytest.mark.parametrize(
    ("lead", "title"),
    [
        ("The Pell Courier\n\n", "The town opened a library on Monday."),
        ("The Pell Courier\nBy Mia Holm\n\n", "The town opened a library on Monday."),
        ("The Pell Courier\n3 June 2025\nTown gets a library\n\n", "Town gets a library"),
        ("Town gets a library\n\nThe Pell Courier\n\n", "Town gets a library"),
        ("Town gets a library\nBy Mia Holm\nPublished: 12 May 2025\nThe Pell Courier\n\n", "Town gets a library"),
    ],
)
def test_a_line_that_is_an_outlet_is_no_text(tmp_path: Path, lead: str, title: str) -> None:
    (article,) = articles(write(tmp_path / "a.txt", lead + PROSE))
    assert (article.outlet, article.title, article.text) == ("The Pell Courier", title, PROSE)


def test_a_headline_that_names_an_outlet_is_one(tmp_path: Path) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"Pell Courier closes\n\n{PROSE}"))
    assert (article.title, article.outlet) == ("Pell Courier closes", None)


@pytest.mark.parametrize(
    "sent",
    [
        "PELL, June 3 (Reuters) - ",
        "LIMA, June 3 (AP) _ ",
        "LIMA (AP) _ ",
        "ROME, June 3, 2025 (AP) — ",
        "BRASOV, 3 June (NW) ",
        "NEW YORK, June 3, 2025 /PRNewswire/ -- ",
        "PORT-AU-PRINCE, Haiti (AP) — ",
        "(Reuters) - ",
    ],
)
def test_a_dateline_is_no_title(tmp_path: Path, sent: str) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"{sent}{PROSE}"))
    assert (article.title, article.text) == ("The town opened a library on Monday.", f"{sent}{PROSE}")


def test_records_of_every_kind_agree(tmp_path: Path) -> None:
    row = {"url": "https://www.unn.example/1", "title": "T", "text": "One. Two.", "published": "2022/01/02"}
    line = json.dumps(row) + "\n"
    paths = [
        write(tmp_path / "a.json", json.dumps(row)),
        write(tmp_path / "b.json", json.dumps([row])),
        write(tmp_path / "c.jsonl", line),
        write(tmp_path / "d.jsonl.gz", gzip.compress(line.encode())),
        write(tmp_path / "e.csv", "url,title,text,published\nhttps://www.unn.example/1,T,One. Two.,2022/01/02\n"),
    ]
    expected = Article(row["url"], "T", "One. Two.", "unn.example", date(2022, 1, 2), row["url"])
    assert articles(*paths) == [expected] * 5


def test_identity_is_id_then_url_then_path(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below" / "a.jsonl", '{"id": "7", "url": "https://x.example", "text": "A b."}\n{"text": "C d."}\n')
    write(tmp_path / "below" / "b.txt", "E f.")
    assert [a.id for a in articles(tmp_path)] == ["7", "below/a.jsonl#line 2", "below/b.txt"]


def test_an_outlet_is_given_only_to_articles_that_name_none(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", '{"text": "A b.", "outlet": "Own"}\n{"text": "C d."}\n')
    assert [a.outlet for a in articles(tmp_path, outlet="Given")] == ["Own", "Given"]


def test_encodings(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.txt", "\ufeffDie Präsidentin sprach.".encode("utf-8")),
        write(tmp_path / "b.txt", "Die Präsidentin sprach.".encode("utf-16")),
        write(tmp_path / "c.txt", ("Die Präsidentin sprach über Österreich. " * 5).encode("latin-1")),
    ]
    assert all(a.text.startswith("Die Präsidentin sprach") for a in articles(*paths))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The library cost £3 million, the mayor said.", "cp1252"),
        ("Søren Nørgaard åbnede et bibliotek på Fyn.", "cp1252"),
        ("João não leu os livros até março.", "cp1252"),
        ("Il sindaco è già in città, perché c’è più tempo.", "cp1252"),
        ("Burmistrz otworzył bibliotekę w Łodzi, gdzie żyje.", "iso8859-2"),
        ("Мэр открыл городскую библиотеку в понедельник.", "cp1251"),
        ("Ο δήμαρχος άνοιξε τη βιβλιοθήκη τη Δευτέρα.", "cp1253"),
        ("İstanbul’da yeni bir kütüphane açıldı, dedi başkan.", "cp1254"),
    ],
)
def test_a_guessed_encoding_is_right_and_named(tmp_path: Path, text: str, encoding: str) -> None:
    data, notes = text.encode(encoding), Notes()
    paths = [write(tmp_path / "a.txt", data), write(tmp_path / "b.csv", b'text\n"' + data + b'"\n')]
    assert [article.text for article in articles(*paths, notes=notes)] == [text, text]
    [told] = [line for line in notes.lines() if line.startswith("encoding guessed")]
    assert told.startswith("encoding guessed: a.txt, b.csv (")


@pytest.mark.parametrize("suffix", ["json", "jsonl", "jsonl.gz"])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The library cost £3 million, the mayor said.", "cp1252"),
        ("Burmistrz otworzył bibliotekę w Łodzi, gdzie żyje.", "iso8859-2"),
        ("Мэр открыл городскую библиотеку в понедельник.", "cp1251"),
        ("市長は月曜日に図書館を開いた。市民は喜んだ。", "cp932"),
        ("Die Präsidentin sprach.", "utf-16"),
        ("Die Präsidentin sprach.", "utf-8-sig"),
        ("Die Präsidentin sprach.", "utf-8"),
    ],
)
def test_lines_of_json_in_any_encoding(tmp_path: Path, text: str, encoding: str, suffix: str) -> None:
    rows = [{"id": name, "text": text} for name in ("a", "b")]
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(encoding)
    path = write(tmp_path / f"a.{suffix}", gzip.compress(data) if suffix.endswith("gz") else data)
    notes = Notes()
    items = [f.item for f in read([path], notes=notes)]
    assert [(item.id, item.text) for item in items if isinstance(item, Article)] == [("a", text), ("b", text)]
    told = [line for line in notes.lines() if line.startswith("encoding guessed")]
    assert len(told) == (not encoding.startswith("utf"))


def test_an_encoding_that_a_page_declares(tmp_path: Path) -> None:
    notes = Notes()
    html = page(story="<p>“Žluť” stojí na šedém kameni.</p>" + STORY).replace("utf-8", "windows-1250")
    (article,) = articles(write(tmp_path / "a.html", html.encode("cp1250")), notes=notes)
    assert article.text.startswith("“Žluť” stojí na šedém kameni.")
    assert not [line for line in notes.lines() if line.startswith("encoding")]


def test_one_bad_byte_does_not_spoil_a_text_in_utf8(tmp_path: Path) -> None:
    data = "Die Bürgermeisterin öffnete die Tür der Bücherei.".encode().replace(b"T", b"\xff")
    (article,) = articles(write(tmp_path / "a.txt", data))
    assert article.text == "Die Bürgermeisterin öffnete die �ür der Bücherei."


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "", "it has no text"),
        ("a.txt", " \n\t ", "it has no text"),
        ("a.txt", b"\x00\x01\x02\x00", "not a text file: it holds zero bytes"),
        ("a.json", "{", "not JSON: "),
        ("a.json", "7", "not an article: expected an object with at least a text"),
        ("a.json", '{"title": "T"}', "it has no text"),
        ("a.json", '{"text": [7]}', "its text is a list, not a string"),
        ("a.json", '{"text": 42}', "its text is a int, not a string"),
        ("a.json", '{"text": "A b.", "published": "2025-13-01"}', "'2025-13-01' is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "published": "yesterday"}', "'yesterday' is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "published": "2025-02-30"}', "'2025-02-30' is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "authors": 7}', "its authors are not a list of names"),
        ("a.jsonl", b'{"text": "A\0b."}\n', "not JSON: "),
        ("a.jsonl.gz", b"no gzip", "the gzip file is damaged after this line: "),
        ("a.csv", "title,section\nx,y\n", "it has no text: --map NAME=text tells which field holds it (section)"),
        ("a.csv", "text,title\na,b,c\n", "more values than columns"),
        ("a.md", "---\ntitle: [\n---\nText.", "the front matter is not YAML: "),
        ("a.html", "<html><body></body></html>", "no article text can be made out in this page"),
        ("a.ods", "x", "not a known kind of file: use .txt, .md, .html"),
    ],
)
def test_bad_files_are_rejected_with_a_reason(tmp_path: Path, name: str, content: str | bytes, expected: str) -> None:
    found = reason(write(tmp_path / name, content))
    assert found.startswith(expected)
    assert "\n" not in found


def test_bad_paths_are_rejected_with_a_reason(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.txt") == "no such file or folder"
    assert reason(tmp_path).startswith("no article files in it (.txt, ")
    (found,) = read(["https://example.org/a"])
    assert isinstance(found.item, Rejected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "Text.")
    path.chmod(0)
    assert reason(path) == "cannot be read: Permission denied"


def test_a_bad_line_does_not_stop_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"id": "1", "text": "A b."}\n{\n{"id": "3", "text": "C d."}\n')
    found = [f.item for f in read([path])]
    assert [item.id for item in found if isinstance(item, Article)] == ["1", "3"]
    assert [item.source for item in found if isinstance(item, Rejected)] == [f"{path}, line 2"]


def test_what_lies_beside_articles_is_no_article(tmp_path: Path) -> None:
    for name in ("README.md", "LICENSE.txt", "questions.jsonl", ".hidden.txt"):
        write(tmp_path / name, "Not an article.")
    write(tmp_path / "a.txt", "An article.")
    assert [a.id for a in articles(tmp_path)] == ["a.txt"]


@pytest.mark.parametrize(
    "text",
    [
        "2022-01-02",
        "2022/01/02",
        "2022-01-02T23:30:00+00:00",
        "2 January 2022",
        "Jan 2, 2022",
        "Sun, 02 Jan 2022 10:00:00 GMT",
    ],
)
def test_dates_as_people_and_feeds_write_them(text: str) -> None:
    assert parse_date(text) == date(2022, 1, 2)


@pytest.mark.parametrize("value", ["", "soon", "January 2022", "2022", 20220102, "32 January 2022"])
def test_what_is_no_date(value: object) -> None:
    with pytest.raises(BadInput, match="is not a date: write it as YYYY-MM-DD"):
        parse_date(value)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the development data beside the repository")
def test_real_pages() -> None:
    rows = [json.loads(line) for line in (SHARED / "data/html/expected.jsonl").read_text().splitlines()]
    dates = held = wanted = 0
    for row in rows:
        for article in [f.item for f in read([SHARED / "data/html" / row["file"]])]:
            if isinstance(article, Article):
                dates += str(article.published) == row["date"]
                held += sum(snippet in article.text for snippet in row["with"])
        wanted += len(row["with"])
    assert dates >= 0.7 * len(rows)
    assert held >= 0.8 * wanted
