"""Question in, cited answer out. `Desk` is all that a program needs."""

import os
import signal
import sys

if sys.argv[0].endswith("copydesk") or (sys.argv[0] == "-m" and "qa" in sys.orig_argv):  # a command, until it listens:
    signal.signal(signal.SIGINT, lambda *_: os.write(2, b"copydesk: stopped\n") and os._exit(130))  # imports take .5 s

from index.health.rows import Health as Health
from index.ingest import IngestReport as IngestReport
from index.types import ArchiveError as ArchiveError
from index.types import ArchiveInUse as ArchiveInUse
from index.types import Article as Article
from index.types import BadInput as BadInput
from index.types import CopydeskError as CopydeskError
from index.types import Filters as Filters
from index.types import Hit as Hit
from index.types import ModelError as ModelError
from index.types import Passage as Passage
from index.types import Rejected as Rejected
from index.types import UnknownArticle as UnknownArticle
from qa.desk import Desk as Desk
from qa.request import AskRequest as AskRequest
from qa.request import SearchRequest as SearchRequest
from qa.request import TimelineRequest as TimelineRequest
from qa.types import Answer as Answer
from qa.types import Checked as Checked
from qa.types import Citation as Citation
from qa.types import Refusal as Refusal
from qa.types import Sentence as Sentence
from qa.types import Timeline as Timeline
