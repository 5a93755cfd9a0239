"""Which models are on this machine, and which one a name means. Downloading and checking are left to others."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import ModelNotFound, ModelUnsupported
from edgellm.paths import Paths, starter_model

STARTER = "starter"
SCRIPT = ".fake.json"
_SUFFIX = ".gguf"
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Installed:
    """A model file. `name` is what a person types: the path below the models folder without its ending."""

    name: str
    path: Path
    size: int
    builtin: bool


def installed(paths: Paths) -> tuple[Installed, ...]:
    """The built-in model, then those in the models folder by name. What cannot be read is left out."""
    found = [_entry(STARTER, starter_model(), True)]
    names = (Path(folder, name) for folder, _, names in _walk(paths.models) for name in names)
    for path in sorted(path for path in names if path.suffix.lower() == _SUFFIX and not path.name.startswith(".")):
        name = path.relative_to(paths.models).as_posix()[: -len(_SUFFIX)]
        found.append(_entry(name, path, False))
    return tuple(entry for entry in found if entry is not None)


def _walk(folder: Path) -> list[tuple[str, list[str], list[str]]]:
    entries = []
    for name, folders, files in os.walk(folder):
        depth = len(Path(name).relative_to(folder).parts)
        folders[:] = [one for one in folders if not one.startswith(".") and depth < _DEEPEST]
        entries.append((name, folders, files))
    return entries


def _entry(name: str, path: Path, builtin: bool) -> Installed | None:
    try:
        return Installed(name, path, path.stat().st_size, builtin) if path.is_file() else None
    except OSError:
        return None


def resolve(name: str, paths: Paths) -> Path:
    """The file that `name` means: nothing or `starter` for the built-in model, a path, or the name of an installed one.

    Raises `ModelNotFound` with the nearest names, `ModelUnsupported` for a file of another kind.
    """
    wanted = name.strip()
    models = installed(paths)
    if wanted.lower() in ("", STARTER):
        return _builtin(models)
    path = _file(wanted)
    if path is not None and (_is_path(wanted) or path.name.lower().endswith((_SUFFIX, SCRIPT))):
        if path.name.lower().endswith((_SUFFIX, SCRIPT)):
            return path
        raise ModelUnsupported(f"{path.name} is not a model file.", "Choose a .gguf file.")
    bare = wanted[: -len(_SUFFIX)] if wanted.lower().endswith(_SUFFIX) else wanted
    own = [model for model in models if not model.builtin]
    exact = [model for model in own if model.name == bare]
    same = exact or [model for model in own if model.name.lower() == bare.lower()]
    same = same or [model for model in own if Path(model.name).name.lower() == bare.lower()]
    if len(same) == 1:
        return same[0].path
    if same:
        raise ModelNotFound(f"{wanted} could be several models.", f"Use one of: {', '.join(one.name for one in same)}.")
    raise ModelNotFound(*_not_found(wanted, models))


def _builtin(models: tuple[Installed, ...]) -> Path:
    path = next((model.path for model in models if model.builtin), None)
    if path is None:
        raise ModelNotFound("The built-in model is missing.", "Install EdgeLLM again, or name a .gguf file.")
    return path


def _file(name: str) -> Path | None:
    """The file at this path; None where there is none, or none that may be seen."""
    try:
        path = Path(name).expanduser()
        return path.absolute() if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # a name no file can have, a home of nobody, a closed folder
        return None


def _is_path(name: str) -> bool:
    return os.sep in name or bool(os.altsep and os.altsep in name) or name.startswith("~")


def _not_found(wanted: str, models: tuple[Installed, ...]) -> tuple[str, str]:
    if _is_path(wanted) or wanted.lower().endswith(SCRIPT):
        return f"There is no model file {wanted}.", "Check the path, or run: edgellm models"
    lower = {model.name.lower(): model.name for model in models}
    near = difflib.get_close_matches(wanted.lower(), lower, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(lower[name] for name in near)}?" if near else "To see what is installed, run:"
    return f"Model {wanted!r} is not installed.", f"{hint} {'Run:' if near else ''} edgellm models".replace("  ", " ")
