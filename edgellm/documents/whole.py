"""All passages of a file, or of every file of a collection: what a whole text can be put together from.

Nothing is fetched that is larger than asked for. Finding passages for a question is left to `retrieve.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from edgellm.documents.library import Library
from edgellm.documents.retrieve import Passage

# More files, or more passages, are not counted: no model reads them at once
_FILES, _PASSAGES = 200, 4_000


def collection(library: Library, characters: int, name: str = "") -> tuple[tuple[Passage, ...], ...]:
    """The passages of each file of a collection, of all files without a name; none where they are longer than that.

    A content that several files have comes once. Raises `UsageError` without such a collection.
    """
    within = library.collection(name).id if name else None
    rows = library.rows(
        """SELECT file.content, file.path FROM file JOIN source ON source.id = file.source
           WHERE file.content IS NOT NULL AND (?1 IS NULL OR source.collection = ?1) ORDER BY file.id LIMIT ?2""",
        (within, _FILES + 1),
    )
    paths: dict[int, Path] = {}
    for content, path in rows:
        paths.setdefault(content, Path(path))
    if len(rows) > _FILES or not _within(library, list(paths), characters):
        return ()
    return tuple(filter(None, (_passages(library, content, path) for content, path in paths.items())))


def around(library: Library, characters: int, found: Passage) -> tuple[Passage, ...]:
    """The passages of the file that a passage is in; none where they are longer than that."""
    rows = library.rows("SELECT content FROM passage WHERE id = ?", (found.id,))
    if not rows or not _within(library, [rows[0][0]], characters):
        return ()
    return _passages(library, rows[0][0], found.path)


def _within(library: Library, contents: Sequence[int], characters: int) -> bool:
    ((count, total),) = library.rows(
        """SELECT count(*), coalesce(sum(size), 0) FROM (SELECT length(text) AS size FROM passage
           WHERE content IN (SELECT value FROM json_each(?)) LIMIT ?)""",
        (json.dumps(list(contents)), _PASSAGES + 1),
    )
    return bool(count <= _PASSAGES and total <= characters)


def _passages(library: Library, content: int, path: Path) -> tuple[Passage, ...]:
    rows = library.rows(
        """SELECT passage.id, content.title, page, headings, text, start, stop
           FROM passage JOIN content ON content.id = passage.content WHERE content.id = ? ORDER BY start""",
        (content,),
    )
    return tuple(
        Passage(key, path, title, page, tuple(json.loads(headings)), text, start, stop, 0.0)
        for key, title, page, headings, text, start, stop in rows
    )
