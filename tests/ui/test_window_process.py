"""The window as a process: what it imports, what it takes, what a kill leaves, and that there is one of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import psutil
from desk import Desk, script, wait

Open = Callable[..., Desk]
HERE = Path(__file__).parent
MODEL_LIBRARIES = ("llama_cpp", "torch", "transformers", "onnxruntime", "optimum", "tokenizers", "numpy", "pyqtgraph")
NETWORK = ("httpx", "httpcore", "h11", "rich", "cryptography", "keyring", "starlette", "uvicorn")
FORBIDDEN = (*MODEL_LIBRARIES, *NETWORK)
_PATIENCE = 60.0


LATER = (
    "edgellm.runtimes.report",
    "edgellm.runtimes.remote",
    "edgellm.runtimes.torch",
    "edgellm.runtimes.onnx",
    "edgellm.hardware",
    "tomlkit",
)


def _environment(home: Path, **more: str) -> dict[str, str]:
    root = str(HERE.parent.parent)
    return {**os.environ, "EDGELLM_HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": root, **more}


def _until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def _settings(home: Path, model: Path) -> None:
    (home / "settings.toml").write_text(f"model = {json.dumps(str(model))}\n", encoding="utf-8")


def test_what_only_its_pages_need_is_not_there_before_the_window() -> None:
    names = subprocess.run(
        [sys.executable, "-c", "import edgellm.ui.main, edgellm.app, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "edgellm.ui.window" in names
    assert [name for name in LATER if name in names] == []
    assert {"edgellm.models.store", "edgellm.models.downloads"}.isdisjoint(names)


def test_the_real_process_imports_no_model_library_and_reports_its_start(home: Path) -> None:
    """`python -m edgellm` under the interpreter's own import log: what it prints to stderr is what it imported."""
    _settings(home, script(home, reply="Yes."))
    report = home / "start.json"
    log = home / "imports"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "edgellm"],
            env=_environment(home, EDGELLM_REPORT=str(report)),
            stderr=stderr,
        )
        try:
            _until(lambda: report.exists() and "ready_seconds" in json.loads(report.read_text()), "the model")
            facts = json.loads(report.read_text())
            assert facts["pid"] == process.pid
            assert 0 < facts["window_seconds"] < facts["ready_seconds"]
            engines = psutil.Process(process.pid).children(recursive=True)
            assert engines, "there is no engine process"
        finally:
            process.terminate()
            process.wait(timeout=20)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    imported = {line.rsplit("|", 1)[-1].strip() for line in lines if line.startswith("import time:")}
    assert "PySide6.QtWidgets" in imported
    assert [name for name in imported if name.split(".")[0] in FORBIDDEN] == []
    _, alive = psutil.wait_procs(engines, timeout=10)
    assert not alive, "the engine outlived its window"


def test_a_window_killed_while_an_answer_streams_comes_back_with_the_text(home: Path, open_desk: Open) -> None:
    model = script(home, reply="word ", repeat=4000, seconds_per_token=0.02)
    process = subprocess.Popen(
        [sys.executable, str(HERE / "window_child.py"), str(model)], env=_environment(home), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        seen = 0
        while seen < 200:
            line = process.stdout.readline()
            assert line, "the window ended by itself"
            seen = int(line)
        time.sleep(1.0)
    finally:
        process.kill()
        process.wait(timeout=20)
        process.stdout.close()
    desk = open_desk(reply="Fine.")
    wait(lambda: len(desk.views) == 2, "the chat to be shown again")
    assert desk.views[0].text == "Tell me a lot."
    assert len(desk.views[1].text) >= seen
    assert set(desk.views[1].text.split()) == {"word"}
    assert desk.views[1]._ending_text.text() == "Interrupted here."
    with apsw.Connection(str(home / "chats.db")) as connection:
        assert [row[0] for row in connection.execute("PRAGMA integrity_check")] == ["ok"]
    assert desk.say("Go on.").text == "Fine."


def test_a_second_start_raises_the_first_window_and_ends(home: Path) -> None:
    _settings(home, script(home, reply="Yes."))
    report = home / "start.json"
    command = [sys.executable, "-m", "edgellm"]
    first = subprocess.Popen(command, env=_environment(home, EDGELLM_REPORT=str(report)))
    try:
        _until(report.exists, "the first window")
        second = subprocess.run(command, env=_environment(home), timeout=_PATIENCE, check=False)
        assert second.returncode == 0
        assert first.poll() is None
    finally:
        first.terminate()
        first.wait(timeout=20)


def test_a_process_that_copied_a_result_ends_cleanly(home: Path) -> None:
    """What lies in Qt's clipboard is freed after Python has ended: nothing of Python's may lie there."""
    steps = (
        "from desk import Desk",
        "from edgellm.ui.result_pane import ResultPane",
        "desk = Desk({'model': __import__('sys').argv[1]})",
        "pane = ResultPane(desk.window.services, 'Result', 'Nothing yet.')",
        "pane.show_html('<p>Copied.</p>', 'Copied.')",
        "pane.copy.click()",
        "desk.close()",
    )
    model = script(home, reply="Yes.")
    paths = os.pathsep.join((str(HERE.parent.parent), str(HERE)))
    child = subprocess.run(
        [sys.executable, "-c", "\n".join(steps), str(model)],
        env=_environment(home, PYTHONPATH=paths),
        timeout=_PATIENCE,
    )
    assert child.returncode == 0
