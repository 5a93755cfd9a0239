"""The process in which files are read: no network, limited memory and time, one answer per file over its pipe.

Started by `load.py` alone. A message is four bytes of length and a msgpack value.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgpack

from edgellm.documents.document import Block, Document, Page
from edgellm.documents.segment import ChangedSince, PiecesMismatch, Rewriting, WrongSuffix
from edgellm.documents.source import Limits, open_source

_GRACE = 5.0
_WATCH = 0.5


def pack(value: Any) -> bytes:
    """A message as bytes."""
    body: bytes = msgpack.packb(value)
    return len(body).to_bytes(4, "little") + body


def receive(pipe: IO[bytes]) -> Any:
    """The next message; None at the end of the pipe, or of a message that was cut."""
    head = pipe.read(4)
    body = pipe.read(int.from_bytes(head, "little")) if len(head) == 4 else b""
    if len(head) < 4 or len(body) < int.from_bytes(head, "little"):
        return None
    return msgpack.unpackb(body)


def flat(document: Document) -> tuple[Any, ...]:
    """A document as msgpack can carry it; the path stays behind."""
    pages = [(page.number, [(one.kind, one.text, one.level) for one in page.blocks]) for page in document.pages]
    return document.format, document.title, document.sha256, pages, document.notes


def unflat(path: Path, value: Any) -> Document:
    """What `flat` has flattened."""
    kind, title, sha256, pages, notes = value
    whole = tuple(Page(number, tuple(Block(*one) for one in blocks)) for number, blocks in pages)
    return Document(path, kind, title, sha256, whole, tuple(notes))


def _limit_memory(size: int) -> None:
    """Bound what is added to the memory that Python itself has mapped by now."""
    if sys.platform == "win32":
        return
    import resource

    import psutil

    most = int(psutil.Process().memory_info().vms) + size
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: float) -> None:
    """A second bound beside the parent's clock, for the case that the parent is gone."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds + _GRACE) + 1
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _read(path: Path, limits: Limits) -> tuple[Any, ...]:
    from edgellm.documents.readers import read

    return ("document", *flat(read(path, limits)))


def _segments(path: Path, limits: Limits) -> tuple[Any, ...]:
    from edgellm.documents import rewriters

    sheet = rewriters.segments(path, limits)
    found = [(segment.pieces, segment.where) for segment in sheet.segments]
    return "sheet", sheet.format, found, sheet.notes, sheet.language, sheet.sha256


def _write(path: Path, limits: Limits, texts: Any, language: str, suffix: str, sha256: str) -> tuple[Any, ...]:
    from edgellm.documents import rewriters

    translated = {number: tuple(pieces) for number, pieces in texts}
    order = Rewriting(open_source(path, limits), translated, language, suffix)
    try:
        return "bytes", rewriters.rewritten(order, sha256)
    except ChangedSince:
        return ("changed",)
    except WrongSuffix as error:
        return "suffix", rewriters.misnamed(order.source), *error.args
    except PiecesMismatch as error:
        return "pieces", *error.args


_VERBS: dict[str, Callable[..., tuple[Any, ...]]] = {"read": _read, "segments": _segments, "write": _write}


def _answer(order: Any) -> tuple[Any, ...]:
    from edgellm.errors import DocumentError

    verb, name, values, *more = order
    limits = Limits(*values)
    _limit_time(limits.seconds)
    try:
        return _VERBS[verb](Path(os.fsdecode(name)), limits, *more)
    except DocumentError as error:
        return "error", type(error).__name__, error.reason, error.hint
    except MemoryError:
        return ("memory",)
    except Exception as error:  # the boundary of the process: a file has found a hole in a library
        return "crash", type(error).__name__


def _outlive(parent: int) -> None:
    """Runs in a thread: end this process soon after the one that wants its answers is gone, whatever it reads.

    What it has started ends with it, where `load.py` gave it a group of its own.
    """
    import psutil

    while psutil.pid_exists(parent) if sys.platform == "win32" else os.getppid() == parent:
        time.sleep(_WATCH)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Answer orders until the pipe closes. Arguments: bytes of memory, the parent's id."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)  # what a library prints does not get between the messages
    from edgellm import isolation

    isolation.forbid_outgoing(allow_loopback=False)
    threading.Thread(target=_outlive, args=(int(sys.argv[2]),), name="parent", daemon=True).start()
    _limit_memory(int(sys.argv[1]))
    while (order := receive(incoming)) is not None:
        outgoing.write(pack(_answer(order)))
        outgoing.flush()


if __name__ == "__main__":
    main()
