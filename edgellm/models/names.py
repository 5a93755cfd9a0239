"""File names, hashes and model names that come from elsewhere: what may be used, and what is refused.

A name that passes is safe below any folder, on every system that EdgeLLM runs on. Writing is left to others; they
call this first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from edgellm.errors import UntrustedName

MANIFEST = "edgellm-model.json"
"""The one name inside a model's folder that only this program writes."""

# Code, and formats that run code when they are read. No runtime here loads them, and no model needs them.
_CODE = (
    *(".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".ps1", ".jar"),
    *(".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin", ".h5", ".msgpack", ".npy", ".npz", ".joblib"),
)
_LONGEST_PATH = 400
_LONGEST_PART = 200
_LONGEST_NAME = 100
_SHOWN = 60
_FORBIDDEN = frozenset('\\:*?"<>|')
# Control, format (bidi, zero width), half characters, private use, unassigned, line and paragraph separators.
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3")
_DEVICES = frozenset(("con", "prn", "aux", "nul", "conin$", "conout$", "clock$", *_PORTS))
_HASH = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_HINT = "Get the model from another place, or tell whoever published it."


def check_relative(name: str) -> PurePosixPath:
    """`name` as a path below a model's folder. Raises `UntrustedName` for anything but plain file and folder names.

    Refused are: absolute paths, drives, `..`, the names of devices, hidden and bidirectional characters, characters
    that a file system forbids, a dot or space at the end of a part, over-long names, and the manifest's own name.
    """
    if not isinstance(name, str) or not name:
        raise UntrustedName("A file without a name was refused.", _HINT)
    if problem := _problem(name):
        raise UntrustedName(f"The file name {shown(name)} was refused: {problem}.", _HINT)
    return PurePosixPath(name)


def is_code(name: str) -> bool:
    """Whether a file of this name is code or pickle, which is never a part of a model here."""
    return name.lower().endswith(_CODE)


def check_distinct(names: Iterable[str]) -> None:
    """Raises `UntrustedName` when two names would be one file, or one a folder of another, on some file system."""
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        key = _folded(name)
        other = seen.get(key) or folders.get(key)
        parents = [_folded(str(parent)) for parent in PurePosixPath(name).parents]
        other = other or next((seen[parent] for parent in parents if parent in seen), None)
        if other is not None:
            raise UntrustedName(f"The files {shown(other)} and {shown(name)} would be written to one place.", _HINT)
        seen[key] = name
        folders.update(dict.fromkeys(parents, name))


def check_hash(text: str) -> str:
    """A git or LFS hash in lower case: 40 or 64 hex digits. Raises `UntrustedName` for anything else."""
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise UntrustedName(f"{shown(text)} was refused: a hash is 40 or 64 hex digits.", _HINT)
    return text.lower()


def plain_name(text: str) -> str:
    """The name of a model, made from any text: small letters of any script, digits, and `.`, `-` and `_` between them.

    A name made by this stays as it is when made again. Raises `UntrustedName` when nothing usable is left.
    """
    folded = unicodedata.normalize("NFKC", str(text).replace("\\", "-").replace("/", "-")).lower()
    folded = unicodedata.normalize("NFKC", folded)
    kept = "".join(character if _may_stand(character) else "-" for character in folded)
    kept = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", kept))[:_LONGEST_NAME]
    kept = _clip(kept).strip(".-_")
    if not kept:
        raise UntrustedName(f"{shown(text)} cannot be the name of a model.", "Give it a name of letters and digits.")
    return f"model-{kept}" if _is_device(kept) else kept


def check_name(text: str) -> str:
    """`text` when it may be the name of a model as it is; raises `UntrustedName` otherwise."""
    made = plain_name(text)
    if made != text:
        raise UntrustedName(f"{shown(text)} cannot be the name of a model.", f"Such a name would do: {made}")
    return made


def shown(text: object) -> str:
    """A foreign text as it may stand in a sentence: quoted, short, nothing hidden."""
    whole = str(text)
    clean = "".join(character if character.isprintable() else "�" for character in whole[:_SHOWN])
    return f"'{clean}{'…' if len(whole) > _SHOWN else ''}'"


def _problem(name: str) -> str:
    if len(name) > _LONGEST_PATH:
        return "it is too long"
    if any(unicodedata.category(character) in _HIDDEN for character in name):
        return "it holds hidden characters"
    if name.startswith(("/", "~")) or (len(name) > 1 and name[1] == ":"):
        return "it is not below the model's folder"
    if any(character in _FORBIDDEN for character in name):
        return "it holds characters that not every system allows"
    return next((problem for part in name.split("/") if (problem := _part_problem(part))), "")


def _part_problem(part: str) -> str:
    if part in ("", ".", ".."):
        return "it is not below the model's folder"
    if len(part.encode()) > _LONGEST_PART:
        return "it is too long"
    if part[-1] in ". " or part[0] == " ":
        return "a part of it begins or ends with a space, or ends with a dot"
    if _is_device(part):
        return "it is the name of a device"
    if _folded(part) == MANIFEST:
        return "only this program writes a file of that name"
    return ""


def _is_device(part: str) -> bool:
    return part.partition(".")[0].rstrip().lower() in _DEVICES


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _may_stand(character: str) -> bool:
    return character in "._" or character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")


def _clip(text: str) -> str:
    """At most as many bytes as a folder's name may have."""
    return text.encode()[:_LONGEST_PART].decode("utf-8", "ignore")
