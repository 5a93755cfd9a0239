"""What the installed llama.cpp build consists of, found by looking at its files: nothing of it is imported or loaded.

Loading a library is left to `llama_library.py`, choosing one to `select.py`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path

_VARIANT = re.compile(r"(?:lib)?ggml-cpu-([\w.]+?)\.(?:so|dylib|dll)")
_GPU = re.compile(r"(?:lib)?ggml-(cuda|metal|vulkan|hip|sycl)\.(?:so|dylib|dll)")
_ORDER = (
    "sapphirerapids", "zen4", "cooperlake", "icelake", "cascadelake", "cannonlake", "skylakex", "alderlake", "haswell",
    "piledriver", "ivybridge", "sandybridge", "sse42", "x64",
    "apple_m4", "apple_m2_m3", "apple_m1", "armv9.2_2", "armv9.2_1", "armv8.6_2", "armv8.6_1", "armv8.2_3",
    "armv8.2_2", "armv8.2_1", "armv8.0_1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Build:
    """An installed llama.cpp. `version` is empty when there is none.

    `variants` are the names of the CPU libraries that can be loaded, those with the most instructions first; empty
    means a plain build with one CPU backend linked in. `library_dir` is the folder of the libraries.
    """

    version: str = ""
    variants: tuple[str, ...] = ()
    gpu_backends: tuple[str, ...] = ()
    library_dir: Path | None = None

    def library(self, name: str) -> Path | None:
        """The file of a loadable library: a CPU variant, or a GPU backend."""
        for folder in () if self.library_dir is None else _folders(self.library_dir.parent):
            for stem in (f"libggml-cpu-{name}", f"ggml-cpu-{name}", f"libggml-{name}", f"ggml-{name}"):
                for suffix in (".so", ".dylib", ".dll"):
                    if (folder / (stem + suffix)).is_file():
                        return folder / (stem + suffix)
        return None


def inspect() -> Build:
    """Look at the package that Python would import, without importing it."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or not spec.submodule_search_locations:
        return Build()
    package = Path(next(iter(spec.submodule_search_locations)))
    try:
        version = importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    return inspect_folder(package, version)


def inspect_folder(package: Path, version: str) -> Build:
    """The build inside the folder of a `llama_cpp` package."""
    if not (package / "lib").is_dir():
        return Build(version)
    names = [file.name for folder in _folders(package) if folder.is_dir() for file in folder.iterdir()]
    variants = {match[1] for name in names if (match := _VARIANT.fullmatch(name))}
    gpus = {match[1] for name in names if (match := _GPU.fullmatch(name))}
    if sys.platform == "darwin" and any(name.startswith("ggml-metal") for name in names):
        gpus.add("metal")
    ranked = sorted(variants, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return Build(version, tuple(ranked), tuple(sorted(gpus)), package / "lib")


def _folders(package: Path) -> tuple[Path, ...]:
    """Where the libraries of a build may lie: in the package, or beside it after an installation by hand."""
    return package / "lib", package.parent / "bin", package.parent / "lib"
