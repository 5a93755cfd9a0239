"""Which installed model a name means, and what is said when none does."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgellm.errors import ModelNotFound
from edgellm.models.installed import Installed

SCRIPT = ".fake.json"
_SUFFIX = ".gguf"


def find(wanted: str, models: Sequence[Installed]) -> Installed | None:
    """The model called `wanted`; None when there is none. Raises `ModelNotFound` when it could be several.

    A name in the right case wins, then one in any case, then the last part of a name with folders.
    """
    bare = wanted[: -len(_SUFFIX)] if wanted.lower().endswith(_SUFFIX) else wanted
    same = [model for model in models if model.name in (bare, wanted)]
    same = same or [model for model in models if model.name.lower() == bare.lower()]
    same = same or [model for model in models if Path(model.name).name.lower() == bare.lower()]
    if len(same) > 1:
        raise ModelNotFound(f"{wanted} could be several models.", f"Use one of: {', '.join(one.name for one in same)}.")
    return same[0] if same else None


def file_at(name: str) -> Path | None:
    """The file at this path; None where there is none, or none that may be seen."""
    try:
        path = Path(name).expanduser()
        return path.absolute() if os.path.isfile(path) else None
    except (OSError, RuntimeError, ValueError):  # a name no file can have, a home of nobody, a closed folder
        return None


def folder_at(name: str) -> Path | None:
    """The folder at this path, when it looks like that of a model; None otherwise."""
    try:
        path = Path(name).expanduser()
        return path.absolute() if os.path.isfile(path / "config.json") else None
    except (OSError, RuntimeError, ValueError):
        return None


def is_path(name: str) -> bool:
    """Whether a person means a file by this, and not a model's name."""
    return os.sep in name or bool(os.altsep and os.altsep in name) or name.startswith("~")


def not_found(wanted: str, names: Iterable[str]) -> ModelNotFound:
    """The error for a model that is not there, with the nearest names."""
    if is_path(wanted) or wanted.lower().endswith(SCRIPT):
        return ModelNotFound(f"There is no model file {wanted}.", "Check the path, or run: edgellm models")
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), lower, n=3, cutoff=0.5)
    hint = (
        f"Did you mean {' or '.join(lower[name] for name in near)}? Run:" if near else "To see what is installed, run:"
    )
    return ModelNotFound(f"Model {wanted!r} is not installed.", f"{hint} edgellm models")
