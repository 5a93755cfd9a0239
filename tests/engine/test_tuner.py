"""Tests of tuning with the real engine: the starter is run in several ways, a candidate dies, a person stops it."""

from __future__ import annotations

import os
import signal
import threading
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from edgellm.engine import tuner
from edgellm.engine.selftest import Bench
from edgellm.errors import UsageError
from edgellm.hardware import probe
from edgellm.paths import Paths, starter_model
from edgellm.runtimes import build, speed_file, tuning
from edgellm.runtimes.base import Placement
from edgellm.runtimes.select import choose
from edgellm.runtimes.speed import machine_name
from edgellm.runtimes.tuning import Change
from edgellm.settings import Settings


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """This computer, with a home of its own."""
    library = build.inspect()
    paths = Paths.under(tmp_path, tmp_path, tmp_path / "logs")
    return Bench(paths, probe.probe(library.library_dir), Settings(), library)


def only(monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    """Try these settings alone, so that the test is short."""
    real = tuning.changes

    def some(placement: Placement, *rest: object) -> Sequence[Change]:
        found = {one.part: one for one in reversed(real(placement, *rest))}  # type: ignore[arg-type]
        return tuple(found[part] for part in parts)

    monkeypatch.setattr(tuning, "changes", some)


def test_the_starter_is_tuned_kept_and_then_chosen_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "repack", "flash")
    steps: list[tuple[str, float]] = []
    found = tuner.run(bench, starter_model(), lambda step, done: steps.append((step, done)), lambda: False, 15.0)
    assert found is not None
    assert [sentence.split(" it ")[0] for sentence in found.sentences] == [
        "Without rearranged weights",
        "Without flash attention",
    ]
    assert found.rounds >= 1
    assert min(found.pace.decode, found.pace.prefill, found.before.decode, found.before.prefill) > 0
    assert found.pace.seconds <= found.before.seconds
    assert found.summary.endswith(" s with them.") or found.summary.startswith("Kept from now on: ")
    assert steps[-1] == ("done", 1.0)
    assert [done for _, done in steps] == sorted(done for _, done in steps)
    speeds = speed_file.load(bench.paths.machine, machine_name(bench.hardware, bench.build))
    assert speeds.tuned == (found.tuned,)
    facts = tomllib.loads(bench.paths.machine.read_text())["engine"]["fact"]
    assert [fact["result"] for fact in facts] == ["proven"], "what was only tried is not remembered"
    from edgellm.models.gguf import read_header

    chosen = choose(read_header(starter_model()), bench.hardware, bench.settings, bench.build, tuned=found.tuned)
    assert chosen.parts["flash"].reason == f"measured here on {found.tuned.day}"
    assert chosen.choice.value.repack is found.tuned.repack


def test_a_candidate_that_dies_is_left_out_and_the_others_go_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "repack", "flash")
    mine = psutil.Process()
    ended = threading.Event()

    def kill(step: str, _done: float) -> None:
        """End the process of the candidate without rearranged weights, once it is there."""
        if "without rearranged" not in step or ended.is_set():
            return
        before = {child.pid for child in mine.children()}

        def wait() -> None:
            for _ in range(2000):
                for child in mine.children():
                    if child.pid not in before:
                        os.kill(child.pid, getattr(signal, "SIGSEGV", signal.SIGTERM))
                        ended.set()
                        return
                time.sleep(0.005)

        threading.Thread(target=wait, daemon=True).start()

    found = tuner.run(bench, starter_model(), kill, lambda: False, 15.0)
    assert ended.is_set()
    assert found is not None
    assert "Without rearranged weights it did not run: kept on." in found.sentences
    assert len(found.sentences) == 2
    assert found.tuned.repack is True
    assert not any(name == "crashed" for name in bench.paths.machine.read_text().split('"'))


def test_stopping_keeps_nothing_and_leaves_no_process(bench: Bench) -> None:
    stop = threading.Event()

    def progress(step: str, _done: float) -> None:
        if "round 1" in step and "usual" not in step:
            stop.set()

    before = {child.pid for child in psutil.Process().children()}
    assert tuner.run(bench, starter_model(), progress, stop.is_set, 30.0) is None
    speeds = speed_file.load(bench.paths.machine, machine_name(bench.hardware, bench.build))
    assert speeds.tuned == ()
    assert {child.pid for child in psutil.Process().children() if child.is_running()} <= before


def test_a_model_of_another_kind_is_refused(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Only GGUF models"):
        tuner.run(bench, tmp_path / "a.fake.json", lambda *_: None, lambda: False)


@pytest.mark.parametrize(
    ("figures", "busy", "wins"),
    [
        ([24.0, 24.0], False, True),  # a fifth faster, seen twice on a quiet computer
        ([21.5, 21.5], False, True),
        ([21.5], False, False),  # one figure is rough
        ([40.0], False, True),
        ([40.0, 40.0], True, False),  # two figures on a busy computer are rough too
        ([40.0, 40.0, 40.0], True, True),
        ([21.5, 21.5, 21.5], True, False),
        ([], False, False),
    ],
)
def test_rough_figures_change_little(figures: list[float], busy: bool, wins: bool) -> None:
    flash = Change("flash", False, "", "", "")
    one = tuner._Candidate(Placement(flash=False), flash, [100.0 * rate / 20 for rate in figures], figures)
    assert tuner._gains(one, tuning.Pace(100.0, 20.0), busy) is wins
    one.failed = True
    assert not tuner._gains(one, tuning.Pace(100.0, 20.0), busy)
