"""Texts from arguments, files and standard input, in any encoding a person's file may have."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from edgellm.cli import source
from edgellm.cli.output import Output
from edgellm.errors import StorageError, UsageError
from tests import document_files

TEXT = "Où est l'hôpital ?\n安娜买了面包。\n"


@pytest.fixture
def output() -> Output:
    return Output(quiet=True, out=io.StringIO())


def written(tmp_path: Path, data: bytes, name: str = "note.txt") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_and_without_a_mark(tmp_path: Path, output: Output, encoding: str) -> None:
    name = written(tmp_path, TEXT.encode(encoding))
    assert source.read([name], [], output) == TEXT
    assert output.notes == []


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_byte_orders(tmp_path: Path, output: Output, mark: bytes) -> None:
    data = mark + TEXT.encode("utf-16-le" if mark == b"\xff\xfe" else "utf-16-be")
    assert source.read([written(tmp_path, data)], [], output) == TEXT


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("Où est l’hôpital ? Ça va.", "cp1252", "Windows-1252"),
        ("安娜昨天在市场买了面包。", "gb18030", "GB 18030"),
        ("Größe: 3 m²", "cp1252", "Windows-1252"),
    ],
)
def test_an_older_encoding_is_read_and_said(
    tmp_path: Path, output: Output, text: str, encoding: str, name: str
) -> None:
    assert source.read([written(tmp_path, text.encode(encoding))], [], output) == text
    assert name in output.notes[0]


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"text\x00text", b"\xff\xfe\x00\xd8\x00"])
def test_what_is_no_text_is_refused(tmp_path: Path, output: Output, data: bytes) -> None:
    with pytest.raises(StorageError, match="note"):
        source.read([written(tmp_path, data)], [], output)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path, output: Output) -> None:
    with pytest.raises(StorageError, match=r"nosuch\.txt"):
        source.read(["nosuch.txt"], [], output)
    with pytest.raises(StorageError, match="folder"):
        source.read([str(tmp_path)], [], output)


def test_windows_line_breaks_become_one(tmp_path: Path, output: Output) -> None:
    assert source.read([written(tmp_path, b"a\r\nb\rc")], [], output) == "a\nb\nc"


def test_words_are_one_text_and_files_are_joined(tmp_path: Path, output: Output) -> None:
    assert source.read(["Where", "is", "Anna?"], [], output) == "Where is Anna?"
    one, two = written(tmp_path, b"one\n", "1.txt"), written(tmp_path, b"two\n", "2.txt")
    assert source.read([one, two], [], output) == "one\ntwo"
    assert source.read(["See", one], [], output) == f"See {one}"


def test_a_file_can_be_named_for_certain(tmp_path: Path, output: Output) -> None:
    assert source.read([], [written(tmp_path, b"words", "Where is Anna?")], output) == "words"


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_wrong_usage(tmp_path: Path, output: Output, data: bytes) -> None:
    with pytest.raises(UsageError):
        source.read([written(tmp_path, data)], [], output)


def test_a_text_that_only_looks_a_little_like_a_file_is_a_text(output: Output) -> None:
    for text in ("and/or", "3.5", "Hello.", "http://x.y is down", "I read a.txt", "~5 ideas for dinner", "x" * 5_000):
        assert source.read([text], [], output) == text


def test_a_home_of_nobody_is_a_file_that_is_not_there(output: Output) -> None:
    with pytest.raises(StorageError, match="no file"):
        source.read([], ["~nobody-of-this-name/a.txt"], output)


def test_bytes_that_are_no_characters_are_replaced(output: Output) -> None:
    assert source.read(["caf\udce9 noir"], [], output) == "caf\ufffd noir"


def test_a_document_without_a_word_says_why(tmp_path: Path, output: Output) -> None:
    name = written(tmp_path, document_files.pdf([[], []]), "scan.pdf")
    with pytest.raises(UsageError, match=r"^The text is empty\. It has no text layer: its pages are pictures"):
        source.read([name], [], output)
    assert "pictures" in source.nothing_in([source.read_file(name, output).document]).message
