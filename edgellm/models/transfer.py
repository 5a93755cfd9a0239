"""Fetching one file, whatever the network does: parts that are kept, checked, and gone on with.

`fetch` leaves a whole and verified part file; giving it its name is left to the caller, as are listing, several files
at once, and locks: one part belongs to one transfer at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.models.rate import Control

if TYPE_CHECKING:
    from edgellm import network

CHUNK = 16 * 1024 * 1024
Connect = Callable[[str], "network.Client"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: its addresses, tried in turn, and what is known of it before the first byte.

    `sha256` or `git_oid` (git's blob id, 40 digits) are hex, empty when unknown; `chunks` are sha256 of each 16 MiB.
    """

    addresses: tuple[str, ...]
    size: int | None = None
    sha256: str = ""
    git_oid: str = ""
    chunks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole, verified file at `path`. `received` are the bytes that came over the network for it, this time."""

    path: Path
    size: int
    sha256: str
    chunks: tuple[str, ...]
    received: int
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times in seconds. `patience`: how long failures without one new byte are borne before they are raised."""

    stall: float = 30.0
    patience: float = 12.0
    first_wait: float = 0.5
    longest_wait: float = 5.0
    chunk: int = CHUNK
    save_every: int = 4 * 1024 * 1024


def part_name(wanted: Wanted) -> str:
    """The name of the part file: `<sha256>.part`, or a hash of the address where the content's is unknown."""
    raise NotImplementedError


def fetch(wanted: Wanted, part: Path, connect: Connect, control: Control, tuning: Tuning | None = None) -> Fetched:
    """Fetch a file into `part`, going on with what is there; beside it `<part>.json` holds the progress.

    On success `part` is whole, verified and synced, and `<part>.json` is gone; rename it. Raises `Stopped` (the part
    is kept), `NetworkError` (kept; `retry_after` may say how long to wait), `ModelDamaged` when what every address
    sends is not the file that was published (the part is removed), and `StorageError` when it cannot be written.
    """
    raise NotImplementedError


def fetch_ranges(
    wanted: Wanted, path: Path, chunks: Sequence[int], connect: Connect, control: Control, tuning: Tuning | None = None
) -> int:
    """Fetch chunks, by number, again and write each into `path` once its hash is right. Returns the bytes received.

    Needs `wanted.chunks`. `path` must have its full length, or is given it. Raises as `fetch` does; what was repaired
    stays repaired.
    """
    raise NotImplementedError
