"""Finds the llama.cpp settings with which a model is fastest on this processor, in about a minute, and keeps them.

Each candidate runs in an engine of its own: it reads some 256 tokens and writes 24. The candidates take turns, so that
what other programs do in between hits all alike; one that crashes is left out, and nothing else remembers it. What is
tried and what wins is decided in `runtimes/tuning.py`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from edgellm.engine.selftest import Bench
from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.errors import EdgeError, EngineError, StorageError, UsageError
from edgellm.hardware import measure, power
from edgellm.hardware.measure import Progress
from edgellm.models.gguf import read_header
from edgellm.runtimes import speed_file, tuning
from edgellm.runtimes.base import Cancelled, Choice, Finish, Message, Placement, Request, Sampling
from edgellm.runtimes.plans import kind_of
from edgellm.runtimes.speed import Tuned, file_key, machine_name
from edgellm.runtimes.speed_report import BUSY
from edgellm.runtimes.tuning import READ, WRITTEN, Change, Pace

SECONDS = 60.0
_ROUNDS = 7
_ANSWER = 24  # tokens
_LEAST_ANSWER = 8
_FIGURES_WHEN_BUSY = 3
_PROMPT = "Tell me about the weather, the market, the station and the house in the village by the river, please. "
_TIMES = 11  # it makes some 256 tokens
_KEPT = 0.3  # share of the free memory that engines waiting for their turn may hold


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was found: the winner, a sentence for each setting that was tried, and what speaks against the figures.

    `pace` is that of the winner, `before` that of the usual settings; tokens a second. `rounds` is how often each was
    run.
    """

    tuned: Tuned
    pace: Pace
    before: Pace
    sentences: tuple[str, ...]
    caveats: tuple[str, ...]
    rounds: int

    @property
    def saved(self) -> float:
        """The share of a typical request's time that the winner saves."""
        return 1 - self.pace.seconds / self.before.seconds

    @property
    def summary(self) -> str:
        """The result as a sentence, with the rule that decided."""
        typical = f"reading {READ} tokens and writing {WRITTEN}"
        if self.saved <= 0:
            return f"The usual settings are kept: {typical} takes {self.before.seconds:.1f} s with them."
        return f"Kept from now on: {typical} takes {self.pace.seconds:.1f} s instead of {self.before.seconds:.1f} s."

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return {
            "tuned": asdict(self.tuned),
            "before": asdict(self.before),
            "seconds": round(self.pace.seconds, 3),
            "seconds_before": round(self.before.seconds, 3),
            "sentences": list(self.sentences),
            "caveats": list(self.caveats),
            "rounds": self.rounds,
        }


@dataclass(slots=True)
class _Candidate:
    """A placement in the race, with its figures so far and its engine while that waits for its turn."""

    placement: Placement
    change: Change | None = None
    prefill: list[float] = field(default_factory=list)
    decode: list[float] = field(default_factory=list)
    failed: bool = False
    engine: Engine | None = None

    @property
    def pace(self) -> Pace | None:
        """Its pace; None while it has none."""
        return Pace.of(self.prefill, self.decode) if self.decode and not self.failed else None


def run(bench: Bench, path: Path, progress: Progress, cancelled: Cancelled, seconds: float = SECONDS) -> Tuning | None:
    """Measure, and keep the winner for this model; None, and nothing is kept, when `cancelled` said so.

    `progress` gets a step in words and the share that is done. Raises an `EdgeError`.
    """
    if kind_of(path) != "gguf":
        raise UsageError("Only GGUF models have settings to try.", "Name one with --model.")
    progress("looking whether other programs are busy", 0.0)
    busy = measure.busy_share()
    progress("loading the model", 0.02)
    with _Race(bench, path, cancelled) as race:
        base = race.usual()
        options = tuning.changes(base, bench.hardware, bench.settings)
        racers = [_Candidate(base), *(_Candidate(change.of(base), change) for change in options)]
        rounds = race.run(racers, progress, seconds * 0.8)
        usual = racers[0].pace
        if cancelled():
            return None
        if usual is None:
            raise EngineError("The model did not run with its usual settings.", "Run: edgellm doctor")
        taken = [one for one in racers[1:] if _gains(one, usual, busy >= BUSY)]
        best = race.final(base, usual, taken, progress, seconds * 0.2)
        if cancelled():
            return None
    winner = _tuned(bench, path, best)
    if not speed_file.keep_tuned(bench.paths.machine, machine_name(bench.hardware, bench.build), winner):
        raise StorageError("The result could not be kept.", "Check the free space and the folder's permissions.")
    progress("done", 1.0)
    pace = best.pace or usual
    missed = [one.change.words for one in racers[1:] if one.change and not one.decode and not one.failed]
    return Tuning(winner, pace, usual, _sentences(racers, usual, best), tuple(_caveats(busy, rounds, missed)), rounds)


def _gains(one: _Candidate, usual: Pace, busy: bool) -> bool:
    """Whether it wins. A single figure is rough, and on a busy computer so are two."""
    if one.pace is None or one.change is None or (busy and len(one.decode) < _FIGURES_WHEN_BUSY):
        return False
    return tuning.gains(one.change, usual, one.pace, busy or len(one.decode) < 2)


