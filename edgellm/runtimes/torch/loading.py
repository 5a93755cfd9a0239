"""From a checked folder to a model in memory, through transformers: the only place where it reads a file.

It is given a config object of our own making, and a fresh folder with nothing in it but links to the weight files: no
config, no code, no tokenizer, no adapter. The class comes from `table.py`. Weights that the config asks for and the
files do not have are refused, before memory is taken for them.
"""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from edgellm.errors import EngineError, ModelDamaged, ModelUnsupported, OutOfMemory, StorageError
from edgellm.runtimes.base import Placement
from edgellm.runtimes.torch import keys
from edgellm.runtimes.torch.folder import TorchFolder

_log = logging.getLogger(__name__)
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_IMPLICIT_TOKEN")
_ALONE = ("USE_TF", "USE_FLAX", "USE_HUB_KERNELS")
_DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
)
# Whatever transformers and PyTorch raise for a file that does not fit itself; PyTorch has no class for it.
_REFUSALS = (
    RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, ImportError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that computes: where, and with which kind of numbers (fp32, fp16 or bf16)."""

    model: Any
    device: torch.device
    precision: str


def transformers() -> Any:
    """The library, told before it is imported that there is no network and nobody to report to."""
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    os.environ.update(dict.fromkeys(_ALONE, "0"))
    library: Any = importlib.import_module("transformers")
    library.utils.logging.set_verbosity_error()
    library.utils.logging.disable_progress_bar()
    return library


def load_model(folder: TorchFolder, placement: Placement) -> Loaded:
    """Load the weights as `placement` says. Raises a `ModelError`, `StorageError` or `EngineError`."""
    device = _device(placement)
    torch.set_num_threads(max(1, placement.threads))
    precision = placement.precision or ("fp32" if device.type == "cpu" else folder.precision)
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        precision = "fp16"
    with translated(folder.path.name):
        library = transformers()
        kind = getattr(library, folder.row.model)
        config = _config(getattr(library, folder.row.config), folder)
        _check_size(kind, config, folder)
        with _links(folder) as place:
            model, found = kind.from_pretrained(
                str(place),
                config=config,
                dtype=_DTYPES[precision],
                attn_implementation=folder.row.attention,
                local_files_only=True,
                use_safetensors=True,
                weights_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        _check_found(found, folder)
        model.eval().requires_grad_(False)
        return Loaded(model.to(device), device, precision)


def _device(placement: Placement) -> torch.device:
    kind, _, number = placement.device.partition(":")
    if kind == "cuda" and torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count():
        return torch.device("cuda", int(number or 0))
    if kind == "metal" and torch.backends.mps.is_available():
        return torch.device("mps")
    if kind == "cpu":
        return torch.device("cpu")
    raise EngineError(f"This PyTorch cannot run on {placement.device}.", "Run: edgellm doctor, to see what it can use.")


def _config(kind: Any, folder: TorchFolder) -> Any:
    """A config object from the known keys that its class has a parameter for, or reads all the same."""
    names = inspect.signature(kind.__init__).parameters.keys() - keys.UNUSED | keys.ALSO
    return kind(**{key: value for key, value in folder.config.items() if key in names})


def _check_size(kind: Any, config: Any, folder: TorchFolder) -> None:
    """Refuse a config that asks for more than the files hold; on the "meta" device nothing takes memory."""
    experts = folder.number("num_experts", "num_local_experts") or 1
    layers = folder.number("num_hidden_layers", "n_layer", "num_layers", "decoder_layers") or 1
    if layers * experts > len(folder.tensors):
        raise _unlike(folder)
    with torch.device("meta"):
        skeleton = kind._from_config(config, attn_implementation=folder.row.attention)
    if skeleton.num_parameters() > 2 * folder.parameters + (1 << 22):  # tied and computed tables are not in the files
        raise _unlike(folder)


def _unlike(folder: TorchFolder) -> ModelDamaged:
    return ModelDamaged(f"The weights of {folder.path.name} are not those its config describes.", "Download it again.")


def _check_found(found: Mapping[str, Any], folder: TorchFolder) -> None:
    if found["missing_keys"] or found["mismatched_keys"] or found["error_msgs"]:
        _log.error("missing %s, unlike %s", list(found["missing_keys"])[:5], list(found["mismatched_keys"])[:5])
        raise _unlike(folder)
    if found["unexpected_keys"]:
        _log.warning("weights that the model does not use: %s", list(found["unexpected_keys"])[:5])


@contextmanager
def _links(folder: TorchFolder) -> Iterator[Path]:
    """A fresh folder with the weight files under names of our own, and the list of what is in which."""
    with tempfile.TemporaryDirectory(prefix="edgellm-weights-", ignore_cleanup_errors=True) as made:
        place, where = Path(made), dict[str, str]()
        for number, file in enumerate(folder.files, 1):
            several = f"model-{number:05}-of-{len(folder.files):05}.safetensors"
            name = several if len(folder.files) > 1 else "model.safetensors"
            _link(file.resolve(), place / name)
            where.update(dict.fromkeys(folder.held[file.name], name))
        if len(folder.files) > 1:
            index = {"metadata": {"total_size": folder.size}, "weight_map": where}
            (place / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        yield place


def _link(file: Path, place: Path) -> None:
    """Windows lets only some people make symbolic links, and hard links only within one volume."""
    for way in (os.symlink, os.link, shutil.copyfile):
        try:
            way(file, place)
            return
        except OSError as error:
            last = error
    raise StorageError(f"{file.name} cannot be linked: {last.strerror}.", "Check the free space of the temporary disk.")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Errors of PyTorch, transformers and safetensors as typed ones."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory() from error
    except OSError as error:
        raise ModelDamaged(f"{name} cannot be loaded: a file is not readable.", "Download the model again.") from error
    except _REFUSALS as error:
        raise _translate(name, error) from error
    except Exception as error:  # these libraries have dozens of classes that derive from it alone: told by their module
        if not type(error).__module__.startswith(("safetensors", "transformers", "huggingface_hub", "torch")):
            raise
        raise _translate(name, error) from error


def _translate(name: str, error: Exception) -> Exception:
    text = str(error)
    _log.error("PyTorch: %s: %s", type(error).__name__, text[:500])
    if "allocate memory" in text or "out of memory" in text.lower():
        return OutOfMemory()
    if isinstance(error, ImportError | NotImplementedError):
        return ModelUnsupported(f"{name} needs something that this PyTorch does not have.", "Update EdgeLLM.")
    return ModelDamaged(f"{name} cannot be run: PyTorch refuses it.", "Download the model again.")
