"""The vectors of passages: which are missing, making them with a model that is handed in, and finding the nearest.

A vector is kept as signed bytes, and a second time as the signs alone. The nearest are looked for by the signs (which
reads an eighth of the bytes), and the best of those are put in order by the bytes. All vectors of a library are of one
model; with another one they are made anew. The model itself is left to `tasks/embedding.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np

from edgellm.documents.index import Control, rest
from edgellm.documents.library import Library
from edgellm.errors import ModelDamaged, StorageError
from edgellm.runtimes.base import Cancelled, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

Told = Callable[[int, int], None]
# Passages that are embedded between two looks at whether to stop; a few seconds of work are lost by a kill at most
_BATCH = 64
# Vectors that are dropped in one transaction when the model changes
_DROPPED = 5_000
# Characters of a question; no model reads more
_LONGEST = 20_000
# As many of the nearest by sign are compared exactly
_COMPARED = 1_000
_MEMBERS = """passage IN (SELECT passage.id FROM source JOIN file ON file.source = source.id
              JOIN passage ON passage.content = file.content WHERE source.collection = ?)"""
# Its text is compared, for while the model was at it the passage can have been replaced under the same number
_STORE = """INSERT OR IGNORE INTO vector (passage, data) SELECT id, ?3 FROM passage WHERE id = ?1 AND text = ?2
            AND EXISTS (SELECT 1 FROM vector_model WHERE name = ?4 AND size = ?5) RETURNING passage"""


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model that makes vectors of `size` numbers: of passages (fewer of them when canceled), and of a question."""

    name: str
    size: int
    passages: Callable[[tuple[str, ...], Cancelled], Vectors]
    question: Callable[[str], Vectors]


@dataclass(frozen=True, slots=True)
class Kept:
    """The vectors of a library: the model that made them, how many there are, and of how many passages."""

    name: str
    size: int
    vectors: int
    passages: int


@dataclass(frozen=True, slots=True)
class Made:
    """What embedding did: passages `embedded` now, `cut` because they were longer than the model reads, and `left`."""

    embedded: int = 0
    cut: int = 0
    left: int = 0
    stopped: bool = False


def kept(library: Library) -> Kept | None:
    """What there is; None before the first vector."""
    for name, size in library.rows("SELECT name, size FROM vector_model"):
        ((vectors,),) = library.rows("SELECT count(*) FROM vector")
        ((passages,),) = library.rows("SELECT count(*) FROM passage")
        return Kept(name, size, vectors, passages)
    return None


def missing(library: Library) -> int:
    """How many passages have no vector."""
    ((count,),) = library.rows("SELECT (SELECT count(*) FROM passage) - (SELECT count(*) FROM vector)")
    return int(count)


def embed(
    library: Library, embedder: Embedder, control: Control | None = None, told: Told = lambda done, total: None
) -> Made:
    """Give a vector to each passage that has none, a batch at a time; killed at any moment, the next call goes on.

    Vectors of another model, or of another size, are dropped first. Raises `ModelDamaged` for what the model must not
    answer, and `StorageError` when another program embeds.
    """
    control = control or Control()
    with _alone(library):
        _belong(library, embedder)
        total = missing(library)
        done = cut = after = 0
        while rows := _without(library, after):
            if control.cancelled():
                break
            texts = tuple(_told_apart(title, headings, text) for _, title, headings, text in rows)
            found = embedder.passages(texts, control.cancelled)
            if control.cancelled():
                break  # which of them are there is not known
            table = _table(found, embedder, len(rows))
            done += _store(library, embedder, [(row[0], row[3]) for row in rows], table)
            cut += found.truncated
            after = rows[-1][0]
            told(done, total)
            rest(control.pause(), control.cancelled)
        return Made(done, cut, missing(library), bool(rows))


