"""What the loopback hub holds, sees and suffers: files, requests and faults."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

WEIGHTS = (".gguf", ".onnx", ".onnx_data", ".safetensors", ".bin", ".pt")


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
class File:
    """A file of a repository, with its hashes."""

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
        """Whether it is kept on the CDN."""
        return self.path.endswith(WEIGHTS)


def git_oid(data: bytes) -> str:
    """The id git gives a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def damaged(data: bytes, kind: str, at: int) -> bytes:
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
