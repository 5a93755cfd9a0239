"""A full disk while chats are written: one sentence, nothing saved is lost, and it goes on once there is room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgellm.chats.store import Store
from edgellm.errors import StorageError

# Runs in a child, because a limit on the size of files holds for the whole process.
LIMITED = """
import resource, sys
from pathlib import Path
from edgellm.chats.store import Store
from edgellm.errors import StorageError

store = Store(Path(sys.argv[1]), interval=0.05)
chat = store.create("full").id
parent = None
for number in range(3):
    parent = store.add(chat, parent, "user", f"before {number}").id
writer = store.begin(chat, parent)
writer.append("kept ")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
refused = 0
saved = 0
for number in range(400):
    try:
        store.add(chat, parent, "user", "x" * 4000)
        saved += 1
    except StorageError as error:
        assert "disk is full" in error.message, error.message
        refused += 1
        if refused == 5:
            break
assert refused == 5
writer.append("y" * 3_000_000)
try:
    writer.finish("done", {})
    raise SystemExit("the stream was not refused")
except StorageError as error:
    assert "disk is full" in error.message, error.message
assert writer.failure is not None
writer.append(" end")
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
if sys.argv[3] == "again":
    writer.finish("done", {})
    assert writer.failure is None
    assert len(store.message(writer.message).text) == len("kept  end") + 3_000_000
    store.add(chat, parent, "user", "after")
print(f"{saved} {parent} {writer.message}", flush=True)
if sys.argv[3] == "die":
    import os
    os.kill(os.getpid(), 9)
store.close()
"""
SMALL_DISK = """
import sys
from pathlib import Path
from edgellm.chats.store import Store
from edgellm.errors import StorageError

store = Store(Path(sys.argv[1]) / "chats.db", interval=0.05)
chat, saved, refused = store.create("small").id, [], ""
for number in range(2000):
    try:
        saved.append(store.add(chat, None, "user", f"{number} " + "z" * 3000).id)
    except StorageError as error:
        refused = error.message
        break
assert "disk is full" in refused, refused
assert all(store.message(key).text.startswith(f"{number} ") for number, key in enumerate(saved))
store.close()
again = Store(Path(sys.argv[1]) / "chats.db")
assert list(again._db.execute("PRAGMA integrity_check")) == [("ok",)]
assert [m.id for m in again.tree(chat)] == saved
again.close()
print(len(saved))
"""


def run(code: str, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", code, *arguments]
    if before:
        command = ["unshare", "--mount", "sh", "-c", f'{before} && exec "$0" "$@"', *command]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=100)


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are Unix's")
@pytest.mark.parametrize("end", ["again", "die", "close"])
def test_a_limit_on_the_size_of_files(tmp_path: Path, end: str) -> None:
    path = tmp_path / "chats.db"
    done = run(LIMITED, str(path), "300000", end)
    assert done.returncode == (-9 if end == "die" else 0), done.stderr
    saved, parent, message = (int(word) for word in done.stdout.split())
    store = Store(path)
    assert list(store._db.execute("PRAGMA integrity_check")) == [("ok",)]
    tree = store.tree(store.chats()[0].id)
    assert [one.text for one in tree[:3]] == ["before 0", "before 1", "before 2"]
    assert sum(one.text == "x" * 4000 for one in tree) == saved
    assert store.message(parent).text == "before 2"
    assert store.message(message).state == ("done" if end == "again" else "interrupted")
    assert store.message(message).text.startswith("kept ") or end != "again"
    assert len(store.search("before")) == 3
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small file system of its own")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=700k none '{tmp_path}'"
    if run("pass", before=mount).returncode:
        pytest.skip("no right to mount a file system here")
    done = run(SMALL_DISK, str(tmp_path), before=mount)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StorageError):
        Store(blocked / "chats.db")
