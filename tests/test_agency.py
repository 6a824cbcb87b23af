"""What agencies deliver: NewsML-G2, NewsML 1, NITF and ninjs."""

import json
import time
from datetime import date
from pathlib import Path

import pytest
from test_intake import found, one

from index.read import LEFT_OUT
from index.types import Article

LEAD = "The ferry Linnet ran aground off Aldby on Sunday."
NEXT = "All 212 passengers were brought ashore."
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
G2 = 'xmlns="http://iptc.org/std/nar/2006-10-01/"'
XHTML = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>{LEAD}</p><p>{NEXT}</p></body></html>'
FERRY = Article(
    "urn:newsml:wire.example:20260503:ferry",
    "Ferry aground off Aldby",
    f"{LEAD}\n\n{NEXT}",
    "Northern Wire",
    date(2026, 5, 3),
    authors=("Mia Holm",),
)


def item(
    content: str = f'<inlineXML contenttype="application/xhtml+xml">{XHTML}</inlineXML>',
    meta: str = '<pubStatus qcode="stat:usable"/>',
    guid: str = FERRY.id,
    version: str = "1",
    kind: str = "text",
    said: str = "",
    namespace: str = G2,
) -> str:
    return (
        f'<newsItem {namespace} guid="{guid}" version="{version}" standard="NewsML-G2" xml:lang="en">'
        f'<itemMeta><itemClass qcode="ninat:{kind}"/><provider qcode="nprov:NW"><name>Northern Wire</name></provider>'
        f"<versionCreated>2026-05-04T09:00:00+02:00</versionCreated><firstCreated>2026-05-03T18:00:00+02:00"
        f"</firstCreated>{meta}</itemMeta><contentMeta><slugline>ferry-linnet</slugline>"
        f"<headline>Ferry aground off Aldby</headline><by>By Mia Holm</by>{said}</contentMeta>"
        f"<contentSet>{content}</contentSet></newsItem>"
    )


def test_a_newsml_item_with_a_page(tmp_path: Path) -> None:
    articles, rejected, lines = found(tmp_path / "a.xml", HEAD + item())
    assert (articles, rejected, lines) == ([FERRY], [], [])


NITF = (
    '<nitf xmlns="http://iptc.org/std/NITF/2006-10-18/"><head><title>Wrong</title><docdata management-status="usable">'
    '<doc-id id-string="nw-4711" regsrc="NW"/><urgency ed-urg="4"/><date.issue norm="20260503T180000+0200"/>'
    '<du-key key="ferry" version="2"/></docdata></head><body><body.head><hedline><hl1>Ferry aground off Aldby</hl1>'
    "</hedline><byline>By <person>Mia Holm</person><byttl>Shipping correspondent</byttl></byline>"
    "<distributor>Northern Wire</distributor><dateline><location>ALDBY</location>, May 3 (NW)</dateline></body.head>"
    f"<body.content><p>The ferry <org>Linnet</org> ran aground off <location>Aldby</location> on "
    f'<chron norm="20260503">Sunday</chron>.</p><p>{NEXT}</p>'
    "<hl2>The crew</hl2><p>Nobody of the crew was hurt, caf&#233; closed.</p>"
    '<media media-type="image"><media-metadata name="x" value="Hidden"/><media-reference source="a.jpg"/>'
    "<media-caption>The Linnet in 2019.</media-caption><media-producer>Ola Berg</media-producer></media>"
    "<table><tr><th>Deck</th><th>People</th></tr><tr><td>Upper</td><td>112</td></tr></table>"
    "</body.content><body.end><tagline>nw/mh</tagline></body.end></body></nitf>"
)
TOLD = (
    f"ALDBY, May 3 (NW) – {LEAD}\n\n{NEXT}\n\nThe crew\n\nNobody of the crew was hurt, café closed.\n\n"
    "Image: The Linnet in 2019.\n\nDeck: Upper · People: 112"
)


