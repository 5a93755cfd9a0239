"""What can be told of a model for a person: out of its header, its manifest, and what its files say.

Nothing here raises for a damaged model: what cannot be known stays empty, and `problem` says why.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgellm.errors import EdgeError
from edgellm.models import disk
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest

_LARGEST = 4 << 20
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Details:
    """Facts of one model. `parameters` is a number of weights as people write it, `template` whether it has a prompt
    form of its own (None: not known), `sha256` the hash of the file that is loaded, times ISO 8601.
    """

    name: str
    title: str
    format: str
    architecture: str = ""
    quantization: str = ""
    parameters: str = ""
    context: int = 0
    template: bool | None = None
    license: str = ""
    languages: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    source: str = ""
    added: str = ""
    checked: str = ""
    sha256: str = ""
    size: int = 0
    files: tuple[str, ...] = ()
    path: Path = Path()
    problem: str = ""


def details(model: Installed) -> Details:
    """The facts of an installed model: the header first, then what the manifest adds."""
    known = _of_manifest(model)
    if model.problem:
        return replace(known, problem=model.problem)
    if os.path.isdir(model.path):
        return _of_folder(model, known)
    try:
        return _of_header(read_header(model.path), known)
    except EdgeError as error:
        return replace(known, problem=error.message)


def _of_manifest(model: Installed) -> Details:
    manifest = model.manifest or Manifest(name=model.name, files=())
    loaded = manifest.file(model.path.relative_to(model.home).as_posix()) if model.path != model.home else None
    source = manifest.source or manifest.repo or model.foreign
    return Details(
        name=model.name,
        title=manifest.title or model.name,
        format=manifest.format if model.manifest or not os.path.isdir(model.path) else _format(model.path),
        architecture=manifest.architecture,
        quantization=manifest.quantization,
        parameters=manifest.parameters,
        context=manifest.context,
        license=manifest.license,
        languages=manifest.languages,
        tasks=manifest.tasks,
        source="part of EdgeLLM" if model.builtin else source or "put there by hand",
        added=manifest.added,
        checked=manifest.checked,
        sha256=loaded.sha256 if loaded else "",
        size=model.size,
        files=tuple(file.path for file in manifest.files) or tuple(item.name for item in model.items),
        path=model.path,
    )


def _of_header(header: GgufHeader, known: Details) -> Details:
    title = known.title if known.title != known.name else _text(header.name) or known.title
    return replace(
        known,
        title=title,
        architecture=_text(header.architecture),
        quantization=header.quantization or known.quantization,
        parameters=known.parameters or weights(header.parameters),
        context=header.context_length or known.context,
        template=bool(header.chat_template),
        license=known.license or _text(header.metadata.get("general.license")),
    )


def _of_folder(model: Installed, known: Details) -> Details:
    """For ONNX and safetensors: what config.json says, whose word counts for little."""
    config = _json(model.path / "config.json")
    tokenizer = _json(model.path / "tokenizer_config.json")
    kinds = config.get("architectures")
    kind = kinds[0] if isinstance(kinds, list) and kinds else config.get("model_type")
    context = config.get("max_position_embeddings")
    return replace(
        known,
        architecture=known.architecture or _text(kind),
        context=known.context or (context if type(context) is int and 0 < context < 1 << 32 else 0),
        template="chat_template" in tokenizer or os.path.isfile(model.path / "chat_template.jinja"),
    )


def _json(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        document = json.loads(disk.read_small(path, _LARGEST))
        if isinstance(document, dict):
            return document
    return {}


def _format(folder: Path) -> str:
    return "onnx" if any(folder.rglob("*.onnx")) else "safetensors"


def _text(value: Any) -> str:
    """A text out of a file as it may stand in a line."""
    if not isinstance(value, str):
        return ""
    return "".join(one for one in value[:_LONGEST] if one.isprintable())


def weights(count: int) -> str:
    """A number of weights as people write it: "596M", "1.7B"."""
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= unit:
            value = count / unit
            return f"{value:.1f}{name}" if value < 10 and name != "K" else f"{value:.0f}{name}"
    return str(count) if count else ""
