"""Tests of the log: rotation, discretion, an unwritable folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm import log
from edgellm.errors import StorageError
from edgellm.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    yield Paths.under(tmp_path, tmp_path, tmp_path / "logs")
    logger = logging.getLogger("edgellm")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


def test_writes_and_rotates(paths: Paths) -> None:
    log.setup(paths, "debug")
    log.setup(paths, "info")
    for number in range(12_000):
        logging.getLogger("edgellm.x").info("%s number %d", "a" * 150, number)
    files = sorted(file.name for file in paths.logs.iterdir())
    assert files == ["edgellm.log", "edgellm.log.1", "edgellm.log.2"]
    assert sum(file.stat().st_size for file in paths.logs.iterdir()) < 4_100_000


def test_long_texts_and_objects_stay_out(paths: Paths) -> None:
    log.setup(paths)
    logger = logging.getLogger("edgellm.x")
    logger.info("got %s and %s and %s", "canary " * 100, ["canary"], 7)
    logger.info("%(text)s", {"text": "canary " * 100})
    logger.info("first\nforged line")
    text = (paths.logs / "edgellm.log").read_text()
    assert "canary" not in text
    assert "<700 characters> and <list> and 7" in text
    assert len(text.splitlines()) == 3


def test_unwritable_folder_is_survived(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.logs.write_text("a file where the folder should be")
    log.setup(paths)
    logging.getLogger("edgellm").warning("heard")
    assert "heard" in capsys.readouterr().err


def test_a_traceback_names_places_and_kinds_and_no_text(paths: Paths) -> None:
    log.setup(paths)
    try:
        try:
            {"a": 1}["canary in a key"]
        except KeyError:
            (paths.logs / "canary.txt").read_text()
    except OSError as error:
        logging.getLogger("edgellm.x").exception("it failed with %s", error)
    text = (paths.logs / "edgellm.log").read_text()
    assert "canary in" not in text.replace('{"a": 1}["canary in a key"]', "")
    assert "No such file" in text
    assert text.count("test_log.py") == 2
    assert text.index("KeyError: <17 characters>") < text.rindex("FileNotFoundError: ")


def test_errors_that_name_only_code_keep_their_words() -> None:
    assert log.discreet(AttributeError("no attribute x")) == "AttributeError: no attribute x"
    assert log.discreet(StorageError("No space.", "Free some.")) == "StorageError: No space. Free some."
    assert log.discreet(ValueError("canary")) == "ValueError: <6 characters>"
    assert (
        log.discreet(PermissionError(13, "Permission denied", "/home/canary")) == "PermissionError: Permission denied"
    )
    assert log.discreet(MemoryError()) == "MemoryError"
