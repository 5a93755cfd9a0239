"""Keeps the KV cache of long prompts on the disk, so that a document read once need not be read again tomorrow.

A state is two files: what llama.cpp writes, and beside it the tokens, a checksum, and a key of everything that the
numbers depend on: the model file, the placement, the build of llama.cpp. What does not fit the key is never looked at,
what is damaged is removed, and the oldest make room for new ones. The files hold what was read, in a form that gives
the text back: only their owner may read them, and nothing is kept unless a person asked for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import zlib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from edgellm.runtimes.base import Placement
from edgellm.runtimes.build import inspect
from edgellm.runtimes.llama_context import LlamaContext

SHORTEST = 1024  # tokens; less is read faster than it is worth keeping
_WORTH = 256  # tokens that must be saved by reading a state, or by writing a longer one
_FREE = 1 << 30  # bytes that stay free on the disk
_PIECE = 1 << 22
_HEADER = 1 << 24
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    """A state on the disk. `size` is that of the numbers in bytes."""

    file: Path
    tokens: list[int]
    size: int
    checksum: int


def key_of(model: Path, placement: Placement) -> str:
    """What the numbers of a state depend on, as 16 digits. Threads and the context's size are no part of it."""
    build = inspect()
    files = [build.library(placement.cpu_variant)] if placement.cpu_variant else []
    files += sorted(build.library_dir.glob("*llama*")) if build.library_dir else []
    where = [getattr(placement, name) for name in ("device", "gpu_layers", "kv_type", "cpu_variant", "repack")]
    facts = [build.version, where, _identity(model), [_identity(file) for file in files if file]]
    with model.open("rb") as stream:
        head = hashlib.sha256(stream.read(_PIECE)).hexdigest()
    return hashlib.sha256(json.dumps([facts, head], sort_keys=True).encode()).hexdigest()[:16]


def _identity(file: Path) -> list[Any]:
    stat = file.stat()
    return [file.name.encode("utf-8", "surrogateescape").hex(), stat.st_size, stat.st_mtime_ns]


class PromptCache:
    """The states in one folder, at most `room` bytes of them; `key` says which ones are ours."""

    def __init__(self, folder: Path, room: int, key: str) -> None:
        self._folder = folder
        self._room = room
        self._key = key

    def restore(self, native: LlamaContext, prompt: list[int]) -> int:
        """Bring the longest kept beginning of `prompt` into the KV cache; how many tokens it has, 0 for none.

        Nothing happens when the cache has most of it already.
        """
        here, best, most = _common(native.tokens, prompt), None, 0
        if len(prompt) < SHORTEST:
            return 0
        for state in self._states():
            same = _common(state.tokens, prompt)
            if same > most and len(state.tokens) < native.length:
                best, most = state, same
        if best is None or most < here + _WORTH:
            return 0
        if not self._read(best, native):
            _remove(best.file)
            return 0
        _log.info("%d tokens were read from the disk", most)
        return most

    def keep(self, native: LlamaContext) -> None:
        """Write what is in the KV cache, unless it is short or most of it is kept already.

        It takes the place of its own beginning.
        """
        tokens = list(native.tokens)
        if len(tokens) < SHORTEST:
            return
        states = self._states()
        if any(_common(state.tokens, tokens) > len(tokens) - _WORTH for state in states):
            return
        size = native.state_size()
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if size > self._room or not self._make_room(size):
                return
            state = self._write(native, tokens)
        except OSError as error:
            _log.warning("a prompt could not be kept: %s", error.strerror)
            return
        for old in states if state else ():
            if _common(old.tokens, tokens) > len(old.tokens) - _WORTH:
                _remove(old.file)

    def _states(self) -> list[_State]:
        found = []
        for header in sorted(self._folder.glob(f"{self._key}-*.json")):
            state = _header(header)
            if state is None:
                _remove(header.with_suffix(".state"))
            else:
                found.append(state)
        return found

    def _make_room(self, size: int) -> bool:
        """Remove the oldest states, of any key, until `size` more bytes fit; also what a kill has left."""
        files = {file: file.stat() for file in self._folder.iterdir() if file.suffix in (".state", ".part", ".reading")}
        for file in [file for file in files if file.suffix != ".state" and not file.with_suffix(".json").exists()]:
            _remove(file)
            del files[file]
        oldest = sorted(files, key=lambda file: files[file].st_mtime)
        taken = sum(stat.st_size for stat in files.values())
        while oldest and taken + size > self._room:
            taken -= files[oldest[0]].st_size
            _remove(oldest.pop(0))
        return shutil.disk_usage(self._folder).free > size + _FREE

    def _write(self, native: LlamaContext, tokens: list[int]) -> bool:
        digest = hashlib.sha256(b"".join(token.to_bytes(4, "big") for token in tokens)).hexdigest()
        file = self._folder / f"{self._key}-{digest[:16]}.state"
        part = file.with_suffix(".part")
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            if not native.save_state(part, tokens):
                return False
            header = {"tokens": tokens, "size": part.stat().st_size, "checksum": _checksum(part)}
            os.replace(part, file)
            descriptor = os.open(file.with_suffix(".new"), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with open(descriptor, "w", encoding="utf-8") as stream:
                json.dump(header, stream)
            os.replace(file.with_suffix(".new"), file.with_suffix(".json"))
        finally:
            part.unlink(missing_ok=True)
        return True

    def _read(self, state: _State, native: LlamaContext) -> bool:
        """False for a state that is damaged. While it is read it has another name: what kills us is not tried again."""
        reading = state.file.with_suffix(".reading")
        try:
            if state.file.stat().st_size != state.size or _checksum(state.file) != state.checksum:
                return False
            os.replace(state.file, reading)
        except OSError:
            return False
        native.clear()
        if not native.load_state(reading, state.tokens):
            native.clear()
            reading.unlink(missing_ok=True)
            return False
        with contextlib.suppress(OSError):
            os.replace(reading, state.file)
            os.utime(state.file)
        return True


def _header(file: Path) -> _State | None:
    try:
        if file.stat().st_size > _HEADER:
            return None
        header = json.loads(file.read_text(encoding="utf-8"))
        tokens, size, checksum = header["tokens"], header["size"], header["checksum"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    whole = type(tokens) is list and all(type(token) is int and 0 <= token < 1 << 31 for token in tokens)
    if not whole or type(size) is not int or type(checksum) is not int:
        return None
    return _State(file.with_suffix(".state"), tokens, size, checksum)


def _common(left: list[int], right: list[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _checksum(file: Path) -> int:
    value = 0
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            value = zlib.crc32(piece, value)
    return value


def _remove(file: Path) -> None:
    for name in (file, file.with_suffix(".json")):
        with contextlib.suppress(OSError):
            name.unlink()
