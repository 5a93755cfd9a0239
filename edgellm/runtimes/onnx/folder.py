"""What a folder with an ONNX model holds, checked before anything is loaded: architecture, files, numbers.

Only JSON with plain values is read, only architectures of the table below are accepted, and weights that lie outside
the ONNX file must lie inside the folder (`external.py`). Code in a repository is never looked at. Loading is left to
`session.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported
from edgellm.runtimes.model_folder import read_json, regular
from edgellm.runtimes.onnx import external

Kind = Literal["seq2seq", "encoder"]
Precision = Literal["int8", "fp16", "fp32"]
_LARGEST_TOKENIZER = 64 << 20

# model_type of config.json -> how its files are run. What an encoder is for is read from its outputs.
ARCHITECTURES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(("marian", "m2m_100", "t5", "mt5", "bart", "mbart", "pegasus"), "seq2seq"),
        **dict.fromkeys(
            (
                "bert",
                "distilbert",
                "roberta",
                "xlm-roberta",
                "mpnet",
                "electra",
                "albert",
                "mobilebert",
                "deberta",
                "deberta-v2",
                "modernbert",
            ),
            "encoder",
        ),
    }
)
# Endings of file names, by precision, the best for a processor first.
_ENDINGS: tuple[tuple[str, Precision], ...] = (
    ("_quantized", "int8"),
    ("_int8", "int8"),
    ("_uint8", "int8"),
    ("", "fp32"),
    ("_fp16", "fp16"),
)
_ROLES: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {"seq2seq": ("encoder_model", "decoder_model_merged"), "encoder": ("model",)}
)


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """One ONNX file. `size` is bytes, with its external data."""

    path: Path
    precision: Precision
    size: int


@dataclass(frozen=True, slots=True)
class OnnxFolder:
    """A model that may be loaded. `files` has `encoder_model` and `decoder_model_merged`, or `model`."""

    path: Path
    architecture: str
    kind: Kind
    files: Mapping[str, OnnxFile]
    tokenizer: Path
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    generation: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def size(self) -> int:
        """Bytes of all weights."""
        return sum(file.size for file in self.files.values())

    @property
    def precision(self) -> str:
        """Such as int8, or "int8 + fp32" where the files differ."""
        return " + ".join(dict.fromkeys(file.precision for file in self.files.values()))


def read_folder(path: Path, precision: Precision | None = None) -> OnnxFolder:
    """Check the folder at `path`. `precision` asks for one; otherwise the best one for a processor is taken.

    Raises `ModelNotFound`, `ModelUnsupported`, `ModelDamaged` or `StorageError`.
    """
    if not path.is_dir():
        raise ModelNotFound(f"There is no folder {path.name}.", "Run: edgellm models")
    config = read_json(path, "config.json", needed=True)
    architecture = config.get("model_type")
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        shown = architecture if isinstance(architecture, str) else "none"
        raise ModelUnsupported(
            f"{path.name} has an architecture that this version does not run ({shown[:40]!r}).",
            f"These run on ONNX Runtime: {', '.join(sorted(ARCHITECTURES))}.",
        )
    kind = ARCHITECTURES[architecture]
    files = {role: _file(path, role, precision) for role in _ROLES[kind]}
    tokenizer = path / "tokenizer.json"
    regular(tokenizer, path, _LARGEST_TOKENIZER)
    generation = read_json(path, "generation_config.json", needed=False)
    return OnnxFolder(path, architecture, kind, files, tokenizer, config, generation)


def _file(folder: Path, role: str, precision: Precision | None) -> OnnxFile:
    """The ONNX file of a role: in the folder itself or in its `onnx` subfolder."""
    for ending, found in _ENDINGS:
        if precision is not None and found != precision:
            continue
        for place in (folder / "onnx", folder):
            path = place / f"{role}{ending}.onnx"
            if path.exists() or path.is_symlink():
                size = regular(path, folder, external.LARGEST)
                return OnnxFile(path, found, size + external.check(path, folder))
    extra = "" if role != "decoder_model_merged" else " Export it with the merged decoder."
    raise ModelDamaged(f"{folder.name} has no file {role}.onnx.", f"Download the model again.{extra}")
