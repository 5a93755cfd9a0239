"""The files of a model that is a folder: plain files inside it, of a bounded size, and JSON with plain values.

Which files a format needs is left to the formats' own modules.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgellm.errors import ModelDamaged, StorageError

_LARGEST_JSON = 4 << 20


def inside(path: Path, folder: Path) -> bool:
    """Whether a resolved path is below the folder, or below the cache that a linked folder belongs to."""
    roots = [folder.resolve()]
    if folder.parent.name == "snapshots":  # the Hugging Face cache links its snapshots to blobs beside them
        roots.append((folder.parent.parent / "blobs").resolve())
    return any(path.is_relative_to(root) for root in roots)


def read_json(folder: Path, name: str, needed: bool) -> Mapping[str, Any]:
    """The object in a JSON file; empty when it is not there and not needed. Raises `ModelDamaged` or `StorageError`."""
    path = folder / name
    if not path.exists() and not path.is_symlink():
        if needed:
            raise ModelDamaged(f"{folder.name} has no {name}.", "Download the model again.")
        return {}
    regular(path, folder, _LARGEST_JSON)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(f"{name} of {folder.name} is damaged.", "Download the model again.") from error
    if not isinstance(document, dict):
        raise ModelDamaged(f"{name} of {folder.name} is damaged.", "Download the model again.")
    return document


def regular(path: Path, folder: Path, largest: int) -> int:
    """The size of a plain file inside the folder. A link may lead only to a file of the same models folder or cache."""
    try:
        info = path.stat()
        if path.is_symlink() and not inside(path.resolve(), folder):
            raise ModelDamaged(f"{path.name} is a link that leads out of {folder.name}.", "Copy the file itself there.")
    except FileNotFoundError as error:
        raise ModelDamaged(f"{folder.name} has no {path.name}.", "Download the model again.") from error
    except (OSError, RuntimeError) as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(info.st_mode):
        raise ModelDamaged(f"{path.name} is not a file.", "Download the model again.")
    if info.st_size > largest:
        raise ModelDamaged(f"{path.name} is too large ({info.st_size >> 20} MB).", "Download the model again.")
    return info.st_size


def _unreadable(path: Path, error: Exception) -> StorageError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return StorageError(f"{path.name} cannot be read: {why}.", "Check the file's permissions and its disk.")
