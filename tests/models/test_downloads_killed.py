"""kill -9 of the whole program while it downloads, again and again, and what the next start makes of it.

EDGELLM_KILLS sets how often (20 when it is not set).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgellm.models.check import verify
from edgellm.models.download_files import amount_in
from edgellm.models.downloads import FOLDER
from edgellm.paths import Paths
from tests import download_child
from tests.download_child import Setting
from tests.loopback_hub import Fault, Hub

KILLS = int(os.environ.get("EDGELLM_KILLS", "20"))
_SIZE = 1_500_000
_CHANCE = random.Random(5)
REPOS = {
    "maker/onnx": {
        "onnx/model.onnx": _CHANCE.randbytes(_SIZE),
        "onnx/model.onnx_data": _CHANCE.randbytes(2 * _SIZE),
        "config.json": b'{"model_type": "bert"}',
        "tokenizer.json": _CHANCE.randbytes(_SIZE),
    },
    "maker/split": {f"q4/m-{number:05}-of-00003.gguf": _CHANCE.randbytes(_SIZE) for number in (1, 2, 3)},
    "maker/one": {"one.gguf": _CHANCE.randbytes(_SIZE)},
}


def _name(repo: str) -> str:
    return repo.partition("/")[2]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub slow enough to be interrupted."""
    with Hub(REPOS, [Fault("slow", times=-1, seconds=0.006)]) as server:
        yield server


@dataclass
class Tally:
    """What is counted over all kills."""

    kills: int = 0
    installs: int = 0
    kept: float = 1.0
    sent: int = 0
    sizes: int = 0
    moments: list[str] = field(default_factory=list)


def _wait_for_moment(process: subprocess.Popen[str], chance: random.Random) -> tuple[str, int]:
    """Wait for a moment to kill at: soon after the start, while bytes arrive, or while the model is installed.

    Its kind, and the bytes that the program said it had received.
    """
    kind = chance.choice(["start", "bytes", "bytes", "bytes", "installing"])
    if kind == "start":
        time.sleep(chance.uniform(0.0, 0.7))
        return kind, 0
    received = 0
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        state, received = said.get("state"), max(received, said.get("received") or 0)
        if kind == "bytes" and state == "running":
            time.sleep(chance.uniform(0.0, 0.9))
            return kind, received
        if state == "checking":
            time.sleep(chance.uniform(0.0, 0.02))
            return "installing", received
    return "ended", received


def _kill_until_installed(home: Path, hub: Hub, repo: str, chance: random.Random, tally: Tally) -> None:
    """Start it and kill it until one start comes to its end; at most four kills for one model."""
    parts = home / "models" / FOLDER / f"{_name(repo)}.parts"
    for attempt in range(5):
        here, seen = {path.stem: path.stat().st_size for path in parts.glob("*.part")}, len(hub.log)
        process = download_child.begin(home, hub.endpoint, "pull", _name(repo), repo)
        told = 0
        if attempt < 4 and tally.kills < KILLS:
            moment, told = _wait_for_moment(process, chance)
            tally.moments.append(moment)
            tally.kills += process.poll() is None
            process.kill()
        for line in download_child.said(process):
            told = max(told, line.get("received") or 0)
        for sha256, start in _first_bytes(hub, seen).items():
            if size := here.get(sha256):
                tally.kept = min(tally.kept, start / size)
        if process.returncode == 0:
            return
        assert process.returncode == -9, "it failed by itself"
        if not (home / "models" / _name(repo)).exists():
            assert amount_in(parts) >= told, "bytes that were received are gone"


def _first_bytes(hub: Hub, seen: int) -> dict[str, int]:
    """Where each file was first asked for in the requests after the first `seen`, by the sha256 of its content."""
    found: dict[str, int] = {}
    for request in hub.log[seen:]:
        if request.server == "cdn":
            asked = request.headers.get("Range", "bytes=0-")
            found.setdefault(request.target.partition("?")[0].rpartition("/")[2], int(asked[6:].partition("-")[0]))
    return found


def _require_whole(home: Path, repo: str) -> None:
    """The model is there, every byte right, and nothing else is."""
    downloads, _, store = download_child.build(Paths.under(home, home, home / "logs"), Setting())
    assert downloads.resume_all() == ()
    (model,) = [one for one in store.installed() if not one.builtin]
    for path, data in REPOS[repo].items():
        assert (model.home / path).read_bytes() == data
    assert verify(model).ok
    folder = home / "models"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wanted = {f"{model.name}/{path}" for path in (*REPOS[repo], "edgellm-model.json")}
    assert found - {".downloads/.lock", ".incoming/.lock"} == wanted, "an orphan"


def test_a_killed_download_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    chance, tally = random.Random(KILLS), Tally()
    while tally.kills < KILLS:
        repo = chance.choice(["maker/onnx", "maker/split"])
        home = tmp_path / f"home-{tally.installs}"
        sent = hub.sent
        _kill_until_installed(home, hub, repo, chance, tally)
        _require_whole(home, repo)
        tally.installs += 1
        tally.sent += hub.sent - sent
        tally.sizes += sum(map(len, REPOS[repo].values()))
    told = {moment: tally.moments.count(moment) for moment in sorted(set(tally.moments))}
    print(f"{tally.kills} kills ({told}), {tally.installs} models installed")
    print(f"at least {tally.kept:.1%} of what a killed program had was kept, {tally.sent / tally.sizes:.1%} were sent")
    assert tally.kept >= 0.9
    assert tally.sent <= 1.10 * tally.sizes  # with what was on its way at the moment of each kill


@pytest.mark.parametrize("delay", [0.3, 1.1])
def test_the_command_line_killed_goes_on_where_it_was(hub: Hub, tmp_path: Path, delay: float) -> None:
    command = [sys.executable, "-m", "edgellm", "models", "pull", "maker/split"]
    env = {**os.environ, "EDGELLM_HOME": str(tmp_path), "HF_ENDPOINT": hub.endpoint}
    process = subprocess.Popen(command, env=env, cwd=download_child.ROOT, stdout=subprocess.DEVNULL)
    time.sleep(delay)
    process.kill()
    process.wait()
    done = subprocess.run(command, env=env, cwd=download_child.ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    _require_whole(tmp_path, "maker/split")
    assert hub.sent <= 1.10 * 3 * _SIZE


def test_the_next_start_goes_on_by_itself(hub: Hub, tmp_path: Path) -> None:
    process = download_child.begin(tmp_path, hub.endpoint, "pull", "split", "maker/split")
    assert process.stdout is not None
    next(line for line in process.stdout if json.loads(line).get("received", 0) > _SIZE)
    process.kill()
    download_child.said(process)
    hub.faults.clear()
    sent = hub.sent
    lines = download_child.said(download_child.begin(tmp_path, hub.endpoint, "resume_all"))
    assert next(line for line in lines if line["kind"] == "begun")["names"] == ["split"]
    assert hub.sent - sent <= 2.1 * _SIZE
    _require_whole(tmp_path, "maker/split")


def test_a_start_while_another_downloads_touches_nothing(hub: Hub, tmp_path: Path) -> None:
    process = download_child.begin(tmp_path, hub.endpoint, "pull", "split", "maker/split")
    assert process.stdout is not None
    next(line for line in process.stdout if json.loads(line).get("received", 0) > _SIZE)
    for _ in range(3):
        assert download_child.build(Paths.under(tmp_path, tmp_path, tmp_path), Setting())[0].resume_all() == ()
    download_child.said(process)
    assert process.returncode == 0
    _require_whole(tmp_path, "maker/split")
    assert hub.sent == 3 * _SIZE
