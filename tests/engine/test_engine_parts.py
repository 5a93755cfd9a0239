"""Tests of the engine's parts that need no process: sentences about ends, patience, memory, environment, merging."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from edgellm.engine import process
from edgellm.engine.channel import Channel
from edgellm.engine.history import Case, History
from edgellm.engine.host import TextSender
from edgellm.engine.memory import Memory, model_key, placement_key
from edgellm.engine.outcome import Exit, Outcome, explain
from edgellm.engine.patience import Limits, Patience, Silence
from edgellm.engine.protocol import Text
from edgellm.engine.status import describe, device_label
from edgellm.engine.turn import Turn
from edgellm.errors import UsageError
from edgellm.runtimes.base import Placement

_PLACE = Placement(cpu_variant="haswell")


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        (Exit(-signal.SIGSEGV, "loading"), "crash", "while loading"),
        (Exit(-signal.SIGILL, "testing"), "crash", "at its first token"),
        (Exit(-signal.SIGKILL, "loading", memory_short=True), "memory", "out of memory while loading"),
        (Exit(-signal.SIGKILL, "generating"), "ended", "ended from outside"),
        (Exit(-signal.SIGTERM, "waiting"), "ended", "SIGTERM"),
        (Exit(-signal.SIGABRT, "loading", stderr="what(): std::bad_alloc"), "memory", "out of memory"),
        (Exit(-signal.SIGABRT, "loading", stderr="GGML_ASSERT(x) failed"), "crash", "gave up"),
        (Exit(0xC0000005, "generating"), "crash", "SIGSEGV"),
        (Exit(0xC0000005 - (1 << 32), "generating"), "crash", "SIGSEGV"),
        (Exit(0xC000001D, "testing"), "crash", "SIGILL"),
        (Exit(0xC0000017, "loading"), "memory", "out of memory"),
        (Exit(1, "starting", stderr="No module named msgpack"), "crash", "could not start"),
        (Exit(7, "generating"), "crash", "status 7"),
        (Exit(0, "waiting"), "crash", "status 0"),
        (Exit(-signal.SIGKILL, "generating", "silent"), "silent", "stopped answering"),
        (Exit(-signal.SIGKILL, "generating", "stopped"), "ended", "halted from outside"),
        (Exit(-signal.SIGKILL, "generating", "stuck"), "stuck", "did not stop"),
        (Exit(-signal.SIGKILL, "loading", "slow"), "silent", "too long while loading"),
        (Exit(-signal.SIGKILL, "generating", "garbage"), "garbage", "garbage"),
        (Exit(-signal.SIGKILL, "loading", "closed", memory_short=True), "closed", "closed"),
        (Exit(-60, "generating"), "ended", "signal 60"),
    ],
)
def test_every_end_has_a_sentence(end: Exit, kind: str, words: str) -> None:
    outcome = explain(end)
    assert outcome.kind == kind
    assert words in outcome.sentence
    assert outcome.sentence.endswith(".")
    assert outcome.hint
    assert outcome.counts == (kind in ("crash", "memory", "silent", "garbage"))


def test_out_of_memory_names_the_way_out() -> None:
    outcome = explain(Exit(-9, "loading", memory_short=True))
    assert (outcome.sentence, outcome.hint) == (
        "The engine stopped: out of memory while loading.",
        "Try a 2k context.",
    )


def test_a_suspended_machine_uses_up_no_patience() -> None:
    now = [100.0]
    patience, silence = Patience(lambda: now[0]), Silence(Limits(silence=10, stopped=2), lambda: now[0])
    for gap in (0.02, 8 * 3600, 0.02, -3600, 0.02):  # asleep for a night, then the clock jumps back
        now[0] += gap
        patience.step()
        silence.step(0)
    assert patience.seconds < 0.5
    assert not silence.suspicious
    pings = 0
    for _ in range(600):
        now[0] += 0.02
        pings += silence.step(0)
    assert silence.over
    assert 10 <= pings <= 12
    silence.step(1)  # something was heard
    assert not silence.over


class TestMemory:
    """`machine.toml`."""

    def test_facts_hold_for_one_model_machine_and_build(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "machine.toml"
        Memory(path).note("m", "here", "cpu", "crashed", 'It said "no" \n twice.')
        memory = Memory(path)
        assert dict(memory.crashed("m", "here")) == {"cpu": 'It said "no" \n twice.'}
        assert not memory.crashed("m", "new build")
        assert not memory.crashed("n", "here")
        memory.note("m", "here", "cpu", "proven")
        assert not memory.crashed("m", "here")
        assert memory.proven("m", "here") == {"cpu"}
        memory.note("n", "new build", "cpu", "proven")
        assert not memory.proven("m", "here"), "facts of an old build are kept for ever"

    def test_other_tables_and_broken_files(self, tmp_path: Path) -> None:
        path = tmp_path / "machine.toml"
        path.write_text('# mine\n[measured]\nspeed = 3\n[engine]\nfact = ["odd", {result = "proven"}, 3]\n')
        memory = Memory(path)
        assert not memory.proven("m", "here")
        memory.note("m", "here", "cpu", "proven")
        assert "# mine\n[measured]\nspeed = 3" in path.read_text()
        for broken in (b"[[[", b"\xff\xfe", b"engine = 3", b"", b"x" * 2_000_000):
            path.write_bytes(broken)
            assert not memory.proven("m", "here")
            memory.note("m", "here", "cpu", "proven")
            assert memory.proven("m", "here")
        assert {file.name for file in tmp_path.iterdir()} == {"machine.toml", ".machine.toml.lock"}

    def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(self, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("")
        Memory(blocked / "machine.toml").note("m", "here", "cpu", "proven")

    def test_marks_fade_and_go(self, tmp_path: Path) -> None:
        now = [1_000_000.0]
        memory = Memory(tmp_path / "machine.toml", lambda: now[0])
        memory.note("m", "here", "", "marked", "It aborted.")
        assert memory.marked("m", "here") == "It aborted."
        now[0] += 8 * 24 * 3600
        assert memory.marked("m", "here") == ""
        now[0] -= 8 * 24 * 3600
        memory.unmark("m")
        assert memory.marked("m", "here") == ""

    def test_facts_are_bounded(self, tmp_path: Path) -> None:
        path = tmp_path / "machine.toml"
        lines = 'machine = "here"\nplacement = "cpu"\nresult = "proven"\nwhat = ""\ntime = 1\n'
        path.write_text("".join(f'[[engine.fact]]\nmodel = "m{number}"\n{lines}' for number in range(130)))
        memory = Memory(path)
        assert memory.proven("m0", "here")
        memory.note("new", "here", "cpu", "proven")
        assert path.read_text().count("[[engine.fact]]") == 100
        assert memory.proven("new", "here")
        assert memory.proven("m129", "here")
        assert not memory.proven("m0", "here")

    def test_keys(self, tmp_path: Path) -> None:
        assert model_key(tmp_path / "none.gguf") == ""
        file = tmp_path / "a.gguf"
        file.write_bytes(b"1")
        first = model_key(file)
        file.write_bytes(b"22")
        assert model_key(file) != first
        assert placement_key(_PLACE) == placement_key(Placement(cpu_variant="haswell", context=99, threads=7))
        assert placement_key(_PLACE) != placement_key(Placement(cpu_variant="haswell", repack=False))


def test_three_crashes_count_only_within_a_minute(tmp_path: Path) -> None:
    now = [0.0]
    history = History(Memory(tmp_path / "machine.toml"), lambda: now[0])
    case, crash = Case("m", "here", _PLACE), Outcome("crash", "It aborted.")
    answers = []
    for _ in range(4):
        now[0] += 31
        answers.append(history.failed(case, crash, True))
    assert answers == [False] * 4
    now[0] += 1
    assert history.failed(case, crash, True)
    assert history.marked("m", "here") == "It aborted."
    history.unmark("m")
    assert not history.failed(case, crash, True)


def test_running_out_of_memory_is_not_held_against_the_model(tmp_path: Path) -> None:
    history = History(Memory(tmp_path / "machine.toml"), lambda: 0.0)
    short = Outcome("memory", "The engine stopped: out of memory while loading.")
    for context in (4096, 2048, 1024, 512):  # the ladder goes on: each step needs less
        case = Case("m", "here", Placement(cpu_variant="haswell", context=context))
        assert not history.failed(case, short, answering=False)
        assert history.why_not(case)
    answers = [history.failed(case, short, answering=True) for _ in range(3)]
    assert answers == [False, False, True], "the same death again and again is a loop"
    assert history.marked("m", "here") == ""


def test_the_environment_of_an_engine() -> None:
    outer = {
        "PATH": "/bin", "HF_TOKEN": "x", "OPENAI_API_KEY": "x", "HTTPS_PROXY": "http://me:x@proxy", "MY_SECRET": "x",
        "DB_PASSWORD": "x", "AWS_ACCESS_KEY_ID": "x", "KEYBOARD": "us",
    }  # fmt: skip
    inner = process.environment(outer)
    assert "x" not in inner.values()
    assert "HTTPS_PROXY" not in inner
    assert (inner["PATH"], inner["KEYBOARD"], inner["GOMP_SPINCOUNT"]) == ("/bin", "us", "1000")
    assert process.environment({"GOMP_SPINCOUNT": "5"})["GOMP_SPINCOUNT"] == "5"


def test_empty_reports_of_engines_that_are_gone_are_swept(tmp_path: Path) -> None:
    gone = next(pid for pid in range(4_000_000, 1, -1) if not psutil.pid_exists(pid))
    for pid, text in ((gone, ""), (os.getpid(), ""), (gone - 1, "Fatal Python error")):
        (tmp_path / process.crash_name(pid)).write_text(text)
    process.sweep(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        (process.crash_name(os.getpid()), process.crash_name(gone - 1))
    )
    for number in range(30):
        (tmp_path / f"engine-9{number}.txt").write_text("Fatal")
    process.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 20
    process.sweep(tmp_path / "missing")


def test_labels() -> None:
    assert device_label(Placement()) == "CPU"
    assert device_label(Placement(device="cuda:0", gpu_layers=9)) == "GPU (CUDA)"
    assert describe(Placement(cpu_variant="haswell", repack=False)) == "CPU, haswell, no repacking, 4k context"
    assert describe(Placement(device="metal", gpu_layers=20, context=512)) == "GPU (Metal), 20 layers, context of 512"


@pytest.fixture
def pipe() -> Iterator[tuple[Channel, Channel]]:
    """Both ends of a pipe."""
    incoming, outgoing = os.pipe()
    yield Channel(incoming, -1), Channel(-1, outgoing)
    os.close(outgoing)
    os.close(incoming)


def test_text_is_merged_without_delay_and_without_loss(pipe: tuple[Channel, Channel]) -> None:
    reader, writer = pipe
    got: list[tuple[float, Any]] = []

    def read() -> None:
        for message in reader:
            got.append((time.monotonic(), message))
            if isinstance(message, Text) and message.text.endswith("!"):
                return

    thread = threading.Thread(target=read)
    thread.start()
    sender = TextSender(writer)
    sender.start(1)
    for number in range(500):
        sender.add(f"{number} ")
    time.sleep(0.2)  # nothing more comes, and yet the rest is sent
    before = len(got)
    rest = time.monotonic()
    sender.add("end!")
    sender.finish()
    thread.join()
    texts = [message.text for _, message in got]
    assert "".join(texts) == "".join(f"{number} " for number in range(500)) + "end!"
    assert texts[0] == "0 "
    assert len(texts) < 100
    assert "".join(texts[:before]).endswith("499 ")
    assert got[-1][0] >= rest


def test_a_turn_is_waited_for_but_not_by_its_own_thread() -> None:
    turn, order = Turn(), []

    def other() -> None:
        with turn.taken():
            order.append("other")

    with turn.taken():
        thread = threading.Thread(target=other)
        thread.start()
        with pytest.raises(UsageError), turn.taken():
            pass
        order.append("mine")
    thread.join()
    assert order == ["mine", "other"]
