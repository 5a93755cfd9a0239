"""Writing a file whole or not at all. What to say when that fails is left to the callers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write(path: Path, text: str) -> None:
    """Write `text` as UTF-8 in one step, readable by this person only; a crash leaves the old file.

    Raises `OSError`, and `UnicodeEncodeError` for half characters; nothing is left behind then.
    """
    data = text.encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of the one at `path` when the block ends without an error, and is gone otherwise.

    It is readable by this person only, and on the disk before it is at its place. Its folder must be there. Raises
    `OSError`.
    """
    handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name[:60]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
