"""What the tests of downloads have in common: models of a few files for the loopback hub, and a look at the disk."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgellm import paths
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.downloads import Downloads
from tests import download_child
from tests.download_child import Setting
from tests.loopback_hub import Hub

KB = 1000


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that no two files have in common."""
    return random.Random(seed).randbytes(size)


ONNX = {
    "onnx/model.onnx": noise(300 * KB, 2),
    "onnx/model.onnx_data": noise(200 * KB, 3),
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": noise(20 * KB, 4),
}
SPLIT = {f"q4/small-{number:05}-of-00003.gguf": noise(100 * KB, 10 + number) for number in (1, 2, 3)}
REPOS = {"maker/one": {"one.gguf": noise(200 * KB)}, "maker/onnx": ONNX, "maker/split": SPLIT}


def publish(hub: Hub, repo: str, files: dict[str, bytes]) -> None:
    """Add a repository to a hub that runs."""
    with Hub({repo: files}) as more:
        hub.files.update(more.files)
        hub.repos.update(more.repos)


def card(name: str, files: dict[str, bytes], repo: str = "", format: str = "gguf") -> ModelCard:
    """A card that pins every file by its sha256."""
    listed = tuple(CardFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items())
    return ModelCard(name, name, "", listed, repo=repo or f"maker/{name}", format=format)


def models() -> Path:
    """The folder for models."""
    return paths.from_environment().models


def leftovers() -> list[str]:
    """What lies in the folder for models and is no model: nothing but the locks, when all is well."""
    hidden = [path for path in models().rglob("*") if path.relative_to(models()).parts[0].startswith(".")]
    return sorted(path.relative_to(models()).as_posix() for path in hidden if path.is_file() and path.name != ".lock")


def build(setting: Setting, **more: Any) -> Downloads:
    """The downloads of this process."""
    return download_child.build(paths.from_environment(), setting, **more)[0]


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def received(downloads: Downloads) -> int:
    """Bytes of all downloads that are not finished."""
    return sum(progress.received for progress in downloads.progress())
