"""The peers of `benchmarks.runtimes`: starts each in a process of another environment, and says why one is missing."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.generate import Direct, say

# A package of the index: the module that runs it.
PEERS = {
    "xllamacpp": "benchmarks.peer_xllamacpp",
    "gpt4all": "benchmarks.peer_gpt4all",
    "openvino-genai": "benchmarks.peer_openvino_genai",
}
# A peer with one setting turned round: the peer, and what its module is told besides.
PEER_VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openvino-genai, no 8-bit activations": (
        "openvino-genai",
        {"properties": {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}},
    ),
    "openvino-genai, 32-bit numbers": (
        "openvino-genai",
        {"properties": {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "INFERENCE_PRECISION_HINT": "f32"}},
    ),
}


class Missing(Exception):
    """A peer is not installed, or cannot run the model; the text says which."""


class Peer(Direct):
    """Another project in a child process, asked as llama-cpp-python is."""

    def __init__(self, name: str, python: str, order: Mapping[str, Any]) -> None:
        self.name, self._python = name, python
        # What it writes about itself goes nowhere: an error that stops it is in its answer.
        try:
            self._child = subprocess.Popen(
                [python, "-m", PEERS[name]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=Path(__file__).resolve().parent.parent,
            )
        except OSError as error:
            words = f"{name} cannot start, {python}: {error.strerror}"
            raise Missing(f"{words}; run: python -m venv peers && peers/bin/pip install {name}") from error
        try:
            self.version = str(self._order(**order)["version"])
        except BaseException:
            self.close()
            raise

    def _order(self, **order: Any) -> dict[str, Any]:
        try:
            answer = super()._order(**order)
        except (RuntimeError, BrokenPipeError) as error:
            raise Missing(f"{self.name} ended with status {self._child.wait()}") from error
        if "error" not in answer:
            return answer
        if answer["error"].startswith("ModuleNotFoundError"):
            raise Missing(f"{self.name} is not installed; run: {self._python} -m pip install {self.name}")
        raise Missing(f"{self.name} failed: {answer['error']}")


def start_peers(stack: ExitStack, python: str, order: Mapping[str, Any]) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that run, by the name of their side, and for each other one why it does not."""
    found: dict[str, Peer] = {}
    missing: dict[str, str] = {}
    wanted: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in PEERS} | PEER_VARIANTS
    for side, (name, more) in wanted.items():
        if name in missing:
            continue
        try:
            found[side] = Peer(name, python, {**order, **more})
            stack.callback(found[side].close)
        except Missing as error:
            missing[side] = str(error)
            say(f"Left out: {error}.")
    return found, missing
