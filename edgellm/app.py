"""The composition root: builds the program's services once and hands them to whichever face was started.

Everything is made when it is first asked for; what takes long (looking at the hardware, planning for a model) happens
in the thread that loads the model. There is no state outside the `App` object.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm import log, paths, settings
from edgellm.models import store as models
from edgellm.paths import Paths
from edgellm.settings import Settings

if TYPE_CHECKING:
    from edgellm.chats.store import Store
    from edgellm.engine.status import Plan
    from edgellm.engine.supervisor import Engine
    from edgellm.hardware.probe import Hardware

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class App:
    """The services of one run. Safe to use from several threads; `close` ends what was started.

    `settings` are the person's with the overrides of this run; `notice` is one sentence about them, mostly empty.
    """

    def __init__(self, where: Paths, values: Settings, notice: str = "") -> None:
        self.paths = where
        self.settings = values
        self.notice = notice
        self._lock = threading.Lock()
        self._probing = threading.Lock()  # apart: looking at the hardware can take seconds
        self._hardware: Hardware | None = None
        self._engine: Engine | None = None
        self._store: Store | None = None

    @classmethod
    def create(cls, overrides: Mapping[str, Any] = _NOTHING) -> App:
        """Read the settings and set up the log. Raises `SettingsError` for an override that cannot be used."""
        where = paths.from_environment()
        log.setup(where)
        values, notice = settings.load(where.settings)
        return cls(where, settings.changed(values, **overrides), notice)

    def hardware(self) -> Hardware:
        """This computer, looked at once; free memory and battery are as of now."""
        from edgellm.hardware import probe
        from edgellm.runtimes import build

        with self._probing:
            known = self._hardware
            self._hardware = probe.refresh(known) if known else probe.probe(build.inspect().library_dir)
            return self._hardware

    def engine(self) -> Engine:
        """The engine of this run; it starts a process when a model is loaded."""
        from edgellm.engine.supervisor import Engine

        with self._lock:
            if self._engine is None or self._engine.closed:
                self._engine = Engine(self.paths, self._plan)
            return self._engine

    def store(self) -> Store:
        """The chats. Raises `StorageError`."""
        from edgellm.chats.store import Store

        with self._lock:
            if self._store is None:
                self._store = Store(self.paths.chats_db)
            return self._store

    def model_path(self, name: str = "") -> Path:
        """The file of a model by name or path; empty is the one of the settings, or the built-in one."""
        return models.resolve(name or self.settings.model, self.paths)

    def save_settings(self, **values: Any) -> None:
        """Change settings, for this run and the next. Overrides of this run are not written.

        Raises `SettingsError` or `StorageError`.
        """
        saved, _ = settings.load(self.paths.settings)
        settings.save(self.paths.settings, settings.changed(saved, **values))
        self.settings = settings.changed(self.settings, **values)

    def close(self) -> None:
        """End the engine and close the chats."""
        with self._lock:
            engine, store, self._engine, self._store = self._engine, self._store, None, None
        if engine is not None:
            engine.close()
        if store is not None:
            store.close()

    def _plan(self, path: Path, anyway: bool) -> Plan:
        """The ways to run the model at `path` here, best first; one at least, if `anyway`. Raises an `EdgeError`."""
        from edgellm.engine.status import Plan
        from edgellm.models.gguf import read_header
        from edgellm.runtimes import build as builds
        from edgellm.runtimes.base import Choice, Placement
        from edgellm.runtimes.ladder import ladder
        from edgellm.runtimes.select import choose

        if path.name.lower().endswith(models.SCRIPT):
            first = Choice(Placement(runtime="fake"), "A scripted model runs anywhere.")
            safer = Choice(Placement(runtime="fake", repack=False, context=2048), "The same, played safe.")
            return Plan((first, safer), "any")
        header, hardware, build = read_header(path), self.hardware(), builds.inspect()
        selection = choose(header, hardware, self.settings, build, anyway=anyway)
        machine = f"{hardware.cpu.model}; llama.cpp {build.version}; {' '.join(build.variants) or 'plain'}"
        return Plan(ladder(selection, hardware, build), machine)
