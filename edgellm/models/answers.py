"""What a server's answer to a request for bytes really is: these bytes, the whole file again, another file, a web page.

Headers are data from elsewhere. Nothing here writes or waits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgellm import trouble
from edgellm.errors import ModelDamaged, NetworkError

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_LENGTH = re.compile(r"\d{1,18}")
_PAGES = (".html", ".htm", ".xhtml")


class BadRange(NetworkError):
    """The server answers requests for a part of the file wrongly; asking for all of it may help."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`start` and `stop` (None: to the end) in bytes, `size` of the whole file if known, and the validator sent."""

    host: str
    path: str
    start: int
    stop: int | None
    size: int | None
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`skip` bytes to leave out, then the bytes from `start` on. `total` is the whole file's size, if it is known."""

    start: int
    skip: int
    total: int | None
    etag: str


def read(status: int, headers: Mapping[str, str], asked: Asked) -> Answer:
    """Raises `BadRange`, `NetworkError`, or `ModelDamaged` when the file there has another size than the published."""
    if status == 416:
        raise _bad_range(asked)
    if problem := trouble.of_answer(asked.host, status, headers):
        raise problem
    if status not in (200, 206) or headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise trouble.odd(asked.host)
    etag = _etag(headers)
    if status == 206:
        return _partial(headers, asked, etag)
    length = headers.get("content-length", "")
    total = int(length) if _LENGTH.fullmatch(length) else None
    _refuse_page(headers, asked, total)
    if asked.size is not None and total is not None and total != asked.size:
        raise other_file(asked.host)
    if asked.start and (not asked.etag or asked.etag != etag) and asked.stop is None:
        return Answer(0, 0, total, etag)  # Range was ignored, or the file is another now
    return Answer(asked.start, asked.start, total, etag)


def _partial(headers: Mapping[str, str], asked: Asked, etag: str) -> Answer:
    found = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if not found or not (asked.start or asked.stop is not None):
        raise _bad_range(asked)
    first, last = int(found[1]), int(found[2])
    total = None if found[3] == "*" else int(found[3])
    if first != asked.start or last < first or (total is not None and last >= total):
        raise _bad_range(asked)
    if asked.stop is not None and last >= asked.stop:
        raise _bad_range(asked)
    if asked.size is not None and total is not None and total != asked.size:
        raise other_file(asked.host)
    if asked.etag and etag and etag != asked.etag:
        raise _bad_range(asked)
    return Answer(asked.start, 0, total, etag)


def _refuse_page(headers: Mapping[str, str], asked: Asked, total: int | None) -> None:
    page = headers.get("content-type", "").strip().lower().startswith(("text/html", "application/xhtml"))
    if page and not asked.path.lower().endswith(_PAGES) and (asked.size is None or total != asked.size):
        raise trouble.sign_in(asked.host)


def _etag(headers: Mapping[str, str]) -> str:
    """A strong ETag, or a date, by which If-Range can ask whether the file is still the same; or an empty text."""
    etag = headers.get("etag", "").strip()
    if len(etag) <= 200 and etag.isascii() and etag.isprintable() and etag.startswith('"') and etag.endswith('"'):
        return etag
    date = headers.get("last-modified", "").strip()
    return date if not etag and date and len(date) <= 40 and date.isascii() and date.isprintable() else ""


def _bad_range(asked: Asked) -> BadRange:
    found = trouble.odd(asked.host)
    return BadRange(found.message, found.hint)


def other_file(host: str) -> ModelDamaged:
    """The file there is not the one that was published."""
    return ModelDamaged(
        f"The file at {host} is not the one that was published.",
        "Nothing of it was kept. Try again later, or use another mirror.",
    )
