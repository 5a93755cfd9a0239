"""A model that crashes three times in a minute is marked and not loaded at the next start: ten times out of ten.

Real engine processes and the scripted runtime; each case dies in its own way, at its own place in the answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import FIRST, OLD, PLAIN, Bench, answer, ask, plan

from edgellm.errors import EngineError

_ROOT = Path(__file__).resolve().parents[2]
_WAYS = [(kind, after) for kind in ("abort", "segfault", "illegal", "exit", "leave") for after in (1, 4)]
_NEXT_START = """
import sys
from pathlib import Path
from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.errors import EngineError
from edgellm.paths import Paths
from edgellm.runtimes.base import Choice, Placement
folder = Path(sys.argv[1])
rungs = (Choice(Placement(runtime="fake", cpu_variant="new"), "Reason."),)
engine = Engine(Paths.under(folder, folder, folder / "logs"), lambda path, anyway: Plan(rungs, "here"))
for name in sys.argv[2:]:
    try:
        engine.load(Path(name))
        print("loaded")
    except EngineError as error:
        print("refused" if "was not loaded: it crashed three times" in error.message else error.message)
    print(engine.status().state)
engine.close()
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.skipif(os.name == "nt", reason="the ways to die are signals")
@pytest.mark.parametrize(("kind", "after"), _WAYS)
def test_three_crashes_mark_it_for_the_next_start(bench: Bench, kind: str, after: int) -> None:
    path = bench.script("bad", faults=[{"prompt": "boom", "after": after, "kind": kind}])
    other = bench.script("good")
    engine = bench.engine(plan(FIRST, PLAIN, OLD))
    engine.load(path, asked=True)
    errors: list[str] = []
    for _ in range(3):
        with pytest.raises(EngineError) as caught:
            list(engine.generate(ask("boom " * 10)))
        errors.append(caught.value.message)
    assert ["three times within a minute" in message for message in errors] == [False, False, True]
    engine.close()

    later = bench.engine(plan(FIRST, PLAIN, OLD))
    with pytest.raises(EngineError, match="was not loaded: it crashed three times") as refused:
        later.load(path)
    assert "or choose another model" in refused.value.hint
    assert (later.status().state, later.status().pid) == ("stopped", None)
    later.load(other)
    assert answer(later, ask("all is well")) == "all is well", "other models are not concerned"
    later.close()

    person = bench.engine(plan(FIRST, PLAIN, OLD))
    person.load(path, asked=True)
    assert answer(person, ask("harmless")) == "harmless", "a person who names it gets it"


def test_the_mark_holds_in_another_process(bench: Bench) -> None:
    path = bench.script("bad", faults=[{"prompt": "boom", "kind": "abort"}])
    engine = bench.loaded(plan(FIRST, PLAIN, OLD))
    engine.load(path, asked=True)
    for _ in range(3):
        with pytest.raises(EngineError):
            list(engine.generate(ask("boom")))
    engine.close()
    done = subprocess.run(
        [sys.executable, "-c", _NEXT_START, str(bench.folder), str(path), str(bench.script("good"))],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        check=False,
    )
    assert done.stdout.split() == ["refused", "stopped", "loaded", "ready"], done.stdout + done.stderr
