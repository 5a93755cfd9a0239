"""A model that is on this machine, as a value. Finding it is left to `folder.py` and `found.py`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgellm.models.manifest import Manifest

Origin = Literal["own", "file", "lm-studio", "ollama", "gpt4all", "hf-cache"]
OTHERS: dict[str, str] = {
    "lm-studio": "LM Studio",
    "ollama": "Ollama",
    "gpt4all": "GPT4All",
    "hf-cache": "the Hugging Face cache",
}


@dataclass(frozen=True, slots=True)
class Installed:
    """A model. `name` is what a person types; `path` is what a runtime loads: a GGUF file, or the folder of the others.

    `size` is bytes of all its files; `folder` is the models folder it lies in, `items` what in there belongs to it and
    is moved or removed with it. `origin` is "own" for what has a manifest, "file" for what a person put there, else
    the program whose model it is: that one is only read. `problem` says why it cannot be used, mostly empty.
    """

    name: str
    path: Path
    size: int
    builtin: bool = False
    folder: Path = Path()
    manifest: Manifest | None = None
    origin: Origin = "own"
    problem: str = ""
    items: tuple[Path, ...] = ()

    @property
    def home(self) -> Path:
        """The folder that its files lie in, and that the paths of its manifest start at."""
        if self.origin == "own" and self.items:
            return self.items[0]
        return self.path if os.path.isdir(self.path) else self.path.parent

    @property
    def foreign(self) -> str:
        """The program that this model belongs to, as a person knows it; empty for our own."""
        return OTHERS.get(self.origin, "")
