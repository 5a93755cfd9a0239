"""Puts the native libraries of a built llama-cpp-python wheel in one folder of their own package.

The package's build also runs the install steps of llama.cpp itself, so the loadable CPU libraries land in `bin/` beside
site-packages, with a second copy of everything in `lib/` and each library three times over, since a wheel cannot hold
links. Here they move to `llama_cpp/lib/`, where the rest is, and what nothing loads is left out. Nothing is compiled
again. What to build, and when, is left to `llama.py`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zipfile
from pathlib import Path, PurePosixPath

_HOME = "llama_cpp/lib"
_STRAY = ("bin", "lib", "lib64", "include", "share")
_PLUGIN = re.compile(r"(lib)?ggml-[a-z0-9_.-]+\.(so|dll|dylib)$")
_LINKED = re.compile(r"\.so\.\d+(\.\d+)+$|\.\d+(\.\d+)+\.dylib$")


def _destination(name: str, present: frozenset[str]) -> str:
    """Where a file of the wheel goes; empty when it is left out."""
    path = PurePosixPath(name)
    if path.parts[0] in _STRAY:
        home = f"{_HOME}/{path.name}"
        return home if _PLUGIN.fullmatch(path.name) and home not in present else ""
    if path.parent == PurePosixPath(_HOME) and _LINKED.search(path.name):
        return ""
    return name


def _record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"


def tidy(wheel: Path, target: Path) -> None:
    """Write a tidy copy of `wheel` to `target`, which appears only when it is whole."""
    part = target.with_suffix(".part")
    lines: list[str] = []
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as result:
        files = [info for info in source.infolist() if not info.is_dir()]
        present = frozenset(info.filename for info in files)
        taken: set[str] = set()
        record = ""
        for info in files:
            if info.filename.endswith(".dist-info/RECORD"):
                record = info.filename
                continue
            name = _destination(info.filename, present)
            if not name or name in taken:
                continue
            taken.add(name)
            data = source.read(info)
            entry = zipfile.ZipInfo(name, info.date_time)
            entry.external_attr = info.external_attr
            entry.compress_type = zipfile.ZIP_DEFLATED
            result.writestr(entry, data)
            lines.append(_record_line(name, data))
        result.writestr(record, "\n".join([*lines, f"{record},,", ""]))
    os.replace(part, target)
