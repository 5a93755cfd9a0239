"""Gathers the files of one model: linked where the store has the content, fetched where it does not.

When it is done, every file lies whole and verified in the folder of parts. Installing them is left to `download_job`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import ModelDamaged
from edgellm.models import disk, hashing
from edgellm.models.catalog import ModelCard
from edgellm.models.download_crew import Crew, Tools
from edgellm.models.download_plan import Item
from edgellm.models.gguf import read_header
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.progress import Meter
from edgellm.models.store import ModelStore
from edgellm.models.transfer import Fetched

_LINKED = ".here"


@dataclass(frozen=True, slots=True)
class Gathered:
    """A file that is here: where it lies, and what the manifest says of it."""

    place: Path
    file: ManifestFile


class Files:
    """The files of `card`, on their way into `folder`, the part files' folder of one download."""

    def __init__(self, card: ModelCard, items: tuple[Item, ...], folder: Path, tools: Tools) -> None:
        self._card = card
        self._items = items
        self._folder = folder
        self._tools = tools
        self._gathered: dict[str, Gathered] = {}
        self.meter = Meter(card.size)
        self._crew: Crew | None = None

    @property
    def busy(self) -> int:
        """How many are being fetched just now."""
        return self._crew.busy if self._crew else 0

    def prepare(self, models: tuple[Installed, ...], work: hashing.Work) -> None:
        """Drop part files of other content, and link what an installed model has. Raises `OSError`, `Stopped`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        parts = {item.part for item in self._items}
        for path in sorted(self._folder.iterdir()):
            if path.name not in parts and path.name.removesuffix(".json") not in parts:
                disk.erase(path)
        known = _contents(models)
        for item in self._items:
            for source in known.get(item.file.sha256, ()):
                if self._link(item, source, work):
                    break

    def missing(self) -> tuple[Item, ...]:
        """The files that have to be fetched: each content once."""
        once = {item.part: item for item in reversed(self._items) if item.file.path not in self._gathered}
        return tuple(item for item in self._items if once.get(item.part) is item)

    def here(self) -> dict[str, int]:
        """Bytes of each file that are on the disk already, by path."""
        sizes = {path: one.file.size for path, one in self._gathered.items()}
        return sizes | {item.file.path: _size(self._folder / item.part) for item in self.missing()}

    def fetch(self, tick: Callable[[], None], work: hashing.Work) -> dict[str, Gathered]:
        """Fetch what is missing; every file, by path. Raises what `Crew.run` raises."""
        for path, size in self.here().items():
            self.meter.start(path, size)
        self._crew = Crew(self.missing(), self._folder, self._tools, self.meter)
        for path, fetched in self._crew.run(tick).items():
            self._gathered[path] = Gathered(fetched.path, _entry(path, fetched))
        by_part = {
            item.part: self._gathered[item.file.path] for item in self._items if item.file.path in self._gathered
        }
        for item in self._items:  # the same content under a second name
            if item.file.path not in self._gathered:
                self._link(item, by_part[item.part].place, work)
                self.meter.at(item.file.path, by_part[item.part].file.size)
        for item in self._items:
            self._look(item)
        return self._gathered

    def _link(self, item: Item, source: Path, work: hashing.Work) -> bool:
        """Take `source` as this file, if it still is what its hash says."""
        target = self._folder / f"{len(self._gathered)}{_LINKED}"
        try:
            found = hashing.digest(source, self._tools.tuning.chunk, work)
            if item.file.sha256 not in ("", found.sha256) or item.file.size not in (None, found.size):
                return False
            if not disk.link(source, target):
                found = hashing.copy(source, target, self._tools.tuning.chunk, work)
        except OSError:
            target.unlink(missing_ok=True)
            return False
        entry = ManifestFile(item.file.path, found.size, found.sha256, found.chunks)
        self._gathered[item.file.path] = Gathered(target, entry)
        return True

    def _look(self, item: Item) -> None:
        """A file that nobody published a hash of must at least be what its name says. Raises `ModelDamaged`."""
        if item.file.sha256 or item.file.git_oid or not item.file.path.lower().endswith(".gguf"):
            return
        try:
            read_header(self._gathered[item.file.path].place)
        except ModelDamaged as error:
            disk.erase(self._gathered[item.file.path].place)
            raise ModelDamaged(
                f"What came as {item.file.path} is not a GGUF model, so it was not installed.", "Check the address."
            ) from error


def draft(card: ModelCard, gathered: dict[str, Gathered], source: str, chunk_size: int) -> Manifest:
    """The manifest of a model that is to be installed."""
    return Manifest(
        name=card.name,
        files=tuple(gathered[file.path].file for file in card.files),
        title=card.title,
        repo=card.repo,
        revision=card.revision,
        license=card.license,
        format=card.format,
        architecture=card.architecture,
        quantization=card.quantization,
        parameters=card.parameters,
        context=card.context,
        tasks=card.tasks,
        languages=card.languages,
        source=source,
        chunk_size=chunk_size,
    )


def same(card: ModelCard, store: ModelStore) -> Installed | None:
    """The installed model that has this card's name and all of its files, in whichever folder; None without one."""
    for model in store.installed(others=False):
        if model.manifest is None or model.problem or model.home.name != card.name:
            continue
        known = {file.path: file for file in model.manifest.files}
        if all(file.path in known and _fits(known[file.path], file.size, file.sha256) for file in card.files):
            return model
    return None


def _fits(here: ManifestFile, size: int | None, sha256: str) -> bool:
    return size in (None, here.size) and sha256.lower() in ("", here.sha256)


def amount_in(folder: Path) -> int:
    """Bytes of model files in a folder of parts."""
    try:
        return sum(_size(path) for path in folder.iterdir() if path.suffix != ".json")
    except OSError:
        return 0


def _contents(models: tuple[Installed, ...]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for model in models:
        for file in model.manifest.files if model.manifest else ():
            found.setdefault(file.sha256, []).append(model.home / file.path)
    return found


def _entry(path: str, fetched: Fetched) -> ManifestFile:
    return ManifestFile(path, fetched.size, fetched.sha256, fetched.chunks)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
