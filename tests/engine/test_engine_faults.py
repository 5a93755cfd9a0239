"""What an engine process can suffer: kills, stops, garbage, a parent that dies. Nothing of it is left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from engine_bench import QUICK, Bench, answer, ask, broken, plan, wait_for

from edgellm.engine.supervisor import Engine
from edgellm.errors import EngineError, ModelDamaged
from edgellm.paths import starter_model
from edgellm.runtimes.base import Message, Placement

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")
_WORDS = "one two three four five six seven eight nine ten "


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def _pid(engine: Engine) -> int:
    pid = engine.status().pid
    assert pid is not None
    return pid


def _killer(pid: int, wanted: int) -> Callable[[int], None]:
    """Kills the process at the event with this number."""
    return lambda count: os.kill(pid, signal.SIGKILL) if count == wanted else None


@pytest.mark.timeout(400)  # fifty processes, on a machine that may be busy
def test_fifty_kills_fifty_recoveries_and_no_leak(bench: Bench) -> None:
    whole = _WORDS * 400
    engine = bench.loaded(reply=whole, seconds_per_token=0.002, context=100_000)
    own, chance = psutil.Process(), random.Random(7)
    before = (own.num_fds(), threading.active_count())
    pids = {_pid(engine)}
    for count in range(1, 51):
        pid, wanted = _pid(engine), chance.randrange(1, 20)
        text, error = broken(engine.generate(ask()), _killer(pid, wanted))
        assert whole.startswith(text), "text was lost or changed"
        assert text
        assert "ended from outside" in error.message
        assert not psutil.pid_exists(pid), "a zombie is left"
        assert answer(engine, ask(max_tokens=3)) == "one two three"
        assert engine.restarts == count
        pids.add(_pid(engine))
    assert len(pids) == 51
    assert wait_for(lambda: (own.num_fds(), threading.active_count()) == before), "descriptors or threads leaked"
    assert [child.pid for child in own.children()] == [_pid(engine)]
    assert len(list(bench.paths.crash.iterdir())) <= 1
    engine.close()
    assert own.children() == []
    assert own.num_fds() <= before[0] - 3


def test_a_kill_while_idle_is_noticed_by_the_next_request(bench: Bench) -> None:
    engine = bench.loaded()
    os.kill(_pid(engine), signal.SIGKILL)
    assert wait_for(lambda: engine.status().pid is None)
    assert engine.status().state == "stopped"
    assert answer(engine) == "hello there"
    assert "ended from outside" in engine.status().steps[0]


def test_a_kill_while_idle_costs_no_count(bench: Bench) -> None:
    """Asked before anybody has noticed the end: nothing was said yet, so another process counts."""
    engine = bench.loaded(reply="yes")
    for _ in range(12):
        os.kill(_pid(engine), signal.SIGKILL)
        assert engine.count((Message("user", "one two three"),)) == 3


def test_a_model_that_changed_on_the_disk_is_noticed(bench: Bench) -> None:
    engine = bench.loaded(reply="old")
    bench.script(reply="the new one")
    os.kill(_pid(engine), signal.SIGKILL)
    assert answer(engine) == "the new one"
    assert "has changed on the disk" in engine.status().steps[-1]


def test_a_stopped_engine_is_replaced(bench: Bench) -> None:
    engine = bench.loaded(replies={"go": _WORDS * 100}, seconds_per_token=0.005, context=10_000)
    pid = _pid(engine)
    events = engine.generate(ask("go"))
    next(events)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EngineError, match="stopped answering"):
        list(events)
    assert not psutil.pid_exists(pid)
    assert answer(engine, ask("and now")) == "and now"


@pytest.mark.parametrize("kind", ["deaf", "stop"])
def test_an_engine_that_stops_itself_is_replaced(bench: Bench, kind: str) -> None:
    engine = bench.loaded(faults=[{"prompt": "go", "after": 1, "kind": kind}])
    text, error = broken(engine.generate(ask("go on")))
    assert text == "go"
    assert "stopped answering while answering" in error.message
    assert answer(engine, ask("and now")) == "and now"


def test_a_large_request_to_a_stopped_engine_does_not_block(bench: Bench) -> None:
    engine = bench.loaded(context=1_000_000, reply="fine")
    pid = _pid(engine)
    os.kill(pid, signal.SIGSTOP)
    assert answer(engine, ask("word " * 200_000)) == "fine", "it had said nothing yet, so another could take over"
    assert _pid(engine) != pid
    assert "halted from outside" in engine.status().steps[0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "abort"}, "SIGABRT"),
        ({"kind": "segfault"}, "SIGSEGV"),
        ({"kind": "illegal"}, "instruction that this processor does not have"),
        ({"kind": "exit", "code": 3}, "status 3"),
        ({"kind": "leave"}, "status 3"),
        ({"kind": "garbage"}, "garbage"),
        ({"kind": "no memory"}, "out of memory while answering"),
        ({"kind": "kill"}, "ended from outside"),
    ],
)
def test_every_end_is_explained_and_the_next_request_works(bench: Bench, fault: dict[str, object], words: str) -> None:
    engine = bench.loaded(faults=[{"prompt": "go", "after": 2, **fault}], seconds_per_token=0.02)
    text, error = broken(engine.generate(ask("go on and on")))
    assert text == "go on"
    assert words in error.message
    assert error.hint
    assert answer(engine, ask("and now")) == "and now"


def test_a_crash_leaves_a_report_of_where_it_was(bench: Bench) -> None:
    engine = bench.loaded(faults=[{"prompt": "go", "kind": "abort"}])
    broken(engine.generate(ask("go")))
    reports = [file.read_text() for file in bench.paths.crash.iterdir()]
    assert len(reports) == 1
    assert "fake.py" in reports[0]


def test_an_engine_that_cannot_start_is_explained(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgellm.engine.process.command", lambda *_: [sys.executable, "-c", "raise SystemExit('no')"])
    with pytest.raises(EngineError, match="could not start") as caught:
        bench.engine().load(bench.script())
    assert "no" in caught.value.hint
    monkeypatch.setattr("edgellm.engine.process.command", lambda *_: ["/nonexistent/python"])
    with pytest.raises(EngineError, match="could not start"):
        bench.engine().load(bench.script())


_PARENT = """
import sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[3]]
from engine_bench import Bench, ask
bench = Bench(Path(sys.argv[1]))
engine = bench.engine()
engine.load(Path(sys.argv[2]))
sys.stdout.write(f"{engine.status().pid}\\n")
sys.stdout.flush()
for event in engine.generate(ask(sys.argv[4])):
    pass
