"""What a model has written so far for a long summary, on the disk, so that a run that was killed goes on.

A file of JSON lines holds one answer a line, under the hash of its request. `Remembered` is a `Generator` that looks
there first. The file holds what was made of a person's document: it is readable by that person only, is removed when
the summary is finished, and old ones are removed when another begins.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from edgellm.errors import StorageError
from edgellm.runtimes.base import (
    Cancelled,
    Chunk,
    Dropped,
    Event,
    Finish,
    Generator,
    Message,
    ModelInfo,
    Request,
    never,
    never_dropped,
)
from edgellm.runtimes.many import answer_all

_MOST, _DAYS = 20, 30
_SUFFIX = ".jsonl"


def name(text: str, info: ModelInfo, asked: Any) -> str:
    """What the file of a summary is called: a hash of the text, the model and what was asked for."""
    model = (info.name, info.architecture, info.parameters, info.quantization, info.context)
    return _hash(repr((text, model, asked)))


class Kept:
    """The answers of one summary. Nothing is written before the first; two runs of the same may share the file."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{_SUFFIX}"
        self._answers: dict[str, tuple[str, Finish]] = {}
        self._whole_line = True
        try:
            data = self._path.read_bytes()
        except OSError:
            return
        for line in data.split(b"\n"):
            if (found := _parsed(line)) is not None:
                self._answers.setdefault(found[0], (found[1], found[2]))
        self._whole_line = data.endswith(b"\n") or not data

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> tuple[str, Finish] | None:
        """The answer to a request, with its facts."""
        return self._answers.get(key)

    def put(self, key: str, text: str, finish: Finish) -> None:
        """Keep an answer: a process that is killed after this has lost nothing. Raises `StorageError`.

        It is not forced onto the disk, so a power cut may lose the last ones; they are then made again.
        """
        if not self._answers:
            self._make_room()
        self._answers[key] = (text, finish)
        line = json.dumps({"key": key, "text": text, "finish": asdict(finish)}, ensure_ascii=True) + "\n"
        data = ("" if self._whole_line else "\n") + line
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(data.encode())
        except OSError as error:
            raise StorageError(
                f"The summary so far cannot be kept: {error.strerror}.", "Free some space, and give the command again."
            ) from error
        self._whole_line = True

    def clear(self) -> None:
        """Forget everything: the summary is finished, or is to begin anew."""
        self._answers.clear()
        self._whole_line = True
        with suppress(OSError):
            self._path.unlink()

    def _make_room(self) -> None:
        """Remove what nobody came back for."""
        now, others = time.time(), []
        with suppress(OSError):
            for path in self._path.parent.glob(f"*{_SUFFIX}"):
                with suppress(OSError):
                    others.append((path.stat().st_mtime, path))
        others.sort(key=lambda one: (-one[0], one[1]))
        for rank, (changed, path) in enumerate(others):
            if path != self._path and (rank >= _MOST - 1 or now - changed > _DAYS * 86_400):
                with suppress(OSError):
                    path.unlink()


class Remembered:
    """A `Generator` that asks another only what is not kept, and keeps what it answers."""

    def __init__(self, generator: Generator, kept: Kept) -> None:
        self._generator = generator
        self._kept = kept
        self.recalled = 0

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._generator.info

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt."""
        return self._generator.count(messages)

    def knows(self, request: Request) -> bool:
        """Whether the answer is kept."""
        return self._kept.get(_key(request)) is not None

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """The kept answer, or that of the model."""
        known = self._kept.get(_key(request))
        if known is not None:
            self.recalled += 1
            yield from (Chunk(known[0]), known[1])
            return
        text = ""
        for event in self._generator.generate(request, cancelled):
            if isinstance(event, Chunk):
                text += event.text
            else:
                self._keep(request, text, event)
            yield event

    def generate_many(
        self,
        requests: tuple[Request, ...],
        cancelled: Cancelled = never,
        dropped: Dropped = never_dropped,
    ) -> Iterator[tuple[int, Event]]:
        """Kept answers first, then those of the model as they come."""
        missing: list[int] = []
        for index, request in enumerate(requests):
            known = self._kept.get(_key(request))
            if known is None:
                missing.append(index)
                continue
            self.recalled += 1
            yield from ((index, Chunk(known[0])), (index, known[1]))
        if not missing:
            return
        texts = dict.fromkeys(missing, "")
        asked = tuple(requests[index] for index in missing)
        for place, event in answer_all(self._generator, asked, cancelled, lambda place: dropped(missing[place])):
            index = missing[place]
            if isinstance(event, Chunk):
                texts[index] += event.text
            else:
                self._keep(requests[index], texts[index], event)
            yield index, event

    def _keep(self, request: Request, text: str, finish: Finish) -> None:
        if finish.reason != "cancelled":
            self._kept.put(_key(request), text, finish)


def _key(request: Request) -> str:
    return _hash(repr(request))


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parsed(line: bytes) -> tuple[str, str, Finish] | None:
    """A line of the file; None for one that is not whole."""
    try:
        value = json.loads(line)
        key, text, finish = value["key"], value["text"], Finish(**value["finish"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return (key, text, finish) if isinstance(key, str) and isinstance(text, str) else None
