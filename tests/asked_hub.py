"""What the tests of the hub share: repositories to serve, a hub of the program that asks, and a server of raw bytes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgellm import network
from edgellm.models.hub import Hub, Limits
from edgellm.models.retry import Tuning
from edgellm.settings import Settings

GGUF = "owner/Some-Model-GGUF"
ONNX = "Xenova/opus-mt-en-fr"
QUICK = Limits(tuning=Tuning(patience=0.25, first_wait=0.02, longest_wait=0.05))
REPOS: dict[str, dict[str, bytes]] = {
    GGUF: {
        ".gitattributes": b"*.gguf filter=lfs\n",
        "README.md": b"---\nlicense: mit\n---\n",
        "Some-Model-Q4_K_M.gguf": b"four" * 10,
        "Some-Model-Q8_0.gguf": b"eight" * 20,
        "mmproj-F16.gguf": b"sees",
    },
    ONNX: {
        "README.md": b"translates",
        "config.json": b"{}",
        "tokenizer.json": b'{"version": "1.0"}',
        "source.spm": b"pieces",
        "pytorch_model.bin": b"pickled",
        "handler.py": b"import os",
        "onnx/encoder_model.onnx": b"e" * 40,
        "onnx/encoder_model_quantized.onnx": b"e" * 10,
        "onnx/decoder_model_merged.onnx": b"d" * 40,
        "onnx/decoder_model_merged_quantized.onnx": b"d" * 10,
    },
    "owner/split-GGUF": {f"Q8_0/big-Q8_0-{part:05}-of-00003.gguf": bytes([part]) * 9 for part in (1, 2, 3)},
    "owner/torn-GGUF": {f"torn-{part:05}-of-00003.gguf": bytes([part]) * 9 for part in (1, 3)},
    "owner/nothing": {"README.md": b"", "pytorch_model.bin": b"pickled"},
    "locked/Model-GGUF": {"model-Q4_K_M.gguf": b"secret"},
}


class Asked:
    """A hub of the program, and the ledger of its connections."""

    def __init__(self, folder: Path, settings: Settings, **options: Any) -> None:
        self.ledger = folder / "ledger.jsonl"
        self.token = ""
        further = options.pop("further", ())
        self.hub = Hub(self._connect, further, **{"limits": QUICK, **options})
        self._settings = settings

    def _connect(self, purpose: str) -> network.Client:
        return network.client(self._settings, self.ledger, purpose, self.token)

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text().splitlines()] if self.ledger.exists() else []


@contextlib.contextmanager
def raw_server(status: bytes, body: bytes) -> Iterator[str]:
    """A server that gives one answer to everything, byte for byte; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body))
                    connection.sendall(head + body)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