time.sleep(60)
"""


@pytest.mark.parametrize("doing", ["idle", "streaming", "busy", "deaf"])
def test_the_engine_ends_with_its_parent(bench: Bench, doing: str) -> None:
    faults = [{"prompt": kind, "kind": kind} for kind in ("busy", "deaf")]
    path = bench.script(faults=faults, replies={"streaming": "word " * 10_000}, seconds_per_token=0.01)
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _PARENT, str(bench.folder), str(path), here, doing]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.3)
        assert psutil.pid_exists(pid)
        parent.kill()
    assert wait_for(lambda: not psutil.pid_exists(pid) or _zombie(pid), 2.0)


def _zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_ctrl_c_does_not_reach_the_engine(bench: Bench) -> None:
    engine = bench.loaded()
    os.kill(_pid(engine), signal.SIGINT)
    assert os.getsid(_pid(engine)) != os.getsid(0)
    assert answer(engine) == "hello there"


def test_the_engine_goes_first_when_memory_ends(bench: Bench) -> None:
    if sys.platform != "linux":
        pytest.skip("Linux only")
    engine = bench.loaded()
    assert int(Path(f"/proc/{_pid(engine)}/oom_score_adj").read_text()) >= 500


def _starter(bench: Bench) -> tuple[Engine, Path]:
    path = starter_model()
    if not path.is_file():
        pytest.skip("the starter model is not here")
    placement = Placement(context=1024, batch=256)
    engine = bench.engine(plan(placement), QUICK)
    engine.load(path)
    return engine, path


def test_kills_while_a_real_model_streams(bench: Bench) -> None:
    engine, _ = _starter(bench)
    schema = '{"type": "array", "items": {"type": "boolean"}, "minItems": 40, "maxItems": 40}'
    long = ask("Write about a day at the market.", schema=schema)
    whole = answer(engine, long)
    short = answer(engine, ask("Hello", max_tokens=5))
    for wanted in (1, 3, 5):
        text, error = broken(engine.generate(long), _killer(_pid(engine), wanted))
        assert "ended from outside" in error.message
        assert text
        assert whole.startswith(text)
        assert answer(engine, ask("Hello", max_tokens=5)) == short


def test_a_real_file_cut_short_then_whole(bench: Bench) -> None:
    engine, path = _starter(bench)
    short = bench.folder / "short.gguf"
    short.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelDamaged):
        engine.load(short)
    engine.load(path)
    assert answer(engine, ask(max_tokens=3))
