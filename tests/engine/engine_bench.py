"""What the engine's tests work on: a folder, scripted models, engines that are closed at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edgellm.engine.patience import Limits
from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine, Planner
from edgellm.errors import EngineError
from edgellm.paths import Paths
from edgellm.runtimes.base import Choice, Chunk, Event, Finish, Message, Placement, Request

FIRST = Placement(runtime="fake", cpu_variant="new")
PLAIN = Placement(runtime="fake", cpu_variant="new", repack=False)
OLD = Placement(runtime="fake", cpu_variant="old", repack=False)
SMALL = Placement(runtime="fake", cpu_variant="old", repack=False, context=1024)
QUICK = Limits(silence=2.5, stopped=0.5, settle=1.5)  # an engine on a busy machine must not look dead


def plan(*placements: Placement, machine: str = "here") -> Planner:
    """A planner that always gives these placements."""
    rungs = tuple(Choice(placement, f"Reason {number}.") for number, placement in enumerate(placements))
    return lambda _path, _anyway: Plan(rungs or (Choice(FIRST, "Reason 0."),), machine)


class Bench:
    """One test's things."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = Paths.under(folder, folder, folder / "logs")
        self._engines: list[Engine] = []

    def script(self, name: str = "model", **keys: Any) -> Path:
        """A scripted model."""
        path = self.folder / f"{name}.fake.json"
        path.write_text(json.dumps(keys))
        return path

    def engine(self, planner: Planner | None = None, limits: Limits = QUICK) -> Engine:
        """A supervisor."""
        engine = Engine(self.paths, planner or plan(), limits)
        self._engines.append(engine)
        return engine

    def loaded(self, planner: Planner | None = None, **keys: Any) -> Engine:
        """A supervisor with a scripted model in it."""
        engine = self.engine(planner)
        engine.load(self.script(**keys))
        return engine

    def close(self) -> None:
        """End every engine."""
        for engine in self._engines:
            engine.close()


def ask(text: str = "hello there", **keys: Any) -> Request:
    """A request with one message."""
    return Request((Message("user", text),), **keys)


def answer(engine: Engine, request: Request | None = None) -> str:
    """The text of a whole answer."""
    text, finish = split(list(engine.generate(request or ask())))
    assert finish is not None
    return text


def split(events: list[Event]) -> tuple[str, Finish | None]:
    """Text and facts of what came."""
    text = "".join(event.text for event in events if isinstance(event, Chunk))
    last = events[-1] if events else None
    return text, last if isinstance(last, Finish) else None


def broken(events: Iterable[Event], each: Callable[[int], None] = lambda _count: None) -> tuple[str, EngineError]:
    """What came of an answer before an `EngineError` ended it, and that error. `each` is called after every event."""
    text = ""
    try:
        for count, event in enumerate(events, 1):
            text += split([event])[0]
            each(count)
    except EngineError as error:
        return text, error
    raise AssertionError("the answer came to its end")


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