def _tuned(bench: Bench, path: Path, best: _Candidate) -> Tuned:
    header, placement, pace = read_header(path), best.placement, best.pace
    return Tuned(
        key=file_key(path.name, header.file_size),
        title=header.name[:80],
        time=int(time.time()),
        threads=placement.threads,
        batch=bench.settings.batch or placement.batch,
        kv_type=placement.kv_type,
        repack=placement.repack,
        flash=placement.flash,
        decode=round(pace.decode, 3) if pace else 0.0,
        prefill=round(pace.prefill, 2) if pace else 0.0,
    )


def _sentences(candidates: list[_Candidate], usual: Pace, best: _Candidate) -> tuple[str, ...]:
    found = []
    for one in candidates:
        if one.change is not None and (one.failed or one.pace is not None):
            taken = getattr(best.placement, one.change.part) == one.change.value
            found.append(tuning.sentence(one.change, usual, one.pace, taken))
    return tuple(found)


def _caveats(busy: float, rounds: int, missed: list[str]) -> Iterator[str]:
    if busy >= BUSY:
        yield (
            f"Other programs used {busy:.0%} of the processor, so only large differences that were seen "
            f"{_FIGURES_WHEN_BUSY} times counted; tune again when it is quiet."
        )
    if power.read().on_battery:
        yield "It ran on battery; plugged in it may be different."
    if missed:
        yield f"There was no time to try it {', '.join(missed)}."
    elif rounds < 2:
        yield "There was time for one round only, so the figures are rough."


class _Race:
    """Runs candidates in turn. Use as a context: leaving it ends all engines and forgets what they remembered."""

    def __init__(self, bench: Bench, path: Path, cancelled: Cancelled) -> None:
        self._bench = bench
        self._path = path
        self._cancelled = cancelled
        self._stack = ExitStack()
        self._asked = 0

    def __enter__(self) -> _Race:
        scratch = Path(self._stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self._scratch = replace(self._bench.paths, machine=scratch / "machine.toml")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def usual(self) -> Placement:
        """How the model runs here with what is chosen from its header alone, after whatever crashed. Raises."""
        engine = Engine(self._bench.paths, self._bench.plan)
        try:
            engine.load(self._path, asked=True)
            placement = engine.status().placement
        finally:
            engine.close()
        if placement is None:
            raise EngineError("The model did not load.", "Run: edgellm doctor")
        return placement

    def run(self, candidates: list[_Candidate], progress: Progress, seconds: float) -> int:
        """Run the candidates round by round until the time is over; how many rounds all of them had."""
        start = time.monotonic()
        keep = self._path.stat().st_size * len(candidates) < self._bench.hardware.memory.free * _KEPT
        for done in range(_ROUNDS):
            for one in candidates:
                used = (time.monotonic() - start) / seconds
                if self._cancelled() or (used >= 1 and candidates[0].decode):
                    return done
                if not one.failed:
                    what = one.change.words if one.change else "with the usual settings"
                    progress(f"trying it {what}, round {done + 1}", min(0.1 + 0.7 * used, 0.8))
                    self._measure(one, keep)
        return _ROUNDS

    def final(
        self, base: Placement, usual: Pace, taken: list[_Candidate], progress: Progress, seconds: float
    ) -> _Candidate:
        """The winner: what gained alone, or all of that together if it is faster still."""
        singles = sorted(taken, key=lambda one: one.pace.seconds if one.pace else float("inf"))
        best = singles[0] if singles else _Candidate(base, None, [usual.prefill], [usual.decode])
        placement = tuning.together((one.change for one in singles if one.change), base)
        if placement in (best.placement, base) or self._cancelled():
            return best
        both = _Candidate(placement)
        start = time.monotonic()
        while len(both.decode) < 2 and not both.failed and not self._cancelled():
            progress("trying it with all that helped", 0.85)
            self._measure(both, True)
            if time.monotonic() - start > seconds:
                break
        return both if both.pace and best.pace and both.pace.seconds < best.pace.seconds else best

    def _measure(self, one: _Candidate, keep: bool) -> None:
        """One prompt and its answer. A candidate that fails is out."""
        with self._engine(one, keep) as engine:
            try:
                finish = self._answer(engine)
            except EdgeError:
                one.failed = True
                return
        read = finish.prompt_tokens - finish.cached_tokens
        if finish.reason == "cancelled" or finish.new_tokens < _LEAST_ANSWER or finish.prefill_seconds <= 0:
            return
        one.prefill.append(read / finish.prefill_seconds)
        one.decode.append(finish.tokens_per_second)

    @contextmanager
    def _engine(self, one: _Candidate, keep: bool) -> Iterator[Engine]:
        """The candidate's engine. It is loaded when it is first asked, and ends at once unless `keep`."""
        if one.engine is None:
            rung = Choice(one.placement, "tried for its speed")
            one.engine = Engine(self._scratch, lambda _path, _anyway: Plan((rung,), "a trial"))
            self._stack.callback(one.engine.close)
        yield one.engine
        if not keep or one.failed:
            one.engine.close()
            one.engine = None

    def _answer(self, engine: Engine) -> Finish:
        self._asked += 1
        engine.load(self._path, asked=True)
        text = f"{self._asked} {_PROMPT * _TIMES}"  # it begins differently each time, so that nothing is remembered
        request = Request((Message("user", text),), Sampling(temperature=1.0, seed=self._asked), max_tokens=_ANSWER)
        last: Finish | None = None
        for event in engine.generate(request, self._cancelled):
            last = event if isinstance(event, Finish) else last
        if last is None:
            raise EngineError("The model gave no answer.", "Try again.")
        return last
