"""Brings the catalogues in step with what the page says: python -m qa.locale"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from qa.locale import ENGLISH, FOLDER, LANGUAGES, SAID, catalogue

METHODS = [
    ("page/templates/**.html", "jinja2"),
    ("page/templates/**.md", "jinja2"),
    ("page/static/**.js", "javascript"),
    ("**.py", "python"),
]
ABOVE = [("page.html", "jinja2"), ("page.py", "python")]  # of the tab in evals/
SCRIPTS = {"page/static/**.js": {"parse_template_string": "true"}}
KEYWORDS = {"_": None, "label": None, "count": (1, 2), "ngettext": (1, 2)}
CONTENT = "text/plain; charset=utf-8"


def strings() -> Catalog:
    """Return all strings of the page, each with the files that it stands in."""
    found = Catalog(domain="copydesk", charset="utf-8")
    for name, _, text, _, _ in extract_from_dir(FOLDER.parent, METHODS, SCRIPTS, KEYWORDS):
        found.add(text, locations=[(name, 0)])
    for name, _, text, _, _ in extract_from_dir(FOLDER.parent.parent / "evals", ABOVE, None, KEYWORDS):
        found.add(text, locations=[(f"evals/{name}", 0)])
    for line in SAID:
        found.add(line, locations=[("locale/said.txt", 0)])
    return found


def write(catalog: Catalog, path: Path) -> None:
    """Write a catalogue so that the same strings give the same file: no lines of files, no times."""
    with path.open("wb") as file:
        head = {"Language": catalog.locale, "Plural-Forms": catalog.plural_forms, "Content-Type": CONTENT}
        file.write("".join(['msgid ""\nmsgstr ""\n', *(f'"{k}: {v}\\n"\n' for k, v in head.items()), "\n"]).encode())
        write_po(
            file, catalog, width=110, omit_header=True, sort_output=True, include_lineno=False, ignore_obsolete=True
        )


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != ENGLISH:
            path = FOLDER / code / "LC_MESSAGES" / "copydesk.po"
            held = catalogue(code) if path.exists() else Catalog(locale=code, domain="copydesk", charset="utf-8")
            held.update(strings(), no_fuzzy_matching=True)
            write(held, path)