def nearest(library: Library, embedder: Embedder, text: str, count: int, within: int | None = None) -> dict[int, float]:
    """The passages nearest to a text: id -> cosine, best first. Empty where the vectors are of another model.

    `within` is the id of a collection. Raises `ModelDamaged`.
    """
    there = library.rows("SELECT 1 FROM vector_model WHERE name = ? AND size = ?", (embedder.name, embedder.size))
    if not there or not text.strip() or not library.compares():
        return {}
    text = text[:_LONGEST].encode("utf-8", "replace").decode("utf-8")  # half a character cannot be sent to a model
    table = _table(embedder.question(text), embedder, 1)
    only = "" if within is None else f"WHERE {_MEMBERS}"
    found = library.rows(
        f"""SELECT passage, 1 - vec_distance_cosine(vec_int8(data), vec_int8(?)) AS score FROM vector
            WHERE passage IN (SELECT passage FROM vector_sign {only}
                              ORDER BY vec_distance_hamming(vec_bit(sign), vec_bit(?)) LIMIT ?)
            ORDER BY score DESC, passage LIMIT ?""",
        (
            _bytes(table)[0].tobytes(),
            *([] if within is None else [within]),
            _signs(table)[0].tobytes(),
            max(_COMPARED, 2 * count),
            count,
        ),
    )
    return dict(found)


@contextmanager
def _alone(library: Library) -> Iterator[None]:
    lock = filelock.FileLock(f"{library.path}.embedding")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise StorageError("Another program is embedding passages.", "Wait until it has finished.") from error
    try:
        yield
    finally:
        lock.release()


def _belong(library: Library, embedder: Embedder) -> None:
    """Let the vectors be those of this model. The name goes first, so that a kill leaves none under a wrong one."""
    if library.rows("SELECT 1 FROM vector_model WHERE name = ? AND size = ?", (embedder.name, embedder.size)):
        return
    with library.transaction() as db:
        db.execute("DELETE FROM vector_model")
    while library.rows("SELECT 1 FROM vector LIMIT 1"):
        with library.transaction() as db:
            db.execute("DELETE FROM vector WHERE passage IN (SELECT passage FROM vector LIMIT ?)", (_DROPPED,))
    with library.transaction() as db:
        db.execute("INSERT INTO vector_model (only, name, size) VALUES (1, ?, ?)", (embedder.name, embedder.size))


def _without(library: Library, after: int) -> list[tuple[Any, ...]]:
    """The next passages without a vector: id, title, headings, text."""
    return library.rows(
        """SELECT passage.id, content.title, passage.headings, passage.text
           FROM passage JOIN content ON content.id = passage.content
           WHERE passage.id > ? AND NOT EXISTS (SELECT 1 FROM vector WHERE vector.passage = passage.id)
           ORDER BY passage.id LIMIT ?""",
        (after, _BATCH),
    )


def _told_apart(title: str, headings: str, text: str) -> str:
    """A passage with the headings above it, which often name what it is about; the title where there are none."""
    above = json.loads(headings) or [title]
    return "\n".join((": ".join(above), text))


def _store(library: Library, embedder: Embedder, rows: Sequence[tuple[int, str]], table: NDArray[np.float32]) -> int:
    """Write the vectors of passages that are still what they were; returns how many."""
    stored = 0
    with library.transaction() as db:
        for (key, text), data, sign in zip(rows, _bytes(table), _signs(table), strict=True):
            values = (key, text, data.tobytes(), embedder.name, embedder.size)
            if list(db.execute(_STORE, values)):
                db.execute("INSERT INTO vector_sign (passage, sign) VALUES (?, ?)", (key, sign.tobytes()))
                stored += 1
    return stored


def _table(found: Vectors, embedder: Embedder, count: int) -> NDArray[np.float32]:
    """The vectors as rows. Raises `ModelDamaged` for those of another number, of another size, or of no numbers."""
    table = np.frombuffer(found.data, "<f4")
    if found.size != embedder.size or table.size != count * embedder.size or not np.isfinite(table).all():
        raise ModelDamaged(
            f"The model {embedder.name} does not give vectors of {embedder.size} numbers.", "Choose another model."
        )
    return table.reshape(count, embedder.size)


def _bytes(table: NDArray[np.float32]) -> NDArray[np.int8]:
    """As signed bytes; each vector fills their range, for only its direction counts."""
    largest = np.abs(table).max(axis=1, keepdims=True)
    result: NDArray[np.int8] = np.rint(table * (127 / np.maximum(largest, 1e-12))).astype(np.int8)
    return result


def _signs(table: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.packbits(table > 0, axis=1)
