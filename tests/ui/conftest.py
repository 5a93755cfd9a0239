"""Windows for the tests of this folder, closed after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, script

from edgellm.ui import main


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
