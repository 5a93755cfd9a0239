"""How a model at a path is to be run here: which runtime its kind of file needs, and every way to try, best first.

One visible table of kinds. What speaks for each way is left to the runtimes' own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from edgellm.errors import EdgeError
from edgellm.hardware.probe import Hardware
from edgellm.models import lookup
from edgellm.runtimes import versions
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.speed import Speeds
from edgellm.settings import Settings

Rungs = tuple[Choice[Placement], ...]
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_BOTH = "The folder holds safetensors too; ONNX is taken, because it is ready sooner and needs less memory."


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan depends on. `anyway`: wanted even for a model that is larger than all memory; `speeds`: what was
    measured here."""

    hardware: Hardware
    settings: Settings
    anyway: bool = False
    speeds: Speeds = field(default_factory=Speeds)


@dataclass(frozen=True, slots=True)
class Ways:
    """The rungs of a ladder, one at least, and the machine and build that they hold for."""

    rungs: Rungs
    machine: str


def kind_of(path: Path) -> str:
    """`script`, `onnx`, `safetensors` or `gguf`.

    A folder may hold a model in both forms: then ONNX is taken, if it can be run so.
    """
    if path.name.lower().endswith(lookup.SCRIPT):
        return "script"
    if not path.is_dir():
        return "gguf"
    if not _holds(path, (".onnx",)):
        return "safetensors" if _holds(path, (".safetensors", *_PICKLED)) else "onnx"
    return "safetensors" if _holds(path, (".safetensors",)) and not _runs_on_onnx(path) else "onnx"


def _holds(path: Path, endings: tuple[str, ...]) -> bool:
    """Whether a file with one of these endings is in the folder, or in the one where ONNX files may be."""
    with suppress(OSError):
        return any(
            file.name.lower().endswith(endings)
            for folder in (path, path / "onnx")
            if folder.is_dir()
            for file in folder.iterdir()
        )
    return False


def _runs_on_onnx(path: Path) -> bool:
    from edgellm.runtimes.onnx.folder import read_folder

    try:
        read_folder(path)
    except EdgeError:
        return False
    return True


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
    if _holds(path, (".safetensors",)):
        first = Choice(rungs[0].value, f"{rungs[0].reason} {_BOTH}")
        rungs = (first, *rungs[1:])
    return Ways(rungs, f"{situation.hardware.cpu.model}; {versions.named('onnx')}")


def _safetensors(path: Path, situation: Situation) -> Ways:
    from edgellm.runtimes.torch import choice, extra
    from edgellm.runtimes.torch.folder import read_folder

    extra.require()
    rungs = choice.rungs(read_folder(path), situation.hardware, situation.settings, situation.anyway)
    return Ways(rungs, f"{situation.hardware.cpu.model}; {versions.named('torch')}")


def _gguf(path: Path, situation: Situation) -> Ways:
    from edgellm.models.gguf import read_header
    from edgellm.runtimes import build as builds
    from edgellm.runtimes.ladder import ladder
    from edgellm.runtimes.select import choose
    from edgellm.runtimes.speed import file_key, machine_name

    header, build, hardware = read_header(path), builds.inspect(), situation.hardware
    tuned = situation.speeds.tuning(file_key(path.name, header.file_size))
    selection = choose(header, hardware, situation.settings, build, anyway=situation.anyway, tuned=tuned)
    return Ways(ladder(selection, hardware, build), machine_name(hardware, build))


_KINDS: Mapping[str, Callable[[Path, Situation], Ways]] = MappingProxyType(
    {"script": _script, "onnx": _onnx, "safetensors": _safetensors, "gguf": _gguf}
)
