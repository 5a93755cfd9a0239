"""How threads wait: what is set for OpenMP, what is found of the machine, and a real team of OpenMP that is held."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgellm.engine import process
from edgellm.paths import starter_model
from edgellm.runtimes import llama_spin
from edgellm.runtimes.llama_spin import BRIEF, Spin, prepare

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP is steered on Linux alone")
_PATIENCE = 30.0
_CHILD = """
import sys
from pathlib import Path
from edgellm.runtimes.base import Message, Placement, Request
from edgellm.runtimes.llama import LlamaRuntime
runtime = LlamaRuntime.load(Path(sys.argv[1]), Placement(context=1024, threads=2))
print("ready", flush=True)
while True:
    for _ in runtime.generate(Request((Message("user", "Tell me a story about a dog."),), max_tokens=200)):
        pass
    print("brief" if runtime._spin.brief else "long", flush=True)
"""


class Machine:
    """A machine whose threads wait for a core for `share` of the time."""

    def __init__(self, library: object, threads: int = 2) -> None:
        self.share = 0.0
        self.now = 0.0
        self._waited = 0.0
        self._threads = threads
        self.spin = Spin(library, threads, lambda: self._waited)

    def run(self, seconds: float) -> None:
        """Let time pass, in steps as short as those of the thread that watches."""
        self.spin.begin()
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self._waited += 0.02 * self.share * self._threads
            self.spin.look(self.now)


@pytest.fixture
def openmp() -> ctypes.CDLL:
    return ctypes.CDLL("libgomp.so.1")


@pytest.fixture
def machine(openmp: ctypes.CDLL) -> Iterator[Machine]:
    made = Machine(openmp)
    yield made
    made.spin.close()


def tasks() -> int:
    return len(os.listdir("/proc/self/task"))


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_an_engine_spins_long_because_that_can_be_taken_back() -> None:
    environment = process.environment({})
    assert environment["GOMP_SPINCOUNT"] == BRIEF, "what does not steer it waits briefly"
    prepare(environment)
    assert int(environment["GOMP_SPINCOUNT"]) > 100 * int(BRIEF)
    assert environment["OMP_WAIT_POLICY"] == "active"


@pytest.mark.parametrize("own", [{"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "passive"}, {"GOMP_SPINCOUNT": "300000"}])
def test_what_the_person_has_set_stays(own: dict[str, str]) -> None:
    environment = process.environment(own)
    before = dict(environment)
    prepare(environment)
    assert environment == before


def test_a_team_is_held_while_the_machine_is_busy(machine: Machine) -> None:
    before = tasks()
    machine.share = 0.4
    machine.run(0.3)
    assert machine.spin.brief
    until(lambda: tasks() >= before + 2)
    assert len(os.sched_getaffinity(0)) < 2 + tasks() - before, "OpenMP manages more threads than there are processors"
    machine.share = 0.0
    machine.run(1.0)
    assert not machine.spin.brief
    until(lambda: tasks() <= before)


def test_a_moment_decides_nothing(machine: Machine) -> None:
    machine.share = 0.05
    machine.run(2)
    assert not machine.spin.brief
    machine.share = 0.4
    machine.run(0.3)
    for _ in range(4):
        machine.share = 0.0
        machine.run(0.3)
        machine.share = 0.05
        machine.run(0.3)
        assert machine.spin.brief, "it was never quiet for long"


def test_what_happened_between_two_answers_does_not_count(machine: Machine) -> None:
    machine.run(0.3)
    machine._waited += 100
    machine.run(1)
    assert not machine.spin.brief


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_is_steered_where_nothing_can_be(openmp: ctypes.CDLL, threads: int) -> None:
    machine = Machine(openmp if threads == 1 else object(), threads)
    machine.share = 0.9
    machine.run(1)
    assert not machine.spin.brief


def test_a_real_engine_beside_busy_programs_waits_briefly() -> None:
    busy = [sys.executable, "-c", "while True: pass"]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(starter_model())],
        env=process.environment(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    others: list[subprocess.Popen[bytes]] = []
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        others = [subprocess.Popen(busy) for _ in os.sched_getaffinity(0)]
        end = time.monotonic() + _PATIENCE
        while child.stdout.readline() != "brief\n":
            assert time.monotonic() < end, "it never found the machine busy"
    finally:
        child.kill()
        child.wait()
        for other in others:
            other.kill()
            other.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_threads_that_end_while_they_are_looked_at_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, waited in enumerate((1_000_000_000, 2_000_000_000, 4_000_000_000)):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "schedstat").write_text(f"7 {waited} 9")
    (tmp_path / "3").mkdir()  # gone before it is opened
    whole = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.parent.name == "1":  # gone before it is read
            raise ProcessLookupError(errno.ESRCH, "No such process")
        return whole(path)

    monkeypatch.setattr(llama_spin, "_TASKS", tmp_path)
    monkeypatch.setattr(Path, "read_bytes", read)
    environment = {"GOMP_SPINCOUNT": BRIEF}
    prepare(environment)
    assert environment["GOMP_SPINCOUNT"] != BRIEF
