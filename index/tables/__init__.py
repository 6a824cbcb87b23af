"""Tables that are derived from the archive, in its file: kept in step like the indexes, and built again at any time.

Each has a `name`, the version of its `rules`, of which another builds it anew with its `script`, and `apply`, which
takes out what is held of some articles and puts in what the archive holds of them; repeating it is safe.
"""

from index.tables.chains import Chain
from index.tables.copies import COPIES
from index.tables.notices import Notices
from index.tables.stories import STORIES

Table = Chain | Notices
TABLES: tuple[Table, ...] = (COPIES, STORIES, Notices())
