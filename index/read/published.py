"""Finds the day on which a web page says that it was published, which is not every day that stands in it."""

import json
import re
from contextlib import suppress
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from index.read import fields

META = re.compile(r"publi[cs](?!her)|pub-?date|issued|created|post_?date|dateposted|^(?:dc(?:terms)?[.:])?date$")
MARKS = "concat(@class, ' ', @id, ' ', @itemprop)"
MARKED = "publish|pub-?date|(entry|post|article)[-_]?(date|time)"
CHANGED = "updated|modified|aktualisiert|geändert|©|copyright|event|starts?"
# What may hold a day in an article's element and does not declare it: links, other parts, changes, prose, other things.
OTHERS = (
    f"(//p[string-length() > 99])[1]/following::*[a or ../a]"
    f"[not(self::a or descendant-or-self::*[re:test({MARKS}, '{MARKED}', 'i')])]",
    "//article//article",
    f"//*[re:test({MARKS}, '(^| )(comment|related|teaser|sidebar|recommend|recent|popular)', 'i')]",
    "//*[re:test(concat(preceding-sibling::node()[2], preceding-sibling::node()[1]),"
    f" '({CHANGED})\\W*(on|:)?\\W*$', 'i')]",
    f"//*[re:test(text(), '^\\W*(last )?({CHANGED})', 'i')]",
    f"(//time | //abbr | //span)[re:test({MARKS}, '{CHANGED}', 'i') and not(re:test({MARKS}, '{MARKED}'))]",
    "(//p | //li | //td | //dd)[re:test(normalize-space(), '.{100}|[.!?…][\"”»’]?$')]",
    f"//*[@itemprop][ancestor::*[@itemscope][1][not(re:test(@itemtype, '{fields.ARTICLE.pattern}'))]]",
)
METAS = "//head/meta | //meta[@name or @property]"
LINES = "(//p | //div | //span)[not(*[not(self::br)])]"
SEVERAL = f"//time[not(@pubdate or re:test({MARKS}, '{MARKED}'))]"
MOST = 10_000  # elements that are looked through
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T2[23]:00:00(?:\.0+)?Z")  # in Central Europe, as calendars choose a day
CONTINENT = ("de", "fr", "it", "es", "nl", "pl", "cs", "da", "sv", "nb", "no", "hu", "sk", "sl", "hr")
REGEX = {"re": "http://exslt.org/regular-expressions"}
KILLED = ("aside", "nav", "footer", "figure", "h1", "h2", "h3", "img")
KEPT = ("class", "content", "datetime", "itemprop", "name", "pubdate", "title")
DAY_ALONE = re.compile(r"(?:\w+\.?,? )?(?:\d{1,2}(?:st|nd|rd|th|\.)? \w+\.?|\w+\.? \d{1,2}(?:st|nd|rd|th)?),? \d{4}")


def published(page: Any) -> str | None:
    """Return the day, as YYYY-MM-DD, that a page declares, an lxml tree: of htmldate's places those that declare one.

    These are, in this order, the head's day of publication, JSON-LD of the article, other days of the head, the page's
    own address, elements that are marked as the day, times beside the headline and lines that are one day.
    """
    from htmldate import find_date
    from lxml.html import fromstring
    from lxml_html_clean import Cleaner

    own = fromstring("<html><head></head><body></body></html>")
    named = [(str(m.get("property") or m.get("name") or m.get("itemprop")).lower(), m) for m in page.xpath(METAS)]
    said = [(name, m.get("content") or "") for name, m in named if META.search(name)]
    days = {str(article.get("datePublished")) for article in linked(page)}
    said += [("publ", day) for day in days if len(days) == 1 and day.isprintable()]
    local = re.match("|".join(CONTINENT), page.get("lang") or "-")
    for _, day in sorted(said, key=lambda pair: "publ" not in pair[0]):
        if local and (midnight := MIDNIGHT.fullmatch(day)):
            day = str(date.fromisoformat(midnight[1]) + timedelta(1))
        own.head.append(own.makeelement("meta", name="date", content=day))
    heading = page.find(".//h1")
    over = None if heading is None else next(heading.iterancestors("article", "main", "body"), None)
    if over is not None and over.xpath("count(.//*)") < MOST:
        own.body.append(deepcopy(over))
    for path in OTHERS:
        for element in own.body.xpath(path, namespaces=REGEX):
            if element.getparent() is not None:
                element.drop_tree()
    Cleaner(kill_tags=KILLED, safe_attrs=KEPT, meta=False, page_structure=False)(own)
    for element in own.xpath(LINES):
        line = str(element.xpath("normalize-space(text()[last()])"))
        if DAY_ALONE.fullmatch(line):
            element.tag, element[:], element.text = "time", [], line
    times = own.xpath(SEVERAL, namespaces=REGEX)
    if len({element.get("datetime", element.text_content())[:10] for element in times}) > 1:
        for element in times:
            element.drop_tree()
    address = next(iter(page.xpath("//link[@rel='canonical']/@href")), None)
    # not its extensive search, which takes any day of the text; the first day, not the last change
    day = find_date(own, False, True, url=address, min_date="1800-01-01", deferred_url_extractor=True)
    return str(day) if day else None


def linked(page: Any) -> list[dict[str, Any]]:
    """Return the articles of a page's JSON-LD, of several the one with its headline, with what they name by its @id."""
    things: list[Any] = []

    def keep(thing: dict[str, Any]) -> dict[str, Any]:
        things.append(thing)
        return thing

    for script in page.iterfind(".//script[@type='application/ld+json']"):
        with suppress(ValueError, RecursionError):
            json.loads(script.text or "", strict=False, object_hook=keep)
    articles = fields.linked(things)
    headings = " ".join(element.text_content() for element in page.iter("h1", "title"))
    return [one for one in articles if str(one.get("headline") or "\n").strip() in headings] or articles
