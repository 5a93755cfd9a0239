"""Where the weights of an ONNX file lie when they are not in the file itself: only inside the model's own folder.

An ONNX file names other files by paths of its own choosing. This reads the file's protocol-buffer fields (ONNX's
onnx.proto, without the onnx package, without loading anything) and checks each of those paths. Every length is
checked against what is left, nesting and counts are bounded, and weights are skipped, not read.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from edgellm.errors import ModelDamaged, StorageError
from edgellm.runtimes.model_folder import inside

LARGEST = 64 << 30
_DEEPEST = 48
_MOST_FIELDS = 4_000_000
_MOST_NAMES = 256

# Fields that lead to a tensor: message kind -> field number -> kind of what is inside.
_PATHS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function", 20: "training"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}


def check(path: Path, folder: Path) -> int:
    """Bytes of external data of the ONNX file at `path`, all of it plain files inside `folder`.

    Raises `ModelDamaged` for a file that is no ONNX model, or whose data lies elsewhere.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            names = set(locations(data))
    except ValueError as error:  # empty, or bytes that are no protocol buffer
        raise _damaged(path) from error
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}.", "Check the file and its disk.") from error
    if len(names) > _MOST_NAMES:
        raise _damaged(path)
    return sum(_size(path, name, folder) for name in names)


def _damaged(path: Path) -> ModelDamaged:
    return ModelDamaged(f"{path.name} is damaged: it is no ONNX model.", "Download or copy the file again.")


def _size(path: Path, name: str, folder: Path) -> int:
    windows = PureWindowsPath(name)
    plain = PurePosixPath(name.replace("\\", "/"))
    if not name or plain.is_absolute() or windows.drive or windows.root or ".." in plain.parts:
        raise ModelDamaged(f"{path.name} wants data from outside its folder.", "Do not use this model.")
    data = path.parent / plain
    try:
        if not data.is_file() or not inside(data.resolve(), folder):
            what = f"{path.name} needs the file {plain.name[:80]}, which is not there."
            raise ModelDamaged(what, "Download the model again.")
        return data.stat().st_size
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path.name} names data that cannot be read.", "Download the model again.") from error


def locations(data: mmap.mmap | bytes) -> Iterator[str]:
    """The `location` of every tensor with external data, wherever it stands in the model."""
    count, graphs = 0, 0
    waiting = [("model", 0, len(data), 0)]
    while waiting:
        kind, start, end, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if kind == "entry":
            key, value = _entry(data, start, end)
            if key == b"location":
                yield value.decode("utf-8")
            continue
        for number, first, last in _fields(data, start, end):
            count += 1
            if count > _MOST_FIELDS:
                raise ValueError("too many fields")
            inner = _PATHS[kind].get(number)
            graphs += inner == "graph"
            if inner and last >= first >= 0:
                waiting.append((inner, first, last, depth + 1))
    if not graphs:
        raise ValueError("no graph")


def _entry(data: mmap.mmap | bytes, start: int, end: int) -> tuple[bytes, bytes]:
    found = {number: data[first:last] for number, first, last in _fields(data, start, end) if last - first <= 4096}
    return found.get(1, b""), found.get(2, b"")


def _fields(data: mmap.mmap | bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of every length-delimited field; numbers and fixed fields are passed over."""
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if not number:
            raise ValueError("field 0")
        if wire == 2:
            length, at = _varint(data, at, end)
            if length > end - at:
                raise ValueError("longer than what is left")
            yield number, at, at + length
            at += length
        elif wire == 0:
            _, at = _varint(data, at, end)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            if at > end:
                raise ValueError("cut short")
        else:
            raise ValueError("unknown wire type")


def _varint(data: mmap.mmap | bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= end or shift > 63:
            raise ValueError("a number without end")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
