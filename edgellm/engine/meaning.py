"""The models behind the search by meaning: one that embeds and one that ranks, each in an engine of its own.

They run beside the model that chats. Which model is taken is left to a function that is handed in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgellm.documents import vectors
from edgellm.documents.library import Library
from edgellm.documents.retrieve import WORDS, Aids
from edgellm.documents.vectors import Embedder
from edgellm.engine.supervisor import Engine
from edgellm.errors import EngineError, ModelError, ModelNotFound, UsageError
from edgellm.tasks import embedding
from edgellm.tasks.embedding import Rank


@dataclass(frozen=True, slots=True)
class Model:
    """An installed model by name, and where it is."""

    name: str
    path: Path


# The task, and the name of a model or nothing -> the model. Raises `ModelNotFound` for a name that is not installed
Choose = Callable[[str, str], Model | None]


@dataclass(frozen=True, slots=True)
class Means:
    """What a library can be searched with now, and what a person should know about it."""

    aids: Aids = WORDS
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Loaded:
    engine: Engine
    names: list[str] = field(default_factory=list)  # the one that is loaded, if any


class Meaning:
    """Loads the models when they are first needed; safe to call from any thread."""

    def __init__(self, choose: Choose, engine: Callable[[], Engine]) -> None:
        self._choose = choose
        self._make = engine
        self._loading = threading.Lock()  # held while a model is loaded, one at a time
        self._lock = threading.Lock()  # held for a moment, so that `close` need not wait for that
        self._loaded: dict[str, _Loaded] = {}
        self._closed = False

    def embedder(self, library: Library, name: str = "") -> Embedder | None:
        """The model that embeds this library: the one named, else the one that its vectors are of, else the best.

        None where none is installed. Raises `ModelNotFound` for a name, and an `EdgeError` when it cannot be used.
        """
        there = vectors.kept(library)
        model = self._installed(there.name) if there is not None and not name else None
        model = model or self._choose("embed", name)
        return embedding.embedder(self._engine("embed", model), model.name) if model is not None else None

    def due(self, library: Library, name: str = "") -> bool:
        """Whether `embedder` would find something to do, by the model named or by any; no model is loaded for it."""
        there = vectors.kept(library)
        if not library.rows("SELECT 1 FROM passage LIMIT 1"):
            return False
        if there is None or there.vectors < there.passages or (name and name != there.name):
            return True
        return self._installed(there.name) is None

    def means(self, library: Library) -> Means:
        """What this library can be searched with, models loaded. One that fails costs a note, not the search."""
        notes: list[str] = []
        embedder = self._of_vectors(library, notes)
        ranker, rank = self._ranker(notes)
        return Means(Aids(embedder, rank, ranker), tuple(notes))

    def close(self) -> None:
        """End the engines for good, also while one loads its model."""
        with self._lock:
            self._closed = True
            loaded = list(self._loaded.values())
        for one in loaded:
            one.engine.close()

    def _of_vectors(self, library: Library, notes: list[str]) -> Embedder | None:
        there = vectors.kept(library)
        if there is None or not there.vectors:
            if library.rows("SELECT 1 FROM passage LIMIT 1") and self._choose("embed", "") is not None:
                notes.append("The passages are not embedded yet. Run: edgellm documents update")
            return None
        model = self._installed(there.name)
        if model is None:
            notes.append(f"The passages were embedded by {there.name}, which is not installed any more.")
            return None
        try:
            found = embedding.embedder(self._engine("embed", model), model.name)
        except (ModelError, EngineError, UsageError) as error:
            notes.append(f"{model.name} could not be used, so words alone are searched. {error.message}")
            return None
        if found.size != there.size:
            notes.append(f"{model.name} was changed since the passages were embedded. Run: edgellm documents update")
            return None
        if there.vectors < there.passages:
            share = f"{there.vectors:,} of {there.passages:,} passages are embedded."
            notes.append(f"{share} Run: edgellm documents update")
        return found

    def _installed(self, name: str) -> Model | None:
        try:
            return self._choose("embed", name)
        except ModelNotFound:
            return None

    def _ranker(self, notes: list[str]) -> tuple[str, Rank | None]:
        model = self._choose("rerank", "")
        if model is None:
            return "", None
        try:
            return model.name, embedding.ranker(self._engine("rerank", model), model.name)
        except (ModelError, EngineError, UsageError) as error:
            notes.append(f"{model.name} could not be used, so the order is not improved. {error.message}")
            return "", None

    def _engine(self, task: str, model: Model) -> Engine:
        """The engine for a task with the model loaded."""
        with self._loading:
            with self._lock:
                if self._closed:
                    raise UsageError("The engine was closed.", "Start the program again.")
                if task not in self._loaded:
                    self._loaded[task] = _Loaded(self._make())
                one = self._loaded[task]
            if one.names != [model.name]:
                one.names.clear()
                one.engine.load(model.path)
                one.names.append(model.name)
            return one.engine
