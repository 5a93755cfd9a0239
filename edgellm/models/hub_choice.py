"""Which files of a repository are one model: a quantization, the parts of a split file, an ONNX folder.

Works on a listing alone and says what it chose. Asking the hub is left to `hub`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported, UsageError
from edgellm.models.hub_reply import Listing, RemoteFile
from edgellm.models.names import shown

USUAL = "Q4_K_M"
SMALL_FILES = frozenset(
    """
    added_tokens.json config.json config_sentence_transformers.json generation_config.json merges.txt modules.json
    ort_config.json preprocessor_config.json quantize_config.json sentence_bert_config.json sentencepiece.bpe.model
    source.spm special_tokens_map.json spiece.model target.spm tokenizer.json tokenizer.model tokenizer_config.json
    vocab.json vocab.txt model.safetensors.index.json
    """.split()
)
"""What an ONNX or safetensors model needs beside its weights; nothing that is code or pickled."""

_LARGEST_SMALL = 64 << 20
_SOME_BITS = 4
_MOST_PARTS = 999
_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.(gguf|safetensors)")
_QUANTIZATION = re.compile(
    r"(?:^|[-_.])((?:UD-)?(?:IQ\d_[A-Z]+|T?Q\d(?:_[A-Z0-9]+)*|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))(?=[-_.]|$)", re.I
)
_BITS = re.compile(r"\d+")
# Modules of sentence-transformers that lie beside the graph, such as 1_Pooling/config.json.
_MODULE = re.compile(r"\d{1,2}_[A-Za-z]{1,40}/(config\.json|model\.safetensors)")
_SIDE = ("mmproj", "imatrix", "draft", "mtp-")
# The graphs of one ONNX model, the first that is all there: 8-bit before full precision.
_GRAPHS = (
    ("encoder_model_quantized.onnx", "decoder_model_merged_quantized.onnx"),
    ("encoder_model.onnx", "decoder_model_merged.onnx"),
    ("model_quantized.onnx",),
    ("model.onnx",),
    ("decoder_model_merged_quantized.onnx",),
    ("decoder_model_merged.onnx",),
)


@dataclass(frozen=True, slots=True)
class Picked:
    """The files of one model, the file to load first; `note` says why these, where there was a choice."""

    files: tuple[RemoteFile, ...]
    format: str
    quantization: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    """One GGUF model of a repository: a file, or all parts of a split one."""

    files: tuple[RemoteFile, ...]
    quantization: str

    @property
    def size(self) -> int:
        return sum(file.size or 0 for file in self.files)


def pick(listing: Listing, quantization: str = "", path: str = "") -> Picked:
    """The model in `listing`, or that of `quantization`, or the one whose (first) file is `path`.

    Raises `ModelNotFound`, `UsageError` that lists the choices, `ModelDamaged` when a part is missing there, or
    `ModelUnsupported` when no file is of a kind that is used here.
    """
    if path:
        return _by_path(listing, path)
    groups = _groups(listing.files)
    if groups:
        return _gguf(listing, groups, quantization)
    if quantization:
        raise ModelNotFound(f"{listing.repo} has no GGUF files.", "Leave the quantization out.")
    graphs = onnx_graphs(listing)
    if graphs:
        return Picked((*graphs, *beside(listing, graphs)), "onnx")
    weights = _safetensors(listing.files)
    if weights:
        return Picked((*weights, *beside(listing, weights)), "safetensors")
    raise ModelUnsupported(
        f"{listing.repo} has no file that is used here.", "Look for a repository with GGUF or ONNX files."
    )


def quantization_of(path: str) -> str:
    """The quantization in a file's name, or in its folder's; empty when there is none."""
    for part in reversed(path.removesuffix(".gguf").split("/")):
        found = _QUANTIZATION.findall(_unsplit(part))
        if found:
            return str(found[-1]).upper()
    return ""


def onnx_graphs(listing: Listing) -> tuple[RemoteFile, ...]:
    """The ONNX graphs that make one model; nothing when there are none, or none that make a whole."""
    by_path = {file.path: file for file in listing.files}
    for folder in ("onnx/", ""):
        for graphs in _GRAPHS:
            found = [by_path[folder + name] for name in graphs if folder + name in by_path]
            if len(found) == len(graphs):
                return tuple(found)
    all_graphs = [file for file in listing.files if file.path.endswith(".onnx")]
    return tuple(all_graphs) if len(all_graphs) == 1 else ()


def beside(listing: Listing, weights: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
    """The small files that belong to `weights`, and the external data of ONNX graphs among them."""
    paths = {file.path for file in weights}
    data = {path + ending for path in paths if path.endswith(".onnx") for ending in ("_data", ".data")}
    modules = any(file.path == "modules.json" for file in listing.files)
    return tuple(
        file for file in listing.files if file.path not in paths and (file.path in data or _is_small(file, modules))
    )


def _is_small(file: RemoteFile, modules: bool) -> bool:
    wanted = file.path in SMALL_FILES or (modules and bool(_MODULE.fullmatch(file.path)))
    return wanted and (file.size or 0) <= _LARGEST_SMALL


def _by_path(listing: Listing, path: str) -> Picked:
    by_path = {file.path: file for file in listing.files}
    if path not in by_path:
        raise ModelNotFound(f"{listing.repo} has no file {shown(path)}.", _choices(_groups(listing.files)))
    if path.endswith(".onnx"):
        graphs = (by_path[path],)
        return Picked((*graphs, *beside(listing, graphs)), "onnx")
    if not path.endswith(".gguf"):
        raise ModelUnsupported(f"{shown(path)} is not a file that can be used by itself.", "Name a .gguf file.")
    for group in _groups(listing.files):
        if by_path[path] in group.files:
            return Picked(_whole(group), "gguf", group.quantization)
    return Picked((by_path[path],), "gguf", quantization_of(path))


def _groups(files: Iterable[RemoteFile]) -> list[_Group]:
    """The GGUF models among `files`; what only accompanies a model is left out."""
    parts: dict[str, list[RemoteFile]] = {}
    for file in files:
        name = file.path.rpartition("/")[2].lower()
        if name.endswith(".gguf") and not name.startswith(_SIDE) and "imatrix" not in name and "mmproj" not in name:
            parts.setdefault(_unsplit(file.path), []).append(file)
    return [
        _Group(tuple(sorted(group, key=lambda file: file.path)), quantization_of(group[0].path))
        for group in parts.values()
    ]


def _unsplit(path: str) -> str:
    match = _SPLIT.fullmatch(path) or _SPLIT.fullmatch(f"{path}.gguf")
    return match["stem"] if match else path


def _whole(group: _Group) -> tuple[RemoteFile, ...]:
    """The files of a group when no part is missing."""
    first = _SPLIT.fullmatch(group.files[0].path)
    if first is None:
        return group.files
    count = int(first["count"])
    matches = [_SPLIT.fullmatch(file.path) for file in group.files]
    numbers = [int(match["number"]) for match in matches if match and match["count"] == first["count"]]
    if not 0 < count <= _MOST_PARTS or numbers != list(range(1, count + 1)):
        missing = next((number for number in range(1, count + 1) if number not in numbers), 0)
        what = f"part {missing} of {count} is not there" if missing else "its parts are not numbered in order"
        raise ModelDamaged(f"The hub's {shown(first['stem'])} is not whole: {what}.", "Choose another file.")
    return group.files


def _gguf(listing: Listing, groups: Sequence[_Group], quantization: str) -> Picked:
    if quantization:
        chosen, note = _named(groups, quantization), ""
        if not chosen:
            raise ModelNotFound(f"{listing.repo} has no {shown(quantization)}.", _choices(groups))
    else:
        chosen, note = _usual(groups)
    if len(chosen) != 1:
        raise UsageError(f"{listing.repo} holds several models, so one must be named.", _choices(groups, by_path=True))
    return Picked(_whole(chosen[0]), "gguf", chosen[0].quantization, note)


def _named(groups: Sequence[_Group], quantization: str) -> list[_Group]:
    wanted = quantization.upper()
    exact = [group for group in groups if group.quantization == wanted]
    return exact or [group for group in groups if group.quantization.removeprefix("UD-") == wanted]


def _usual(groups: Sequence[_Group]) -> tuple[list[_Group], str]:
    """The usual quantization; without it the smallest of at least four bits, or the largest of those below."""
    if len(groups) == 1:
        return [*groups], ""
    usual = _named(groups, USUAL)
    if usual:
        others = f"Of {len(groups)} quantizations {usual[0].quantization} was taken, the usual balance."
        return usual, others
    named = [group for group in groups if group.quantization]
    if not named:
        return [], ""
    enough = [group for group in named if _bits(group) >= _SOME_BITS]
    key = min(enough, key=_weight) if enough else max(named, key=_weight)
    same = [group for group in named if group.quantization == key.quantization]
    why = "the smallest of at least 4 bits" if enough else "the largest there is"
    return same, f"There is no {USUAL}, so {key.quantization} was taken, {why}."


def _bits(group: _Group) -> int:
    digits = _BITS.search(group.quantization)
    return int(digits[0]) if digits else 0


def _weight(group: _Group) -> tuple[int, int, str]:
    return group.size, _bits(group), group.quantization


def _choices(groups: Sequence[_Group], by_path: bool = False) -> str:
    """The hint that names what can be chosen."""
    names = [group.files[0].path if by_path or not group.quantization else group.quantization for group in groups]
    names = sorted(dict.fromkeys(names))
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"It has: {', '.join(names[:12])}{more}." if names else "It has no GGUF files."


def _safetensors(files: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
    found = [file for file in files if file.path.endswith(".safetensors") and "/" not in file.path]
    single = [file for file in found if file.path == "model.safetensors"]
    parts = [file for file in found if (match := _SPLIT.fullmatch(file.path)) and match["stem"] == "model"]
    return tuple(single or (_whole(_Group(tuple(sorted(parts, key=lambda one: one.path)), "")) if parts else ()))
