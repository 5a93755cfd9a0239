"""The models of Ollama: JSON manifests by name, and blobs by hash. Read only.

`manifests/<host>/<namespace>/<model>/<tag>` lists layers; the one of type `...image.model` is a GGUF file, kept as
`blobs/sha256-<hash>` (early versions: `blobs/sha256:<hash>`). Its hash is known by its name.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from edgellm.models import disk
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile

_LARGEST = 4 << 20
_MOST = 2_000
_MODEL = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_HOST, _NAMESPACE = "registry.ollama.ai", "library"


def read(folder: Path) -> list[Installed]:
    """The models of Ollama, such as "ollama/llama3.2:1b"."""
    paths = _manifests(folder / "manifests")
    return [model for path in paths if (model := _model(path, folder)) is not None]


def _manifests(top: Path) -> list[Path]:
    """The files four levels down: host, namespace, model, tag."""
    found: list[Path] = []
    for here, folders, names in os.walk(top):
        depth = len(Path(here).relative_to(top).parts)
        folders[:] = sorted(one for one in folders if depth < 3 and not one.startswith("."))
        if depth == 3:
            found.extend(Path(here, name) for name in sorted(names) if not name.startswith("."))
        if len(found) > _MOST:
            break
    return found[:_MOST]


def _model(path: Path, folder: Path) -> Installed | None:
    host, namespace, name, tag = path.relative_to(folder / "manifests").parts
    try:
        document = json.loads(disk.read_small(path, _LARGEST))
        layer = next(one for one in document["layers"] if one.get("mediaType") == _MODEL)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        return None
    blob = _blob(folder, layer)
    if blob is None:
        return None
    owner = (
        "" if (host, namespace) == (_HOST, _NAMESPACE) else f"{namespace}/" if host == _HOST else f"{host}/{namespace}/"
    )
    size, sha256 = blob.stat().st_size, _DIGEST.fullmatch(layer["digest"])
    shown = f"{owner}{name}:{tag}"
    file = ManifestFile(
        blob.name, layer["size"] if type(layer.get("size")) is int else size, sha256[1] if sha256 else ""
    )
    manifest = Manifest(name=shown, files=(file,), title=f"{name}:{tag}", source=f"Ollama, {shown}")
    return Installed(f"ollama/{shown}", blob, size, folder=folder, manifest=manifest, origin="ollama", items=(blob,))


def _blob(folder: Path, layer: dict[str, Any]) -> Path | None:
    """The file of a layer: it must be a file inside the blobs, and have the size that the manifest says."""
    digest = layer.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        return None
    for name in (digest.replace(":", "-"), digest):
        path = folder / "blobs" / name
        if os.path.isfile(path) and not os.path.islink(path) and path.stat().st_size == layer.get("size"):
            return path
    return None
