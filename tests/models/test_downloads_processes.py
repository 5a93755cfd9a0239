"""Downloads seen from several processes: pausing and canceling from another, one owner at a time, and a full disk."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgellm.models.downloads import Downloads
from edgellm.paths import Paths
from tests import download_child
from tests.download_child import Setting
from tests.loopback_hub import Fault, Hub

_SIZE = 1_500_000
ONE = {"one.gguf": random.Random(8).randbytes(_SIZE)}


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub that takes many seconds for the model, until a test says `fast`."""
    with Hub({"maker/one": ONE}, [Fault("slow", times=-1, seconds=0.4)]) as server:
        yield server


def fast(hub: Hub) -> None:
    """From now on, and also for answers that have begun, the hub is fast."""
    hub.faults[0].seconds = 0.0


def downloads_in(home: Path) -> Downloads:
    """The downloads of a process that was just started."""
    return download_child.build(Paths.under(home, home, home / "logs"), Setting())[0]


def begin_and_receive(home: Path, hub: Hub, size: int) -> subprocess.Popen[str]:
    """A process that downloads, once it has received so many bytes."""
    process = download_child.begin(home, hub.endpoint, "pull", "one", "maker/one")
    assert process.stdout is not None
    next(line for line in process.stdout if json.loads(line).get("received", 0) > size)
    return process


def hidden(home: Path) -> list[str]:
    """Files of the folder for models that are neither a model's nor a lock."""
    folder = home / "models"
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(path.as_posix() for path in found if path.parts[0].startswith(".") and path.name != ".lock")


def whole(home: Path) -> bool:
    """Whether the model is installed as it should be."""
    path = home / "models" / "one" / "one.gguf"
    return path.is_file() and path.read_bytes() == ONE["one.gguf"]


