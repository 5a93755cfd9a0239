"""Bundles to serve, and one that is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.models import bundle_write, signing
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from tests import bundles
from tests.serving import NAME, Running, serving


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 3 MB."""
    folder = tmp_path_factory.mktemp("shared")
    store = ModelStore(bundles.home(folder / "a"))
    bundles.place(store, "big", {"big.gguf": 3_000_000})
    bundles.place(store, "tiny", {"tiny.gguf": 100})
    models = [store.get("big"), store.get("tiny")]
    bundle_write.write(models, [], folder / NAME, signing.own_key(folder / "a/signing"), Control())
    (folder / "secret.txt").write_text("secret")
    return folder / NAME


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 16 MB: more than the system takes off a server's hands."""
    folder = tmp_path_factory.mktemp("large")
    store = ModelStore(bundles.home(folder))
    store.folder.mkdir(parents=True)
    (store.folder / "zeros.gguf").write_bytes(bytes(16_000_000))
    bundle_write.write([store.get("zeros")], [], folder / NAME, signing.own_key(folder), Control())
    return folder / NAME


@pytest.fixture(scope="module")
def server(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The bundle, served on loopback."""
    with serving(made, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def fresh(made: Path, tmp_path: Path) -> Iterator[Running]:
    """The same, with a ledger that is empty."""
    with serving(made, tmp_path) as running:
        yield running
