"""The model folders of LM Studio (`publisher/repository/file.gguf`) and of GPT4All (files in one folder). Read only."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edgellm.models import disk
from edgellm.models.folder import scan
from edgellm.models.installed import Installed, Origin

_LARGEST = 1 << 20


def lm_studio_folders(home: Path) -> list[Path]:
    """Where LM Studio keeps models: the folder of its settings, its own, and the one of its early versions."""
    own = home / ".lmstudio"
    with suppress(OSError, ValueError):
        pointed = disk.read_small(home / ".lmstudio-home-pointer", _LARGEST).decode().strip()
        if os.path.isabs(pointed):
            own = Path(pointed)
    chosen = []
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        folder = json.loads(disk.read_small(own / "settings.json", _LARGEST)).get("downloadsFolder")
        if isinstance(folder, str) and os.path.isabs(folder):
            chosen.append(Path(folder))
    return [*chosen, own / "models", home / ".cache" / "lm-studio" / "models"]


def lm_studio(folder: Path) -> list[Installed]:
    """The models of LM Studio, such as "lm-studio/publisher/repository/file"."""
    found = [_renamed(model, "lm-studio") for model in _files(folder)]
    return [model for model in found if not model.path.name.lower().startswith("mmproj")]


def gpt4all(folder: Path) -> list[Installed]:
    """The models of GPT4All, such as "gpt4all/file"; what it has not finished downloading is left out."""
    found = [_renamed(model, "gpt4all") for model in _files(folder)]
    return [model for model in found if not model.path.name.startswith("incomplete-")]


def _files(folder: Path) -> list[Installed]:
    """Model files below a folder that is not ours. Links and manifests there mean nothing to us."""
    found = [model for model in scan(folder, manifests=False) if not any(os.path.islink(item) for item in model.items)]
    return [model for model in found if not model.problem]


def _renamed(model: Installed, origin: Origin) -> Installed:
    return replace(model, name=f"{origin}/{model.name}", origin=origin)
