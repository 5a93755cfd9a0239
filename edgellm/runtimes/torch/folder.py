"""What a folder with a safetensors model holds, checked before transformers sees any of it.

Only JSON with plain values is read, only architectures of `table.py` and keys of `keys.py` are taken, every weight file
must be sound (`weights.py`) and lie inside the folder. Pickled weights and code are never opened. Imports nothing of
PyTorch, so that the program's own process can plan with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported, StorageError
from edgellm.runtimes.model_folder import read_json, regular
from edgellm.runtimes.torch import keys, weights
from edgellm.runtimes.torch.table import ARCHITECTURES, Architecture

Precision = Literal["fp32", "fp16", "bf16"]
SUFFIX = ".safetensors"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_PARTS = re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")
_NOT_THE_MODEL = ("adapter_model.safetensors", "consolidated.safetensors")
_LARGEST_TOKENIZER = 64 << 20
_LARGEST_FILE = 256 << 30
_LARGEST_TEMPLATE = 1 << 20
_PRECISIONS: Mapping[str, Precision] = {"F64": "fp32", "F32": "fp32", "F16": "fp16", "BF16": "bf16"}
_GENERATION = frozenset(
    """
    bad_words_ids bos_token_id decoder_start_token_id early_stopping eos_token_id forced_bos_token_id
    forced_eos_token_id length_penalty max_length min_length no_repeat_ngram_size num_beams pad_token_id
    repetition_penalty
    """.split()
)
_SPECIALS = ("bos_token", "eos_token", "unk_token", "pad_token")


@dataclass(frozen=True, slots=True)
class TorchFolder:
    """A model that may be loaded. `config` has known keys only, `generation` the numbers that rule a search (checked
    by `onnx/rules.py`); `template` is empty where the model brings none.

    `held` says which weights are in which file, `parameters` counts the numbers of all of them, `precision` is how most
    of them are kept.
    """

    path: Path
    architecture: str
    row: Architecture
    config: Mapping[str, Any] = field(hash=False)
    generation: Mapping[str, Any] = field(hash=False)
    files: tuple[Path, ...]
    held: Mapping[str, tuple[str, ...]] = field(hash=False)
    tensors: Mapping[str, weights.Tensor] = field(hash=False)
    tokenizer: Path
    template: str
    specials: Mapping[str, str] = field(hash=False)
    precision: Precision

    @property
    def parameters(self) -> int:
        """How many numbers the weights are."""
        return sum(one.size // weights.SIZES[one.dtype] for one in self.tensors.values() if one.dtype in weights.FLOATS)

    @property
    def size(self) -> int:
        """Bytes of all weights in their files."""
        return sum(tensor.size for tensor in self.tensors.values())

    def number(self, *names: str) -> int:
        """The first of these keys of the config that is there; 0 when none is."""
        return next((value for name in names if type(value := self.config.get(name)) is int), 0)

    @property
    def context(self) -> int:
        """The window in tokens that the model was trained for."""
        return self.number("max_position_embeddings", "n_positions") or 512


def read_folder(path: Path) -> TorchFolder:
    """Check the folder at `path`. Raises `ModelNotFound`, `ModelUnsupported`, `ModelDamaged` or `StorageError`."""
    if not path.is_dir():
        raise ModelNotFound(f"There is no folder {path.name}.", "Run: edgellm models")
    config = read_json(path, "config.json", needed=True)
    name = config.get("model_type")
    row = ARCHITECTURES.get(name) if isinstance(name, str) else None
    if not isinstance(name, str) or row is None:
        shown = name if isinstance(name, str) else "none"
        raise ModelUnsupported(
            f"{path.name} has an architecture that this version does not run ({shown[:40]!r}).",
            f"These run on PyTorch: {', '.join(sorted(ARCHITECTURES))}.",
        )
    plain = keys.plain(config, row, path.name)
    files = _files(path)
    headers = {file.name: weights.read_header(file) for file in files}
    tensors = _together(headers.values(), path)
    tokenizer = path / "tokenizer.json"
    regular(tokenizer, path, _LARGEST_TOKENIZER)
    generation = read_json(path, "generation_config.json", needed=False)
    about = read_json(path, "tokenizer_config.json", needed=False)
    return TorchFolder(
        path=path,
        architecture=name,
        row=row,
        config=plain,
        generation={key: value for key, value in {**config, **generation}.items() if key in _GENERATION},
        files=files,
        held={file: tuple(header) for file, header in headers.items()},
        tensors=tensors,
        tokenizer=tokenizer,
        template=_template(path, about),
        specials={special: _special(about.get(special)) for special in _SPECIALS},
        precision=_precision(tensors),
    )


def _files(path: Path) -> tuple[Path, ...]:
    """The weight files: one, or every part of a set. An index is not needed: each file says what it holds."""
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    found = [name for name in names if name.lower().endswith(SUFFIX) and name not in _NOT_THE_MODEL]
    parts = [match for name in found if (match := _PARTS.fullmatch(name))]
    if "model.safetensors" in found:
        chosen = ["model.safetensors"]
    elif parts:
        chosen = _whole_set(path, parts)
    elif len(found) == 1:
        chosen = found
    elif found:
        raise ModelUnsupported(f"{path.name} holds several models.", "Keep one .safetensors file in the folder.")
    elif any(name.lower().endswith(PICKLED) for name in names):
        raise ModelUnsupported(
            f"{path.name} has its weights in a file that can hold code, which is never opened.",
            "Choose a form of the model with .safetensors files.",
        )
    else:
        raise ModelDamaged(f"{path.name} has no .safetensors file.", "Download the model again.")
    for name in chosen:
        regular(path / name, path, _LARGEST_FILE)
    return tuple(path / name for name in chosen)


def _whole_set(path: Path, parts: list[re.Match[str]]) -> list[str]:
    count = int(parts[0][2])
    if {part[2] for part in parts} != {parts[0][2]} or [int(part[1]) for part in parts] != list(range(1, count + 1)):
        raise ModelDamaged(
            f"{path.name} lacks some of the {count} files of its weights.", f"Run: edgellm models repair {path.name}"
        )
    return [part[0] for part in parts]


def _together(headers: Iterable[Mapping[str, weights.Tensor]], folder: Path) -> dict[str, weights.Tensor]:
    found: dict[str, weights.Tensor] = {}
    for more in headers:
        if more.keys() & found.keys():
            raise ModelDamaged(f"{folder.name} holds the same weights twice.", "Download the model again.")
        found |= more
    return found


def _precision(tensors: Mapping[str, weights.Tensor]) -> Precision:
    sizes = dict.fromkeys(_PRECISIONS.values(), 0)
    for tensor in tensors.values():
        if tensor.dtype in _PRECISIONS:
            sizes[_PRECISIONS[tensor.dtype]] += tensor.size
    return max(sizes, key=lambda name: sizes[name])


def _template(path: Path, about: Mapping[str, Any]) -> str:
    """The chat template as text: of its own file, or of the tokenizer's config (where it may be one of several)."""
    file = path / "chat_template.jinja"
    if file.exists() or file.is_symlink():
        regular(file, path, _LARGEST_TEMPLATE)
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelDamaged(f"The chat template of {path.name} is damaged.", "Download the model again.") from error
    given = about.get("chat_template")
    if isinstance(given, list):
        named = {one.get("name"): one.get("template") for one in given if isinstance(one, dict) and _text(one)}
        given = named.get("default", "")
    return given if isinstance(given, str) else ""


def _text(one: Mapping[str, Any]) -> bool:
    return isinstance(one.get("name"), str) and isinstance(one.get("template"), str)


def _special(value: Any) -> str:
    found = value.get("content") if isinstance(value, dict) else value
    return found[:200] if isinstance(found, str) else ""