def test_nitf(tmp_path: Path) -> None:
    article = one(tmp_path / "a.xml", HEAD + NITF)
    assert (article.id, article.title, article.text) == ("nw-4711", FERRY.title, TOLD)
    assert (article.outlet, article.published, article.authors) == ("Northern Wire", date(2026, 5, 3), ("Mia Holm",))


def test_a_newsml_item_with_nitf_has_its_own_id(tmp_path: Path) -> None:
    article = one(tmp_path / "a.xml", HEAD + item(f'<inlineXML contenttype="application/nitf+xml">{NITF}</inlineXML>'))
    assert (article.id, article.text) == (FERRY.id, TOLD)


def test_older_nitf_with_a_doctype_and_names_of_characters(tmp_path: Path) -> None:
    older = NITF.replace(' xmlns="http://iptc.org/std/NITF/2006-10-18/"', "").replace("caf&#233;", "caf&eacute;")
    doctype = '<!DOCTYPE nitf SYSTEM "http://www.nitf.org/IPTC/NITF/3.4/nitf-3-4.dtd">'
    assert one(tmp_path / "a.xml", f"{HEAD}{doctype}{older}").text == TOLD


def test_plain_text_and_a_photograph_in_one_message(tmp_path: Path) -> None:
    text = item(f'<inlineData contenttype="text/plain">{LEAD}\n\n{NEXT}</inlineData>', namespace="")
    photo = item('<remoteContent href="a.jpg" contenttype="image/jpeg"/>', kind="picture", guid="p", namespace="")
    package = '<packageItem guid="k"><groupSet><group><itemRef residref="p"/></group></groupSet></packageItem>'
    message = f"{HEAD}<newsMessage {G2}><header/><itemSet>{package}{text}{photo}</itemSet></newsMessage>"
    articles, rejected, lines = found(tmp_path / "a.xml", message)
    assert (articles, rejected) == ([FERRY], [])
    assert lines == [f"left out: a.xml (item class: picture): {LEFT_OUT}"]


@pytest.mark.parametrize("order", [("1", "2", "10"), ("10", "2", "1")])
def test_the_last_version_of_an_item_is_the_article(tmp_path: Path, order: tuple[str, ...]) -> None:
    items = (
        item(f'<inlineData contenttype="text/plain">Version {n}. {LEAD}</inlineData>', version=n, namespace="")
        for n in order
    )
    article = one(tmp_path / "a.xml", f"{HEAD}<newsMessage {G2}><itemSet>{''.join(items)}</itemSet></newsMessage>")
    assert (article.id, article.text) == (FERRY.id, f"Version 10. {LEAD}")


@pytest.mark.parametrize("status", ["canceled", "withheld"])
def test_what_is_withdrawn_is_left_out(tmp_path: Path, status: str) -> None:
    line = f"left out: a.xml (pub status: {status}): {LEFT_OUT}"
    told = found(tmp_path / "a.xml", HEAD + item(meta=f'<pubStatus qcode="stat:{status}"/>'))
    assert told == ([], [], [line])
    held = NITF.replace('management-status="usable"', f'management-status="{status}"')
    assert found(tmp_path / "a.xml", HEAD + held) == ([], [], [line])


def test_an_embargo_is_told(tmp_path: Path) -> None:
    _, _, lines = found(tmp_path / "a.xml", HEAD + item(meta="<embargoed>2026-05-05T06:00:00Z</embargoed>"))
    assert [line[:40] for line in lines] == ["embargoed: a.xml (2026-05-05T06:00:00Z):"]


