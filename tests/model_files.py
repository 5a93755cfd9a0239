"""Small models in folders for tests of the store: made of random bytes, with the manifest that belongs to them."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.store import ModelStore
from edgellm.paths import Paths

CHUNK = 4096


def paths_in(folder: Path) -> Paths:
    """Paths below `folder`."""
    return Paths.under(folder, folder, folder / "logs")


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that compress to nothing."""
    return random.Random(seed).randbytes(size)


def sha256(data: bytes) -> str:
    """The hash in hex."""
    return hashlib.sha256(data).hexdigest()


def draft(name: str, contents: Mapping[str, bytes], **values: object) -> Manifest:
    """The manifest of a model with these files."""
    files = tuple(
        ManifestFile(
            path, len(data), sha256(data), tuple(sha256(data[at : at + CHUNK]) for at in range(0, len(data), CHUNK))
        )
        for path, data in contents.items()
    )
    return Manifest(name=name, files=files, chunk_size=CHUNK, **values)  # type: ignore[arg-type]


def place(store: ModelStore, name: str, contents: Mapping[str, bytes], **values: object) -> Installed:
    """Install a model, as a download would."""
    waiting = store.folder / ".downloads" / f"{name}.parts"
    sources = {}
    for number, (path, data) in enumerate(contents.items()):
        waiting.mkdir(parents=True, exist_ok=True)
        sources[path] = waiting / f"{number}.part"
        sources[path].write_bytes(data)
    return store.place(draft(name, contents, **values), sources)


def tree(folder: Path) -> dict[str, int]:
    """Every file below `folder`, with its size; locks are left out."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def child(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Another process that runs `script`."""
    root = Path(__file__).resolve().parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


_ACTS = frozenset(
    ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "open")
)


def killed_at(number: int, act: Callable[[], object]) -> bool:
    """Run `act` in a process that is killed with -9 right before its `number`-th act on files; False if it ended first.

    Opening for reading counts too: that is where copies are half done.
    """
    process = os.fork()
    if process:
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed before it was killed"
        return os.WIFSIGNALED(status)
    left = number

    def hook(event: str, _arguments: object) -> None:
        nonlocal left
        if event in _ACTS:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(hook)
        act()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
