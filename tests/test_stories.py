"""Several stories in one file, TOML front matter, who a page says wrote and published it, and what is struck out."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_intake import BODY, found, one
from test_read import OWN, STORY, linked, page

BAKERY = STORY.replace("library", "bakery").replace("books", "loaves")
TEASER = "<p>The mill burnt down. Nobody was hurt.</p>"


def story(title: str, text: str = STORY, rank: str = "h2", above: str = "", kind: str = "") -> str:
    return f'<article class="{kind}"><{rank}>{title}</{rank}>{above}{text}</article>'


def site(*parts: str, head: str = "", title: str = "Lund Post") -> str:
    return f"<html><head><title>{title}</title>{head}</head><body><main>{''.join(parts)}</main></body></html>"


NAMED = (
    '<meta property="og:site_name" content="Lund Post"><meta property="article:published_time" content="2026-05-05">'
)


@pytest.mark.parametrize("rank", ["h1", "h2", "h3"])
def test_two_articles_of_a_page_are_two(tmp_path: Path, rank: str) -> None:
    days = [f'<p class="byline">By Jo Lee</p><time datetime="2026-05-0{n}">{n} May</time>' for n in (3, 4)]
    parts = [story("Town gets a library", STORY, rank, days[0]), story("Town gets a bakery", BAKERY, rank, days[1])]
    (one, two), _, _ = found(tmp_path / "a.html", site(*parts, head=NAMED))
    assert [a.id for a in (one, two)] == ["a.html", "a.html#story 2"]
    assert [a.title for a in (one, two)] == ["Town gets a library", "Town gets a bakery"]
    assert [str(a.published) for a in (one, two)] == ["2026-05-03", "2026-05-04"]
    assert [(a.outlet, a.authors) for a in (one, two)] == [("Lund Post", ("Jo Lee",))] * 2
    assert [("books" in a.text, "loaves" in a.text) for a in (one, two)] == [(True, False), (False, True)]


def test_what_a_page_says_is_said_of_all_its_articles(tmp_path: Path) -> None:
    parts = ("<header><h1>Lund Post</h1></header>", story("Town gets a library"), story("Town gets a bakery", BAKERY))
    articles, _, _ = found(tmp_path / "a.html", site(*parts, head=NAMED))
    assert [(a.outlet, str(a.published)) for a in articles] == [("Lund Post", "2026-05-05")] * 2


@pytest.mark.parametrize(
    "others",
    [
        (story('<a href="/m">Mill burns</a>', TEASER, "h1"),),
        (story("Mill burns", f'{TEASER}<a href="/m">Read more</a>', "h1"),),
        (story("Mill burns", TEASER, "h1", kind="related-card"), story("Rain falls", TEASER, "h1", kind="teaser")),
        (f"<aside>{story('Mill burns', BAKERY, 'h1')}</aside>",),
        (story("Mill burns", BAKERY, "h3"),),
        (story("Mill burns", "<p>Nobody was hurt.</p>", "h1"),),
        (f"<section>{story('Anna says', BAKERY, 'h1', kind='comment')}</section>",),
        (f"<a href='/m'>{story('Mill burns', TEASER, 'h1')}</a>",),
    ],
)
def test_a_page_with_teasers_holds_one(tmp_path: Path, others: tuple[str, ...]) -> None:
    article = one(
        tmp_path / "a.html", site(story("Town gets a library", STORY, "h1"), *others, title="Town gets a library")
    )
    assert (article.id, article.title) == ("a.html", "Town gets a library")


@pytest.mark.parametrize("inside", ["<h1>Storm: what we know</h1>{}{}", "<article><h1>Storm</h1>{}{}</article>"])
def test_live_coverage_is_one(tmp_path: Path, inside: str) -> None:
    entries = inside.format(story("10:15 A roof is gone"), story("10:40 Trams stop", BAKERY))
    article = one(tmp_path / "a.html", site(entries))
    assert article.title.startswith("Storm")


@pytest.mark.parametrize("line", ["\n", "\r\n"])
@pytest.mark.parametrize("front", ["", "---\noutlet: Lund Post\ndate: 2026-05-03\n---\n"])
def test_top_headings_of_markdown_are_stories(tmp_path: Path, front: str, line: str) -> None:
    second = f"# Bakery opens\n\n*4 May 2026, by Jo Lee*\n\n{BODY}"
    text = f"{front}# Mill burns down\n\n{BODY}\n\n## What is next\n\n{BODY}\n\n{second}"
    (mill, bakery), _, _ = found(tmp_path / "a.md", text.replace("\n", line))
    assert (mill.id, mill.title, mill.text) == ("a.md", "Mill burns down", f"{BODY}\n\nWhat is next\n\n{BODY}")
    assert (bakery.id, bakery.title, bakery.text) == ("a.md#story 2", "Bakery opens", BODY)
    assert (str(bakery.published), bakery.authors) == ("2026-05-04", ("Jo Lee",))
    assert (mill.outlet, str(mill.published)) == (("Lund Post", "2026-05-03") if front else (None, "None"))


@pytest.mark.parametrize(
    "text",
    [
        f"# Mill burns down\n\n{BODY}\n\n## Bakery opens\n\n{BODY}",
        f"---\ntitle: Mill burns down\n---\n# At dawn already\n\n{BODY}\n\n# At noon still\n\n{BODY}",
        f"---\nurl: https://lund.example/1\n---\n# Mill burns down\n\n{BODY}\n\n# At noon still\n\n{BODY}",
        f"# Mill burns down\n\n# At dawn already\n\n{BODY}\n\n# At noon still\n\n{BODY}",
        f"# Mill burns down\n\n{BODY}\n\n# Background\n\n{BODY}",
        f"# Mill burns down\n\n{BODY}\n\n# Bakery opens\n",
        f"# Mill burns down\n\n{BODY}\n\n```\n# a remark here\n\ncode\n```\n",
        f"The paper.\n\n# Mill burns down\n\n{BODY}\n\n# Bakery opens\n\n{BODY}",
    ],
)
def test_sections_of_a_story_are_none(tmp_path: Path, text: str) -> None:
    assert one(tmp_path / "a.md", text).text.endswith(text[-5:].strip(" #`\n"))


@pytest.mark.parametrize("day", ["2026-05-03", "2026-05-03T10:00:00Z", '"3 May 2026"'])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_front_matter_in_toml(tmp_path: Path, day: str, line: str) -> None:
    front = (
        f'+++\ntitle = "Mill burns"\ndate = {day}\nauthors = ["Ann Ray"]\nsource = "Lund Post"\ndraft = false\n+++\n'
    )
    article = one(tmp_path / "a.md", (front + BODY).replace("\n", line))
    said = (article.title, article.text, str(article.published), article.authors, article.outlet)
    assert said == ("Mill burns", BODY, "2026-05-03", ("Ann Ray",), "Lund Post")


def test_toml_that_is_none(tmp_path: Path) -> None:
    _, rejected, _ = found(tmp_path / "a.md", f'+++\ntitle = "Mill\n+++\n{BODY}')
    assert [reason[:31] for reason in rejected] == ["the front matter is not TOML: I"]
    assert one(tmp_path / "a.md", f"+++\nBREAKING\n+++\n{BODY}").text.endswith(BODY)
    assert found(tmp_path / "a.md", f"+++\ndraft = true\n+++\n{BODY}")[2][0].startswith("left out: a.md (draft: True)")


ORG = {"@type": "NewsMediaOrganization", "@id": "https://lund.example/#org", "name": "Lund Post"}
ANN = {"@type": "Person", "@id": "https://lund.example/#ann", "name": "Ann Ray"}
ORG_ID, ANN_ID = ({"@id": thing["@id"]} for thing in (ORG, ANN))


@pytest.mark.parametrize(
    "things",
    [
        [OWN | {"publisher": {"@type": "Organization", "name": "Lund Post"}, "author": {"name": "Ann Ray"}}],
        [OWN | {"publisher": [{"name": "Lund Post"}], "author": [{"@type": "Person", "name": "Ann Ray"}]}],
        [OWN | {"publisher": "Lund Post", "author": "Ann Ray"}],
        [OWN | {"publisher": "Lund Post", "author": ["Ann Ray"]}],
        [{"@graph": [OWN | {"publisher": ORG_ID, "author": ANN_ID}, ORG, ANN]}],
        [{"@graph": [OWN | {"publisher": [ORG_ID], "author": [ANN_ID]}, ORG, ANN]}],
        [OWN | {"publisher": ORG_ID, "author": [ANN_ID]}, ORG, ANN],
        [OWN | {"publisher": ORG["@id"], "author": ANN["@id"]}, ORG, ANN],
        [OWN | {"publisher": ORG_ID | {"@type": "Organization"}, "author": ANN_ID | {"@type": "Person"}}, ORG, ANN],
        [[OWN | {"headline": "Mill burns", "author": "Jo Lee"}, OWN | {"publisher": ORG, "author": ANN}]],
        [{"@type": "WebPage", "mainEntity": OWN | {"publisher": ORG, "creator": [ANN]}}],
    ],
)
def test_who_a_page_says_wrote_and_published_it(tmp_path: Path, things: list[Any]) -> None:
    article = one(tmp_path / "a.html", page("".join(map(linked, things))))
    assert (article.title, article.outlet, article.authors) == ("Town gets a library", "Lund Post", ("Ann Ray",))
    assert str(article.published) == "2025-05-12"


STRUCK = ["<s>{}</s>", "<del>{}</del>", "<strike>{}</strike>", '<span style="text-decoration: line-through">{}</span>']


@pytest.mark.parametrize("mark", STRUCK)
@pytest.mark.parametrize("name", ["a.html", "a.md", "a.json"])
def test_what_is_struck_out_is_no_text(tmp_path: Path, mark: str, name: str) -> None:
    sentence = f"Lund paid {mark.format('three million')} four million crowns."
    content = {
        "a.html": page(story=f"<p>{sentence}</p>{STORY}"),
        "a.md": f"# Lund pays\n\n{sentence}\n\nThe end.",
        "a.json": json.dumps({"title": "Lund pays", "content": f"{sentence}<br>The end."}),
    }
    article = one(tmp_path / name, content[name])
    assert article.text.split("\n")[0] == "Lund paid four million crowns."


def test_tildes_of_markdown_strike_out(tmp_path: Path) -> None:
    assert one(tmp_path / "a.md", "# Lund pays\n\nLund paid ~~three~~ four crowns.").text == "Lund paid four crowns."
