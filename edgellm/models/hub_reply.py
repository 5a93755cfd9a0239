"""Reading what a hub answers: parsed JSON into typed values. Whatever is in it is data of a stranger.

A file whose name, hash or size must not be used is left out of a listing and told in `Listing.refused`; a reply that
is no listing at all is a `NetworkError`. Asking is left to `hub`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from edgellm import trouble
from edgellm.errors import UntrustedName
from edgellm.models import names
from edgellm.models.catalog_schema import FORMATS, is_repo

_MOST_FILES = 20_000
_LARGEST = 1 << 44
_LONGEST = 100
_COMMIT = re.compile(r"[0-9a-fA-F]{40}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
# The hub writes licenses in small letters; these are the SPDX identifiers of the common ones.
_SPDX = MappingProxyType(
    {
        name.lower(): name
        for name in ("Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "BSD-3-Clause", "GPL-3.0")
    }
)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. `sha256` is known of large files, `git_oid` (of the content) of the others."""

    path: str
    size: int | None
    sha256: str = ""
    git_oid: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a repository holds at one commit. `task` is the hub's own name of its task.

    `architecture` and `context` (tokens) are of its GGUF files, as the hub read them. Empty texts and 0 are unknown.
    """

    repo: str
    commit: str
    files: tuple[RemoteFile, ...]
    license: str = ""
    gated: bool = False
    task: str = ""
    languages: tuple[str, ...] = ()
    architecture: str = ""
    context: int = 0
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A repository that a search found. `formats` are those of `catalog_schema.FORMATS` that it says it has."""

    repo: str
    downloads: int = 0
    likes: int = 0
    license: str = ""
    gated: bool = False
    task: str = ""
    formats: tuple[str, ...] = ()


def listing(data: Any, asked: str, revision: str, host: str) -> Listing:
    """The listing of repository `asked` at `revision`.

    Raises `NetworkError` when it is none, or one of another commit than asked; `UntrustedName` when none of it may be
    used.
    """
    siblings = data.get("siblings") if isinstance(data, dict) else None
    commit = data.get("sha") if isinstance(data, dict) else None
    if not isinstance(siblings, list) or not isinstance(commit, str) or len(siblings) > _MOST_FILES:
        raise trouble.odd(host)
    files: list[RemoteFile] = []
    refused: list[str] = []
    for sibling in siblings:
        try:
            files.append(_file(sibling))
        except UntrustedName as error:
            refused.append(error.message)
    if refused and not files:
        raise UntrustedName(refused[0], "Use another mirror, or another repository.")
    names.check_distinct(file.path for file in files)
    commit = names.check_hash(commit)
    if len(commit) != 40 or (_COMMIT.fullmatch(revision) and commit != revision.lower()):
        raise trouble.odd(host)
    found = _facts(data)
    repo = data.get("id")
    known = repo if isinstance(repo, str) and is_repo(repo) else asked
    architecture, context = _gguf_facts(data.get("gguf"))
    return Listing(
        known,
        commit,
        tuple(files),
        license=found.license,
        gated=found.gated,
        task=found.task,
        languages=_languages(data.get("cardData")),
        architecture=architecture,
        context=context,
        refused=tuple(refused),
    )


def found(data: Any, host: str, limit: int) -> tuple[Found, ...]:
    """The results of a search, at most `limit`; entries that are none are passed over. Raises `NetworkError`."""
    if not isinstance(data, list):
        raise trouble.odd(host)
    results = []
    for entry in data[:limit]:
        repo = entry.get("id", entry.get("modelId")) if isinstance(entry, dict) else None
        if isinstance(repo, str) and is_repo(repo):
            results.append(_facts(entry, repo))
    return tuple(results)


def _file(sibling: Any) -> RemoteFile:
    if not isinstance(sibling, dict):
        raise UntrustedName("A file without a name was refused.")
    path = str(names.check_relative(sibling.get("rfilename", "")))
    lfs = sibling.get("lfs")
    if not isinstance(lfs, dict):
        oid = sibling.get("blobId")
        return RemoteFile(path, _size(sibling.get("size"), path), git_oid=names.check_hash(oid) if oid else "")
    size = _size(lfs.get("size", sibling.get("size")), path)
    digest = names.check_hash(lfs.get("sha256") or lfs.get("oid") or "")
    if len(digest) != 64:
        raise UntrustedName(f"The hash of {names.shown(path)} was refused: it is no sha256.")
    return RemoteFile(path, size, sha256=digest)


def _size(value: Any, path: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise UntrustedName(f"The size of {names.shown(path)} was refused: {names.shown(value)}.")
    return value


def _facts(data: Mapping[str, Any], repo: str = "") -> Found:
    tags = [tag for tag in _list(data.get("tags")) if isinstance(tag, str)]
    return Found(
        repo,
        _count(data.get("downloads")),
        _count(data.get("likes")),
        _license(data, tags),
        bool(data.get("gated")),
        _short(data.get("pipeline_tag")),
        tuple(name for name in FORMATS if name in tags),
    )


def _license(data: Mapping[str, Any], tags: list[str]) -> str:
    card = data.get("cardData")
    said = card.get("license") if isinstance(card, dict) else None
    name = _short(said[0] if isinstance(said, list) and said else said)
    name = name or next((_short(tag.removeprefix("license:")) for tag in tags if tag.startswith("license:")), "")
    if name == "other" and isinstance(card, dict):
        name = _short(card.get("license_name")) or name
    return _SPDX.get(name.lower(), name)


def _gguf_facts(said: Any) -> tuple[str, int]:
    if not isinstance(said, dict):
        return "", 0
    name, context = _short(said.get("architecture")), _count(said.get("context_length"))
    return name if _ARCHITECTURE.fullmatch(name) else "", context if context < 1 << 26 else 0


def _languages(card: Any) -> tuple[str, ...]:
    said = card.get("language") if isinstance(card, dict) else None
    tags = [said] if isinstance(said, str) else [tag for tag in _list(said) if isinstance(tag, str)]
    short = [tag.lower() for tag in tags if tag.isascii() and tag.isalpha() and 2 <= len(tag) <= 3]
    return tuple(dict.fromkeys(short))[:300]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 1 << 53 else 0


def _short(value: Any) -> str:
    """A short plain text; empty for anything else."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST else ""
