"""Looks an answer up in a row of a table: the row that the question names, in the column that it names."""

import re

from index.text.fold import words
from index.text.names import lemmas
from index.text.terms import content_terms

ROW = " · "  # between the cells of a table's row, each "Column: value"
CELL = re.compile(r"(?P<column>[^·:]+): (?P<value>[^·]+?)(?= · |$)")


def look_up(question: str, row: str) -> tuple[int, int] | None:
    """Return where in a row of a table stands the figure of which a question names row and column; else None."""
    cells = list(CELL.finditer(row)) if ROW in row else []
    counted = [cell for cell in cells if any(map(str.isdigit, cell["value"]))]
    asked, forms = content_terms(question), {form for word in words(question) for form in (word, *lemmas(word))}
    named = any((name := content_terms(cell["value"])) and name <= asked for cell in cells if cell not in counted)
    columns = (cell for cell in counted if all({word, *lemmas(word)} & forms for word in words(cell["column"])))
    return next((cell.span("value") for cell in columns), None) if named else None
