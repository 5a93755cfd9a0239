"""A hub for the tests: a real HTTP server on loopback with the endpoints and headers of a model hub, and its faults.

    with Hub(repos={"owner/name": {"model.gguf": data}}, faults=[Fault("cut", at=1000)]) as hub:
        ... hub.endpoint, hub.log (every request), hub.sent (bytes of file bodies sent)

Weights (.gguf, .onnx, ...) are answered with a redirect to a second server, the "CDN", whose addresses are signed in
the query; small files come directly. A fault strikes `times` times (-1: always), in the order of the list, at the
requests it is meant for: "file" (the answer that holds the bytes), "resolve" (the hub's own answer for a file), "api".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tests.loopback_handler import Handler, Server
from tests.loopback_values import Fault, File, Seen, git_oid

__all__ = ["Fault", "Hub", "Seen", "git_oid"]


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
            (repo, path): File(repo, path, data) for repo, all_ in repos.items() for path, data in all_.items()
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

    def _server(self, name: str) -> Server:
        server = Server(("127.0.0.1", 0), Handler)
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
        self.files[repo, path] = File(repo, path, data)

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
