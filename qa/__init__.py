"""Question in, cited answer out. `Desk` is all that a program needs."""

from index.ingest import IngestReport
from index.sync import Health
from index.types import (
    ArchiveError,
    ArchiveInUse,
    Article,
    BadInput,
    CopydeskError,
    Filters,
    Hit,
    Listed,
    ModelError,
    Passage,
    Rejected,
    UnknownArticle,
)
from qa.desk import Desk
from qa.request import AskRequest, SearchRequest
from qa.types import Answer, Checked, Citation, Refusal, Sentence

__all__ = [
    "Answer",
    "ArchiveError",
    "ArchiveInUse",
    "Article",
    "AskRequest",
    "BadInput",
    "Checked",
    "Citation",
    "CopydeskError",
    "Desk",
    "Filters",
    "Health",
    "Hit",
    "IngestReport",
    "Listed",
    "ModelError",
    "Passage",
    "Refusal",
    "Rejected",
    "SearchRequest",
    "Sentence",
    "UnknownArticle",
]
