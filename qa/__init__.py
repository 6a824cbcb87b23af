"""Question in, cited answer out. `Desk` is all that a program needs."""

from index.index import Health
from index.ingest import IngestReport
from index.types import (
    ArchiveError,
    ArchiveInUse,
    Article,
    BadInput,
    CopydeskError,
    Filters,
    Hit,
    ModelError,
    Passage,
    Rejected,
    UnknownArticle,
)
from qa.desk import Desk
from qa.types import Answer, Checked, Citation, Refusal, Sentence

__all__ = [
    "Answer",
    "ArchiveError",
    "ArchiveInUse",
    "Article",
    "BadInput",
    "Checked",
    "Citation",
    "CopydeskError",
    "Desk",
    "Filters",
    "Health",
    "Hit",
    "IngestReport",
    "ModelError",
    "Passage",
    "Refusal",
    "Rejected",
    "Sentence",
    "UnknownArticle",
]
