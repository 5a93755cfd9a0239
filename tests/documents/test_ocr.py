"""Pages that are pictures: read by tesseract where it is installed, and said for every page that was or was not."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from edgellm.documents import ocr
from edgellm.documents.load import load
from edgellm.documents.source import Limits
from edgellm.errors import Stopped
from tests import document_files as made

needs_tesseract = pytest.mark.skipif(ocr.find() is None, reason="tesseract is not installed")
WORDS = "The orchard was planted in 1932.\nIt has forty apple trees."
NONE = "It has no text layer: its pages are pictures, and their words cannot be read."


def scan(*pages: str) -> bytes:
    """A PDF whose pages are pictures of these words."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    draw, font = pytest.importorskip("PIL.ImageDraw"), pytest.importorskip("PIL.ImageFont").load_default(40)
    pictures = []
    for words in pages:
        picture = image.new("L", (1240, 877), 255)
        draw.Draw(picture).text((100, 100), words, fill=0, font=font, spacing=12)
        pictures.append(picture)
    stream = io.BytesIO()
    pictures[0].save(stream, "PDF", resolution=150, save_all=True, append_images=pictures[1:])
    return stream.getvalue()


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    path = tmp_path / "scan.pdf"
    path.write_bytes(scan(WORDS, "", "Apples are picked in autumn."))
    return path


@needs_tesseract
def test_pictures_of_words_are_read_and_said(scanned: Path) -> None:
    document = load(scanned)
    texts = [" ".join(block.text for block in page.blocks) for page in document.pages]
    assert [text.replace("\n", " ") for text in texts] == [
        WORDS.replace("\n", " "),
        "",
        "Apples are picked in autumn.",
    ]
    assert document.notes[0].startswith("Pages 1, 3 were read by OCR (tesseract ")
    assert document.notes[0].endswith("): check names and numbers.")
    assert document.notes[1:] == ("OCR found no words on page 2.",)


@needs_tesseract
def test_a_document_with_a_text_layer_is_not_sent_to_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(made.pdf([[(12, "Words of its own.")], []]))
    assert load(path).notes == ("No text layer on page 2: empty, or pictures whose words cannot be read.",)


@needs_tesseract
def test_pages_for_which_no_time_is_left_are_named(scanned: Path) -> None:
    document = load(scanned, Limits(seconds=1.6))
    assert document.notes == ("OCR had no time left for pages 1, 2, 3; what is there was not read.",)


def test_waiting_for_other_programs_costs_less_than_work() -> None:
    budget = ocr.Budget(20.0, 60.0)
    before = budget.left
    time.sleep(0.5)
    assert before - budget.left < 0.4, "nothing was done meanwhile"
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    assert before - budget.left > 0.4
    short = ocr.Budget(20.0, 0.1)
    time.sleep(0.2)
    assert short.left < 0, "but it does not wait for ever"


def test_it_can_be_switched_off(scanned: Path, home: Path) -> None:
    assert load(scanned, Limits(ocr=False)).notes == (NONE,)
    home.mkdir()
    (home / "settings.toml").write_text("ocr = false\n")
    assert load(scanned).notes == (NONE,)


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a tesseract of our own making on the path."""
    file = folder / "bin" / "tesseract"
    file.parent.mkdir()
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{file.parent}:/usr/bin:/bin")


LANGUAGES = (
    'case "$1" in --version) echo "tesseract 9.9"; exit;; --list-langs) printf "List\\neng\\nosd\\n"; exit;; esac'
)


def test_without_the_program_it_is_as_before(scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ocr.find() is None
    assert load(scanned).notes == (NONE,)


@pytest.mark.parametrize("act", ["exit 3", "kill -SEGV $$", "cat >/dev/null; printf '\\377\\f \\n'"])
def test_a_program_that_fails_fails_alone(
    scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    program(tmp_path, f"{LANGUAGES}\n{act}", monkeypatch)
    document = load(scanned)
    assert len(document.pages) == 3
    assert document.notes


def test_it_is_told_the_languages_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, f'{LANGUAGES}\necho "$@"; env; cat', monkeypatch)
    monkeypatch.setenv("MY_TOKEN", "canary")
    found = ocr.find()
    assert found is not None
    assert str(found) == "tesseract 9.9, eng"
    said = found.read(b"P5 1 1 255\n0", 300, 20)
    assert said is not None
    assert said.startswith("- - -l eng --dpi 300\n")
    assert "P5 1 1 255" in said
    assert "canary" not in said


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, f"{LANGUAGES}\nexec sleep 60", monkeypatch)
    found = ocr.find()
    assert found is not None
    assert found.read(b"x" * 1_000_000, 300, 0.2) is None


_KILLED = """
import sys
from pathlib import Path
from edgellm.documents.load import load
load(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("how", ["canceled", "killed"])
def test_the_program_ends_with_the_reading(
    scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    noted = tmp_path / "pid"
    program(tmp_path, f"{LANGUAGES}\necho $$ > {noted}; exec sleep 300", monkeypatch)

    def started() -> bool:
        return noted.exists() and noted.read_text().endswith("\n")

    if how == "canceled":
        with pytest.raises(Stopped):
            load(scanned, cancelled=started)
    else:
        with subprocess.Popen([sys.executable, "-c", _KILLED, str(scanned)]) as reader:
            until(started)
            reader.kill()
    until(lambda: not psutil.pid_exists(int(noted.read_text())))


@pytest.mark.parametrize(
    ("installed", "system", "expected"),
    [
        (("eng", "osd"), "", ("eng",)),
        (("deu", "eng", "fra", "osd", ""), "fr_FR.UTF-8", ("fra", "eng", "deu")),
        (("ara", "chi_sim", "deu", "eng", "spa"), "de_AT", ("deu", "eng", "ara")),
        (("osd",), "en_US", ()),
        ((), "", ()),
    ],
)
def test_few_languages_are_looked_for(installed: tuple[str, ...], system: str, expected: tuple[str, ...]) -> None:
    assert ocr.chosen(installed, system) == expected
