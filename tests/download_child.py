"""Downloads with all their real parts against a loopback hub: in this process or, run as a program, in one to kill.

    python -m tests.download_child pull NAME OWNER/REPO

The folder comes from EDGELLM_HOME, the hub from HF_ENDPOINT. What happens is written to standard output, one JSON
object a line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from edgellm import network, paths, settings
from edgellm.errors import EdgeError
from edgellm.models.downloads import Downloads
from edgellm.models.hub import Hub
from edgellm.models.progress import Progress
from edgellm.models.retry import Tuning
from edgellm.models.store import ModelStore
from edgellm.paths import Paths
from edgellm.settings import Settings

CHUNK = 65536
QUICK = Tuning(stall=2.0, patience=1.5, first_wait=0.05, longest_wait=0.3, chunk=CHUNK, save_every=CHUNK)
ROOT = Path(__file__).resolve().parents[1]


class Setting:
    """Settings that a test changes while something runs. The offline lock stays on: loopback is allowed."""

    def __init__(self, **values: Any) -> None:
        self.now = settings.changed(Settings(), **values)

    def __call__(self) -> Settings:
        return self.now

    def change(self, **values: Any) -> None:
        """Other values from now on."""
        self.now = settings.changed(self.now, **values)


def build(
    where: Paths, setting: Setting, tuning: Tuning = QUICK, store: ModelStore | None = None, **more: Any
) -> tuple[Downloads, Hub, ModelStore]:
    """The services of the program, put together as the program does."""
    models = store or ModelStore(where)

    def connect(purpose: str) -> network.Client:
        return network.client(setting(), where.ledger, purpose)

    hub = Hub(connect)
    return Downloads(setting, lambda: models, connect, hub.complete, tuning=tuning, **more), hub, models


def command(*arguments: str) -> list[str]:
    """The command line that runs this file as a program."""
    return [sys.executable, "-m", "tests.download_child", *arguments]


def begin(home: Path, endpoint: str, *arguments: str) -> subprocess.Popen[str]:
    """Start it, in a process of its own."""
    env = {**os.environ, "EDGELLM_HOME": str(home), "HF_ENDPOINT": endpoint, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command(*arguments), env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str], timeout: float = 60.0) -> list[dict[str, Any]]:
    """Everything it wrote, once it has ended."""
    out, _ = process.communicate(timeout=timeout)
    return [json.loads(line) for line in out.splitlines()]


def _write(kind: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **values}) + "\n")
    sys.stdout.flush()


def _show(progress: Progress) -> None:
    _write("progress", **asdict(progress))


def _run(action: str, name: str = "", repo: str = "") -> None:
    downloads, hub, _ = build(paths.from_environment(), Setting())
    downloads.listen(_show)
    if action == "pull":
        _write("installed", path=str(downloads.pull(replace(hub.card(repo), name=name)).path))
    elif action == "full":
        _until_full(name, repo)
    elif action == "pause":
        downloads.pause(name)
    elif action == "cancel":
        downloads.cancel(name)
    elif action == "resume_all":
        _write("begun", names=downloads.resume_all())
        while downloads.unfinished():
            time.sleep(0.05)
        downloads.close()


def _until_full(name: str, repo: str) -> None:
    """Pull on a disk that is too small, which another program fills meanwhile if EDGELLM_TEST_FILL says so."""
    where = paths.from_environment()
    fill = int(os.environ.get("EDGELLM_TEST_FILL", "0"))
    more: dict[str, Any] = {"room": lambda folder: 1 << 40} if fill else {}
    downloads, hub, _ = build(where, Setting(), **more)

    def meanwhile(progress: Progress) -> None:
        if fill and progress.received > 100_000:
            with suppress(OSError):
                (where.settings.parent / "filler").write_bytes(bytes(fill))

    card = replace(hub.card(repo), name=name)
    try:
        downloads.pull(card, meanwhile)
    except EdgeError as error:
        _write("error", type=type(error).__name__, message=error.message)
    kept = sum(path.stat().st_size for path in where.models.rglob("*.part"))
    record = downloads.unfinished()[0].message
    downloads.cancel(card.name)
    left = sorted(path.name for path in where.models.rglob("*") if path.is_file() and path.name != ".lock")
    _write("left", names=left, kept=kept, record=record)


def main() -> NoReturn:
    """Do what the arguments say."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background hands it on as ignored
    if limit := os.environ.get("EDGELLM_TEST_FILE_LIMIT"):
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        _run(*sys.argv[1:])
    except EdgeError as error:
        _write("error", type=type(error).__name__, message=error.message, hint=error.hint)
        raise SystemExit(1) from error
    raise SystemExit(0)


if __name__ == "__main__":
    main()
