"""Tests of the list of runtimes and providers: each is usable or not, and says why."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from machines import AMX, AVX2, CUDA, EVERY, METAL, PLAIN, computer, nvidia

from edgellm.hardware.probe import Hardware
from edgellm.runtimes import inventory
from edgellm.runtimes.build import Build
from edgellm.settings import Settings, changed


def rows(part: str, hardware: Hardware, build: Build = EVERY) -> dict[str, tuple[bool, str]]:
    """The rows of one part of llama.cpp: usable, and why or why not."""
    found = inventory.gather(hardware, build, Settings())["build"][part]
    return {row["name"]: (row["usable"], row["reason"]) for row in found}


def lines(hardware: Hardware, build: Build = EVERY, **values: Any) -> list[str]:
    """The list as a person reads it."""
    return list(inventory.lines(inventory.gather(hardware, build, changed(Settings(), **values))))


def test_each_cpu_library_says_why_it_is_not_used() -> None:
    found = rows("variants", computer(8, 5, flags=AVX2))
    assert found["haswell"] == (True, "")
    assert found["zen4"][0] is False
    assert found["zen4"][1].startswith("this processor has no avx512")
    amx = rows("variants", computer(8, 5, flags=AMX))
    assert amx["sapphirerapids"] == (False, "its matrix unit (AMX) crashes, so it is never chosen by itself")
    assert any(line.strip().startswith("not zen4: this processor has no avx512") for line in lines(computer(8, 5)))
    assert "  CPU parts   one, linked in" in lines(computer(8, 5), PLAIN)


@pytest.mark.parametrize(
    ("hardware", "build", "cuda"),
    [
        (computer(16, 12, nvidia(8)), CUDA, (True, "NVIDIA Test 8 GB")),
        (computer(16, 12, nvidia(8)), EVERY, (False, "this llama.cpp was built without CUDA")),
        (computer(16, 12), CUDA, (False, "there is no device for CUDA here")),
        (computer(16, 12, nvidia(8, usable=False, reason="its driver is old")), CUDA, (False, "its driver is old")),
    ],
)  # fmt: skip
def test_each_kind_of_gpu_says_whether_and_why(hardware: Hardware, build: Build, cuda: tuple[bool, str]) -> None:
    found = rows("backends", hardware, build)
    assert found["cuda"] == cuda
    assert found["vulkan"] == (False, "this llama.cpp was built without Vulkan")
    text = "\n".join(lines(hardware, build))
    assert (f"cuda ({cuda[1]})" if cuda[0] else f"not cuda: {cuda[1]}") in text
    assert rows("backends", hardware, METAL)["metal"] == (False, "there is no device for Metal here")


@pytest.mark.parametrize(
    ("values", "usable", "reason"),
    [
        ({}, False, "off: no address is set"),
        (
            {"remote_address": "http://server.example:8000"}, False,
            "off: the offline lock is on, and the server is another computer",
        ),
        (
            {"remote_address": "http://server.example:8000", "offline": False}, True,
            "on when the model is remote; it leaves this computer",
        ),
        (
            {"remote_address": "http://127.0.0.1:8080"}, True,
            "on when the model is remote; another program on this computer",
        ),
        (
            {"remote_address": "http://a:b@c:1"}, False,
            "off: The server's address holds a name or a password. Leave it out, and run: edgellm remote --set-key",
        ),
    ],
)  # fmt: skip
def test_the_server_is_off_until_an_address_is_set(values: dict[str, Any], usable: bool, reason: str) -> None:
    found = inventory.gather(computer(8, 5), EVERY, changed(Settings(), **values))["runtimes"][-1]
    assert (found["name"], found["usable"], found["reason"]) == ("remote", usable, reason)
    assert f"  remote      {reason} (models on a server)" in lines(computer(8, 5), **values)


def test_what_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name in ("torch", "onnxruntime") else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    text = "\n".join(lines(computer(8, 5)))
    assert "torch       not installed. Run: pip install 'edgellm[torch]'" in text
    assert "onnx        not installed. Run: pip install onnxruntime" in text


def test_torch_without_transformers_is_there_but_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name == "transformers" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    row = inventory.gather(computer(8, 5), EVERY, Settings())["runtimes"][2]
    assert (row["name"], row["installed"], row["usable"]) == ("torch", True, False)
    assert "pip install 'edgellm[torch]'" in row["reason"]


def test_every_provider_has_a_reason() -> None:
    found = inventory.gather(computer(8, 5), EVERY, Settings())
    assert {row["name"].lower() for row in found["providers"]} >= {"cuda", "coreml", "directml", "openvino", "cpu"}
    for row in (*found["providers"], *found["torch"], *found["build"]["backends"]):
        assert row["reason"], row
