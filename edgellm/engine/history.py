"""What crashed, and what follows from it: which placements to pass over, when to stop trying.

Joins what this session saw with what `memory` keeps from earlier ones. A crash of the native code while loading or at
the first token is remembered at once; one while answering when it happens a second time; silence, garbage and too
little memory only count for this session, because they can come from outside.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from edgellm.engine.memory import Memory, placement_key
from edgellm.engine.outcome import Outcome
from edgellm.runtimes.base import Placement

MOST_CRASHES = 3
WINDOW = 60.0
_STRIKES = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One model file, placed one way, on this machine and build."""

    model: str
    machine: str
    placement: Placement

    @property
    def way(self) -> str:
        """The placement as far as it matters for crashes."""
        return placement_key(self.placement)

    @property
    def room(self) -> tuple[str, str, int, str]:
        """What decides, together with the context, how much memory it takes and where."""
        placed = self.placement
        return self.model, placed.device, placed.gpu_layers, placed.kv_type


class History:
    """Belongs to one supervisor."""

    def __init__(self, memory: Memory, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory = memory
        self._clock = clock
        self._times: dict[str, deque[float]] = {}
        self._bad: dict[tuple[str, str], str] = {}
        self._strikes: Counter[tuple[str, str]] = Counter()
        self._too_large: dict[tuple[str, str, int, str], int] = {}

    def why_not(self, case: Case) -> str:
        """Why this way should be passed over, or an empty text."""
        key = (case.model, case.way)
        if case.placement.context >= self._too_large.get(case.room, 1 << 62):
            return "it ran out of memory before"
        if key in self._bad:
            return self._bad[key]
        return "it crashed here before" if self.remembered(case) else ""

    def remembered(self, case: Case) -> bool:
        """Whether it is on record that the native code crashed this way, not only that something failed today."""
        return case.way in self._memory.crashed(case.model, case.machine)

    def proven(self, case: Case) -> bool:
        """Whether this way has answered on this machine before."""
        return case.way in self._memory.proven(case.model, case.machine)

    def prove(self, case: Case) -> None:
        """It answered."""
        if not self.proven(case):
            self._memory.note(case.model, case.machine, case.way, "proven")

    def marked(self, model: str, machine: str) -> str:
        """Why the model must not be loaded unasked, or an empty text."""
        return self._memory.marked(model, machine)

    def unmark(self, model: str) -> None:
        """The person asked for the model again: it gets three new tries."""
        self._times.pop(model, None)
        self._memory.unmark(model)

    def failed(self, case: Case, outcome: Outcome, answering: bool) -> bool:
        """Note a crash. Whether it was the third within a minute, after which the model is marked.

        Want of memory marks nothing, and does not count while loading: the next step down needs less.
        """
        key = (case.model, case.way)
        self._strikes[key] += 1
        if outcome.kind == "memory":
            self.too_large(case)
            if not answering:
                return False
        elif not answering or self._strikes[key] >= _STRIKES:
            self._bad[key] = "it failed before"
            if outcome.kind == "crash":
                self._memory.note(case.model, case.machine, case.way, "crashed", outcome.sentence)
        times = self._times.setdefault(case.model, deque(maxlen=MOST_CRASHES))
        times.append(self._clock())
        if len(times) < MOST_CRASHES or times[-1] - times[0] > WINDOW:
            return False
        if outcome.kind != "memory":
            self._memory.note(case.model, case.machine, "", "marked", outcome.sentence)
        return True

    def too_large(self, case: Case) -> None:
        """Memory did not suffice for this context."""
        self._too_large[case.room] = case.placement.context
