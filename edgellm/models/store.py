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

from edgellm.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from edgellm.models import disk, lookup
from edgellm.models import folder as folders
from edgellm.models.installed import Installed as Installed
from edgellm.models.lookup import SCRIPT as SCRIPT
from edgellm.models.manifest import Manifest
from edgellm.models.names import check_name
from edgellm.models.staging import Staging, recover
from edgellm.paths import Paths, starter_model

STARTER = "starter"
_SUFFIXES = (".gguf", SCRIPT)


class ModelStore:
    """Models in `folders`, the first of which takes new ones; none named means the program's own folder.

    The program's own folder is looked into in any case. Nothing is kept in memory: several processes may use the
    same folders at once.
    """

    def __init__(self, paths: Paths, folders: tuple[Path, ...] = ()) -> None:
        wanted = [Path(os.path.abspath(folder)) for folder in (*folders, paths.models)]
        self.folders = tuple(dict.fromkeys(wanted))

    @property
    def folder(self) -> Path:
        """The folder that takes new models. It may not exist yet."""
        return self.folders[0]

    def installed(self) -> tuple[Installed, ...]:
        """The built-in model, then the others by folder and name. A name comes once: "x", then "x@folder"."""
        found: list[Installed] = list(_builtin())
        names = {STARTER}
        for folder in self.folders:
            for model in folders.scan(folder):
                name = _free_name(model.name, folder, names)
                names.add(name)
                found.append(replace(model, name=name))
        return tuple(found)

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
        model = self.get(wanted)
        if model.problem:
            raise ModelDamaged(model.problem)
        return model.path

    def place(
        self, draft: Manifest, files: Mapping[str, Path], *, folder: Path | None = None, keep: bool = False
    ) -> Installed:
        """Install a model: `files` are where the manifest's files lie now, checked against its hashes by the caller.

        They are linked or moved in (copied from another disk), and gone from there afterwards unless `keep`. The model
        is visible whole or not at all, whatever happens. The same model placed again is only returned. Raises
        `ModelError` when another model has the name, `UntrustedName`, `StorageError`.
        """
        top = folder or self.folder
        check_name(draft.name)
        draft = replace(draft, added=draft.added or now())
        draft = replace(draft, checked=draft.checked or draft.added)
        there = self._same(draft, top)
        if there is not None:
            if not keep:
                for source in files.values():
                    source.unlink(missing_ok=True)
            return there
        with Staging(top) as staging:
            with disk.told(top, f"{draft.name} could not be installed"):
                for file in draft.files:
                    source = files[file.path]
                    if source.stat().st_size != file.size:
                        raise ModelDamaged(f"{draft.name}: {file.path} has not the size it should have.", "Try again.")
                    staging.take(file.path, source, keep=keep)
            staging.commit(draft)
        there = self._same(draft, top)
        if there is None:
            raise ModelError(f"{draft.name} was changed while it was installed.", "Try again.")
        return there

    def recover(self) -> None:
        """Undo what a killed process has left half done. To be called at the start, in the background."""
        for folder in self.folders:
            recover(folder)

    def _same(self, draft: Manifest, top: Path) -> Installed | None:
        """The model of this name in `top`, if it has the same files and is whole."""
        for model in self.installed():
            if model.folder == top and model.manifest and model.home == top / draft.name and not model.problem:
                here = {(file.path, file.size, file.sha256) for file in model.manifest.files}
                if here == {(file.path, file.size, file.sha256) for file in draft.files}:
                    return model
        return None


def now() -> str:
    """The time for a manifest."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def installed(paths: Paths) -> tuple[Installed, ...]:
    """The built-in model, then those in the models folder by name. What cannot be read is left out."""
    return ModelStore(paths).installed()


def resolve(name: str, paths: Paths) -> Path:
    """What to load for `name`. Raises as `ModelStore.resolve` does."""
    return ModelStore(paths).resolve(name)


def _builtin() -> tuple[Installed, ...]:
    path = starter_model()
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError:
        size = None
    return () if size is None else (Installed(STARTER, path, size, builtin=True, folder=path.parent),)


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
