"""Bad files: each gets its own sentence with its name and reason, and nothing else is harmed."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from edgellm import errors
from edgellm.documents.document import Document
from edgellm.documents.load import Loader, load
from edgellm.documents.source import MIB, Limits
from tests import document_files as made

GOOD = "These are good words."
_ENTITIES = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


def _bomb(size: int) -> bytes:
    return made.changed(made.docx(), {"word/media/image.png": bytes(size)})


def _lying() -> bytes:
    """An archive whose directory declares 100 bytes where a megabyte is packed."""
    data = bytearray(made.changed(made.docx(), {"word/document.xml": b"<" + bytes(MIB)}))
    name = b"word/document.xml"
    for place in (data.find(name) - 30 + 22, data.rfind(name) - 46 + 24):
        data[place : place + 4] = struct.pack("<I", 100)
    return bytes(data)


def _password_zip() -> bytes:
    data = bytearray(made.docx())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + place] |= 1
            start = data.find(mark, start + 4)
    return bytes(data)


CASES: dict[str, tuple[bytes, type[errors.DocumentError], str]] = {
    "empty.pdf": (b"", errors.DocumentEmpty, "empty"),
    "secret.pdf": (made.encrypted_pdf(), errors.DocumentEncrypted, "password"),
    "cut.pdf": (b"%PDF-1.7\n1 0 obj\n<<", errors.DocumentDamaged, "damaged"),
    "bomb.docx": (_bomb(100 * MIB), errors.DocumentTooLarge, "times its size"),
    "big.docx": (made.archive({f"{n}": bytes(20 * MIB) for n in range(6)}), errors.DocumentTooLarge, "100 MiB"),
    "lying.docx": (_lying(), errors.DocumentDamaged, "damaged"),
    "cut.docx": (made.docx()[:-200], errors.DocumentDamaged, "damaged"),
    "hollow.docx": (made.archive({"word/document.xml": "<w/>"}), errors.DocumentDamaged, "damaged"),
    "hollow.pptx": (made.archive({"ppt/presentation.xml": "<w/>"}), errors.DocumentDamaged, "damaged"),
    "hollow.xlsx": (made.archive({"xl/workbook.xml": "<w/>"}), errors.DocumentDamaged, "damaged"),
    "hollow.odt": (
        made.archive({"mimetype": "application/vnd.oasis.opendocument.text"}),
        errors.DocumentDamaged,
        "damaged",
    ),
    "hollow.epub": (made.archive({"mimetype": "application/epub+zip"}), errors.DocumentDamaged, "damaged"),
    "xxe.docx": (
        made.changed(made.docx(), {"word/document.xml": f"{_ENTITIES}<d>&a;</d>"}),
        errors.DocumentDamaged,
        "entities",
    ),
    "locked.docx": (_password_zip(), errors.DocumentEncrypted, "password"),
    "locked.odt": (made.odt("<manifest:encryption-data/>"), errors.DocumentEncrypted, "password"),
    "photos.zip": (made.archive({"a.png": b"x"}), errors.DocumentUnsupported, "archive"),
    "old.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), errors.DocumentUnsupported, "before 2007"),
    "locked.xlsx": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        errors.DocumentEncrypted,
        "password",
    ),
    "noise.txt": (random.Random(1).randbytes(20_000), errors.DocumentUnsupported, "neither text"),
    "picture.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(300), errors.DocumentUnsupported, "neither text"),
}


def _words(document: Document) -> str:
    return "\n".join(one.text for page in document.pages for one in page.blocks)


def test_bad_files_are_refused_by_name_and_the_good_ones_between_are_read(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text(GOOD)
    with Loader(Limits(unpacked=100 * MIB + 200_000)) as loader:
        for name, (data, kind, reason) in CASES.items():
            path = tmp_path / name
            path.write_bytes(data)
            with pytest.raises(errors.DocumentError) as caught:
                loader.load(path)
            assert type(caught.value) is kind, f"{name}: {caught.value!r} {caught.value}"
            assert caught.value.message.startswith(f"{name} cannot be read: ")
            assert reason in caught.value.reason
            assert caught.value.hint
            assert str(tmp_path) not in str(caught.value)
            assert _words(loader.load(good)) == GOOD


def test_what_is_no_plain_file_is_said_without_a_child(tmp_path: Path) -> None:
    with Loader() as loader:
        for path, reason in ((tmp_path / "none.pdf", "no such file"), (tmp_path, "folder")):
            with pytest.raises(errors.DocumentMissing, match=reason):
                loader.load(path)
        if hasattr(os, "mkfifo"):
            os.mkfifo(tmp_path / "pipe.txt")
            with pytest.raises(errors.DocumentMissing, match="no plain file"):
                loader.load(tmp_path / "pipe.txt")
        with pytest.raises(errors.DocumentMissing, match="refused"):
            loader.load(Path("bad\0name.txt"))
    (tmp_path / "text.txt").write_text("word " * 500)
    with pytest.raises(errors.DocumentTooLarge, match="letters"):
        load(tmp_path / "text.txt", Limits(text=1000))
    (tmp_path / "long.txt").write_bytes(b"a" * 2000)
    with pytest.raises(errors.DocumentTooLarge, match="at most 0 MiB"):
        load(tmp_path / "long.txt", Limits(size=1000))


def test_a_name_cannot_play_tricks_in_a_message(tmp_path: Path) -> None:
    with pytest.raises(errors.DocumentMissing) as caught:
        load(tmp_path / "a\u202efdp.\x1b[31m.exe")
    assert caught.value.message.isprintable()


def test_external_entities_are_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    entity = f'<!DOCTYPE d [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'
    (tmp_path / "a.odt").write_bytes(made.changed(made.odt(), {"meta.xml": f"{entity}<d>&a;</d>"}))
    (tmp_path / "a.epub").write_bytes(made.epub([f"<p>{entity}&a;</p>"]))
    (tmp_path / "a.html").write_text(f"{entity}<html><p>&a;</p></html>")
    with Loader() as loader:
        for name in ("a.odt", "a.epub", "a.html"):
            assert "canary" not in _words(loader.load(tmp_path / name))


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not bound the memory of a process")
def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_bytes(b"word " * (20 * MIB))
    (tmp_path / "good.txt").write_text(GOOD)
    with Loader(Limits(memory=128 * MIB)) as loader:
        with pytest.raises(errors.DocumentTooLarge, match="more than 128 MiB of memory"):
            loader.load(tmp_path / "wide.txt")
        assert _words(loader.load(tmp_path / "good.txt")) == GOOD


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "slow.html").write_text("<table>" * 200 + "<td>x" * 400_000)
    with Loader(Limits(seconds=0.2)) as loader, pytest.raises(errors.DocumentTimeout, match=r"than 0\.2 seconds"):
        loader.load(tmp_path / "slow.html")


def test_a_person_can_stop_it(tmp_path: Path) -> None:
    (tmp_path / "slow.html").write_text("<p>x</p>" * 400_000)
    with Loader() as loader, pytest.raises(errors.Stopped):
        loader.load(tmp_path / "slow.html", lambda: True)


def test_a_child_that_dies_costs_one_file(tmp_path: Path) -> None:
    (tmp_path / "slow.html").write_text("<p>x</p>" * 400_000)
    (tmp_path / "good.txt").write_text(GOOD)
    with Loader() as loader:
        loader.load(tmp_path / "good.txt")

        def kill_while_reading() -> bool:
            assert loader._child is not None
            loader._child.kill()
            return False

        with pytest.raises(errors.DocumentCrashed, match="ended with"):
            loader.load(tmp_path / "slow.html", kill_while_reading)
        assert _words(loader.load(tmp_path / "good.txt")) == GOOD


def test_damaged_copies_of_every_format_never_end_the_loader(tmp_path: Path) -> None:
    """Bytes changed and ends cut, by a fixed seed: a document or a typed error, nothing else."""
    chance = random.Random(7)
    samples = {
        "a.pdf": made.pdf([[(24, "Head"), (12, "Words")]]),
        "a.docx": made.docx(),
        "a.pptx": made.pptx(),
        "a.xlsx": made.xlsx(),
        "a.odt": made.odt(),
        "a.epub": made.epub(),
        "a.rtf": rb"{\rtf1\ansi\ansicpg1252 Gr\'f6\'dfe \b and\b0  weight.\par {\pict 00} Second.\par}",
        "a.html": b"<html><table><tr><td>a</table><p>b</p></html>",
        "a.eml": b"From: a@b.example\nSubject: =?utf-8?q?x?=\nDate: Mon, 3 Nov 2025 10:00:00 +0000\n\nWords\n",
        "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHello\n",
    }
    outcomes = {"document": 0, "error": 0}
    with Loader() as loader:
        for name, data in samples.items():
            for _ in range(15):
                bad = bytearray(data[: chance.choice((len(data), chance.randrange(1, len(data))))])
                for _ in range(chance.randrange(1, 30)):
                    bad[chance.randrange(len(bad))] = chance.randrange(256)
                (tmp_path / name).write_bytes(bad)
                try:
                    loader.load(tmp_path / name)
                    outcomes["document"] += 1
                except (errors.DocumentDamaged, errors.DocumentUnsupported, errors.DocumentEncrypted):
                    outcomes["error"] += 1
    assert sum(outcomes.values()) == 150 and min(outcomes.values()) > 20, outcomes


_LAZY = """
import sys
import edgellm.documents.load, edgellm.documents.readers
wanted = {"docx", "pptx", "openpyxl", "pypdfium2", "lxml", "charset_normalizer", "striprtf", "pysubs2", "markdown_it"}
sys.exit(" ".join(sorted(wanted & sys.modules.keys())) or 0)
"""


def test_importing_the_readers_loads_none_of_their_libraries() -> None:
    done = subprocess.run([sys.executable, "-c", _LAZY], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
