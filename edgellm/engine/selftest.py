"""The self-test of this computer, about 20 seconds: memory, arithmetic, the disk, and the starter through the engine.

What the figures mean is left to `runtimes/prediction.py` and `speed_report.py`. It changes nothing but its own record,
and that only when it came to its end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.errors import StorageError
from edgellm.hardware import measure, power
from edgellm.hardware.measure import Progress
from edgellm.hardware.probe import Hardware
from edgellm.models.gguf import read_header
from edgellm.paths import Paths, starter_model
from edgellm.runtimes import device, speed_file
from edgellm.runtimes.base import Cancelled, Finish, Message, Request, Sampling
from edgellm.runtimes.build import Build
from edgellm.runtimes.ladder import ladder
from edgellm.runtimes.select import choose
from edgellm.runtimes.speed import SelfTest, machine_name
from edgellm.runtimes.workload import Work, work
from edgellm.settings import Settings, changed

SECONDS = 15.0  # of measuring; with what goes before and between it takes some 20
_WRITING = 0.27  # share of the time
_MOST_ANSWERS = 40
_TOKENS = 64
_READ_TOKENS = 200
_HARDWARE_SHARE = 0.75  # of the whole, in the eyes of a person who waits
_PROMPT = "Tell me about the weather, the market, the station and the house in the village by the river, please. "


@dataclass(frozen=True, slots=True)
class Bench:
    """What the self-test needs: folders, this computer, settings, and the model library."""

    paths: Paths
    hardware: Hardware
    settings: Settings
    build: Build

    def plan(self, path: Path, _anyway: bool) -> Plan:
        """A model on the processor, which is what the other figures are about."""
        settings = changed(self.settings, device="cpu", gpu_layers=-1, context=0)
        selection = choose(read_header(path), self.hardware, settings, self.build)
        return Plan(ladder(selection, self.hardware, self.build), machine_name(self.hardware, self.build))


def run(bench: Bench, progress: Progress, cancelled: Cancelled, seconds: float = SECONDS) -> SelfTest | None:
    """Measure and keep the figures; None, and nothing is kept, when `cancelled` said so.

    `progress` gets a step in words and the share that is done. Raises an `EdgeError`.
    """
    progress("looking whether other programs are busy", 0.0)
    busy = measure.busy_share()
    if cancelled():
        return None
    threads = device.threads(bench.hardware, bench.settings).value
    part = _part(progress, 0.0, _HARDWARE_SHARE)
    found = measure.measure(threads, bench.paths.models, part, cancelled, seconds * (1 - _WRITING))
    if found is None:
        return None
    progress("letting the starter model write", _HARDWARE_SHARE)
    wrote = _starter(bench, cancelled, seconds * _WRITING)
    if wrote is None:
        return None
    decode, prefill, token = wrote
    test = SelfTest(
        time=int(time.time()),
        threads=found.threads,
        bandwidth=found.bandwidth,
        usual_bandwidth=found.usual_bandwidth,
        compute=found.compute,
        disk=found.disk,
        decode=decode,
        prefill=prefill,
        read=token.read,
        weights=token.weights,
        layers=token.layers,
        busy=round(busy, 3),
        on_battery=bool(power.read().on_battery),
    )
    machine = machine_name(bench.hardware, bench.build)
    if not speed_file.keep_test(bench.paths.machine, machine, test):
        raise StorageError("The result could not be kept.", "Check the free space and the folder's permissions.")
    progress("done", 1.0)
    return test


def _part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part as that of the whole."""
    return lambda step, done: progress(step, start + done * (end - start))


def _starter(bench: Bench, cancelled: Cancelled, seconds: float) -> tuple[float, float, Work] | None:
    """Tokens a second that the starter writes and reads when nothing gets in the way, and the work of a token."""
    path = starter_model()
    engine = Engine(bench.paths, bench.plan)
    try:
        engine.load(path, asked=True)
        placement = engine.status().placement
        answers = _answers(engine, cancelled, seconds)
    finally:
        engine.close()
    if cancelled() or placement is None:
        return None
    long = [one for one in answers if one.new_tokens >= speed_file.SHORTEST] or answers
    fresh = [one for one in answers if one.prompt_tokens - one.cached_tokens >= _READ_TOKENS // 2] or answers
    decode = max((one.tokens_per_second for one in long), default=0.0)
    prefill = max(
        ((one.prompt_tokens - one.cached_tokens) / max(one.prefill_seconds, 1e-9) for one in fresh), default=0
    )
    return decode, prefill, work(read_header(path), placement.context)


def _answers(engine: Engine, cancelled: Cancelled, seconds: float) -> list[Finish]:
    """Answers to long questions that begin differently, so that nothing of them is remembered."""
    found: list[Finish] = []
    end = time.monotonic() + seconds
    while len(found) < _MOST_ANSWERS and time.monotonic() < end and not cancelled():
        text = f"{len(found) + 1} {_PROMPT * (_READ_TOKENS // 20)}"
        sampling = Sampling(temperature=1.0, seed=len(found))
        request = Request((Message("user", text),), sampling, max_tokens=_TOKENS)
        found += [event for event in engine.generate(request, cancelled) if isinstance(event, Finish)]
    return found
