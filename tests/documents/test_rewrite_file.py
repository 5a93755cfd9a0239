"""A file is written again through the child process: in one step, to another name, or not at all."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from edgellm import errors
from edgellm.documents import rewrite
from edgellm.documents.source import MIB, Limits
from tests import document_files
from tests.generated_office import docx
from tests.generated_pages import page

_PAGE = "<html lang=en><p>One <b>two</b></p></html>"


def _file(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_a_page_is_read_and_written(tmp_path: Path) -> None:
    path, out = _file(tmp_path, "a.html", _PAGE), tmp_path / "a.fr.html"
    sheet = rewrite.segments(path)
    assert (sheet.format, sheet.language, sheet.segments[0].pieces) == ("html", "en", ("One ", "two"))
    rewrite.write(path, out, {0: ("Un ", "deux")}, "fr", sheet.sha256)
    assert out.read_text() == '<html lang="fr"><p>Un <b>deux</b></p></html>'
    assert path.read_text() == _PAGE
    assert set(tmp_path.iterdir()) == {path, out}
    if sys.platform != "win32":
        assert out.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", ["docx", "html"])
def test_what_nothing_was_asked_of_is_a_copy(tmp_path: Path, kind: str) -> None:
    path = _file(tmp_path, f"a.{kind}", docx(5) if kind == "docx" else page(5)[0])
    same = {number: one.pieces for number, one in enumerate(rewrite.segments(path).segments)}
    rewrite.write(path, tmp_path / f"b.{kind}", same)
    assert (tmp_path / f"b.{kind}").read_bytes() == path.read_bytes()


def test_signs_that_no_file_can_hold_are_left_out(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.docx", document_files.docx())
    rewrite.write(path, tmp_path / "b.docx", {0: ("a\x00b\x1b\ud800c\ufffe",)})
    assert rewrite.segments(tmp_path / "b.docx").segments[0].text == "ab?c"


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    path, out = _file(tmp_path, "a.html", _PAGE), _file(tmp_path, "b.html", "old")
    sheet = rewrite.segments(path)
    _file(tmp_path, "a.html", _PAGE + " ")
    with pytest.raises(errors.StorageError, match="changed while"):
        rewrite.write(path, out, {0: ("Un ", "deux")}, "", sheet.sha256)
    assert out.read_text() == "old"


def test_the_source_is_never_the_result(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.html", _PAGE)
    (tmp_path / "link.html").symlink_to(path)
    os.link(path, tmp_path / "hard.html")
    for name in ("a.html", "link.html", "hard.html", "../" + tmp_path.name + "/a.html"):
        with pytest.raises(errors.UsageError, match="is the file that is being translated"):
            rewrite.write(path, tmp_path / name, {0: ("Un ", "deux")})
    assert path.read_text() == _PAGE


def test_a_result_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.docx", document_files.docx())
    for name, said in (("b.html", "as .html"), ("b", "as a file without an ending"), ("b.docm", "as .docm")):
        with pytest.raises(errors.UsageError, match=said) as caught:
            rewrite.write(path, tmp_path / name, {})
        assert caught.value.hint == "Name a file that ends in .docx."
        assert not (tmp_path / name).exists()


def test_a_name_that_is_not_true_is_told(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.docx", "No word processor has written this.")
    with pytest.raises(errors.UsageError, match=r"as [.]docx") as caught:
        rewrite.write(path, tmp_path / "b.docx", {})
    assert caught.value.hint == "By its content it is no DOCX: name a file that ends in .txt or .text."


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.html", _PAGE)
    with pytest.raises(errors.StorageError, match=r"b\.html cannot be written \(no such file"):
        rewrite.write(path, tmp_path / "none" / "b.html", {0: ("Un ", "deux")})


def test_a_translation_that_does_not_fit_is_a_bug(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.html", _PAGE)
    for wrong in ({0: ("Un",)}, {7: ("Sept",)}):
        with pytest.raises(ValueError, match="does not fit"):
            rewrite.write(path, tmp_path / "b.html", wrong)
    assert not (tmp_path / "b.html").exists()


def _bomb() -> bytes:
    return document_files.changed(document_files.docx(), {"word/media/a.bin": bytes(64 * MIB)})


def _encrypted() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


def _with_entities() -> bytes:
    evil = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    return document_files.changed(document_files.docx(), {"word/document.xml": evil})


def _broken_xml() -> bytes:
    return document_files.changed(document_files.docx(), {"word/document.xml": "<w:document"})


@pytest.mark.parametrize(
    ("name", "data", "kind", "said"),
    [
        ("a.docx", document_files.docx()[:3000], errors.DocumentDamaged, "damaged"),
        ("a.pptx", document_files.pptx()[:-200], errors.DocumentDamaged, "damaged"),
        ("a.docx", _broken_xml(), errors.DocumentDamaged, "damaged"),
        ("a.docx", _with_entities(), errors.DocumentDamaged, "entities"),
        ("a.docx", _encrypted(), errors.DocumentEncrypted, "password"),
        ("a.docx", _bomb(), errors.DocumentTooLarge, "fill memory"),
        ("a.docx", b"", errors.DocumentEmpty, "empty"),
        ("a.html", bytes(range(256)) * 20, errors.DocumentUnsupported, "neither text"),
        ("a.xlsx", document_files.xlsx(), errors.DocumentUnsupported, "cannot be written again"),
    ],
)
def test_bad_files_are_named_with_the_reason(
    tmp_path: Path, name: str, data: bytes, kind: type[errors.DocumentError], said: str
) -> None:
    path = _file(tmp_path, name, data)
    with pytest.raises(kind, match=said) as caught:
        rewrite.segments(path)
    assert name in caught.value.message and caught.value.hint
    with pytest.raises(kind):
        rewrite.write(path, tmp_path / f"out{path.suffix}", {})


def test_limits_hold(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.html", "<p>word " * 20_000)
    with pytest.raises(errors.DocumentTooLarge, match="million letters"):
        rewrite.segments(path, Limits(text=10_000))
    with pytest.raises(errors.DocumentTooLarge, match="at most"):
        rewrite.segments(path, Limits(size=MIB // 16))
    with pytest.raises(errors.DocumentTimeout, match="longer than"):
        rewrite.segments(_file(tmp_path, "b.html", "<b>" * 3_000_000), Limits(seconds=0.5))


def test_it_is_stopped_when_asked(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.html", "<b>" * 3_000_000)
    with pytest.raises(errors.Stopped):
        rewrite.segments(path, cancelled=lambda: True)


def test_a_part_with_a_name_that_points_outside_is_only_copied(tmp_path: Path) -> None:
    data = document_files.changed(document_files.docx(), {"../../evil.txt": "x"})
    path, out = _file(tmp_path, "a.docx", data), tmp_path / "b.docx"
    rewrite.write(path, out, {0: ("Bericht",)})
    assert set(tmp_path.iterdir()) == {path, out}
    with zipfile.ZipFile(out) as archive:
        assert archive.read("../../evil.txt") == b"x"


def test_a_misnamed_file_is_what_its_content_is(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.txt", document_files.docx())
    assert rewrite.segments(path).format == "docx"
    rewrite.write(path, tmp_path / "b.docx", {0: ("Bericht",)})
    assert rewrite.segments(tmp_path / "b.docx").segments[0].text == "Bericht"
