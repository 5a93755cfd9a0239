"""The models behind the search by meaning: chosen, loaded once, said when they fail, ended with the program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from edgellm.app import App
from edgellm.documents import vectors
from edgellm.documents.index import Indexer
from edgellm.documents.library import Library
from edgellm.engine.meaning import Meaning, Model
from edgellm.errors import EngineError, ModelDamaged, ModelNotFound, UsageError
from edgellm.runtimes.base import Cancelled, Kind, ModelInfo, Reading, Reply, Scores, Vectors
from tests import embed_child, index_child


class Engine:
    """Loads what is called embed or rank, and counts."""

    def __init__(self, log: list[str]) -> None:
        self.size = embed_child.SIZE
        self._log = log
        self._kind: Kind = "decoder"
        self.loading, self.ended = threading.Event(), threading.Event()

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("m", "bert", 0, "", 64, 64, 10, kind=self._kind)

    def load(self, path: Path) -> ModelInfo:
        self._log.append(f"load {path.name}")
        if "bad" in path.name:
            raise ModelDamaged("The file is cut short.")
        if "slow" in path.name:
            self.loading.set()
            assert self.ended.wait(60), "nobody ended it"
            raise EngineError("The engine was closed.")
        self._kind = "rerank" if "rank" in path.name else "embed"
        return self.info

    def read(self, reading: Reading, cancelled: Cancelled = lambda: False) -> Reply:
        if reading.kind == "rerank":
            return Reply(scores=Scores((), (0.5,) * len(reading.texts)))
        rows = np.asarray([embed_child.vector(text, self.size) for text in reading.texts], "<f4")
        return Reply(vectors=Vectors(self.size, rows.tobytes()))

    def close(self) -> None:
        self._log.append("close")
        self.ended.set()


class Place:
    """What is installed, the engines that were made, and what they did."""

    def __init__(self, **installed: str) -> None:
        self.installed = installed
        self.log: list[str] = []
        self.engines: list[Engine] = []
        self.meaning = Meaning(self._choose, self._make)  # type: ignore[arg-type]

    def _choose(self, task: str, name: str) -> Model | None:
        if name:
            if name not in self.installed:
                raise ModelNotFound(f"Model {name} is not installed.")
            return Model(name, Path(name))
        names = [one for one, does in self.installed.items() if does == task]
        return Model(names[0], Path(names[0])) if names else None

    def _make(self) -> Engine:
        self.engines.append(Engine(self.log))
        return self.engines[-1]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    (tmp_path / "one.txt").write_text("The car is red.")
    made.create("notes")
    made.add_source("notes", tmp_path / "one.txt")
    Indexer(made, index_child.read).update("notes")
    yield made
    made.close()


def embed(place: Place, library: Library) -> None:
    model = place.meaning.embedder(library)
    assert model is not None
    vectors.embed(library, model)


def test_without_a_model_words_are_searched_and_nothing_is_loaded(library: Library) -> None:
    place = Place()
    assert place.meaning.due(library)
    assert place.meaning.embedder(library) is None
    means = place.meaning.means(library)
    assert (means.aids.means(), means.notes) == ("by words", ())
    assert place.log == []


def test_the_models_are_loaded_once_in_an_engine_each(library: Library) -> None:
    place = Place(e="embed", rank="rerank")
    embed(place, library)
    assert not place.meaning.due(library)
    for _ in range(2):
        means = place.meaning.means(library)
        assert means.aids.means() == "by words and by meaning (e), put in order by rank"
        assert means.notes == ()
    assert place.log == ["load e", "load rank"]
    place.meaning.close()
    assert place.log[2:] == ["close", "close"]
    with pytest.raises(UsageError, match="closed"):
        place.meaning.embedder(library)


def test_closing_does_not_wait_for_a_model_that_is_being_loaded(library: Library) -> None:
    place = Place(slow="embed")
    with ThreadPoolExecutor(1) as pool:
        embedding = pool.submit(place.meaning.embedder, library)
        while not (place.engines and place.engines[0].loading.wait(0.01)):
            assert not embedding.done()
        place.meaning.close()
        with pytest.raises(EngineError, match="closed"):
            embedding.result(60)
    assert place.log == ["load slow", "close"]


def test_the_model_of_the_vectors_stays_until_another_is_named_or_it_is_gone(library: Library) -> None:
    place = Place(old="embed")
    embed(place, library)
    place.installed = {"new": "embed", "old": "embed"}
    assert not place.meaning.due(library)
    assert place.meaning.means(library).aids.means() == "by words and by meaning (old)"
    assert place.meaning.due(library, "new")
    named = place.meaning.embedder(library, "new")
    assert named is not None and named.name == "new"
    assert place.meaning.means(library).aids.means() == "by words and by meaning (old)", "its vectors are still there"
    place.installed = {"new": "embed"}
    assert place.meaning.due(library)
    means = place.meaning.means(library)
    assert means.aids.embedder is None
    assert means.notes == ("The passages were embedded by old, which is not installed any more.",)
    embed(place, library)
    assert place.meaning.means(library).aids.means() == "by words and by meaning (new)"


def test_what_is_missing_or_changed_is_said(library: Library, tmp_path: Path) -> None:
    place = Place(e="embed")
    assert "not embedded yet" in place.meaning.means(library).notes[0]
    embed(place, library)
    more = tmp_path / "two.txt"
    more.write_text("The doctor is in.")
    library.add_source("notes", more)
    Indexer(library, index_child.read).update("notes")
    assert "1 of 2 passages are embedded" in place.meaning.means(library).notes[0]
    place.engines[0].size = 20
    means = place.meaning.means(library)
    assert means.aids.embedder is None
    assert "e was changed since" in means.notes[0]


def test_a_model_that_fails_costs_a_note_and_is_tried_again(library: Library) -> None:
    place = Place(bad="embed", badrank="rerank")
    with pytest.raises(ModelDamaged):
        place.meaning.embedder(library)
    vectors.embed(library, embed_child.embedder("bad"))
    means = place.meaning.means(library)
    assert means.aids.means() == "by words"
    assert "bad could not be used, so words alone are searched. The file is cut short." in means.notes
    assert "badrank could not be used, so the order is not improved. The file is cut short." in means.notes
    assert place.log.count("load bad") == 2


def test_the_program_has_one_and_ends_it(home: Path) -> None:
    app = App.create()
    meaning = app.meaning()
    assert app.meaning() is meaning
    assert meaning.embedder(app.library()) is None
    app.close()
    assert app.meaning() is not meaning
    app.close()
