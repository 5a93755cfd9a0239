"""Speed and memory of a download, against `curl` for the same file on loopback, in one run.

Run: python -m benchmarks.download [--size 1024] [--rounds 5] [--folder DIR]

A server in a process of its own sends one file by sendfile. `curl -o` and EdgeLLM's `fetch` get it in turn, each into a
new file in the same folder: curl, EdgeLLM, curl, EdgeLLM. EdgeLLM hashes the whole and each 16 MiB while the bytes
arrive, compares the sha256, and makes sure that the disk has the file; curl does nothing of that, so the time until the
disk has its file too is taken as well. On a RAM disk (`--folder /dev/shm`) the two are the same. Each runs
in a new process, and the time is taken inside it, around the transfer alone for EdgeLLM, and by curl itself. Every
figure is the median of the rounds; the memory is the largest growth of resident memory during a fetch.

The last line is `RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from edgellm import network
from edgellm.models import hashing
from edgellm.models.transfer import Control, Wanted, fetch
from edgellm.settings import Settings

RATIO, GROWTH_MB = 0.8, 30.0


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make(path: Path, megabytes: int) -> None:
    """A file that cannot be compressed."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for number in range(megabytes):
            file.write(number.to_bytes(8, "little") + block[8:])


def serve(path: Path) -> None:
    """Send the file to everyone who asks, from the first byte or from where a Range begins, until stdin closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    say(str(listener.getsockname()[1]))
    threading.Thread(target=_accept, args=(listener, path), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket, path: Path) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_send, args=(connection, path), daemon=True).start()


def _send(connection: socket.socket, path: Path) -> None:
    with connection, path.open("rb") as file:
        while request := connection.recv(65536):
            size = path.stat().st_size if request.startswith(b"GET /file.gguf ") else 0
            head = f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "one"\r\nAccept-Ranges: bytes\r\n\r\n'
            connection.sendall(head.encode())
            if size:
                connection.sendfile(file, 0)


@contextmanager
def server(path: Path) -> Iterator[str]:
    """The address of the file, served by another process."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.download", "--serve", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin and child.stdout
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}/file.gguf"
    finally:
        child.stdin.close()
        child.wait(timeout=30)
        child.stdout.close()


def run_curl(address: str, target: Path) -> float:
    """Seconds, by curl's own clock."""
    done = subprocess.run(
        ["curl", "-sS", "-q", "--noproxy", "*", "-o", str(target), "-w", "%{time_total}", address],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def sync(target: Path) -> float:
    """Seconds until the disk has the file, which EdgeLLM's time includes and curl's does not."""
    started = time.perf_counter()
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return time.perf_counter() - started


def run_edge(address: str, target: Path, sha256: str, size: int) -> dict[str, float]:
    """Seconds and memory, by a process of its own."""
    order = json.dumps({"address": address, "target": str(target), "sha256": sha256, "size": size})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.download", "--fetch", order], capture_output=True, text=True, check=True
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def fetch_once(order: dict[str, Any]) -> None:
    """The other end of `run_edge`. An empty file first loads the libraries."""
    target = Path(order["target"])
    ledger = target.with_suffix(".ledger")

    def connect(purpose: str) -> network.Client:
        return network.client(Settings(), ledger, purpose)

    with connect("warm") as client:
        client.get(order["address"] + ".empty")
    wanted = Wanted((order["address"],), order["size"], order["sha256"])
    before, started = _resident(), time.perf_counter()
    fetched = fetch(wanted, target, connect, Control())
    seconds = time.perf_counter() - started
    ledger.unlink()
    say(json.dumps({"seconds": seconds, "growth": (_peak() - before) / 1e6, "chunks": len(fetched.chunks)}))


def _resident() -> int:
    """Resident memory now, in bytes. Where the system does not say, the peak so far stands for it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak()


def _peak() -> int:
    value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value if sys.platform == "darwin" else value * 1024


def measure(folder: Path, megabytes: int, rounds: int) -> dict[str, Any]:
    """Both sides in turn, after one round that does not count."""
    source = folder / "source.gguf"
    make(source, megabytes)
    known = hashing.digest(source, hashing.CHUNK, hashing.Work())
    curl, kept, edge, growth = [], [], [], []
    with server(source) as address:
        for number in range(rounds + 1):
            target = folder / "target"
            seconds = run_curl(address, target)
            synced = seconds + sync(target)
            target.unlink()
            os.sync()
            got = run_edge(address, target, known.sha256, known.size)
            target.unlink()
            os.sync()
            speeds = [known.size / one / 1e6 for one in (seconds, synced, got["seconds"])]
            say(
                f"  round {number}: curl {speeds[0]:.0f}, until the disk has it {speeds[1]:.0f},"
                f" EdgeLLM {speeds[2]:.0f} MB/s, memory +{got['growth']:.1f} MB"
            )
            if number:
                curl.append(speeds[0])
                kept.append(speeds[1])
                edge.append(speeds[2])
                growth.append(got["growth"])
    return {"curl": median(curl), "curl_synced": median(kept), "edgellm": median(edge), "growth_mb": max(growth)}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.download", description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024, help="MiB of the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where source and targets lie (default: the temporary folder)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--fetch", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure, say, judge. The exit status is 1 when a target is missed."""
    asked = arguments()
    if asked.serve:
        serve(asked.serve)
        return 0
    if asked.fetch:
        fetch_once(asked.fetch)
        return 0
    if not shutil.which("curl"):
        say("curl is not installed, and there is nothing to compare with.")
        return 2
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        say(f"{asked.size} MiB over loopback into {'the temporary folder' if not asked.folder else asked.folder}:")
        figures = measure(Path(folder), asked.size, asked.rounds)
    rows = [
        ("throughput, of curl", figures["edgellm"] / figures["curl"], RATIO, True),
        ("throughput, of curl until the disk has the file", figures["edgellm"] / figures["curl_synced"], RATIO, True),
        ("growth of resident memory, MB", figures["growth_mb"], GROWTH_MB, False),
    ]
    judged = [
        {"target": name, "value": round(value, 4), "bound": bound, "met": value >= bound if least else value <= bound}
        for name, value, bound, least in rows
    ]
    for row in judged:
        say(f"{'met' if row['met'] else 'MISSED'}: {row['target']}: {row['value']} (bound {row['bound']})")
    report = {"figures": {key: round(value, 1) for key, value in figures.items()}, "verdicts": judged}
    say("RESULT " + json.dumps(report | {"size_mib": asked.size, "rounds": asked.rounds}))
    return 0 if all(row["met"] for row in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
