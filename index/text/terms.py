"""The stems by which words are searched and compared, as the lexical index has them: tantivy's analysis of English."""

import tantivy

from index.text import lists


def analyzer(*stopwords: tantivy.Filter) -> tantivy.TextAnalyzer:
    """Fold case and accents, so that "Dia" finds "Día", and stem: tantivy's own "en_stem" keeps accents apart."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (tantivy.Filter.remove_long(40), tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), *stopwords):
        builder = builder.filter(step)
    return builder.filter(tantivy.Filter.stemmer("english")).build()


_TERMS = analyzer()
_CONTENT = analyzer(
    tantivy.Filter.stopword("english"), tantivy.Filter.custom_stopword(list(lists.words("question-words")))
)


def terms(text: str) -> set[str]:
    """Return the stems by which the words of a text are searched."""
    return set(_TERMS.analyze(text))


def content_terms(text: str) -> set[str]:
    """Return the stems of a text's words without those that say nothing of its subject."""
    return set(_CONTENT.analyze(text))
