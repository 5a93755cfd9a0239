"""Models that other programs keep on this machine: LM Studio, Ollama, GPT4All, the Hugging Face cache. Read only.

Each program has its own layout; the table `_READERS` says who reads which. Walking is bounded, links are not followed
(but for those of the Hugging Face cache into its own blobs), and nothing is ever written there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgellm.models import found_cache, found_files, found_ollama
from edgellm.models.installed import Installed, Origin


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that a program keeps models in. It need not exist."""

    origin: Origin
    folder: Path


_READERS: Mapping[Origin, Callable[[Path], list[Installed]]] = {
    "lm-studio": found_files.lm_studio,
    "ollama": found_ollama.read,
    "gpt4all": found_files.gpt4all,
    "hf-cache": found_cache.read,
}


def places(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> tuple[Place, ...]:
    """Where the programs keep their models for this person, by their own rules."""
    values = os.environ if environment is None else environment
    home = Path(values.get("HOME") or values.get("USERPROFILE") or Path.home())
    return tuple(dict.fromkeys(_places(values, home, platform)))


def _places(values: Mapping[str, str], home: Path, platform: str) -> Iterator[Place]:
    for folder in found_files.lm_studio_folders(home):
        yield Place("lm-studio", folder)
    if models := values.get("OLLAMA_MODELS", "").strip():
        yield Place("ollama", Path(models).expanduser())
    yield Place("ollama", home / ".ollama" / "models")
    if platform.startswith("linux"):
        yield Place("ollama", Path("/usr/share/ollama/.ollama/models"))
    yield Place("gpt4all", _application_data(values, home, platform) / "nomic.ai" / "GPT4All")
    yield Place("gpt4all", home / ".cache" / "gpt4all")
    yield Place("hf-cache", _hub_cache(values, home))


def _application_data(values: Mapping[str, str], home: Path, platform: str) -> Path:
    if platform == "win32":
        return Path(values.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(values.get("XDG_DATA_HOME") or home / ".local" / "share")


def _hub_cache(values: Mapping[str, str], home: Path) -> Path:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if values.get(name):
            return Path(values[name]).expanduser()
    if values.get("HF_HOME"):
        return Path(values["HF_HOME"]).expanduser() / "hub"
    return Path(values.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface" / "hub"


def find(where: Iterable[Place]) -> list[Installed]:
    """The models in these places, by name; what cannot be read is left out. The same file is listed once."""
    models: dict[Path, Installed] = {}
    names: set[str] = set()
    for place in where:
        read: list[Installed] = []
        with suppress(OSError):  # another person's, or being changed right now
            read = _READERS[place.origin](place.folder)
        for model in read:
            if model.path not in models and model.name not in names:
                models[model.path] = model
                names.add(model.name)
    return sorted(models.values(), key=lambda model: model.name)
