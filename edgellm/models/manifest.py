"""The small file beside an installed model: where it is from, and the size and hashes of each of its files.

A manifest is read as if a stranger had written it: its size is bounded, every name in it must be a plain path inside
the model's folder, every hash a hash. Looking at the model's files themselves is left to `folder.py` and `check.py`.
"""

from __future__ import annotations

import json
import os
import time
import unicodedata
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edgellm import files
from edgellm.errors import ModelDamaged, ModelUnsupported, StorageError, UntrustedName
from edgellm.models import disk
from edgellm.models.hashing import CHUNK as CHUNK
from edgellm.models.names import MANIFEST, check_distinct, check_hash, check_relative, shown

FILE_NAME = MANIFEST
_VERSION = 1
_LARGEST = 16 << 20
_MOST_FILES = 10_000
_LONGEST = 2_000
_MOST_BYTES = 1 << 50


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file: `path` below the model's folder, `size` in bytes, `sha256` in hex, `chunks` the sha256 of each part.

    A part is the manifest's `chunk_size` bytes, the last one may be shorter. No chunks: only the whole is known.
    """

    path: str
    size: int
    sha256: str
    chunks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is known of an installed model. Times are ISO 8601 in UTC: when it was added, when its hashes last held.

    `source` is where it came from in a person's words; `format` is gguf, onnx or safetensors; `context` is tokens.
    """

    name: str
    files: tuple[ManifestFile, ...]
    title: str = ""
    repo: str = ""
    revision: str = ""
    license: str = ""
    format: str = "gguf"
    architecture: str = ""
    quantization: str = ""
    parameters: str = ""
    context: int = 0
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    source: str = ""
    added: str = ""
    checked: str = ""
    chunk_size: int = CHUNK

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def file(self, path: str) -> ManifestFile | None:
        """The file of this name."""
        return next((file for file in self.files if file.path == path), None)


def now() -> str:
    """The time for a manifest."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into the model's folder, whole or not at all. Raises `OSError`."""
    document = {"version": _VERSION, **asdict(manifest)}
    files.write(folder / FILE_NAME, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    with suppress(OSError):  # whoever may read the model may read this
        os.chmod(folder / FILE_NAME, folder.stat().st_mode & 0o666)


def read(folder: Path) -> Manifest:
    """The manifest of the model in `folder`.

    Raises `ModelDamaged` for one that cannot be trusted, `ModelUnsupported` for another version's, `StorageError`.
    """
    try:
        text = disk.read_small(folder / FILE_NAME, _LARGEST)
    except OSError as error:
        raise StorageError(
            f"The manifest of {folder.name} cannot be read: {error.strerror}.", "Check the disk, or get it again."
        ) from error
    except ValueError as error:
        raise _damaged(folder, str(error)) from error
    try:
        document = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, "it is not JSON") from error
    return _checked(folder, document)


def parse(document: Any, name: str) -> Manifest:
    """A manifest out of a JSON document that came from elsewhere; `name` is for the error. Raises as `read` does."""
    return _checked(Path(name), document)


def _damaged(folder: Path, what: str) -> ModelDamaged:
    return ModelDamaged(
        f"The manifest of {folder.name} cannot be used: {what}.",
        f"Remove the model and get it again: edgellm models remove {folder.name}",
    )


def _checked(folder: Path, document: Any) -> Manifest:
    if not isinstance(document, dict):
        raise _damaged(folder, "it is no table")
    version = document.get("version")
    if type(version) is int and version > _VERSION:
        raise ModelUnsupported(f"{folder.name} was installed by a newer EdgeLLM.", "Update EdgeLLM.")
    if version != _VERSION:
        raise _damaged(folder, "it names no version that is known")
    values: dict[str, Any] = {}
    for spec in fields(Manifest):
        if spec.name not in document or spec.name == "files":
            continue
        values[spec.name] = _value(folder, spec.name, spec.default, document[spec.name])
    if not values.get("name"):
        raise _damaged(folder, "it names no model")
    if not 1 <= values.get("chunk_size", CHUNK) <= _MOST_BYTES:
        raise _damaged(folder, "its part size is impossible")
    return Manifest(files=_files(folder, document.get("files"), values.get("chunk_size", CHUNK)), **values)


def _value(folder: Path, name: str, default: Any, value: Any) -> Any:
    if isinstance(default, tuple):
        if not isinstance(value, list) or len(value) > _MOST_FILES:
            raise _damaged(folder, f"its {name} is no list")
        return tuple(_plain(folder, name, item) for item in value)
    if type(default) is int:
        if type(value) is not int or not 0 <= value <= _MOST_BYTES:
            raise _damaged(folder, f"its {name} is no size")
        return value
    return _plain(folder, name, value)


def _plain(folder: Path, name: str, value: Any) -> str:
    """A text for a person: of bounded length, without control characters and those that turn the reading direction."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise _damaged(folder, f"its {name} is no text of reasonable length")
    return "".join(one for one in value if unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co"))


def _files(folder: Path, listed: Any, chunk_size: int) -> tuple[ManifestFile, ...]:
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MOST_FILES:
        raise _damaged(folder, "it lists no files")
    found = tuple(_file(folder, item, chunk_size) for item in listed)
    try:
        check_distinct(file.path for file in found)
    except UntrustedName as error:
        raise _damaged(folder, "two of its files have the same name") from error
    return found


def _file(folder: Path, item: Any, chunk_size: int) -> ManifestFile:
    if not isinstance(item, dict):
        raise _damaged(folder, "it lists something that is no file")
    path, size, chunks = item.get("path", ""), item.get("size"), item.get("chunks")
    if type(size) is not int or not 0 <= size <= _MOST_BYTES:
        raise _damaged(folder, "a file has an impossible size")
    chunks = [] if chunks is None else chunks
    if not isinstance(chunks, list) or (chunks and len(chunks) != -(-size // chunk_size)):
        raise _damaged(folder, "a file has another number of parts than its size asks for")
    try:
        return ManifestFile(str(check_relative(path)), size, _sha256(item.get("sha256")), tuple(map(_sha256, chunks)))
    except UntrustedName as error:
        raise _damaged(folder, f"the file {shown(path)} has a name or a hash that is not allowed") from error


def _sha256(text: Any) -> str:
    checked = check_hash(text)
    if len(checked) != 64:
        raise UntrustedName("A hash of another kind was refused.")
    return checked
