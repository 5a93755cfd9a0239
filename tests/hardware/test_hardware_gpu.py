"""Tests of asking graphics drivers: a child that hangs, crashes or talks nonsense, and what the answers mean."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgellm.hardware import display, gpu, probe
from edgellm.hardware.gpu import Gpu
from edgellm.hardware.memory import Memory
from edgellm.runtimes import build

GB = 1 << 30
ROOM = Memory(16 * GB, 9 * GB)


def child(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import os; os.abort()", "crashed (signal 6)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crashed (signal 9)"),
        ("import sys; sys.exit(3)", "crashed (status 3)"),
        ("raise RuntimeError", "crashed (status 1)"),
        ("print('no json')", "makes no sense"),
        ("", "makes no sense"),
        ("import sys; sys.stdout.write('[' + '1,' * 3000000)", "makes no sense"),
    ],
)
def test_a_child_that_fails_is_a_phrase(code: str, problem: str) -> None:
    answer, found = gpu.ask(child(code))
    assert answer is None
    assert problem in found


def test_a_child_that_hangs_is_ended_in_time() -> None:
    began = time.monotonic()
    answer, problem = gpu.ask(child("import time; print('{}', flush=True); time.sleep(600)"), seconds=0.5)
    assert answer is None
    assert "did not answer within 0.5 seconds" in problem
    assert time.monotonic() - began < 60


def test_a_child_that_cannot_be_started() -> None:
    answer, problem = gpu.ask(["/nonexistent/program"])
    assert answer is None
    assert "could not be started" in problem


def test_the_real_child_answers_or_says_why_not() -> None:
    answer, problem = gpu.ask(gpu._command("nvml"))
    assert problem == ""
    assert set(answer) == {"devices", "problem"}
    assert answer["devices"] or answer["problem"]
    done = subprocess.run(gpu._command("nonsense"), capture_output=True, check=False)
    assert done.returncode == 2


def row(**values: object) -> dict[str, object]:
    return {"index": 0, "name": "GeForce", "driver": "550.54", "major": 8, "minor": 6, "total": 8, "free": 7, **values}


def test_cuda_devices() -> None:
    answer = {"devices": [row(), row(index=1, driver="470.82"), row(index=2, major=3, minor=5), "nonsense"]}
    good, old, weak = gpu.cuda_devices(answer)
    assert good == Gpu("cuda", "GeForce", 0, 8, 7, "550.54")
    assert not old.usable
    assert "470.82 is older than 525.60" in old.reason
    assert not weak.usable
    assert "compute capability 3.5" in weak.reason
    assert gpu.cuda_devices(None) == gpu.cuda_devices({"devices": 5}) == gpu.cuda_devices([]) == []


@pytest.mark.parametrize(
    ("driver", "system", "fine"),
    [
        ("525.60.13", "linux", True),
        ("525.59", "linux", False),
        ("610.2", "linux", True),
        ("528.33", "win32", True),
        ("527.9", "win32", False),
        ("", "linux", False),
        ("unknown", "linux", False),
    ],
)
def test_drivers(driver: str, system: str, fine: bool) -> None:
    assert (gpu.cuda_problem(driver, (7, 5), system) == "") == fine


def test_vulkan_devices() -> None:
    answer = {"devices": [row(name="AMD Radeon"), row(name="NVIDIA GeForce", index=1), row(name="Intel", free=0)]}
    assert [(one.name, one.usable) for one in gpu.vulkan_devices(answer, 0)] == [
        ("AMD Radeon", True),
        ("NVIDIA GeForce", True),
        ("Intel", False),
    ]
    assert [one.name for one in gpu.vulkan_devices(answer, 1)] == ["AMD Radeon", "Intel"]


def test_a_card_without_a_working_driver_is_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = (display.Card("NVIDIA"), display.Card("AMD", 8 * GB, 6 * GB))
    monkeypatch.setattr(display, "cards", lambda: cards)
    monkeypatch.setattr(display, "nvidia_driver_present", lambda: False)
    found, notes = gpu.probe(ROOM, "x86_64")
    if sys.platform == "darwin":
        return
    assert notes == ()
    assert [(one.kind, one.usable) for one in found] == [("cuda", False), ("vulkan", False)]
    assert "driver is not installed" in found[0].reason
    assert "Vulkan" in found[1].reason


@pytest.mark.skipif(sys.platform == "darwin", reason="there is no NVIDIA on a Mac")
def test_a_driver_that_hangs_leaves_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "cards", lambda: (display.Card("NVIDIA"),))
    monkeypatch.setattr(display, "nvidia_driver_present", lambda: True)
    monkeypatch.setattr(gpu, "_command", lambda *_: child("import os; os.abort()"))
    found, notes = gpu.probe(ROOM, "x86_64")
    assert [one.usable for one in found] == [False]
    assert "could not be probed: asking its driver crashed" in notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="the build under test is Linux's")
def test_a_vulkan_library_that_cannot_be_loaded_leaves_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build.inspect().library_dir
    if folder is None or not (folder / "libggml.so").exists():
        pytest.skip("no llama.cpp here")
    for library in folder.glob("libggml*"):
        if "cpu" not in library.name:
            (tmp_path / library.name).symlink_to(library)
    (tmp_path / "libggml-vulkan.so").write_text("not a library")
    monkeypatch.setattr(display, "cards", lambda: ())
    monkeypatch.setattr(display, "nvidia_driver_present", lambda: False)
    found, notes = gpu.probe(ROOM, "x86_64", tmp_path)
    assert found == ()
    assert notes == ("Vulkan could not be probed: its library cannot be loaded.",)


def test_cards_on_the_bus(tmp_path: Path) -> None:
    devices = {
        "0000:00:01.0": {"vendor": "0x10de", "class": "0x030000"},
        "0000:00:02.0": {
            "vendor": "0x1002", "class": "0x038000", "mem_info_vram_total": "800", "mem_info_vram_used": "300",
        },
        "0000:00:03.0": {"vendor": "0x8086", "class": "0x020000"},
        "0000:00:04.0": {"vendor": "0x1234", "class": "0x030000"},
        "0000:00:05.0": {},
    }  # fmt: skip
    for name, files in devices.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text + "\n")
    assert display.cards(tmp_path) == (display.Card("NVIDIA"), display.Card("AMD", 800, 500))
    assert display.cards(tmp_path / "none") == ()


@pytest.mark.parametrize(("total", "free", "share"), [(8, 6, 16 / 3), (36, 30, 24), (64, 60, 48), (16, 4, 4)])
def test_metal_shares_the_memory(total: float, free: float, share: float) -> None:
    one = gpu._metal(Memory(int(total * GB), int(free * GB)), "aarch64")
    assert one.usable
    assert one.free == pytest.approx(share * GB, abs=2)
    intel = gpu._metal(ROOM, "x86_64")
    assert not intel.usable
    assert intel.reason


def test_the_whole_probe_can_be_written_as_json() -> None:
    hardware = probe.probe()
    assert hardware.system
    assert 0 < hardware.memory.free <= hardware.memory.total
    json.dumps([str(hardware), hardware.power.percent])
    again = probe.refresh(hardware)
    assert again.cpu == hardware.cpu
    assert again.memory.total == hardware.memory.total


def test_refreshing_moves_what_metal_can_take() -> None:
    metal = Gpu("metal", "Apple GPU", 0, 900 * GB, 0)
    hardware = probe.Hardware(probe.Cpu("x", frozenset(), 1, 1, "aarch64"), ROOM, (metal,))
    again = probe.refresh(hardware)
    assert again.gpus[0].free == again.memory.free > 0


def test_refreshing_asks_the_driver_for_what_is_free_now(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"devices": [row(free=3), row(index=1, free=2)], "problem": ""})
    monkeypatch.setattr(gpu, "_command", lambda *_: child(f"print({answer!r})"))
    cards = (Gpu("cuda", "one", 0, 8, 7), Gpu("cuda", "two", 1, 8, 7), Gpu("vulkan", "three", 0, 8, 7))
    assert [one.free for one in gpu.refresh(cards, ROOM)] == [3, 2, 7]
    monkeypatch.setattr(gpu, "_command", lambda *_: child("import os; os.abort()"))
    assert gpu.refresh(cards, ROOM) == cards
    monkeypatch.setattr(gpu, "_command", lambda *_: pytest.fail("there is nothing to ask"))
    dead = (Gpu("cuda", "old", 0, 8, 0, "470", False, "old"),)
    assert gpu.refresh(dead, ROOM) == dead
