"""Adding the models of a bundle: everything is checked first, then each model appears, whole.

Before the first byte is written, the signature holds and the list of contents passes every check. The form itself is
left to `bundle`, where the bytes come from to `bundle_source`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from edgellm.errors import ModelError, StorageError
from edgellm.models import bundle, bundle_source, disk, signing, staging
from edgellm.models.bundle import Contents, Signature
from edgellm.models.bundle_source import Connect, Source
from edgellm.models.catalog import ModelCard
from edgellm.models.hashing import Hashes
from edgellm.models.installed import Installed
from edgellm.models.manifest import CHUNK, Manifest, ManifestFile
from edgellm.models.names import shown
from edgellm.models.rate import Control
from edgellm.models.staging import Staging
from edgellm.models.store import ModelStore, now

_SPARE = 64 << 20  # bytes of the disk that are left free


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom to accept. `keys` is the folder of `signing.folder_of`; `signer` a fingerprint, empty for anybody.

    `trust` remembers the signer once its models are installed.
    """

    keys: Path
    signer: str = ""
    trust: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it: the models that are new, the names of those that were here, and a sentence about the signer."""

    models: tuple[Installed, ...]
    here: tuple[str, ...]
    contents: Contents
    fingerprint: str
    known: bool
    sentence: str

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """What the bundle says of its own models, for the catalog. What to recommend is not for its maker to say."""
        names = {model.name for model in self.contents.models}
        own = (card for card in self.contents.cards if card.name in names)
        return tuple(replace(card, recommended=(), confirmed="medium") for card in own)


class Bundle:
    """An open bundle whose signature holds. `contents` is what it says it holds, `fingerprint` who signed it."""

    def __init__(self, source: Source) -> None:
        """Read and check the beginning. Raises an `EdgeError`."""
        self._source = source
        listing = self._exactly(bundle.first_size(self._upto(bundle.BLOCK)))
        self._expect(bytes(bundle.padding(len(listing))), "its list of contents is cut short")
        self._expect(bundle.header(bundle.SIGNATURE, bundle.SIGNATURE_SIZE), "its signature is missing")
        self.signature: Signature = bundle.read_signature(self._exactly(bundle.SIGNATURE_SIZE))
        if not self.signature.covers(listing):
            raise bundle.damaged("it was changed after it was signed")
        self._expect(bytes(bundle.padding(bundle.SIGNATURE_SIZE)), "something stands behind its signature")
        self.contents = bundle.decode(listing)
        self.fingerprint = signing.fingerprint(self.signature.public)
        self.size = source.position + sum(
            bundle.member_size(name, one.size) for _, one, name in self.contents.members()
        )
        self.size += len(bundle.end(self.size))
        if source.size is not None and source.size < self.size:
            raise bundle_source.ends_early()
        if source.size is not None and source.size > self.size:
            raise bundle.damaged("something stands behind its end")

    def check(self, control: Control) -> None:
        """Read all of it and compare. Raises an `EdgeError`."""
        for model, file, name in self.contents.members():
            self._member(model, file, name, None, control)
        self._end()

    def install(self, store: ModelStore, control: Control) -> tuple[tuple[Installed, ...], tuple[str, ...]]:
        """Install the models; returns the new ones, and the names of those that were here before.

        Nothing is visible until everything is checked, and nothing is left behind by a failure. Raises an `EdgeError`.
        """
        installed = store.installed()
        here = {model.name for model in self.contents.models if _is_here(installed, model)}
        new = [model for model in self.contents.models if model.name not in here]
        self._check_place(store, new)
        with ExitStack() as stack:
            top = store.ready()
            stagings = {model.name: stack.enter_context(Staging(top)) for model in new}
            complete: dict[str, list[ManifestFile]] = {model.name: [] for model in new}
            for model, file, name in self.contents.members():
                if model.name in here:
                    self._source.skip(bundle.member_size(name, file.size))
                    control.progress(self._source.position, self.size)
                    continue
                target = stagings[model.name].folder / file.path
                complete[model.name].append(self._member(model, file, name, target, control))
            self._end()
            source = f"a bundle signed by {self.fingerprint}"
            ready = [_ready(model, complete[model.name], source) for model in new]
            models = _publish(store, [(stagings[model.name], model) for model in ready])
        return models, tuple(sorted(here))

    def _check_place(self, store: ModelStore, new: list[Manifest]) -> None:
        top, needed = store.folder, sum(model.size for model in new)
        with disk.told(top, "The bundle could not be added"):
            free = disk.room(top)
            taken = next((model.name for model in new if staging.taken(top, model.name)), None)
        if taken is not None:
            raise ModelError(
                f"There already is another model called {taken}, so nothing was added.",
                f"Remove it first: edgellm models remove {taken}",
            )
        if new and needed + _SPARE > free:
            raise StorageError(
                f"The models need {disk.amount(needed)}, and {top} has {disk.amount(free)} free.",
                "Make room, or choose another folder for models in the settings.",
            )

    def _member(
        self, model: Manifest, file: ManifestFile, name: str, target: Path | None, control: Control
    ) -> ManifestFile:
        """Check one file, and write it unless `target` is None; returns it with the hashes of its parts."""
        self._expect(bundle.header(name, file.size), f"{shown(file.path)} is not where it should be")
        hashes, left = Hashes(_part_size(model, file)), file.size
        with ExitStack() as stack:
            if target is not None:
                stack.enter_context(disk.told(target.parent, f"{model.name} could not be written"))
                target.parent.mkdir(parents=True, exist_ok=True)
                output = stack.enter_context(target.open("xb"))
            while left:
                piece = self._source.read(min(left, bundle_source.PIECE))
                if not piece:
                    raise bundle_source.ends_early()
                left -= len(piece)
                hashes.update(piece)
                if target is not None:
                    output.write(piece)
                control.progress(self._source.position, self.size)
            if target is not None:
                output.flush()
                os.fsync(output.fileno())
        found = hashes.digest()
        if found.sha256 != file.sha256 or file.chunks not in ((), found.chunks):
            raise bundle.damaged(f"{shown(file.path)} of {model.name} is not what was signed")
        self._expect(bytes(bundle.padding(file.size)), f"something stands behind {shown(file.path)}")
        return replace(file, chunks=found.chunks)

    def _end(self) -> None:
        self._expect(bundle.end(self._source.position), "its end is not where it should be")
        if self._source.read(1):
            raise bundle.damaged("something stands behind its end")

    def _expect(self, expected: bytes, why: str) -> None:
        if self._exactly(len(expected)) != expected:
            raise bundle.damaged(why)

    def _exactly(self, size: int) -> bytes:
        data = self._upto(size)
        if len(data) < size:
            raise bundle_source.ends_early()
        return data

    def _upto(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._source.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


@contextmanager
def opened(address: str, connect: Connect, control: Control) -> Iterator[Bundle]:
    """The bundle at a path or an address, its signature checked. Raises an `EdgeError`."""
    with bundle_source.opened(address, connect, control.cancelled) as source:
        yield Bundle(source)


def add(address: str, store: ModelStore, connect: Connect, terms: Terms, control: Control) -> Added:
    """Install the models of the bundle at a path or an address. `control` counts bytes of the bundle.

    Raises an `EdgeError`; nothing is visible or left behind then, and nobody is trusted.
    """
    wanted = signing.read_fingerprint(terms.signer) if terms.signer else ""
    with opened(address, connect, control) as found:
        signer = found.fingerprint
        if wanted and signer != wanted:
            raise ModelError(
                f"The bundle is signed by {signer}, and not by {wanted}, so nothing was added.",
                "Ask whoever made it for the fingerprint that edgellm models bundle showed.",
            )
        known, sentence = who(terms.keys, signer)
        models, here = found.install(store, control)
    if terms.trust:
        signing.trust(terms.keys, found.signature.public, Path(address).name)
    return Added(models, here, found.contents, signer, known, sentence)


def who(keys: Path, fingerprint: str) -> tuple[bool, str]:
    """Whether this computer knows a signer, and the sentence that says so."""
    if signing.is_own(keys, fingerprint):
        return True, f"It is signed with this computer's own key: {fingerprint}"
    if any(one.fingerprint == fingerprint for one in signing.trusted(keys)):
        return True, f"It is signed by a key that you trust: {fingerprint}"
    return False, f"It is signed by a key that this computer has not seen: {fingerprint}"


def _is_here(installed: tuple[Installed, ...], model: Manifest) -> bool:
    """Whether this very model is installed and whole, by name and by hash."""
    files = {(file.path, file.size, file.sha256) for file in model.files}
    for one in installed:
        if one.manifest is None or one.problem or one.manifest.name != model.name:
            continue
        if {(file.path, file.size, file.sha256) for file in one.manifest.files} == files:
            return True
    return False


def _part_size(model: Manifest, file: ManifestFile) -> int:
    """The parts to hash: those that the list names, or the usual ones for a model of which it names none."""
    if file.chunks:
        return model.chunk_size
    return 0 if any(one.chunks for one in model.files) else CHUNK


def _ready(model: Manifest, files: list[ManifestFile], source: str) -> Manifest:
    """The manifest to install: with what was learned on the way."""
    size = model.chunk_size if any(file.chunks for file in model.files) else CHUNK
    return replace(model, files=tuple(files), chunk_size=size, source=source, added=now(), checked=now())


def _publish(store: ModelStore, prepared: list[tuple[Staging, Manifest]]) -> tuple[Installed, ...]:
    """Make all of them visible, or none."""
    try:
        return tuple(store.publish(one, model) for one, model in prepared)
    except BaseException:
        for one, model in prepared:
            if not one.folder.exists():  # it was published
                with suppress(OSError):
                    os.rename(one.top / model.name, one.folder)
        raise
