"""A model carried from one computer to another by the real program, which has no network on the second one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgellm.models import bundle_write, signing
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from tests import bundles

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
import sys
from edgellm import isolation
isolation.forbid_outgoing(allow_loopback=False)
from edgellm.cli.main import main
raise SystemExit(main(sys.argv[1:]))
"""

SLOWLY = """
import sys, time
from pathlib import Path
from edgellm.models.rate import Control
from tests import bundles
def slow(done, total):
    sys.stdout.write("."); sys.stdout.flush(); time.sleep(0.2)
bundles.add(sys.argv[1], Path(sys.argv[2]), control=Control(progress=slow))
"""


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in a home of its own, in a process that can open no connection."""
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "EDGELLM_HOME": str(home), "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-W", "error", "-c", ALONE, *arguments]
    done = subprocess.run(line, env=environment, cwd=home, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_carried_model_answers(tmp_path: Path, starter: Path) -> None:
    here, there, stick = tmp_path / "here", tmp_path / "there", tmp_path / "stick"
    (here / "models").mkdir(parents=True)
    stick.mkdir()
    shutil.copy(starter, here / "models" / "Mine.gguf")
    wrote = run(here, "models", "bundle", "mine", "-o", str(stick / "all.edgellm"), "--json")
    assert wrote.returncode == 0, wrote.stderr
    fingerprint = json.loads(wrote.stdout)["fingerprint"]
    shutil.rmtree(here)
    added = run(there, "models", "add", str(stick / "all.edgellm"), "--signer", fingerprint, "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["added"][0]["name"] == "mine"
    question = ("generate", "Hello", "--max-tokens", "8", "--json", "--model")
    answer, builtin = (json.loads(run(there, *question, name).stdout) for name in ("mine", "starter"))
    assert answer["text"] and answer["text"] == builtin["text"]
    assert not (there / "ledger.jsonl").exists() or (there / "ledger.jsonl").read_text() == ""
    assert list(stick.iterdir()) == [stick / "all.edgellm"]


def test_damage_is_one_sentence_and_status_1(tmp_path: Path) -> None:
    made = bundles.made(tmp_path / "a", ["alpha"])
    data = bytearray(made.read_bytes())
    data[-3_000] ^= 1
    made.write_bytes(data)
    done = run(tmp_path / "b", "models", "add", str(made))
    assert done.returncode == 1 and done.stdout == ""
    assert "error: The bundle is damaged: " in done.stderr and "hint: Copy the bundle again" in done.stderr
    assert not (tmp_path / "b/models/alpha").exists()


FULL = """
import resource, sys
from pathlib import Path
from edgellm.errors import StorageError
from edgellm.models import bundle_write, signing
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from tests import bundles
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
store = ModelStore(bundles.home(Path(sys.argv[2])))
actions = {
    "add": lambda: bundles.add(sys.argv[3], Path(sys.argv[2])),
    "bundle": lambda: bundle_write.write(
        [store.get("big")], [], Path(sys.argv[3]), signing.own_key(Path(sys.argv[2])), Control()
    ),
}
try:
    actions[sys.argv[1]]()
except StorageError as error:
    sys.stdout.write(error.message)
"""


def full(*arguments: str) -> str:
    """What is said when a file grows beyond what the disk takes."""
    line = [sys.executable, "-c", FULL, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(os.name != "posix", reason="RLIMIT_FSIZE")
def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    sender, made = ModelStore(bundles.home(tmp_path / "a")), tmp_path / "out" / "big.edgellm"
    made.parent.mkdir()
    bundles.place(sender, "big", {"big.gguf": 500_000})
    assert "The bundle could not be written: the disk of" in full("bundle", str(tmp_path / "a"), str(made))
    assert list(made.parent.iterdir()) == []
    bundle_write.write([sender.get("big")], [], made, signing.own_key(tmp_path / "key"), Control())
    assert "big could not be written: the disk of" in full("add", str(tmp_path / "b"), str(made))
    assert bundles.tree(tmp_path / "b") == {}


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("after", [0.1, 0.4, 0.8])
def test_killed_while_it_adds(tmp_path: Path, after: float) -> None:
    """Nothing is visible, and the next start removes what was half done."""
    sender = ModelStore(bundles.home(tmp_path / "a"))
    bundles.place(sender, "big", {f"{number}.gguf": 300_000 for number in range(8)})
    made, there = tmp_path / "big.edgellm", tmp_path / "b"
    bundle_write.write([sender.get("big")], [], made, signing.own_key(tmp_path / "key"), Control())
    line = [sys.executable, "-c", SLOWLY, str(made), str(there)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None and process.stdout.read(1) == b"."
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
    store = ModelStore(bundles.home(there))
    assert any((there / "models/.incoming").rglob("*.gguf")), "it was killed too early or too late"
    assert [model.name for model in store.installed() if not model.builtin] == []
    store.tidy()
    assert bundles.tree(there) == {}
    assert [model.name for model in bundles.add(made, there).models] == ["big"]
