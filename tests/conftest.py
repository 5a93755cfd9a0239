"""What every test gets: a home of its own, no screen, no network, and a failure when something unexpected is logged.

The network hook is installed once and stays for the life of the test process; loopback is allowed. Child processes are
not covered by it: those that must stay silent install the hook themselves.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from edgellm import isolation, paths


def pytest_configure(config: pytest.Config) -> None:
    """Close the door to the network, and name the markers."""
    isolation.forbid_outgoing(allow_loopback=True)
    _empty_home(config)
    config.addinivalue_line("markers", "logs(level): the test makes the program log up to this level on purpose")


def _empty_home(config: pytest.Config) -> None:
    """No test finds the models that other programs keep for the person who runs it. Caches stay where they are."""
    folder = tempfile.mkdtemp(prefix="edgellm-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    os.environ.update(HOME=folder, USERPROFILE=folder, HF_HOME=folder)
    os.environ.pop("OLLAMA_MODELS", None)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for everything that the program keeps."""
    folder = tmp_path / "edgellm-home"
    monkeypatch.setenv("EDGELLM_HOME", str(folder))
    return folder


class _Records(logging.Handler):
    """Keeps records, for a look after the test."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.records.append(record)


@pytest.fixture(autouse=True)
def quiet_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs an error, unless it is marked `logs` or looks at the log itself."""
    logger = logging.getLogger("edgellm")
    kept = _Records()
    logger.addHandler(kept)
    yield
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
    marker = request.node.get_closest_marker("logs")
    allowed = logging.NOTSET
    if marker:
        allowed = logging.getLevelName((marker.args or ("CRITICAL",))[0])
    elif "caplog" in request.fixturenames:
        allowed = logging.CRITICAL
    stray = [f"{record.levelname} {record.name}: {record.getMessage()}" for record in kept.records]
    unexpected = [text for text, record in zip(stray, kept.records, strict=True) if record.levelno > allowed]
    if unexpected:
        pytest.fail("Logged during the test, and not expected:\n" + "\n".join(unexpected))


@pytest.fixture
def starter() -> Path:
    """The model that ships with the program."""
    path = paths.starter_model()
    assert path.is_file(), f"{path} is missing"
    return path
