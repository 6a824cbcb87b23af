"""Stories: which articles tell of one event. As a wrong one mixes figures of two floods, it rather leaves one out."""

import math

from index.archive import Archive
from index.encoder import UNRELATED
from index.tables.chains import Chain, Kept, Rarity
from index.text.days import WHEN
from index.text.names import capitalised
from index.types import Article

LEAD_CHARACTERS = 1500  # of an article, whose names tell what it is about
DAYS = 90  # from one report of a story to the next; measured in §22 of evals/EXPERIMENTS.md
NAMED = 0.2  # cosine of their names, weighted by rarity: two floods are told in the same words
LIKE = 0.95  # that and the cosine of their first passages together
SERIES_WORDS = 4  # with which two headlines of an outlet begin alike: "5 things to know for June 8" is no event
A_DAY = 0.002  # less for each day between them: what names Covid is told of for years


def keep(archive: Archive, article: Article) -> Kept:
    """Keep the vector of an article's first passage, with its encoder's least cosine, under the names of its lead."""
    first = "SELECT id FROM passages WHERE article_id = ? AND version IS NULL ORDER BY start LIMIT 1"
    names = frozenset(name.casefold() for name in capitalised(WHEN.sub("it", article.text[:LEAD_CHARACTERS])))
    unrelated = UNRELATED.get(archive.meta("encoder") or "", 0.0)
    return Kept(article, names, (archive.vectors(archive.read(first, article.id)[0])[0], unrelated))


def follows(later: Kept, earlier: Kept, rarity: Rarity) -> float:
    """Return how alike two articles are, where that makes them reports of one event."""
    both, *each = (sum(map(rarity, keys)) for keys in (later.keys & earlier.keys, later.keys, earlier.keys))
    (one, unrelated), (other, _) = later.facts, earlier.facts
    near = float(one @ other) if one.size == other.size else 0.0  # one may wait for its vector
    named, like = both / math.sqrt(max(math.prod(each), 1e-9)), (near - unrelated) / (1 - unrelated)
    like += named - A_DAY * abs((later.order[0] - earlier.order[0]).days)
    two = later.article, earlier.article
    heads = [article.title.casefold().split()[:SERIES_WORDS] for article in two]
    series = heads[0] == heads[1] and two[0].outlet == two[1].outlet and two[0].title != two[1].title
    return like if named >= NAMED and like >= LIKE and not series else 0.0


STORIES = Chain("stories", "4", keep, follows, DAYS)
