"""What is open on a page, in its file: the latest state stays, whatever the background does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from edgellm.ui import main
from edgellm.ui.kept_work import KeptWork


class Late:
    """A background that does its jobs when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], Any]] = []

    def run(self, job: Callable[[], Any], *_then: Any) -> None:
        """Put it off."""
        self.jobs.append(job)

    def close(self) -> None:
        """Nothing is held."""


def test_a_save_that_waited_does_not_replace_a_later_one(tmp_path: Path) -> None:
    main.application()
    parent, background, path = QObject(), Late(), tmp_path / "page.json"
    state = {"result": "one"}
    kept = KeptWork(path, lambda: dict(state), background, parent)
    kept.save()
    state["result"] = "two"
    kept.touch()
    kept.flush()
    (first,) = background.jobs
    first()
    assert json.loads(path.read_text(encoding="utf-8")) == {"result": "two"}
    state["result"] = "three"
    kept.save()
    kept.flush()
    assert json.loads(path.read_text(encoding="utf-8")) == {"result": "three"}, (
        "what is only on its way counts as unsaved"
    )
    path.unlink()
    kept.flush()
    assert not path.exists(), "all was saved"
    state["result"] = "four"
    kept.save()
    background.jobs[-1]()
    assert json.loads(path.read_text(encoding="utf-8")) == {"result": "four"}
