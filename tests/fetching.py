"""What tests of transfers share: a repository of one file, times small enough for a test, and a client for loopback."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

from edgellm import network
from edgellm.models.transfer import Tuning, Wanted
from edgellm.settings import Settings
from tests.loopback_hub import Hub

REPO, NAME = "owner/model", "model.gguf"
CHUNK = 16384
QUICK = Tuning(stall=0.4, patience=3.0, first_wait=0.01, longest_wait=0.1, connect=2.0, chunk=CHUNK, save_every=CHUNK)


def content(size: int = 200_000, seed: int = 1) -> bytes:
    """Bytes that look like nothing."""
    return random.Random(seed).randbytes(size)


def sha256(data: bytes) -> str:
    """Its sha256 in hex."""
    return hashlib.sha256(data).hexdigest()


def chunks(data: bytes, size: int = CHUNK) -> tuple[str, ...]:
    """The sha256 of each chunk."""
    return tuple(sha256(data[start : start + size]) for start in range(0, len(data), size))


def wanted(hub: Hub, data: bytes) -> Wanted:
    """The hub's only file, with the hash it should have."""
    return Wanted((hub.url(REPO, NAME),), len(data), sha256(data))


def connector(folder: Path, token: str = "", mirror: str = "") -> Callable[[str], network.Client]:
    """Makes clients for loopback; the offline lock is on. Their ledger lies in `folder`."""

    def connect(purpose: str) -> network.Client:
        return network.client(Settings(mirror=mirror), folder / "ledger.jsonl", purpose, token)

    return connect