def test_another_process_pauses_and_a_third_goes_on(hub: Hub, tmp_path: Path) -> None:
    process = begin_and_receive(tmp_path, hub, 200_000)
    assert download_child.said(download_child.begin(tmp_path, hub.endpoint, "pause", "one")) == []
    asked = time.monotonic()
    said = download_child.said(process)
    print(f"paused {time.monotonic() - asked:.2f} s after another process asked for it")
    assert said[-1]["type"] == "Stopped"
    assert "is paused" in said[-1]["message"]
    assert "edgellm models pull one" in said[-1]["hint"]
    assert downloads_in(tmp_path).progress()[0].state == "paused"
    assert downloads_in(tmp_path).resume_all() == ()
    fast(hub)
    sent = hub.sent
    last = download_child.said(download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one"))[-1]
    assert last["kind"] == "installed"
    assert whole(tmp_path)
    assert hub.sent - sent < _SIZE - 200_000
    assert hidden(tmp_path) == []


def test_another_process_cancels(hub: Hub, tmp_path: Path) -> None:
    process = begin_and_receive(tmp_path, hub, 200_000)
    assert download_child.said(download_child.begin(tmp_path, hub.endpoint, "cancel", "one")) == []
    assert hidden(tmp_path) == [], "nothing is left when the command that cancels ends"
    said = download_child.said(process)
    assert said[-1]["type"] == "Stopped"
    assert "canceled" in said[-1]["message"]
    assert not (tmp_path / "models" / "one").exists()


def test_two_processes_that_pull_the_same_model_fetch_it_once(hub: Hub, tmp_path: Path) -> None:
    first = begin_and_receive(tmp_path, hub, 200_000)
    second = download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one")
    assert second.stdout is not None
    lines = (json.loads(line) for line in second.stdout)
    told = [next(line for line in lines if line.get("message"))]
    fast(hub)
    told += [*lines, *download_child.said(second)]
    assert told[-1]["kind"] == "installed"
    assert download_child.said(first)[-1]["kind"] == "installed"
    waiting = [line for line in told if line.get("message")]
    assert waiting[0]["message"] == f"Another EdgeLLM (process {first.pid}) is downloading one; waiting for it."
    received = [line["received"] for line in waiting]
    assert received == sorted(received)
    assert received[0] > 200_000, "it shows how far the other one is"
    assert hub.sent == _SIZE
    assert whole(tmp_path)
    assert hidden(tmp_path) == []


def test_many_processes_at_once_fetch_it_once(hub: Hub, tmp_path: Path) -> None:
    fast(hub)
    several = [download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one") for _ in range(4)]
    assert [download_child.said(one)[-1]["kind"] for one in several] == ["installed"] * 4
    assert hub.sent == _SIZE
    assert hidden(tmp_path) == []


def test_when_the_owner_is_killed_the_one_that_waits_goes_on(hub: Hub, tmp_path: Path) -> None:
    first = begin_and_receive(tmp_path, hub, 200_000)
    second = download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one")
    assert second.stdout is not None
    next(line for line in second.stdout if "waiting for it" in line)
    first.kill()
    fast(hub)
    download_child.said(first)
    assert download_child.said(second)[-1]["kind"] == "installed"
    assert whole(tmp_path)
    assert hub.sent <= 1.10 * _SIZE


def test_an_interruption_keeps_what_arrived(hub: Hub, tmp_path: Path) -> None:
    process = begin_and_receive(tmp_path, hub, 200_000)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    fast(hub)
    (record,) = downloads_in(tmp_path).unfinished()
    assert (record.name, record.state) == ("one", "wanted")
    assert download_child.said(download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one"))[-1]["path"]
    assert hub.sent <= 1.10 * _SIZE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no stop signal")
def test_a_process_that_slept_goes_on_without_a_false_alarm(hub: Hub, tmp_path: Path) -> None:
    process = begin_and_receive(tmp_path, hub, 200_000)
    process.send_signal(signal.SIGSTOP)
    time.sleep(2.5)  # longer than the silence that ends an attempt
    fast(hub)
    process.send_signal(signal.SIGCONT)
    said = download_child.said(process)
    assert said[-1]["kind"] == "installed"
    assert not [line for line in said if line.get("state") == "failed"]
    assert hub.sent <= 1.10 * _SIZE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_file_that_may_not_grow_is_a_sentence_and_leaves_nothing_after_cancel(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast(hub)
    monkeypatch.setenv("EDGELLM_TEST_FILE_LIMIT", "1000000")
    last = download_child.said(download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one"))[-1]
    assert last["type"] == "StorageError"
    assert "full" in last["message"]
    assert downloads_in(tmp_path).unfinished()[0].message == last["message"]
    monkeypatch.delenv("EDGELLM_TEST_FILE_LIMIT")
    sent = hub.sent
    assert download_child.said(download_child.begin(tmp_path, hub.endpoint, "pull", "one", "maker/one"))[-1]["path"]
    assert hub.sent - sent < _SIZE - 900_000, "what had arrived is kept"
    assert hidden(tmp_path) == []


def _may_mount() -> bool:
    tool = shutil.which("unshare")
    return bool(tool) and not subprocess.run([str(tool), "-rm", "true"], capture_output=True, check=False).returncode


def _on_a_disk_of(megabytes: int, home: Path, hub: Hub, **env: str) -> list[dict[str, Any]]:
    """Pull and then cancel on a disk of so many megabytes of its own: what was said, and at last what was left."""
    home.mkdir(exist_ok=True)
    command = (
        f"mount -t tmpfs -o size={megabytes}M none '{home}' && exec \"$0\" -m tests.download_child full one maker/one"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, sys.executable],
        env={**os.environ, "EDGELLM_HOME": str(home), "HF_ENDPOINT": hub.endpoint, **env},
        cwd=download_child.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not _may_mount(), reason="this machine does not let a test mount a disk of its own")
def test_a_disk_that_is_too_small_is_said_before_the_first_byte(hub: Hub, tmp_path: Path) -> None:
    said = _on_a_disk_of(30, tmp_path / "home", hub)
    error, left = said[-2:]
    assert error["type"] == "StorageError"
    assert error["message"].startswith("one needs 1.5 MB, and ")
    assert f"is free in {tmp_path / 'home' / 'models'}" in error["message"]
    assert hub.sent == 0
    assert left["names"] == []


@pytest.mark.skipif(not _may_mount(), reason="this machine does not let a test mount a disk of its own")
def test_a_disk_that_fills_up_meanwhile_is_a_sentence_and_cancel_frees_it(hub: Hub, tmp_path: Path) -> None:
    hub.faults[0].seconds = 0.02
    said = _on_a_disk_of(2, tmp_path / "home", hub, EDGELLM_TEST_FILL="1200000")
    error, left = said[-2:]
    assert error["type"] == "StorageError"
    assert "full" in error["message"]
    assert 0 < hub.sent < _SIZE
    assert left["names"] == []
    assert left["kept"] > 0
    assert left["record"] in ("", error["message"])
