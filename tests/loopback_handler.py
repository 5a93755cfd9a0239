"""One request to the loopback hub: its endpoints, the bytes of its files, and what a fault makes of them."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback_values import Fault, File, Seen, damaged

if TYPE_CHECKING:
    from tests.loopback_hub import Hub

PORTAL = b"<html><head><title>Sign in</title></head><body>Welcome to the hotel's network.</body></html>"
_PIECE = 16384


class Server(ThreadingHTTPServer):
    """The hub's own server, or the CDN."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    hub: Hub
    name: str

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Server
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

    def _content(self, file: File, body: bool) -> None:
        hub = self.server.hub
        fault = hub.strike("file", file.path) if body else None
        if fault and self._failed(fault):
            return
        kind, at = (fault.kind, fault.at) if fault else ("", 0)
        data = damaged(file.data, kind, at)
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
