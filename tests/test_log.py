"""Tests of the log: rotation, discretion, an unwritable folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm import log
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
