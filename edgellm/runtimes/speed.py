"""How fast this computer was, as values: its self-test, the runs of each model, and how far predictions were off.

Keeping them is left to `speed_file.py`, predicting from them to `prediction.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from edgellm.hardware.probe import Hardware
from edgellm.runtimes.base import Finish, Placement
from edgellm.runtimes.build import Build
from edgellm.runtimes.workload import Work

Basis = Literal["measured", "scaled", "test", "assumed"]
_LIBRARIES = ("llama.cpp", "ONNX Runtime", "PyTorch")


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What `edgellm doctor --measure` found. Speeds of memory and disk are bytes a second, 0 where not measured.

    `bandwidth` is what is reached when nothing gets in the way, `usual_bandwidth` the median of all rounds. `compute`
    is float32 operations a second. `decode` and `prefill` are tokens a second of the starter, and the next three
    fields the work of one of its tokens. `busy` is the share of the processor that other programs had; `time` is Unix
    seconds.
    """

    time: int = 0
    threads: int = 1
    bandwidth: float = 0.0
    usual_bandwidth: float = 0.0
    compute: float = 0.0
    disk: float = 0.0
    decode: float = 0.0
    prefill: float = 0.0
    read: int = 0
    weights: int = 0
    layers: int = 0
    busy: float = 0.0
    on_battery: bool = False

    @property
    def work(self) -> Work:
        """What a token of the model that was used costs."""
        return Work(self.read, self.weights, self.layers)


@dataclass(frozen=True, slots=True)
class Way:
    """How a model was run, as far as it decides the speed. `share` of the layers was on the device.

    `precision` is the kind of numbers where the runtime chooses it. What `does` is "reads" writes nothing: its speeds
    are words a second.
    """

    device: str = "cpu"
    share: float = 0.0
    threads: int = 1
    runtime: str = "llama"
    precision: str = ""
    does: str = "writes"


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's own runs here, the newest last: tokens a second, and words of a token.

    `key` names the file; the same file in another folder is the same model. `version` is that of its runtime, empty
    for llama.cpp, whose build all of the table holds for.
    """

    key: str = ""
    title: str = ""
    device: str = "cpu"
    share: float = 0.0
    threads: int = 1
    read: int = 0
    weights: int = 0
    layers: int = 0
    time: int = 0
    decode: tuple[float, ...] = ()
    prefill: tuple[float, ...] = ()
    words: tuple[float, ...] = ()
    runtime: str = "llama"
    version: str = ""
    precision: str = ""
    does: str = "writes"

    @property
    def way(self) -> Way:
        """How it was run."""
        return Way(self.device, self.share, self.threads, self.runtime, self.precision, self.does)

    @property
    def work(self) -> Work:
        """What a token costs."""
        return Work(self.read, self.weights, self.layers)

    @property
    def tokens_per_second(self) -> float:
        """Its speed, 0 when it has no run."""
        return median(self.decode) if self.decode else 0.0


@dataclass(frozen=True, slots=True)
class Tuned:
    """The llama.cpp settings with which a model was fastest on this processor, and how fast: tokens a second."""

    key: str = ""
    title: str = ""
    time: int = 0
    threads: int = 1
    batch: int = 512
    kv_type: str = "f16"
    repack: bool = True
    flash: bool = True
    decode: float = 0.0
    prefill: float = 0.0

    @property
    def day(self) -> str:
        """When it was measured."""
        return time.strftime("%Y-%m-%d", time.localtime(self.time))


@dataclass(frozen=True, slots=True)
class Miss:
    """What was predicted before a run, from what, and what it was then; tokens a second."""

    basis: Basis = "test"
    predicted: float = 0.0
    measured: float = 0.0
    runtime: str = "llama"

    @property
    def error(self) -> float:
        """The error as a share of what was measured."""
        return abs(self.predicted - self.measured) / self.measured


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far predictions were off: the median error over so many runs."""

    error: float
    runs: int

    def __str__(self) -> str:
        return f"predictions here were {self.error:.0%} off over {self.runs} run{'s' if self.runs != 1 else ''}"


@dataclass(frozen=True, slots=True)
class Speeds:
    """All that is known of one processor with the runtimes that are installed now.

    `machine` names the processor and the build of llama.cpp.
    """

    machine: str = ""
    test: SelfTest | None = None
    models: tuple[Measured, ...] = ()
    misses: tuple[Miss, ...] = ()
    tuned: tuple[Tuned, ...] = ()

    def tuning(self, key: str) -> Tuned | None:
        """The settings that were fastest for a model file; None where that was not measured."""
        return next((one for one in reversed(self.tuned) if key and one.key == key), None)

    def accuracy(self, basis: Basis | None = None, runtime: str | None = None) -> Accuracy | None:
        """How far off predictions were, of all kinds or of one, of all runtimes or of one; None without a run."""
        errors = [miss.error for miss in self.misses if basis in (None, miss.basis) and runtime in (None, miss.runtime)]
        return Accuracy(median(errors), len(errors)) if errors else None


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished answer, as it is recorded."""

    key: str
    title: str
    work: Work
    way: Way
    finish: Finish
    words: int
    version: str = ""


Foresee = Callable[[Sample, Speeds], Miss | None]


def file_key(path: str, size: int) -> str:
    """Which model file this is, wherever it lies."""
    return f"{Path(path).name}:{size}".encode("utf-8", "backslashreplace").decode("utf-8")


def machine_name(hardware: Hardware, build: Build) -> str:
    """The processor and the build of the model library: what was measured or crashed holds for these alone."""
    return f"{hardware.cpu.model}; llama.cpp {build.version}; {' '.join(build.variants) or 'plain'}"


def processor_of(machine: str) -> str:
    """The processor in the name of a machine and a build, whichever runtime's build it is."""
    for library in _LIBRARIES:
        machine = machine.partition(f"; {library} ")[0]
    return machine


def way_of(placement: Placement, layers: int) -> Way:
    """The part of a placement that decides the speed of a model of so many layers."""
    if placement.runtime != "llama":
        share = 0.0 if placement.device == "cpu" else 1.0
        return Way(placement.device, share, placement.threads, placement.runtime, placement.precision)
    if placement.gpu_layers == 0 or placement.device == "cpu":
        return Way("cpu", 0.0, placement.threads)
    every = layers + 1
    there = every if placement.gpu_layers < 0 else min(placement.gpu_layers, every)
    return Way(placement.device, round(there / every, 2), placement.threads)
