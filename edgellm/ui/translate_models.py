"""Who translates on the Translate page: the model at the top of the window, or installed ones made for two languages.

The latter are loaded beside that one, so that the chat keeps its model. Knows no widgets.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.errors import EdgeError, EngineError, ModelDamaged, ModelError, ModelUnsupported
from edgellm.tasks.detect import Detector
from edgellm.tasks.languages import NAMES
from edgellm.ui.engine_client import EngineClient

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.runtimes.base import Generator

_PAIR = 2
_AGAIN_S = 30.0  # after which what may have passed is tried again
_LASTING = (ModelDamaged, ModelUnsupported)  # such a file stays so until it is another one
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """Installed models that were made for two languages: one, or two through English.

    `problem` is why they are not used, `advice` what to do about it.
    """

    paths: tuple[Path, ...]
    problem: str = ""
    advice: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a person calls them."""
        return tuple(path.name if path.is_dir() else path.stem for path in self.paths)


@dataclass(frozen=True, slots=True)
class Standing:
    """An event of the work: `made` could not be loaded, so the model at the top of the window translates; or, where it
    has no `problem`, it can be used again."""

    made: Made


class Translators:
    """With `own` the person wants the model at the top of the window, whatever there is. Safe to use from any thread;
    `generator` belongs to the engine's."""

    def __init__(self, app: App) -> None:
        self.own = False
        self.detector = Detector(tuple(NAMES))  # the engine's thread alone uses it: its model takes long to load
        self._app = app
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Made | None] = {}
        self._loaded = 0
        self._failed: dict[tuple[str, str], float] = {}  # when each may be tried again

    def forget(self) -> None:
        """Models were installed or removed."""
        with self._lock:
            self._known.clear()
            self._failed.clear()

    def known(self, source: str, target: str) -> Made | None:
        """What `made` found before; None where it was not asked."""
        with self._lock:
            return self._known.get((source, target))

    def made(self, source: str, target: str) -> Made | None:
        """The models for two languages (codes), if any; nothing where the person has set another one.

        Slow at the first time: it looks at the folders and at this computer.
        """
        if self._app.settings.model or not source or not target or source == target:
            return None
        with self._lock:
            if (source, target) in self._known:
                return self._known[source, target]
        try:
            found = self._found(source, target)
        except ModelError:
            found = None
        with self._lock:
            return self._known.setdefault((source, target), found)

    def generator(self, engine: EngineClient, source: str, target: str, say: Callable[[Standing], None]) -> Generator:
        """Who translates between two languages; loads it. `engine` has the model at the top of the window."""
        made = None if self.own else self._to_try(source, target)
        if made is None or made.problem:
            self.free()
            return engine
        if made.paths == (engine.status().path,):
            self.free()
            return engine
        self.free(keep=len(made.paths))
        engines = [self._app.second_engine(number) for number in range(1, len(made.paths) + 1)]
        self._loaded = len(engines)
        try:
            for one, path in zip(engines, made.paths, strict=True):
                one.load(path)
        except (ModelError, EngineError) as error:
            _log.info("models for two languages were not loaded: %s", type(error).__name__)
            self.free()
            say(Standing(self._fail((source, target), made, error)))
            return engine
        with self._lock:
            again = self._failed.pop((source, target), None) is not None
            if again:
                self._known[source, target] = made
        if again:
            say(Standing(made))
        if len(engines) == 1:
            return engines[0]
        from edgellm.runtimes.route import PIVOT
        from edgellm.tasks.pivot import Pivot

        return Pivot(engines[0], engines[1], PIVOT)

    def free(self, keep: int = 0) -> None:
        """Unload all but the first `keep`."""
        for number in range(keep + 1, self._loaded + 1):
            self._app.second_engine(number).unload()
        self._loaded = min(self._loaded, keep)

    def _to_try(self, source: str, target: str) -> Made | None:
        """What `made` says; what failed a while ago, and may have passed, is without its problem."""
        made = self.made(source, target)
        with self._lock:
            due = self._failed.get((source, target))
        return Made(made.paths) if made is not None and due is not None and time.monotonic() >= due else made

    def _fail(self, languages: tuple[str, str], made: Made, error: EdgeError) -> Made:
        broken = Made(made.paths, error.message, error.hint)
        with self._lock:
            self._known[languages] = broken
            self._failed[languages] = math.inf if isinstance(error, _LASTING) else time.monotonic() + _AGAIN_S
        return broken

    def _found(self, source: str, target: str) -> Made | None:
        paths = self._app.models_for(source, target).value
        return Made(paths) if len(paths) > 1 or self._is_pair(paths[0]) else None

    def _is_pair(self, path: Path) -> bool:
        """Whether a model translates from one language to another and does nothing else."""
        from edgellm.runtimes.preference import directed

        for model in self._app.models().installed(others=False):
            if model.path == path and not model.builtin:
                card, manifest = self._app.card(model.name), model.manifest
                if card is not None:
                    return bool(directed(card))
                return manifest is not None and manifest.tasks == ("translate",) and len(manifest.languages) == _PAIR
        return False
