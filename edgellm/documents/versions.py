"""The version of each reader: a content that an older one has read is read anew by the next update.

Raise a number when the reader finds more, or something else, in the same file. Reading is left to `readers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

READERS: Mapping[str, int] = MappingProxyType({"pdf": 2, "subtitles": 2, "text": 2, "csv": 2})
FIRST = 1


def current(kind: str, readers: Mapping[str, int] = READERS) -> int:
    """The version of the reader of a format: 1 until it was improved."""
    return readers.get(kind, FIRST)
