"""Hubs on loopback and who asks them: what several files of tests share. A file with models of its own has its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgellm.settings import Settings
from tests import asked_hub, download_models
from tests.asked_hub import Asked
from tests.download_child import Setting
from tests.loopback_hub import Hub


@pytest.fixture
def setting() -> Setting:
    """The settings of this test."""
    return Setting()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the models of `download_models`, that HF_ENDPOINT leads to."""
    with Hub(download_models.REPOS) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def server() -> Iterator[Hub]:
    """A hub with the repositories of `asked_hub`, one of which wants a token."""
    with Hub(asked_hub.REPOS, gated=["locked/Model-GGUF"], token="hf_right") as running:
        yield running


@pytest.fixture
def ask(server: Hub, tmp_path: Path) -> Callable[..., Asked]:
    """Makes a hub of the program that asks `server`, or another mirror."""

    def make(**options: Any) -> Asked:
        return Asked(tmp_path, Settings(mirror=options.pop("mirror", server.endpoint)), **options)

    return make
