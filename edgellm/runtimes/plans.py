"""How a model at a path is to be run here: which runtime its kind of file needs, and every way to try, best first.

One visible table of kinds. What speaks for each way is left to the runtimes' own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edgellm.hardware.probe import Hardware
from edgellm.models import lookup
from edgellm.runtimes.base import Choice, Placement
from edgellm.settings import Settings

Rungs = tuple[Choice[Placement], ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan depends on. `anyway`: wanted even for a model that is larger than all memory."""

    hardware: Hardware
    settings: Settings
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class Ways:
    """The rungs of a ladder, one at least, and the machine and build that they hold for."""

    rungs: Rungs
    machine: str


def kind_of(path: Path) -> str:
    """`script`, `onnx` or `gguf`."""
    if path.name.lower().endswith(lookup.SCRIPT):
        return "script"
    return "onnx" if path.is_dir() else "gguf"


def ways(path: Path, situation: Situation) -> Ways:
    """The ways to run the model at `path`. Raises an `EdgeError` when there is none."""
    return _KINDS[kind_of(path)](path, situation)


def _script(path: Path, situation: Situation) -> Ways:
    first = Choice(Placement(runtime="fake"), "A scripted model runs anywhere.")
    safer = Choice(Placement(runtime="fake", repack=False, context=2048), "The same, played safe.")
    return Ways((first, safer), "any")


def _onnx(path: Path, situation: Situation) -> Ways:
    from edgellm.runtimes.onnx import choice
    from edgellm.runtimes.onnx.folder import read_folder

    rungs = choice.rungs(read_folder(path), situation.hardware, situation.settings, situation.anyway)
    return Ways(rungs, f"{situation.hardware.cpu.model}; ONNX Runtime {choice.version()}")


def _gguf(path: Path, situation: Situation) -> Ways:
    from edgellm.models.gguf import read_header
    from edgellm.runtimes import build as builds
    from edgellm.runtimes.ladder import ladder
    from edgellm.runtimes.select import choose
    from edgellm.runtimes.speed import machine_name

    header, build, hardware = read_header(path), builds.inspect(), situation.hardware
    selection = choose(header, hardware, situation.settings, build, anyway=situation.anyway)
    return Ways(ladder(selection, hardware, build), machine_name(hardware, build))


_KINDS: Mapping[str, Callable[[Path, Situation], Ways]] = MappingProxyType(
    {"script": _script, "onnx": _onnx, "gguf": _gguf}
)
