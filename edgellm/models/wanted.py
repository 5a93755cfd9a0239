"""One file that is to be fetched, and what it is once it is here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from edgellm.models.names import check_hash


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: its addresses, tried in turn, and what is known of it before the first byte.

    `sha256` or `git_oid` (git's blob id, 40 digits) are hex, empty when unknown; `chunks` are the sha256 of each part
    of `Tuning.chunk` bytes. Raises `UntrustedName` for what is no hash.
    """

    addresses: tuple[str, ...]
    size: int | None = None
    sha256: str = ""
    git_oid: str = ""
    chunks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for known in (self.sha256, self.git_oid, *self.chunks):
            if known:
                check_hash(known)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole, verified file at `path`. `received` are the bytes that came over the network for it, this time."""

    path: Path
    size: int
    sha256: str
    chunks: tuple[str, ...]
    received: int
    etag: str = ""


def part_name(wanted: Wanted) -> str:
    """The name of the part file: `<sha256>.part`, or a hash of the address where the content's is unknown."""
    if wanted.sha256:
        return f"{wanted.sha256.lower()}.part"
    if wanted.git_oid:
        return f"git-{wanted.git_oid.lower()}.part"
    return f"link-{hashlib.sha256(wanted.addresses[0].encode()).hexdigest()[:40]}.part"
