"""Writing a translation: a kill leaves at most a hidden file, which the next run for the same output takes away."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edgellm.documents import rewrite
from edgellm.errors import StorageError, UsageError
from edgellm.tasks import translation_output

PAGE = "<p>The dog is tired.</p>\n"
WRITE = """
import os, sys
from pathlib import Path
real = os.replace
def replace(source, target):
    if str(target).endswith(sys.argv[3]):
        print("now", flush=True)
        input()
    real(source, target)
os.replace = replace
from edgellm.tasks import translation_output
translation_output.write(Path(sys.argv[1]), Path(sys.argv[2]), {0: ("Le chien.",)}, "fr", "")
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".db")


def killed(page: Path, out: Path, at: str) -> None:
    """A process that is killed where it would put a file in its place."""
    command = [sys.executable, "-c", WRITE, str(page), str(out), at]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()


@pytest.mark.parametrize("at", [".fr.html", ".html"])  # the last step, and one before
@pytest.mark.parametrize("name", ["page.fr.html", "a very long name " * 8 + ".fr.html", "[a].fr.html"])
def test_what_a_kill_leaves_is_gone_after_the_next_run(page: Path, name: str, at: str) -> None:
    out, folder = page.with_name(name), page.parent
    (folder / f".{name[:30]}.mine").write_text("not ours")
    before = names(folder)
    killed(page, out, at)
    assert len(names(folder)) > len(before)
    translation_output.rehearse(page, out, rewrite.segments(page))
    assert names(folder) == before
    translation_output.write(page, out, {0: ("Le chien.",)}, "fr", "")
    assert "Le chien." in out.read_text(encoding="utf-8")
    assert names(folder) == sorted([*before, name])


def test_what_belongs_to_a_process_at_work_or_to_another_computer_stays(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, dead = page.with_name("page.fr.html"), 999_999_999
    here = translation_output._begin(out)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "gethostname", lambda: "the-other-one")
        there = translation_output._begin(out)
    left = page.with_name(f"{here}{dead}.abc.html")
    stay = [
        page.with_name(f"{here}{os.getpid()}.abc.html"),
        page.with_name(f"{there}{dead}.abc.html"),
        page.with_name(f".other.html.edgellm-{dead}.abc.html"),
    ]
    for path in (left, *stay):
        path.touch()
    translation_output.tidy(out)
    assert not left.exists()
    assert all(path.exists() for path in stay)


def test_a_place_that_cannot_be_is_said_and_the_source_is_never_replaced(page: Path) -> None:
    with pytest.raises(StorageError, match=r"nowhere.page\.fr\.html cannot be written"):
        translation_output.write(page, page.parent / "nowhere" / "page.fr.html", {}, "", "")
    with pytest.raises(UsageError, match="is the file that is being translated"):
        translation_output.write(page, page, {}, "", "")
    with pytest.raises(UsageError, match=r"cannot be written as \.docx"):
        translation_output.write(page, page.with_name("a.docx"), {}, "", "")
    assert names(page.parent) == ["page.html"]
    assert page.read_text(encoding="utf-8") == PAGE
