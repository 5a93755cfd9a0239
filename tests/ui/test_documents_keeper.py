"""Keeping documents up to date in the window's process: reading, embedding, second attempts, pauses and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgellm.documents import vectors
from edgellm.documents.library import Library
from edgellm.documents.scan import stamp_of
from edgellm.errors import ModelDamaged
from edgellm.ui import documents_keeper
from edgellm.ui.documents_keeper import Keeper, Now
from tests import embed_child

PATIENCE = 30.0


class Meaning:
    """Stands for the models that embed: none, one that works, one that fails, or one that takes forever to load."""

    def __init__(self, how: str = "none") -> None:
        self.how = how
        self.loading = threading.Event()
        self.let_go = threading.Event()

    def due(self, library: Library) -> bool:
        there = vectors.kept(library)
        return there is None or there.vectors < there.passages

    def embedder(self, library: Library) -> vectors.Embedder | None:
        self.loading.set()
        if self.how == "fails":
            raise ModelDamaged("The file is cut short.", "Repair it.")
        if self.how == "hangs":
            self.let_go.wait(PATIENCE)
        if self.how in ("none", "hangs"):
            return None
        return embed_child.embedder()


class Place:
    """A library with one folder, and a keeper for it."""

    def __init__(self, folder: Path, how: str) -> None:
        self.folder = folder / "notes"
        self.folder.mkdir()
        (self.folder / "one.txt").write_text("The boat leaves on Monday.", encoding="utf-8")
        self.library = Library(folder / "library.db")
        self.library.create("notes")
        self.library.add_source("notes", self.folder)
        self.meaning = Meaning(how)
        app: Any = SimpleNamespace(
            library=lambda: self.library,
            meaning=lambda: self.meaning,
            settings=SimpleNamespace(index_on_battery="full"),
        )
        self.keeper = Keeper(app)

    def read(self) -> list[str]:
        """The names of the files that were read."""
        return [file.path.name for file in self.library.files("notes") if file.state == "indexed"]

    def close(self) -> None:
        """End everything."""
        self.meaning.let_go.set()
        self.keeper.close()
        self.library.close()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Place]]:
    """Makes a place whose meaning behaves in one way."""
    monkeypatch.setattr(documents_keeper, "_STILL", 0.1)
    made: list[Place] = []

    def place(how: str = "none") -> Place:
        made.append(Place(tmp_path, how))
        return made[-1]

    yield place
    for one in made:
        one.close()


def wait(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def test_what_is_read_is_embedded(make: Callable[[str], Place]) -> None:
    place = make("works")
    assert not place.keeper.started
    place.keeper.start()
    place.keeper.start()
    wait(lambda: (kept := vectors.kept(place.library)) is not None and kept.vectors == 1, "the vector")
    assert place.read() == ["one.txt"]
    wait(lambda: not place.keeper.now.busy, "the end")
    assert place.keeper.now.change > 0
    assert place.keeper.now.trouble == ""


def test_a_model_that_fails_is_said_and_reading_goes_on(make: Callable[[str], Place]) -> None:
    place = make("fails")
    place.keeper.start()
    wait(lambda: place.keeper.now.trouble == "The file is cut short. Repair it.", "the sentence")
    (place.folder / "two.txt").write_text("The train leaves at noon.", encoding="utf-8")
    place.keeper.look()
    wait(lambda: place.read() == ["one.txt", "two.txt"], "the second file")
    place.meaning.how = "works"
    place.keeper.embed()
    wait(lambda: vectors.kept(place.library) is not None and not place.keeper.now.trouble, "the vectors")


def test_a_second_attempt_reads_what_failed(make: Callable[[str], Place]) -> None:
    place = make("none")
    ((source, _),) = place.library.sources("notes")
    path = place.folder / "one.txt"
    place.library.fail(source, path, stamp_of(path), "its disk was away", "Plug it in.")
    place.keeper.start()
    place.keeper.retry()
    wait(lambda: place.read() == ["one.txt"], "the second attempt")
    (place.folder / "two.txt").write_text("The train leaves at noon.", encoding="utf-8")
    place.keeper.look()
    wait(lambda: place.read() == ["one.txt", "two.txt"], "the watcher to go on")


def test_a_pause_holds_reading_until_it_ends(make: Callable[[str], Place]) -> None:
    place = make("works")
    place.keeper.pause(True)
    place.keeper.start()
    assert place.keeper.now == Now(paused=True)
    (place.folder / "two.txt").write_text("The train leaves at noon.", encoding="utf-8")
    place.keeper.look()
    time.sleep(0.5)
    assert place.read() == []
    assert place.library.files("notes") == ()
    place.keeper.pause(False)
    wait(lambda: place.read() == ["one.txt", "two.txt"], "both files")
    wait(lambda: (kept := vectors.kept(place.library)) is not None and kept.vectors == 2, "their vectors")


def test_a_model_that_hangs_does_not_hold_up_the_end(make: Callable[[str], Place]) -> None:
    place = make("hangs")
    place.keeper.start()
    wait(place.meaning.loading.is_set, "the model to load")
    place.keeper.close()
    assert not place.meaning.let_go.is_set()
    watcher = place.keeper._watcher
    assert watcher is not None
    assert not watcher.alive


def test_one_that_is_closed_does_not_begin(make: Callable[[str], Place]) -> None:
    place = make("none")
    place.keeper.close()
    place.keeper.start()
    assert not place.keeper.started
