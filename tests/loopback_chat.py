"""An OpenAI-compatible server for the tests, written by hand so that it can be as wrong as servers get.

    with ChatServer(answer("Hello", " you")) as server:
        ... server.address, server.log (every request with its body)

Each request for a chat takes the next of `answers`, the last one again and again. An answer is a function that writes
to the connection; those here make the usual ones.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

Talk = Callable[["Asked"], None]


@dataclass
class Asked:
    """One request. `gone` is set when the other side has closed the connection."""

    connection: socket.socket
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    stopped: threading.Event
    gone: threading.Event = field(default_factory=threading.Event)

    def send(self, data: bytes) -> None:
        """Write; raises `OSError` when nobody is there any more."""
        self.connection.sendall(data)

    def linger(self, seconds: float = 30.0) -> None:
        """Say nothing until the other side goes away, the server stops, or the time is over."""
        self.connection.settimeout(0.02)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopped.is_set():
            try:
                if not self.connection.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            return
        self.gone.set()


class ChatServer:
    """The server. `others` are answers for further paths, such as `/tokenize`."""

    def __init__(
        self,
        *answers: Talk,
        models: Sequence[Any] | Talk = ("small",),
        others: Mapping[str, Talk] | None = None,
    ) -> None:
        self.log: list[Asked] = []
        self._answers = list(answers)
        self._models = models if callable(models) else listing(models)
        self._others = dict(others or {})
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def chats(self) -> list[Asked]:
        """The requests for a chat."""
        return [asked for asked in self.log if asked.path.endswith("/chat/completions")]

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(30)
            asked = _request(connection, self._stopped)
            with self._lock:
                self.log.append(asked)
                talk = self._talk(asked.path)
            talk(asked)

    def _talk(self, path: str) -> Talk:
        if path.endswith("/models"):
            return self._models
        if path in self._others:
            return self._others[path]
        if not path.endswith("/chat/completions"):
            return status(404, {"error": {"message": "Not Found"}})
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def _request(connection: socket.socket, stopped: threading.Event) -> Asked:
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            raise OSError("nobody asks")
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split(" ")
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        body += connection.recv(65536)
    return Asked(connection, method, path, headers, json.loads(body) if body else None, stopped)


def listing(models: Sequence[Any]) -> Talk:
    """The answer that lists models: names, or whole entries."""
    entries = [{"id": one, "object": "model"} if isinstance(one, str) else one for one in models]
    return status(200, {"object": "list", "data": entries})


def status(code: int, body: Any = None, kind: str = "application/json", **headers: str) -> Talk:
    """An answer in one piece: JSON, or a text as it is."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {code} X", f"Content-Type: {kind}", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    def talk(asked: Asked) -> None:
        asked.send("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    return talk


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(text: str | None = None, *, reason: str | None = None, **more: Any) -> bytes:
    """One event of a stream."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": {**delta, **more.pop("delta", {})}, "finish_reason": reason}
    return b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice], **more}).encode() + b"\n\n"


def usage(prompt: int, new: int, cached: int = 0) -> bytes:
    """The last event: what was counted."""
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": new,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return b"data: " + json.dumps({"choices": [], "usage": counts}).encode() + b"\n\n"


def raw(*pieces: bytes | float, head: bytes = HEAD, linger: bool = False) -> Talk:
    """These bytes in this order, with pauses of so many seconds; then the end, or silence."""

    def talk(asked: Asked) -> None:
        asked.send(head)
        for piece in pieces:
            if isinstance(piece, bytes):
                asked.send(piece)
            else:
                time.sleep(piece)
        if linger:
            asked.linger()

    return talk


def answer(*texts: str, reason: str = "stop", counts: tuple[int, int, int] | None = None) -> Talk:
    """A stream of these pieces, as it should be."""
    ends = [usage(*counts)] if counts else []
    start = event(delta={"role": "assistant"})
    return raw(start, *(event(text) for text in texts), event(reason=reason), *ends, DONE)


def silent(asked: Asked) -> None:
    """Never a word."""
    asked.linger()


def reset(asked: Asked) -> None:
    """The connection breaks off at once."""
    asked.connection.close()
