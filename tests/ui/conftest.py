"""Windows for the tests of this folder, closed after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, script
from shop import FILE, REPO, Shop

from edgellm.ui import main
from tests import tiny_gguf
from tests.loopback_hub import Hub


@pytest.fixture
def open_desk(home: Path) -> Iterator[Callable[..., Desk]]:
    """Opens windows on a scripted model; keywords go into the script. All windows share one home."""
    main.application()
    desks: list[Desk] = []

    def make(theme: str = "light", **content: Any) -> Desk:
        desks.append(Desk({"model": str(script(home, **content)), "theme": theme, "language": "en"}))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model of a few hundred kilobytes."""
    path = tmp_path_factory.mktemp("weights") / FILE
    tiny_gguf.make(path, says="Hey, Bob.")
    return path.read_bytes()


@pytest.fixture
def hub(weights: bytes) -> Iterator[Hub]:
    """A hub with one repository."""
    with Hub(repos={REPO: {FILE: weights, "README.md": b"# Tiny"}}, licenses={REPO: "mit"}) as made:
        yield made


@pytest.fixture
def open_shop(home: Path) -> Iterator[Callable[..., Shop]]:
    """Opens windows on a hub. All share one home."""
    main.application()
    shops: list[Shop] = []

    def make(hub: Hub, **more: object) -> Shop:
        shops.append(Shop(home, hub, **more))
        return shops[-1]

    yield make
    for shop in shops:
        shop.close()