def test_newsml_1(tmp_path: Path) -> None:
    older = (
        f"{HEAD}<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>nw.example</ProviderId><NewsItemId>f"
        f'</NewsItemId><RevisionId PreviousRevision="1" Update="N">2</RevisionId><PublicIdentifier>{FERRY.id}'
        "</PublicIdentifier></NewsIdentifier></Identification><NewsManagement><FirstCreated>20260503T180000+0200"
        '</FirstCreated><ThisRevisionCreated>20260504T090000Z</ThisRevisionCreated><Status FormalName="Usable"/>'
        f"</NewsManagement><NewsComponent><NewsLines><HeadLine>{FERRY.title}</HeadLine><ByLine>Mia Holm</ByLine>"
        "<CreditLine>Northern Wire</CreditLine></NewsLines><NewsComponent><ContentItem><DataContent>"
        f"{NITF}</DataContent></ContentItem></NewsComponent></NewsComponent></NewsItem></NewsML>"
    )
    article = one(tmp_path / "a.xml", older)
    assert (article.id, article.title, article.text) == (FERRY.id, FERRY.title, TOLD)
    assert (article.outlet, article.published, article.authors) == ("nw.example", date(2026, 5, 3), ("Mia Holm",))


@pytest.mark.parametrize("body", [{"body_text": FERRY.text}, {"body_xhtml": f"<p>{LEAD}</p><p>{NEXT}</p>"},
    {"bodies": [{"role": "main", "contentType": "text/plain", "value": FERRY.text}]}])  # fmt: skip
def test_ninjs(tmp_path: Path, body: dict[str, object]) -> None:
    record = {
        "uri": FERRY.id,
        "type": "text",
        "versioncreated": "2026-05-04T09:00:00+02:00",
        "firstcreated": "2026-05-03T18:00:00+02:00",
        "pubstatus": "usable",
        "usageterms": "none",
        "headline": FERRY.title,
        "byline": "By Mia Holm",
        "copyrightholder": "Northern Wire",
        "version": "2",
        **body,
    }
    assert one(tmp_path / "a.json", json.dumps(record)) == FERRY
    told = found(tmp_path / "a.json", json.dumps(record | {"pubstatus": "canceled"}))
    assert told == ([], [], [f"left out: a.json (pub status: canceled): {LEFT_OUT}"])


ENTITIES = "<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
ATTRIBUTES = " ".join(f'a{n}="1"' for n in range(100_000))
HOSTILE = {
    "entities": (f"<!DOCTYPE nitf [{ENTITIES}]>{NITF.replace(NEXT, '&a11;')}", "damaged XML (Maximum entity amplif"),
    "a file of this machine": (
        f'<!DOCTYPE nitf [<!ENTITY x SYSTEM "file:///etc/hostname">]>{NITF.replace(NEXT, "&x;")}',
        "it has an entity of its own, &x;",
    ),
    "a long tag": (NITF.replace("<p>", f"<p {'a' * 9_000_000}>", 1), "damaged XML ("),
    "attributes": (NITF.replace("<p>", f"<p {ATTRIBUTES}>", 1), "an element has over 1,000 attributes"),
    "depth": (NITF.replace("<p>", "<p>" * 50_000), "damaged XML (Excessive depth"),
    "cut off": (NITF[:-400], "damaged XML ("),
    "a package": (f"<packageItem {G2}/>", "a package that names items and holds none: ingest the files of the items"),
    "no text": (item(""), "it has no text"),
    "a sitemap": ("<urlset/>", "a sitemap, which names pages and holds none: copydesk ingest ADDRESS fetches them"),
    "another": ("<gpx/>", "its first element, gpx, is none of a feed, NewsML or NITF"),
    "no element": ("Ferry aground", "its first element, none, is none of a feed, NewsML or NITF"),
    "nothing": ("", "no XML, or a damaged file (no element found (line 0))"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_and_damaged_files_are_refused_at_once(tmp_path: Path, kind: str) -> None:
    content, why = HOSTILE[kind]
    started = time.perf_counter()
    articles, rejected, _ = found(tmp_path / "a.xml", content)
    assert time.perf_counter() - started < 10
    assert (len(articles), [reason[: len(why)] for reason in rejected]) == (0, [why])
