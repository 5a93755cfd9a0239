"""The models on this machine: what is installed, which one a name means, and putting models in place.

The store is one or more folders. A model is a folder with its files under readable names and a manifest of their
hashes, or a model file that a person put there. Downloading, checking and importing are left to others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edgellm.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported, StorageError, UsageError
from edgellm.models import bin as bins
from edgellm.models import disk, lookup, moving, sharing
from edgellm.models import folder as folders
from edgellm.models import found as finds
from edgellm.models import usage as usages
from edgellm.models.bin import Removed as Removed
from edgellm.models.found import Place
from edgellm.models.hashing import Cancelled, Progress, Work
from edgellm.models.installed import Installed as Installed
from edgellm.models.lookup import SCRIPT as SCRIPT
from edgellm.models.manifest import Manifest
from edgellm.models.manifest import now as now
from edgellm.models.names import check_name
from edgellm.models.staging import Staging, recover
from edgellm.models.usage import Folder as Folder
from edgellm.models.usage import Usage as Usage
from edgellm.paths import Paths, starter_model

STARTER = "starter"
_SUFFIXES = (".gguf", SCRIPT)


class ModelStore:
    """Models in `folders`, the first of which takes new ones; none named means the program's own folder.

    The program's own folder is looked into in any case. Nothing is kept in memory: several processes may use the
    same folders at once. `others` are the places of other programs, whose models are listed and never changed.
    """

    def __init__(self, paths: Paths, folders: tuple[Path, ...] = (), others: tuple[Place, ...] = ()) -> None:
        self._home = Path(os.path.abspath(paths.models))
        self._journal = self._home / moving.JOURNAL
        self._others = others
        self.folders = tuple(dict.fromkeys([*(Path(os.path.abspath(folder)) for folder in folders), self._home]))

    @property
    def folder(self) -> Path:
        """The folder that takes new models. It may not exist yet."""
        return self.folders[0]

    def installed(self, others: bool = True) -> tuple[Installed, ...]:
        """The built-in model, then ours by folder and name, then those of other programs unless not `others`.

        A name comes once: "x", then "x@folder".
        """
        found: list[Installed] = list(_builtin())
        names = {STARTER}
        for folder in self.folders:
            for model in folders.scan(folder):
                name = _free_name(model.name, folder, names)
                names.add(name)
                found.append(replace(model, name=name))
        return (*found, *finds.find(self._others)) if others else tuple(found)

    def get(self, name: str) -> Installed:
        """The installed model that `name` means. Raises `ModelNotFound` with the nearest names."""
        wanted, models = name.strip(), self.installed()
        if wanted.lower() in ("", STARTER):
            return _the_builtin(models)
        model = lookup.find(wanted, [one for one in models if not one.builtin])
        if model is None:
            raise lookup.not_found(wanted, [one.name for one in models])
        return model

    def resolve(self, name: str) -> Path:
        """What to load for `name`: nothing or `starter` for the built-in model, a path, or an installed one's name.

        Raises `ModelNotFound` with the nearest names, `ModelUnsupported` for a file of another kind, `ModelDamaged`
        for a model that lacks something.
        """
        wanted = name.strip()
        path = lookup.file_at(wanted) if wanted.lower() not in ("", STARTER) else None
        if path is not None and (lookup.is_path(wanted) or path.name.lower().endswith(_SUFFIXES)):
            if path.name.lower().endswith(_SUFFIXES):
                return path
            raise ModelUnsupported(f"{path.name} is not a model file.", "Choose a .gguf file.")
        if lookup.is_path(wanted) and (folder := lookup.folder_at(wanted)) is not None:
            return folder
        model = self.get(wanted)
        if model.problem:
            raise ModelDamaged(model.problem)
        return model.path

    def place(
        self, draft: Manifest, files: Mapping[str, Path], *, keep: bool = False, replace_old: bool = False
    ) -> Installed:
        """Install a model: `files` are where the manifest's files lie now, checked against its hashes by the caller.

        They are linked or moved in (copied from another disk), and gone from there afterwards unless `keep`. The model
        is visible whole or not at all, whatever happens. The same model placed again is only returned; another one of
        that name goes to the bin with `replace_old`. Raises `ModelError`, `UntrustedName`, `StorageError`.
        """
        top = self.ready()
        check_name(draft.name)
        draft = replace(draft, added=draft.added or now())
        draft = replace(draft, checked=draft.checked or draft.added)
        if (there := self.same(draft)) is None:
            with Staging(top) as staging:
                with disk.told(top, f"{draft.name} could not be installed"):
                    for file in draft.files:
                        if files[file.path].stat().st_size != file.size:
                            raise ModelDamaged(f"{draft.name}: {file.path} has not the size it should have.")
                        staging.take(file.path, files[file.path], keep=keep)
                there = self.publish(staging, draft, replace_old=replace_old)
        if not keep:
            for source in files.values():
                source.unlink(missing_ok=True)
        return there

    def publish(self, staging: Staging, draft: Manifest, *, replace_old: bool = False) -> Installed:
        """Make what was prepared in `staging` a model. Raises `ModelError` when the name is taken, `StorageError`."""
        if replace_old:
            for model in self._own(staging.top):
                if _is_named(model, draft.name):
                    bins.remove(model.name, model.size, model.folder, model.items)
        sharing.share(staging.folder, draft, self._own(staging.top))
        place = staging.commit(draft)
        return self._at(staging.top, (place,))

    def same(self, draft: Manifest) -> Installed | None:
        """The installed model of this name in the folder for new ones, if it has the same files and is whole."""
        for model in self._own(self.folder):
            if model.manifest and model.home == self.folder / draft.name and not model.problem:
                here = {(file.path, file.size, file.sha256) for file in model.manifest.files}
                if here == {(file.path, file.size, file.sha256) for file in draft.files}:
                    return model
        return None

    def remove(self, name: str) -> Removed:
        """Put a model into the bin of its folder. Raises `UsageError` for one that is not ours, `StorageError`."""
        model = self._owned(name, "removed")
        return bins.remove(model.name, model.size, model.folder, model.items)

    def bin(self) -> tuple[Removed, ...]:
        """What was removed and can be restored, the latest first."""
        found = [removed for folder in self.folders for removed in bins.contents(folder)]
        return tuple(sorted(found, key=lambda removed: removed.removed, reverse=True))

    def restore(self, name: str) -> Installed:
        """Bring back what was removed last under this name. Raises `ModelNotFound`, `ModelError`, `StorageError`."""
        removed = self._removed(name)
        bins.restore(removed)
        items = tuple(removed.folder / path for path in removed.items)
        return self._at(removed.folder, items)

    def discard(self, name: str = "", older_than: float = 0.0) -> int:
        """Empty the bin, or remove one model in it for good; returns the bytes of what went.

        `older_than` leaves what was removed in the last seconds of that number. Raises `ModelNotFound`,
        `StorageError`.
        """
        now = time.time()
        chosen = (self._removed(name),) if name else self.bin()
        gone = [removed for removed in chosen if now - removed.removed >= older_than]
        for removed in gone:
            bins.discard(removed)
        return sum(removed.size for removed in gone)

    def make_room(self, size: int) -> bool:
        """Whether `size` bytes fit into the folder for new models; the bin there is emptied if they do not."""
        with disk.told(self.folder, "The free space could not be found out"):
            for removed in bins.contents(self.folder) if disk.room(self.folder) < size else ():
                bins.discard(removed)
            return disk.room(self.folder) >= size

    def move(
        self, name: str, folder: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> Installed:
        """Move a model to another of the store's folders. `progress(done, total)` counts bytes.

        Raises `UsageError`, `ModelError`, `ModelDamaged`, `StorageError`, or `Stopped` when it was cancelled.
        """
        return self._move((self._owned(name, "moved"),), folder, progress, cancelled)[0]

    def move_all(
        self, folder: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> tuple[Installed, ...]:
        """Move every model of ours to one of the store's folders, one after the other; raises as `move` does."""
        return self._move(tuple(model for model in self._own() if not model.problem), folder, progress, cancelled)

    def looked(self) -> tuple[Folder, ...]:
        """How each folder is: ready, missing, read-only."""
        return tuple(usages.look(folder, folder == self._home) for folder in self.folders)

    def disk_use(self) -> Usage:
        """What the models take, the bin included."""
        return usages.usage(self._own(), self.looked())

    def ready(self) -> Path:
        """The folder for new models, made if need be. Raises `StorageError` when it cannot be used now."""
        looked = usages.look(self.folder, self.folder == self._home)
        if looked.sentence:
            hint = "Check its permissions" if looked.state == "read-only" else "Plug in its disk"
            raise StorageError(looked.sentence, f"{hint}, or change the setting model_folders.")
        with disk.told(self.folder, "The folder for models could not be made"):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def tidy(self) -> None:
        """Undo what a killed process left half done, and discard what was removed a day ago.

        To be called at the start, in the background. Raises `StorageError`.
        """
        moving.recover(self._journal)
        for folder in self.looked():
            if folder.state == "ready":
                recover(folder.path)
                bins.recover(folder.path)
        self.discard(older_than=bins.KEPT_SECONDS)

    def _move(
        self, models: tuple[Installed, ...], folder: Path, progress: Progress | None, cancelled: Cancelled | None
    ) -> tuple[Installed, ...]:
        target = Path(os.path.abspath(folder))
        looked = next((one for one in self.looked() if one.path == target), None)
        if looked is None:
            raise UsageError(f"{target} is no folder for models.", "Add it to the setting model_folders first.")
        if looked.sentence:
            raise StorageError(looked.sentence, "Plug in its disk, or choose another folder.")
        going = [model for model in models if model.folder != target]
        work = Work(progress, cancelled, sum(model.size for model in going))
        for model in going:
            moving.move(model, target, self._journal, work)
        goals = {tuple(target / item.relative_to(model.folder) for item in model.items) for model in models}
        return tuple(model for model in self._own() if model.items in goals)

    def _owned(self, name: str, done: str) -> Installed:
        model = self.get(name)
        if model.builtin:
            raise UsageError(f"The built-in model is part of EdgeLLM and is not {done}.")
        if model.foreign:
            raise UsageError(f"{model.name} belongs to {model.foreign} and is not {done} here.", "Do that there.")
        return model

    def _removed(self, name: str) -> Removed:
        known = self.bin()
        same = [one for one in known if one.name == name] or [one for one in known if one.name.lower() == name.lower()]
        if not same:
            names = ", ".join(dict.fromkeys(one.name for one in known)) or "nothing"
            raise ModelNotFound(f"{name} is not in the bin.", f"In the bin: {names}.")
        return same[0]

    def _at(self, folder: Path, items: tuple[Path, ...]) -> Installed:
        """The model that was just put there."""
        model = next((model for model in self._own(folder) if model.items == items), None)
        if model is None:
            raise ModelError(f"{items[0].name} was changed by another program meanwhile.", "Look: edgellm models list")
        return model

    def _own(self, folder: Path | None = None) -> tuple[Installed, ...]:
        """Our models and those a person put into our folders."""
        found = (model for model in self.installed(others=False) if not model.builtin)
        return tuple(model for model in found if folder in (None, model.folder))


def _builtin() -> tuple[Installed, ...]:
    path = starter_model()
    try:
        size = path.stat().st_size if os.path.isfile(path) else None
    except OSError:
        size = None
    return () if size is None else (Installed(STARTER, path, size, builtin=True, folder=path.parent),)


def _is_named(model: Installed, name: str) -> bool:
    """Whether the model stands where one of this name would go."""
    stands = {item.relative_to(model.folder).as_posix().casefold().removesuffix(".gguf") for item in model.items}
    return name.casefold() in stands


def _the_builtin(models: tuple[Installed, ...]) -> Installed:
    model = next((model for model in models if model.builtin), None)
    if model is None:
        raise ModelNotFound("The built-in model is missing.", "Install EdgeLLM again, or name a .gguf file.")
    return model


def _free_name(name: str, folder: Path, names: set[str]) -> str:
    """`name`, or one made of it that no other model has."""
    if name not in names:
        return name
    number, longer = 1, f"{name}@{folder.name}"
    while longer in names:
        number += 1
        longer = f"{name}@{folder.name}-{number}"
    return longer
