"""Brings llama.cpp's libraries into this process: the binding, one CPU variant, GPU backends, and their log.

What the libraries do is left to the other `llama_*` files. A process holds one CPU variant for its whole life: whoever
wants another one starts another process. How its threads wait is set in the environment before the first call.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
import os
import sys
import types
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgellm.errors import ModelUnsupported
from edgellm.runtimes import llama_spin
from edgellm.runtimes.base import Placement
from edgellm.runtimes.build import Build, inspect

_log = logging.getLogger(__name__)
_LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_LEVELS = {2: logging.DEBUG, 3: logging.INFO, 4: logging.WARNING}
_CPU_DEVICE = 0
_CAREFUL = "haswell"  # AVX2 and nothing newer: where to begin when nobody chose
_REINSTALL = "Run: python3 bootstrap.py run"


def _to_log(level: int, text: bytes | None, _data: int | None) -> None:
    if level in _LEVELS and text:
        _log.log(_LEVELS[level], "%s", text.decode("utf-8", "replace").strip())


_LOG = _LOG_CALLBACK(_to_log)


def binding() -> Any:
    """The low-level binding, `llama_cpp.llama_cpp`.

    Its package imports numpy, a disk cache and a high-level class, none of which is used here: a bare package
    stands in for it, which saves a tenth of a second at each start of the engine.
    """
    if "llama_cpp" not in sys.modules:
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None or not spec.submodule_search_locations:
            raise ModelUnsupported("llama.cpp is not installed, so GGUF models cannot run.", _REINSTALL)
        package = types.ModuleType("llama_cpp")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        package.__dict__["__getattr__"] = _from_parts
        sys.modules["llama_cpp"] = package
    return importlib.import_module("llama_cpp.llama_cpp")


def _from_parts(name: str) -> Any:
    """What the package's own front would have offered, for whoever else imports it in this process."""
    if not name.startswith("__"):
        for part in ("llama_cpp.llama_cpp", "llama_cpp.llama"):
            module = importlib.import_module(part)
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(name)


def load(placement: Placement) -> tuple[Any, str]:
    """The binding, ready for models, and the name of the CPU variant in use ("" when it is linked in).

    Raises `ModelUnsupported` when no CPU backend can be loaded.
    """
    llama_spin.prepare(os.environ)
    api = binding()
    api.llama_log_set(_LOG, None)
    build = inspect()
    _declare(api._lib)
    if placement.gpu_layers:
        for name in build.gpu_backends:
            _load_file(api, build.library(name))
    variant = _cpu(api, build, placement.cpu_variant)
    api.llama_backend_init()
    return api, variant


def computing(api: Any, variant: str) -> Any:
    """The library that computes on the processor, which is where OpenMP is linked in."""
    file = inspect().library(variant) if variant else None
    return ctypes.CDLL(str(file)) if file is not None else api._lib


def _declare(library: Any) -> None:
    """Types of the functions of ggml's registry, reached through libllama: the binding's own copy is another one."""
    library.ggml_backend_load.restype = ctypes.c_void_p
    library.ggml_backend_load.argtypes = [ctypes.c_char_p]
    library.ggml_backend_dev_by_type.restype = ctypes.c_void_p
    library.ggml_backend_dev_by_type.argtypes = [ctypes.c_int]


def _cpu(api: Any, build: Build, wanted: str) -> str:
    if api._lib.ggml_backend_dev_by_type(_CPU_DEVICE):
        present = _present(build)
        if wanted and wanted != present:
            _log.info("the CPU library %s is in use; %s was asked for", present or "(linked in)", wanted)
        return present
    if not build.variants:
        raise ModelUnsupported("The llama.cpp that is installed has no CPU library.", _REINSTALL)
    careful = build.variants.index(_CAREFUL) if _CAREFUL in build.variants else 0
    for name in (wanted, *build.variants[careful:], *build.variants[:careful]):
        if name in build.variants and _load_file(api, build.library(name)):
            if wanted and name != wanted:
                _log.warning("the CPU library %s cannot be used here; %s is used instead", wanted, name)
            return name
    raise ModelUnsupported("No CPU library of llama.cpp runs on this processor.", _REINSTALL)


def _load_file(api: Any, file: Path | None) -> bool:
    """False for a library that is missing, or that refuses this processor."""
    return file is not None and bool(api._lib.ggml_backend_load(str(file).encode()))


def _present(build: Build) -> str:
    """Which variant this process holds, asked of the dynamic linker; "" when it cannot be told."""
    noload: int | None = getattr(os, "RTLD_NOLOAD", None)
    for name in build.variants:
        file = build.library(name)
        if noload is not None and file is not None:
            try:
                ctypes.CDLL(str(file), mode=noload | os.RTLD_NOW)
            except OSError:
                continue
            return name
    return ""


@contextmanager
def captured(api: Any) -> Iterator[deque[str]]:
    """The last lines that llama.cpp logs inside the block, errors and warnings as well as progress."""
    lines: deque[str] = deque(maxlen=80)

    def keep(level: int, text: bytes | None, data: int | None) -> None:
        lines.append((text or b"").decode("utf-8", "replace").strip())
        _to_log(level, text, data)

    callback = _LOG_CALLBACK(keep)
    api.llama_log_set(callback, None)
    try:
        yield lines
    finally:
        api.llama_log_set(_LOG, None)
