"""What a download needs before its first byte: checked names, addresses in their order, and room on the disk.

Nothing here touches the network or writes a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgellm.errors import OfflineError, StorageError, UntrustedName, UsageError
from edgellm.isolation import is_loopback
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.disk import amount
from edgellm.models.hub import address
from edgellm.models.names import check_distinct, check_hash, check_name, check_relative, is_code, shown
from edgellm.models.transfer import Wanted, part_name

RESERVE = 64_000_000
"""Bytes that stay free on the disk, so that chats can still be saved."""
_FORMS = "Look for the model in safetensors, ONNX or GGUF form."


@dataclass(frozen=True, slots=True)
class Item:
    """One file to get: what it is, and the name of its part file.

    `locked` that it can be had, but not while the offline lock is on; `local` that this machine itself has it.
    """

    file: CardFile
    wanted: Wanted
    part: str
    locked: bool = False
    local: bool = False


def check_card(card: ModelCard) -> None:
    """Raises `UntrustedName` for a name or hash that must not be used, `UsageError` when there is nothing to get."""
    check_name(card.name)
    if not card.files:
        raise UsageError(f"{card.name} names no file to download.", "Name a file: edgellm models pull OWNER/NAME/FILE")
    for file in card.files:
        check_relative(file.path)
        if is_code(file.path):
            raise UntrustedName(f"{shown(file.path)} was refused: it is code, or may hold some.", _FORMS)
        for known in filter(None, (file.sha256, file.git_oid)):
            check_hash(known)
    check_distinct(file.path for file in card.files)


def items(card: ModelCard, endpoints: Sequence[str], locked: bool) -> tuple[Item, ...]:
    """The files of a card, each with the addresses that may be used; with the offline lock, those of this machine."""
    return tuple(_item(card, file, endpoints, locked) for file in card.files)


def _item(card: ModelCard, file: CardFile, endpoints: Sequence[str], locked: bool) -> Item:
    every = addresses(card, file.path, endpoints, file.url)
    local = tuple(one for one in every if is_loopback(urlsplit(one).hostname or ""))
    usable = local if locked else every
    part = part_name(Wanted(every or ("",), file.size, file.sha256, file.git_oid))
    wanted = Wanted(usable, file.size, file.sha256, file.git_oid)
    return Item(file, wanted, part, locked=bool(every) and not usable, local=local == every)


def addresses(card: ModelCard, path: str, endpoints: Sequence[str], url: str = "") -> tuple[str, ...]:
    """Where a file of a model can be had, the first choice first."""
    if not card.repo:
        return (url,) if url else ()
    found = [address(endpoint, card.repo, card.revision, path) for endpoint in endpoints]
    return tuple(dict.fromkeys([url, *found] if url else found))


def require_addresses(wanted: Sequence[Item], name: str) -> None:
    """Raises an error for a file that can be had nowhere: `OfflineError` when the lock is the reason."""
    for item in wanted:
        if item.locked:
            raise OfflineError(
                f"The offline lock is on, so {name} was not downloaded.",
                "To allow connections, set offline = false in the settings.",
            )
        if not item.wanted.addresses:
            raise UsageError(f"{name} does not say where {item.file.path} can be had.", "Choose another model.")


@dataclass(frozen=True, slots=True)
class Room:
    """The disk of `folder`: bytes that are `free`, and those of them that are `kept` for chats and other downloads."""

    folder: Path
    free: int
    kept: int = RESERVE


def require_room(card: ModelCard, here: Mapping[str, int], room: Room) -> None:
    """Raises `StorageError`, with the sum, when the files do not fit. `here` are the bytes of each that are there."""
    need = missing(card, here)
    if not need or need + room.kept <= room.free:
        return
    there = sum(min(here.get(file.path, 0), file.size or 0) for file in card.files)
    besides = f" besides the {amount(there)} that are here" if there else ""
    whose = "your chats" if room.kept == RESERVE else "your chats and other downloads"
    raise StorageError(
        f"{card.name} needs {amount(need)}{besides}, and {amount(room.free)} is free in {room.folder}, "
        f"of which {amount(room.kept)} is kept for {whose}.",
        f"Free {amount(need + room.kept - room.free)}, or choose another folder for models in the settings.",
    )


def missing(card: ModelCard, here: Mapping[str, int]) -> int:
    """Bytes that have yet to come, of the files whose size is known."""
    return sum(max(0, (file.size or 0) - here.get(file.path, 0)) for file in card.files)
