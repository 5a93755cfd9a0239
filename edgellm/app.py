"""The composition root: builds the program's services once and hands them to whichever face was started.

Everything is made when it is first asked for; what takes long (looking at the hardware, planning for a model) happens
in the thread that loads the model. There is no state outside the `App` object.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm import log, paths, settings
from edgellm.errors import ModelNotFound
from edgellm.models import lookup
from edgellm.paths import Paths
from edgellm.settings import Settings

if TYPE_CHECKING:
    from edgellm.chats.store import Store
    from edgellm.documents.library import Library
    from edgellm.engine.meaning import Meaning, Model
    from edgellm.engine.protocol import Keep
    from edgellm.engine.remote_engine import RemoteEngine
    from edgellm.engine.status import Plan
    from edgellm.engine.supervisor import Engine
    from edgellm.engine.switch import Switch
    from edgellm.hardware.probe import Hardware
    from edgellm.models.catalog import Catalog, ModelCard
    from edgellm.models.downloads import Downloads
    from edgellm.models.hub import Hub
    from edgellm.models.store import ModelStore
    from edgellm.network import Client
    from edgellm.runtimes.advice import Here
    from edgellm.runtimes.base import Choice
    from edgellm.tasks.memory import Memory

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
        self._engine: Switch | None = None
        self._further: dict[int, Engine] = {}
        self._store: Store | None = None
        self._library: Library | None = None
        self._memory: Memory | None = None
        self._meaning: Meaning | None = None
        self._catalog: Catalog | None = None
        self._downloads: Downloads | None = None

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

    def here(self) -> Here:
        """What advice about models is given for: this computer as it is now, the settings, and what was measured."""
        from edgellm.runtimes import build, speed_file
        from edgellm.runtimes.advice import Here
        from edgellm.runtimes.speed import machine_name

        hardware, library = self.hardware(), build.inspect()
        speeds = speed_file.load(self.paths.machine, machine_name(hardware, library))
        return Here(hardware, self.settings, library, speeds)

    def engine(self) -> Switch:
        """The engine of this run; it starts a process when a model is loaded, and keeps how fast each answer was.

        A model called `remote` or `remote:NAME` is on the server of the settings, and starts none.
        """
        from edgellm.engine.switch import Switch

        with self._lock:
            if self._engine is None or self._engine.closed:
                self._engine = Switch(self._local, self._remote)
            return self._engine

    def second_engine(self, number: int = 1) -> Engine:
        """Another engine beside the one of `engine`, for a translation by models of its own; each has its `number`."""
        with self._lock:
            found = self._further.get(number)
            if found is None or found.closed:
                found = self._further[number] = self._local()
            return found

    def _local(self) -> Engine:
        from edgellm.engine.recorder import Recorder
        from edgellm.engine.supervisor import Engine

        return Engine(self.paths, self._plan, on_finish=Recorder(self.paths.machine), keeper=self._keep)

    def _reader(self) -> Engine:
        from edgellm.engine.recorder import Recorder
        from edgellm.engine.supervisor import Engine

        return Engine(self.paths, self._plan, on_finish=Recorder(self.paths.machine))

    def _keep(self) -> Keep | None:
        from edgellm.engine import keep

        return keep.chosen(self.paths, self.settings)

    def _remote(self) -> RemoteEngine:
        from edgellm.engine.remote_engine import RemoteEngine

        return RemoteEngine(self.paths, lambda: self.settings)

    def store(self) -> Store:
        """The chats. Raises `StorageError`."""
        from edgellm.chats.store import Store

        with self._lock:
            if self._store is None:
                self._store = Store(self.paths.chats_db)
            return self._store

    def library(self) -> Library:
        """The index of the person's documents. Raises `StorageError`."""
        from edgellm.documents.library import Library

        with self._lock:
            if self._library is None:
                self._library = Library(self.paths.library_db)
            return self._library

    def meaning(self) -> Meaning:
        """The models that embed and rank passages, in engines beside the one of `engine`."""
        from edgellm.engine.meaning import Meaning

        with self._lock:
            if self._meaning is None:
                self._meaning = Meaning(self._reading, self._reader)
            return self._meaning

    def _reading(self, task: str, name: str) -> Model | None:
        """The installed model of this name, or the best one for a task of reading."""
        from edgellm.engine.meaning import Model
        from edgellm.runtimes.preference import Wish, prefer

        if name:
            found = self.models().get(name)
            return Model(found.name, found.path)
        installed = self.models().installed(others=False)
        if all(model.builtin for model in installed):
            return None
        best = prefer(Wish(task), installed, self.catalog().cards, self.here())
        return Model(best.value.name, best.value.path) if best is not None else None

    def memory(self) -> Memory:
        """The translation memory; whether it is used says a setting. Raises `StorageError`."""
        from edgellm.tasks.memory import Memory

        with self._lock:
            if self._memory is None:
                self._memory = Memory(self.paths.memory_db)
            return self._memory

    def models(self) -> ModelStore:
        """The models on this machine, in the folders of the settings."""
        from edgellm.models import found
        from edgellm.models.store import ModelStore

        named = (folder.strip() for folder in self.settings.model_folders.split(os.pathsep))
        folders = tuple(Path(folder).expanduser() for folder in named if folder)
        return ModelStore(self.paths, folders, found.places())

    def downloads(self) -> Downloads:
        """The downloads of this run; `close` ends them, and the next start goes on with them."""
        from edgellm.models.downloads import Downloads

        with self._lock:
            if self._downloads is None:
                self._downloads = Downloads(lambda: self.settings, self.models, self.connect, self._complete)
            return self._downloads

    def hub(self) -> Hub:
        """The hub, asked through `connect`."""
        from edgellm import network
        from edgellm.models.hub import Hub

        return Hub(self.connect, network.endpoints(self.settings)[1:])

    def connect(self, purpose: str) -> Client:
        """A client of the one door to the network, with the person's token for the hub. Close it after use."""
        from edgellm import network
        from edgellm.models.token import Tokens

        token = Tokens(self.paths).read(network.endpoint(self.settings))
        return network.client(self.settings, self.paths.ledger, purpose, token)

    def catalog(self) -> Catalog:
        """The models that can be had, read once. What is wrong with the person's own list is its notice."""
        from edgellm.models import catalog

        with self._lock:
            if self._catalog is None:
                self._catalog = catalog.load(self.paths)
            return self._catalog

    def remember(self, cards: Iterable[ModelCard]) -> tuple[str, ...]:
        """Write cards into the person's own catalog; the names of the new ones. Raises `StorageError`."""
        from edgellm.models import catalog_own

        names = catalog_own.remember(self.paths, cards)
        with self._lock:
            self._catalog = None
        return names

    def card(self, name: str) -> ModelCard | None:
        """The card of the catalog that `name` means: its name in any case, or all of it but a last part such as -q4."""
        wanted = name.strip().lower()
        cards = self.catalog().cards
        same = [card for card in cards if card.name == wanted]
        same = same or [card for card in cards if card.name.rpartition("-")[0] == wanted]
        return same[0] if len(same) == 1 else None

    def model_path(self, name: str = "") -> Path:
        """What to load for a model by name or path; empty is the one of the settings, or the built-in one.

        Raises a `ModelError`; for a model of the catalog that is not installed it names the command that installs it.
        """
        from edgellm.runtimes.remote_address import is_remote

        wanted = name or self.settings.model
        if is_remote(wanted):
            return Path(wanted.strip())
        try:
            return self.models().resolve(wanted)
        except ModelNotFound as error:
            raise self.missing(wanted, error) from error

    def model_for(self, task: str, source: str = "", target: str = "") -> Choice[Path]:
        """What to load for a task (as in a card's `tasks`), with the reason in a sentence, or none where none is due.

        The model of the settings, if one is set; else the one of those in our folders that suits the task best. For a
        translation, `source` and `target` are codes. Raises a `ModelError`.
        """
        from edgellm.runtimes.base import Choice
        from edgellm.runtimes.preference import Wish, prefer

        if not self.settings.model:
            installed = self.models().installed(others=False)
            if any(not model.builtin for model in installed):
                best = prefer(Wish(task, source, target), installed, self.catalog().cards, self.here())
                if best is not None:
                    return Choice(best.value.path, best.reason)
        return Choice(self.model_path(), "")

    def models_for(self, source: str, target: str) -> Choice[tuple[Path, ...]]:
        """What to load to translate between two languages (codes): as `model_for`, or two models through English.

        The second of two goes into `second_engine`. Raises a `ModelError`.
        """
        from edgellm.runtimes.base import Choice
        from edgellm.runtimes.preference import Wish
        from edgellm.runtimes.route import route

        if not self.settings.model:
            installed = self.models().installed(others=False)
            if any(not model.builtin for model in installed):
                best = route(Wish("translate", source, target), installed, self.catalog().cards, self.here())
                if best is not None:
                    return Choice(tuple(model.path for model in best.value), best.reason)
        return Choice((self.model_path(),), "")

    def missing(self, name: str, error: ModelNotFound) -> ModelNotFound:
        """A better error than `error` for a model that is not installed, if the catalog has it or one of its name."""
        if (card := self.card(name)) is not None:
            return ModelNotFound(f"Model {card.name} is not installed.", f"Run: edgellm models pull {card.name}")
        known = [model.name for model in self.models().installed()]
        known += [card.name for card in self.catalog().cards]
        better = lookup.not_found(name.strip(), known)
        if better.message != error.message or lookup.is_path(name):
            return error  # it is about something else
        return ModelNotFound(better.message, f"{better.hint} list --all")

    def save_settings(self, **values: Any) -> None:
        """Change settings, for this run and the next. Overrides of this run are not written.

        Raises `SettingsError` or `StorageError`.
        """
        saved, _ = settings.load(self.paths.settings)
        settings.save(self.paths.settings, settings.changed(saved, **values))
        self.settings = settings.changed(self.settings, **values)

    def close(self) -> None:
        """End the engines and the downloads, and close the chats and the documents."""
        with self._lock:
            engine, store, self._engine, self._store = self._engine, self._store, None, None
            downloads, self._downloads = self._downloads, None
            library, self._library = self._library, None
            memory, self._memory = self._memory, None
            meaning, self._meaning = self._meaning, None
            further, self._further = self._further, {}
        if downloads is not None:
            downloads.close()
        for one in (engine, *further.values(), meaning):
            if one is not None:
                one.close()
        if store is not None:
            store.close()
        if library is not None:
            library.close()
        if memory is not None:
            memory.close()

    def _complete(self, card: ModelCard) -> ModelCard:
        return self.hub().complete(card)

    def _plan(self, path: Path, anyway: bool) -> Plan:
        """The ways to run the model at `path` here, best first; one at least, if `anyway`. Raises an `EdgeError`."""
        from edgellm.engine.status import Plan
        from edgellm.runtimes.plans import Situation, ways

        here = self.here()
        found = ways(path, Situation(here.hardware, here.settings, anyway, here.speeds))
        return Plan(found.rungs, found.machine)
