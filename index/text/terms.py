"""The stems by which words are searched and compared, as the lexical index has them: tantivy's analysis of English."""

from collections.abc import Set

import tantivy

from index.text import lists
from index.text.fold import clean


def analyzer(*stopwords: tantivy.Filter) -> tantivy.TextAnalyzer:
    """Fold case and accents, so that "Dia" finds "Día", and stem: tantivy's own "en_stem" keeps accents apart."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    plain = tantivy.Filter.remove_long(40), tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold()
    for step in (*plain, *stopwords, tantivy.Filter.stemmer("english")):
        builder = builder.filter(step)
    return builder.build()


_TERMS = analyzer()
_QUESTION = " ".join(lists.lines("question-words")).split()
_CONTENT = analyzer(tantivy.Filter.stopword("english"), tantivy.Filter.custom_stopword(_QUESTION))


def terms(text: str) -> set[str]:
    """Return the stems by which the words of a text are searched."""
    return set(_TERMS.analyze(clean(text)))


def content_terms(text: str) -> set[str]:
    """Return the stems of a text's words without those that say nothing of its subject."""
    return set(_CONTENT.analyze(clean(text)))


_SAME = {stem: min(terms(key)) for word, key in lists.meanings("same").items() for stem in terms(word)}


def alike(stems: set[str]) -> set[str]:
    """Return stems with one for all words of a meaning: that of "die" for dead and deaths, of 13 for thirteen."""
    return {_SAME.get(stem, stem) for stem in stems}


def share(wanted: Set[str], held: Set[str]) -> float:
    """Return the share of the wanted terms that are held; 0 where none is wanted."""
    return len(wanted & held) / max(1, len(wanted))
