"""PPTX: its texts, and the same file with others."""

from __future__ import annotations

from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Source


def read(source: Source) -> Sheet:
    """The texts in the file."""
    return Sheet("pptx", ())


def write(order: Rewriting) -> bytes:
    """The file with other texts."""
    return order.source.data
