"""`edgellm models pull`, `pause`, `search` and `token` against a hub on loopback."""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine

from tests.loopback_hub import Fault, Hub
from tests.tiny_gguf import make

SLOW = Fault("slow", times=-1, path="large", seconds=0.01)  # about a megabyte and a half a second


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A tiny model."""
    return make(tmp_path_factory.mktemp("weights") / "tiny.gguf", says="Yes").read_bytes()


@pytest.fixture
def hub(edgellm: CommandLine, weights: bytes) -> Iterator[Hub]:
    """A hub that the program is set to."""
    large = weights + random.Random(1).randbytes(8_000_000)
    repos = {
        "me/tiny-GGUF": {"tiny-Q8_0.gguf": weights, "README.md": b"A model."},
        "me/large-GGUF": {"large-Q4_K_M.gguf": large},
        "me/closed-GGUF": {"closed-Q8_0.gguf": weights + b"\0"},
        "me/set": {f"set-{number:05}-of-00003.gguf": weights[:-number] for number in range(1, 4)},
    }
    with Hub(repos=repos, gated=["me/closed-GGUF"], token="hf_secret", licenses={"me/tiny-GGUF": "mit"}) as hub:
        edgellm.settings(mirror=hub.endpoint)
        yield hub


def test_a_model_is_shown_downloaded_listed_and_used(edgellm: CommandLine, hub: Hub, weights: bytes) -> None:
    ran = edgellm("models", "pull", "me/tiny-GGUF")
    first, *lines = ran.out.splitlines()
    assert "(me-tiny-q8_0)" in first
    facts = [line.split()[0] for line in lines]
    assert facts.index("license") < facts.index("size") < facts.index("Installed")
    assert next(line for line in lines if line.split()[0] == "license").split()[1] == "MIT"
    for words in ("127.0.0.1, me/tiny-GGUF", "Fits. ", " free in "):
        assert words in ran.out
    assert lines[-1] == "Use it with: edgellm chat --model me-tiny-q8_0"
    path = Path(edgellm.here("models", "where", "me-tiny-q8_0").out.strip())
    assert path.read_bytes() == weights
    assert any(line.startswith("me-tiny-q8_0 ") and "MIT" in line for line in edgellm.here("models").out.splitlines())
    assert edgellm("generate", "--model", "me-tiny-q8_0", "--max-tokens", "8", "x").out.strip() == "Yes"
    sent = len(hub.log)
    again = edgellm.here("models", "pull", "me-tiny-q8_0").out
    assert "is installed already" in again
    assert "edgellm models verify me-tiny-q8_0" in again
    assert len(hub.log) == sent, "an installed model is not asked for"


def test_a_dry_run_downloads_nothing(edgellm: CommandLine, hub: Hub) -> None:
    found = edgellm.here("models", "pull", "me/tiny-GGUF", "--dry-run", "--json").object
    assert (found["name"], found["license"], found["installed"]) == ("me-tiny-q8_0", "MIT", False)
    assert hub.sent == 0
    assert not (edgellm.home / "models").exists()


def test_json_is_one_document_and_nothing_else(edgellm: CommandLine, hub: Hub, weights: bytes) -> None:
    ran = edgellm.here("models", "pull", "me/tiny-GGUF", "--json")
    assert ran.err == ""
    assert ran.object["installed"] is True
    assert ran.object["size"] == ran.object["received"] == len(weights)
    assert ran.object["advice"]["fit"] == "fits"


def test_a_model_of_ones_own_list_is_pulled_by_its_name(edgellm: CommandLine, hub: Hub, weights: bytes) -> None:
    file = next(file for (repo, _), file in hub.files.items() if repo == "me/tiny-GGUF" and file.path.endswith("gguf"))
    (edgellm.home / "models.toml").write_text(
        'schema = 1\n[[model]]\nname = "mine-q8"\ntitle = "Mine"\nsummary = "One of mine."\nrepo = "me/tiny-GGUF"\n'
        'license = "MIT"\ntasks = ["chat"]\nformat = "gguf"\nconfirmed = "high"\n'
        f'[[model.file]]\npath = "tiny-Q8_0.gguf"\nsize = {len(weights)}\nsha256 = "{file.sha256}"\n'
    )
    assert "mine-q8" in edgellm.here("models", "search", "mine", "--catalog").out
    assert "Installed mine-q8" in edgellm.here("models", "pull", "Mine").out, (
        "all of the name but its last part will do"
    )
    assert json.loads((edgellm.home / "models" / "mine-q8" / "edgellm-model.json").read_text())["title"] == "Mine"


def test_a_model_of_several_files_comes_whole(edgellm: CommandLine, hub: Hub) -> None:
    ran = edgellm.here("models", "pull", "me/set")
    assert " in 3 files" in ran.out
    assert len(list((edgellm.home / "models").glob("*/set-*.gguf"))) == 3


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("qwen3-06b", "no model 'qwen3-06b' in the catalog", "Did you mean qwen3-0.6b-q4"),
        ("zzzzzzzz", "no model 'zzzzzzzz' in the catalog", "edgellm models"),
        ("me/nosuch", "no repository 'me/nosuch'", "edgellm models search"),
        ("me/tiny-GGUF:Q2_K", "Q2_K", ""),
        ("me/../tiny", "", ""),
        ("file:///etc/passwd", "", ""),
    ],
)
def test_a_name_that_leads_nowhere(edgellm: CommandLine, hub: Hub, name: str, error: str, hint: str) -> None:
    ran = edgellm.here("models", "pull", name, status=None)
    assert ran.status in (1, 2)
    first, *rest = ran.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert hint in "".join(rest)
    assert hub.sent == 0


def test_a_wrong_file_is_refused_and_leaves_nothing(edgellm: CommandLine, hub: Hub) -> None:
    hub.faults.append(Fault("wrong_byte", at=1000, times=-1, path="tiny"))
    ran = edgellm.here("models", "pull", "me/tiny-GGUF", status=1)
    assert "is not the one that was published" in ran.err
    assert "Installed" not in ran.out
    assert "tiny" not in edgellm.here("models").out
    ran = edgellm.here("models", "remove", "me-tiny-q8_0")
    assert "given up" in ran.out
    assert not list((edgellm.home / "models").rglob("*.part"))


def test_a_closed_model_asks_for_a_token_that_is_never_shown(edgellm: CommandLine, hub: Hub) -> None:
    ran = edgellm.here("models", "pull", "me/closed-GGUF", status=1)
    assert "edgellm models token" in ran.err
    assert "no token" in edgellm.here("models", "token").out
    said = [edgellm.here("models", "token", "--set", given="hf_secret\n")]
    said.append(edgellm.here("models", "token"))
    said.append(edgellm.here("models", "pull", "me/closed-GGUF"))
    assert "Installed me-closed-q8_0" in said[-1].out
    said.append(edgellm.here("models", "token", "--clear"))
    assert "There was no token" in edgellm.here("models", "token", "--clear").out
    assert not any("hf_secret" in ran.out + ran.err for ran in said)
    for path in edgellm.home.rglob("*"):
        assert not path.is_file() or b"hf_secret" not in path.read_bytes(), path
    assert edgellm.here("models", "token", "--set", status=2).err.startswith("error: No token was given.")


def wait_for_bytes(hub: Hub, count: int) -> None:
    """Until the hub has sent so many."""
    until = time.monotonic() + 60
    while hub.sent < count and time.monotonic() < until:
        time.sleep(0.02)
    assert hub.sent >= count


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_pauses_and_pull_goes_on(edgellm: CommandLine, hub: Hub) -> None:
    hub.faults.append(SLOW)
    with edgellm.start("models", "pull", "me/large-GGUF") as running:
        wait_for_bytes(hub, 2_000_000)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    *_, said, how = out.decode().splitlines()
    assert said.startswith("me-large-q4_k_m is paused at ")
    assert said.endswith(" MB; what has arrived is kept.")
    assert how == "Go on with: edgellm models pull me-large-q4_k_m"
    assert b"Traceback" not in err
    listed = edgellm.here("models", "--json").object["unfinished"]
    assert [(one["name"], one["state"]) for one in listed] == [("me-large-q4_k_m", "paused")]
    assert listed[0]["received"] > 0
    hub.faults.clear()
    ran = edgellm.here("models", "resume", "me-large-q4_k_m")
    assert " arrived before" in ran.out
    assert "Installed me-large-q4_k_m" in ran.out
    size = len(hub.repos["me/large-GGUF"]["large-Q4_K_M.gguf"])
    assert hub.sent <= 1.1 * size + 1_000_000, "what was on its way when it was stopped, and no more, came twice"
    assert "whole" in edgellm.here("models", "verify", "me-large-q4_k_m").out
    assert edgellm.here("models", "--json").object["unfinished"] == []


def test_a_download_is_paused_from_elsewhere_and_given_up(edgellm: CommandLine, hub: Hub) -> None:
    hub.faults.append(SLOW)
    with edgellm.start("models", "pull", "me/large-GGUF") as running:
        wait_for_bytes(hub, 500_000)
        assert "is running" in edgellm.here("models").err
        ran = edgellm("models", "pause", "me/large-GGUF")
        out, _ = running.communicate(timeout=60)
    assert ran.out.startswith("me-large-q4_k_m is paused at ")
    assert running.returncode == 130
    assert b"me-large-q4_k_m is paused" in out
    assert "no unfinished download called nosuch" in edgellm.here("models", "pause", "nosuch", status=1).err
    assert "given up" in edgellm.here("models", "remove", "me-large-q4_k_m").out
    left = [path for path in (edgellm.home / "models").rglob("*") if path.is_file() and path.stat().st_size]
    assert left == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_who_only_waits_for_another_download_does_not_pause_it(edgellm: CommandLine, hub: Hub) -> None:
    hub.faults.append(SLOW)
    with edgellm.start("models", "pull", "me/large-GGUF") as running:
        wait_for_bytes(hub, 300_000)
        with edgellm.start("models", "pull", "me-large-q4_k_m") as waiting:
            assert waiting.stderr is not None
            assert b"Another EdgeLLM" in waiting.stderr.readline()
            waiting.send_signal(signal.SIGINT)
            _, err = waiting.communicate(timeout=60)
        assert waiting.returncode == 130
        assert b"Another EdgeLLM goes on with me-large-q4_k_m." in err
        hub.faults.clear()
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert b"Installed me-large-q4_k_m" in out


def test_when_the_network_ends_it_says_what_is_kept(edgellm: CommandLine, hub: Hub) -> None:
    hub.faults += [Fault("cut", at=2_000_000, path="large"), Fault("404", times=-1, path="large")]
    ran = edgellm.here("models", "pull", "me/large-GGUF", status=1)
    assert ran.err.splitlines()[-2].startswith("error: ")
    assert ran.err.splitlines()[-1].endswith(
        "What has arrived is kept. Go on with: edgellm models pull me-large-q4_k_m"
    )
    hub.faults.clear()
    assert "Installed me-large-q4_k_m" in edgellm.here("models", "pull", "me-large-q4_k_m").out


def test_elsewhere_than_a_terminal_a_line_comes_now_and_then(edgellm: CommandLine, hub: Hub) -> None:
    hub.faults += [Fault("503", times=1, path="large"), Fault("slow", times=-1, path="large", seconds=0.014)]
    ran = edgellm.here("models", "pull", "me/large-GGUF")
    told = [line for line in ran.err.splitlines() if line.startswith("me-large-q4_k_m: ")]
    assert told
    assert all("\x1b" not in line and "%" in line for line in told)
    assert any("B/s, " in line and " left" in line for line in told), told
    assert len(told) < 10
    assert edgellm.here("models", "pull", "me/set", "--quiet").err == ""


def test_the_hub_is_searched(edgellm: CommandLine, hub: Hub) -> None:
    out = edgellm.here("models", "search", "GGUF", "--count", "2").out
    assert "At 127.0.0.1" in out
    assert "me/tiny-GGUF  " in out
    assert "MIT" in out
    found = edgellm.here("models", "search", "closed", "--json").object
    assert [(one["repo"], one["gated"]) for one in found["hub"]] == [("me/closed-GGUF", True)]
    assert found["catalog"] == []
