"""Builds llama-cpp-python once per machine, and keeps the wheel in the person's cache.

The package comes as source only. On x86-64 Linux it is built with every CPU variant as a loadable library, so that one
wheel runs on any such laptop and the engine can step down through the variants; elsewhere one plain build that suits.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from setup_steps import system, wheel_layout
from setup_steps.say import Problem, follow, last_error, quiet, say, seconds

_PORTABLE = ("-DGGML_NATIVE=OFF",)
_VARIANTS = (*_PORTABLE, "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON")
_AVX2 = (*_PORTABLE, "-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_F16C=ON", "-DGGML_BMI2=ON")
_COUNTED = re.compile(r"^\s*\[(\d+)/(\d+)\]")  # ninja
_PERCENT = re.compile(r"^\s*\[\s*(\d+)%\]")  # make
_CORE_MINUTES = {"variants": 14.0, "plain": 7.0, "cuda": 60.0}  # measured, but for the last
_MEMORY_PER_JOB = 1.5e9


@dataclass(frozen=True)
class Recipe:
    """How to build: `arguments` for CMake, and `kind`, which names the wheel's folder in the cache."""

    version: str
    kind: str
    arguments: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names everything that the wheel depends on."""
        parts = [self.version, *self.arguments, sys.platform, platform.machine()]
        if self.kind == "native":
            parts.append(_processor())  # such a wheel runs on this kind of processor only
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
        return f"llama-{self.version}-{self.kind}-{sys.platform}-{platform.machine().lower()}-{digest}"


def recipe(version: str, native: bool = False) -> Recipe:
    """The build that suits this machine. What stands in CMAKE_ARGS comes after our own arguments, so it wins."""
    own = tuple(os.environ.get("CMAKE_ARGS", "").split())
    if native:
        return Recipe(version, "native", own)
    machine = platform.machine().lower()
    intel = machine in ("x86_64", "amd64")
    arguments: tuple[str, ...]
    if sys.platform == "darwin":
        kind, arguments = "metal", ("-DGGML_METAL=ON", "-DGGML_METAL_EMBED_LIBRARY=ON")
        if intel:
            kind, arguments = "plain", (*_AVX2, "-DGGML_METAL=OFF")
    elif intel:
        kind, arguments = ("variants", _VARIANTS) if sys.platform.startswith("linux") else ("plain", _AVX2)
    else:
        kind, arguments = "plain", ()
    if shutil.which("nvcc") and has_nvidia_gpu():
        kind, arguments = f"{kind}-cuda", (*arguments, "-DGGML_CUDA=ON")
    return Recipe(version, kind, (*arguments, *own))


def has_nvidia_gpu() -> bool:
    """Whether a driver answers and lists at least one GPU."""
    if not shutil.which("nvidia-smi"):
        return False
    status, output = quiet(["nvidia-smi", "-L"], timeout=20)
    return status == 0 and "GPU 0" in output


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    return "\n".join(line for line in text.splitlines() if line.startswith(("model name", "flags"))).split("\n\n")[0]


def cache_folder() -> Path:
    """Where built wheels are kept."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(base) / "edgellm" / "Cache" / "wheels"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "edgellm" / "wheels"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgellm" / "wheels"


def wheel(python: Path, wanted: Recipe, log: Path) -> Path:
    """The wheel for this machine, from the cache or built now with the pip of `python`."""
    folder = cache_folder() / wanted.key
    found = sorted(folder.glob("llama_cpp_python-*.whl"))
    if found:
        return found[0]
    system.need_compiler()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as work:
        built = _build(python, wanted, Path(work), log)
        target = folder / built.name
        wheel_layout.tidy(built, target)
    say(f"Built. The wheel is kept in {folder}, so this happens once.")
    return target


def _build(python: Path, wanted: Recipe, work: Path, log: Path) -> Path:
    jobs = _jobs()
    minutes = _CORE_MINUTES["cuda" if "cuda" in wanted.kind else "variants" if wanted.kind == "variants" else "plain"]
    say(
        f"Building llama.cpp ({wanted.kind}) with {jobs} compiler{'s' if jobs > 1 else ''} at a time: "
        f"expect about {seconds(60 * minutes / jobs)} on a quiet machine. Details: {log}"
    )
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "wheel",
        f"llama-cpp-python=={wanted.version}",
        "--no-deps",
        "--no-binary",
    ]
    command += ["llama-cpp-python", "--no-cache-dir", "-w", work, "-v"]
    extra = {"CMAKE_ARGS": " ".join(wanted.arguments), "CMAKE_BUILD_PARALLEL_LEVEL": str(jobs)}
    progress = Progress()
    status = follow(command, log, progress.read, extra)
    built = sorted(work.glob("llama_cpp_python-*.whl"))
    if status != 0 or not built:
        raise Problem(f"llama.cpp could not be built: {_reason(log)}", f"The whole output is in {log}")
    return built[0]


def _reason(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in text:
        return "the disk is full."
    if "Killed signal terminated program cc1plus" in text:
        return "the compiler ran out of memory. Set CMAKE_BUILD_PARALLEL_LEVEL=1 and try again."
    if "Could not find a version that satisfies" in text or "No matching distribution" in text:
        return "its source could not be downloaded. Check the connection."
    compiler = [line for line in text.splitlines() if re.search(r"(?<![\w/])(fatal )?error: |CMake Error", line)]
    return compiler[0].strip()[:300] if compiler else last_error(log)


def _jobs() -> int:
    """Compilers at a time: what the environment says, or one for each core, as far as memory goes."""
    asked = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return cores
    return max(1, min(cores, int(memory / _MEMORY_PER_JOB)))


class Progress:
    """Turns the lines of ninja or make into a line every five percent, with the time left."""

    def __init__(self) -> None:
        self._start = 0.0
        self._next = 5
        self._last = time.monotonic()

    def read(self, line: str) -> None:
        """Take one line of output."""
        percent = self._percent(line)
        if percent is None:
            return
        now = time.monotonic()
        self._start = self._start or now
        if percent < self._next and now - self._last < 60:
            return
        spent = now - self._start
        left = f", about {seconds(spent * (100 - percent) / percent)} left" if 3 <= percent < 100 else ""
        say(f"  building llama.cpp: {percent:3d} % after {seconds(spent)}{left}")
        self._next = percent - percent % 5 + 5
        self._last = now

    @staticmethod
    def _percent(line: str) -> int | None:
        if counted := _COUNTED.match(line):
            return 100 * int(counted[1]) // max(1, int(counted[2]))
        found = _PERCENT.match(line)
        return int(found[1]) if found else None
