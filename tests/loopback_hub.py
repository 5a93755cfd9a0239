"""A hub for the tests: a real HTTP server on loopback with the endpoints and headers of a model hub, and its faults.

    with Hub(repos={"owner/name": {"model.gguf": data}}, faults=[Fault("cut", at=1000)]) as hub:
        ... hub.endpoint, hub.log (every request), hub.sent (bytes of file bodies sent)

Weights (.gguf, .onnx, ...) are answered with a redirect to a second server, the "CDN", whose addresses are signed in
the query; small files come directly. A fault strikes `times` times (-1: always), in the order of the list, at the
requests it is meant for: "file" (the answer that holds the bytes), "resolve" (the hub's own answer for a file), "api".
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

WEIGHTS = (".gguf", ".onnx", ".onnx_data", ".safetensors", ".bin", ".pt")
PORTAL = b"<html><head><title>Sign in</title></head><body>Welcome to the hotel's network.</body></html>"
_PIECE = 16384


@dataclass(slots=True)
class Fault:
    """Something that goes wrong.

    cut, reset, stall: after `at` bytes of this body the connection is closed, reset, or falls silent.
    silent: no answer at all. slow: `seconds` of pause after every 16 KiB.
    wrong_byte, zeros, swapped_prefix: the byte at `at` of the file, everything from `at` on, everything before it.
    short: the file ends at `at`, and says so. etag: another ETag, `value`.
    lying_range: the body begins `at` bytes later than asked and Content-Range says so; lying_body: it does not say so.
    no_range: Range is ignored. no_etag. portal: a sign-in page. portal_redirect: a redirect to one. loop: to itself.
    header: one more header, "Name: value". A number, such as 503: that status, with `value` as its Retry-After.
    """

    kind: str
    at: int = 0
    times: int = 1
    on: str = "file"
    value: str = ""
    path: str = ""
    seconds: float = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """One request, as it came."""

    server: str
    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """Everything of the request, to search in."""
        return f"{self.method} {self.target} {dict(self.headers)}"


@dataclass(slots=True)
class _File:
    repo: str
    path: str
    data: bytes
    sha256: str = field(init=False)
    git_oid: str = field(init=False)

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        self.git_oid = git_oid(self.data)

    @property
    def weights(self) -> bool:
        return self.path.endswith(WEIGHTS)


def git_oid(data: bytes) -> str:
    """The id git gives a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """The server. `repos` maps "owner/name" to {path: content}."""

    def __init__(
        self,
        repos: Mapping[str, Mapping[str, bytes]],
        faults: Sequence[Fault] = (),
        *,
        gated: Sequence[str] = (),
        token: str = "",
        licenses: Mapping[str, str] | None = None,
    ) -> None:
        self.files = {
            (repo, path): _File(repo, path, data) for repo, all_ in repos.items() for path, data in all_.items()
        }
        self.repos = {repo: dict(all_) for repo, all_ in repos.items()}
        self.faults = [*faults]
        self.gated, self.token, self.licenses = frozenset(gated), token, dict(licenses or {})
        self.extra: dict[str, dict[str, Any]] = {}
        """repo -> keys that replace those of its listing, for hostile answers."""
        self.log: list[Seen] = []
        self.sent = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._servers = [self._server("hub"), self._server("cdn")]
        self._threads = [threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True) for one in self._servers]

    def _server(self, name: str) -> ThreadingHTTPServer:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.hub, server.name = self, name
        return server

    def __enter__(self) -> Hub:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def endpoint(self) -> str:
        """The hub's address, without a slash at its end."""
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def cdn(self) -> str:
        """The address of the second server."""
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    def url(self, repo: str, path: str, revision: str = "main") -> str:
        """The address of a file."""
        return f"{self.endpoint}/{repo}/resolve/{revision}/{quote(path)}"

    def commit(self, repo: str) -> str:
        """The commit that a repository is at."""
        known = "".join(f"{path}{file.sha256}" for (name, path), file in sorted(self.files.items()) if name == repo)
        return hashlib.sha1(known.encode()).hexdigest()

    def replace(self, repo: str, path: str, data: bytes) -> None:
        """Publish another content under the same name."""
        self.repos[repo][path] = data
        self.files[repo, path] = _File(repo, path, data)

    def requests(self, server: str = "") -> list[Seen]:
        """The requests so far, of "hub", "cdn" or both."""
        with self._lock:
            return [seen for seen in self.log if not server or seen.server == server]

    def note(self, seen: Seen) -> None:
        """Add to the log."""
        with self._lock:
            self.log.append(seen)

    def count(self, size: int) -> None:
        """Add to the bytes sent."""
        with self._lock:
            self.sent += size

    def strike(self, on: str, path: str) -> Fault | None:
        """The next fault meant for such a request; it is used up."""
        with self._lock:
            for fault in self.faults:
                if fault.times and fault.on == on and fault.path in path:
                    fault.times -= fault.times > 0
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    hub: Hub
    name: str

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        hub, parts = self.server.hub, urlsplit(self.path)
        hub.note(Seen(self.server.name, self.command, self.path, dict(self.headers.items())))
        path = unquote(parts.path)
        if self.server.name == "cdn":
            file = next((file for file in hub.files.values() if path == f"/cdn/{file.sha256}"), None)
            if file is None or "Signature" not in parse_qs(parts.query):
                return self._plain(403, b"signature")
            return self._content(file, body)
        if path == "/sign-in":
            return self._page()
        if path.startswith("/api/models"):
            return self._api(path, parse_qs(parts.query))
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolve(found[1], found[3], body)
        return self._plain(404, b"Not Found")

    # The hub's own answers

    def _refused(self, repo: str) -> bool:
        hub = self.server.hub
        if repo not in hub.gated:
            return False
        given = self.headers.get("Authorization", "")
        if given == f"Bearer {hub.token}" and hub.token:
            return False
        self._plain(403 if given else 401, b"Access is restricted.", {"X-Error-Code": "GatedRepo"})
        return True

    def _api(self, path: str, query: dict[str, list[str]]) -> None:
        hub = self.server.hub
        if (fault := hub.strike("api", path)) and self._failed(fault):
            return
        if path in ("/api/models", "/api/models/"):
            text = query.get("search", [""])[0].lower()
            found = [self._listing(repo) for repo in hub.repos if text in repo.lower()]
            return self._json(found[: int(query.get("limit", ["100"])[0])])
        found_repo = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        repo = found_repo[1] if found_repo else ""
        if repo not in hub.repos:
            return self._plain(404, b'{"error":"Repository not found"}', {"X-Error-Code": "RepoNotFound"})
        revision = (found_repo and found_repo[2]) or "main"
        if revision not in ("main", hub.commit(repo)):
            return self._plain(404, b'{"error":"Revision not found"}', {"X-Error-Code": "RevisionNotFound"})
        return self._json(self._listing(repo) | hub.extra.get(repo, {}))

    def _listing(self, repo: str) -> dict[str, Any]:
        hub = self.server.hub
        license_ = hub.licenses.get(repo, "apache-2.0")
        siblings = []
        for (name, path), file in hub.files.items():
            if name != repo:
                continue
            entry: dict[str, Any] = {"rfilename": path, "size": len(file.data), "blobId": file.git_oid}
            if file.weights:
                entry["lfs"] = {"sha256": file.sha256, "size": len(file.data), "pointerSize": 134}
            siblings.append(entry)
        return {
            "_id": hashlib.sha1(repo.encode()).hexdigest()[:24],
            "id": repo,
            "modelId": repo,
            "author": repo.partition("/")[0],
            "sha": hub.commit(repo),
            "lastModified": "2026-01-02T03:04:05.000Z",
            "createdAt": "2026-01-01T00:00:00.000Z",
            "private": False,
            "gated": "manual" if repo in hub.gated else False,
            "disabled": False,
            "downloads": 1234,
            "likes": 5,
            "library_name": "gguf",
            "pipeline_tag": "text-generation",
            "tags": ["gguf", "text-generation", f"license:{license_}"],
            "cardData": {"license": license_},
            "siblings": siblings,
        }

    def _resolve(self, repo: str, path: str, body: bool) -> None:
        hub = self.server.hub
        if self._refused(repo):
            return
        file = hub.files.get((repo, path))
        if file is None:
            self._plain(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
        elif (fault := hub.strike("resolve", path)) and self._failed(fault):
            pass
        elif not file.weights:
            self._content(file, body)
        else:
            signed = f"{hub.cdn}/cdn/{file.sha256}?Expires=2000000000&Signature=s3cr3t~signature&Key-Pair-Id=K"
            headers = {
                "Location": signed,
                "X-Repo-Commit": hub.commit(repo),
                "X-Linked-Size": str(len(file.data)),
                "X-Linked-ETag": f'"{file.sha256}"',
                "Accept-Ranges": "bytes",
            }
            self._plain(302, b"Found", headers)

    # The bytes of a file

    def _content(self, file: _File, body: bool) -> None:
        hub = self.server.hub
        fault = hub.strike("file", file.path) if body else None
        if fault and self._failed(fault):
            return
        kind, at = (fault.kind, fault.at) if fault else ("", 0)
        data = _damaged(file.data, kind, at)
        etag = f'"{file.sha256 if file.weights else file.git_oid}"'
        if fault and kind == "etag":
            etag = f'"{fault.value}"'
        start, stop = self._range(len(data), etag, kind)
        if start >= len(data) > 0 or (kind == "416" and "Range" in self.headers):
            return self._plain(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        partial = "Range" in self.headers and (start, stop) != (-1, -1)
        start, stop = (start, stop) if partial else (0, len(data))
        shown = (start + at, stop) if kind == "lying_range" and partial else (start, stop)
        sent = data[start + at : stop] if kind in ("lying_range", "lying_body") and partial else data[start:stop]
        if kind == "lying_body":
            sent += bytes(stop - start - len(sent))
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {shown[0]}-{shown[1] - 1}/{len(data)}")
        if kind != "no_etag":
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(sent)))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "none" if kind == "no_range" else "bytes")
        if not file.weights:
            self.send_header("X-Repo-Commit", hub.commit(file.repo))
        if fault and kind == "header":
            name, _, value = fault.value.partition(": ")
            self.send_header(name, value)
        self.end_headers()
        if body:
            self._send(sent, fault)

    def _range(self, size: int, etag: str, kind: str) -> tuple[int, int]:
        """Start and stop of the bytes asked for; (-1, -1) for the whole file."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not asked or kind == "no_range" or (condition and condition != etag):
            return -1, -1
        return int(asked[1]), min(int(asked[2]) + 1 if asked[2] else size, size)

    def _send(self, data: bytes, fault: Fault | None) -> None:
        hub, kind = self.server.hub, fault.kind if fault else ""
        if fault and kind in ("cut", "reset", "stall"):
            data = data[: fault.at]
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            self.wfile.write(piece)
            hub.count(len(piece))
            if fault and kind == "slow" and hub.stopped.wait(fault.seconds):
                return
        if kind == "stall":
            self._fall_silent()
        elif kind == "reset":
            self._reset()
        elif kind == "cut":
            self.close_connection = True

    # Faults that are a whole answer

    def _failed(self, fault: Fault) -> bool:
        """Whether the fault was an answer of its own, or one that was not given."""
        if fault.kind.isdigit() and fault.kind != "416":
            headers = {"Retry-After": fault.value} if fault.value else {}
            self._plain(int(fault.kind), b"no", headers)
        elif fault.kind == "silent":
            self._fall_silent()
        elif fault.kind == "refuse":
            self._reset()
        elif fault.kind == "portal":
            self._page()
        elif fault.kind == "portal_redirect":
            self._plain(302, b"", {"Location": f"{self.server.hub.endpoint}/sign-in"})
        elif fault.kind == "loop":
            self._plain(302, b"", {"Location": self.path})
        elif fault.kind == "redirect":
            self._plain(302, b"", {"Location": fault.value})
        elif fault.kind == "garbage":
            self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
            self.close_connection = True
        else:
            return False
        return True

    def _fall_silent(self) -> None:
        self.wfile.flush()
        self.server.hub.stopped.wait(120)
        self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _page(self) -> None:
        self._plain(200, PORTAL, {"Content-Type": "text/html; charset=utf-8"})

    def _json(self, value: object) -> None:
        self._plain(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _plain(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _damaged(data: bytes, kind: str, at: int) -> bytes:
    """What a mirror with this fault holds instead of `data`."""
    if kind == "wrong_byte" and at < len(data):
        return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]
    if kind == "zeros":
        return data[:at] + bytes(len(data) - at)
    if kind == "swapped_prefix":
        return bytes(byte ^ 0xFF for byte in data[:at]) + data[at:]
    if kind == "short":
        return data[:at]
    return data
