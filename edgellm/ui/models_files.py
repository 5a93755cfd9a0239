"""Long work for the Models page: check, repair, remove with undo, move, take in, measure. Says what came of each."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgellm.errors import EdgeError, StorageError
from edgellm.ui import facts
from edgellm.ui.background import Runner
from edgellm.ui.language import told, tr
from edgellm.ui.model_jobs import Handle, ModelJobs
from edgellm.ui.models_view import Row
from edgellm.ui.notices import Notices

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.models.bundle_read import Added
    from edgellm.models.bundle_write import Written
    from edgellm.models.check import Verification
    from edgellm.models.importing import How, Imported
    from edgellm.models.manifest import Manifest, ManifestFile
    from edgellm.models.repair import Repaired
    from edgellm.models.store import Installed

BUNDLE = ".edgellm"
_MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last check of a model said: a sentence, the bad parts, one a line, and whether they can be fetched."""

    sentence: str = ""
    damage: str = ""
    mendable: bool = False


class FileWork(QObject):
    """`changed`: other models are here now; `judged`: a check ended; `repair_wanted` and `use_wanted` ask others."""

    changed = Signal()
    judged = Signal()
    repair_wanted = Signal(object)
    use_wanted = Signal(str)

    def __init__(self, app: App, jobs: ModelJobs, runner: Runner, notices: Notices) -> None:
        super().__init__()
        self._app, self._jobs, self._runner, self._notices = app, jobs, runner, notices
        self.verdicts: dict[str, Verdict] = {}

    def check(self, row: Row) -> None:
        """Read every byte of a model and compare."""

        def work(handle: Handle) -> Verification:
            from edgellm.models.check import verify

            return verify(self._app.models().get(row.name), handle.report, handle.cancelled)

        def done(found: Verification) -> None:
            self._judge(row, found)
            action = tr("Repair") if _mendable(found) else ""
            self._notices.say(found.sentence, action, lambda: self.repair_wanted.emit(row), stays=not found.ok)

        self.verdicts.pop(row.name, None)
        self._jobs.start(Handle("check", row.name, row.title), work, done, self._notices.complain)

    def repair(self, row: Row) -> None:
        """Fetch what is damaged again."""

        def work(handle: Handle) -> Repaired:
            from edgellm.models.rate import Control
            from edgellm.models.repair import Source, repair

            control = Control(handle.report, handle.cancelled, checking=handle.report)
            source = Source(self._addresses, self._app.connect)
            return repair(self._app.models().get(row.name), source, control)

        def done(found: Repaired) -> None:
            self._judge(row, found.now)
            words = tr("{title} is whole again; {size} were fetched.")
            self._notices.say(words.format(title=row.title, size=facts.size(found.received)))
            self.changed.emit()

        self._jobs.start(Handle("repair", row.name, row.title), work, done, self._notices.complain)

    def remove(self, row: Row) -> None:
        """Put a model into the bin, with an undo."""

        def undo() -> None:
            self._runner.run(
                lambda: self._app.models().restore(row.name), lambda _: self.changed.emit(), self._notices.complain
            )

        def done(_: object) -> None:
            self.verdicts.pop(row.name, None)
            self._notices.say(tr("{title} was removed.").format(title=row.title), tr("Undo"), undo)
            self.changed.emit()

        self._runner.run(lambda: self._app.models().remove(row.name), done, self._notices.complain)

    def move(self, row: Row, folder: Path) -> None:
        """Keep a model in another folder, which becomes one of the folders for models."""
        folders = self._app.models().folders
        if folder not in folders:
            try:
                self._app.save_settings(model_folders=os.pathsep.join(map(str, (*folders, folder))))
            except EdgeError as error:
                self._notices.complain(error)
                return

        def work(handle: Handle) -> Installed:
            return self._app.models().move(row.name, folder, handle.report, handle.cancelled)

        def done(_: Installed) -> None:
            self._notices.say(tr("{title} is in {folder} now.").format(title=row.title, folder=folder))
            self.changed.emit()

        self._jobs.start(Handle("move", row.name, row.title), work, done, self._notices.complain)

    def bundle(self, row: Row, target: Path) -> None:
        """Write a model into one signed file, to carry it to another computer."""

        def work(handle: Handle) -> Written:
            from edgellm.models import bundle_write, signing
            from edgellm.models.rate import Control

            app = self._app
            cards = [card for card in app.catalog().cards if card.name == row.name]
            key = signing.own_key(signing.folder_of(app.paths))
            control = Control(handle.report, handle.cancelled)
            return bundle_write.write((app.models().get(row.name),), cards, target, key, control, replacing=True)

        def done(written: Written) -> None:
            words = tr("{name} was written, signed by {signer}. Drop it on this page of another computer.")
            self._notices.say(words.format(name=written.path.name, signer=written.fingerprint), stays=True)

        self._jobs.start(Handle("bundle", row.name, row.title), work, done, self._notices.complain)

    def measure(self) -> None:
        """Measure how fast this computer is, which takes twenty seconds; every estimate rests on it."""

        def work(handle: Handle) -> object:
            from edgellm.engine import selftest
            from edgellm.runtimes import build

            app = self._app
            bench = selftest.Bench(app.paths, app.hardware(), app.settings, build.inspect())
            return selftest.run(bench, handle.step, handle.cancelled)

        def done(test: object) -> None:
            if test is not None:
                self._notices.say(tr("This computer was measured; the speeds are estimated from that now."))
                self.changed.emit()

        self._jobs.start(Handle("measure", "", tr("This computer")), work, done, self._notices.complain)

    def take_in(self, path: Path) -> None:
        """Install a file, a folder or a bundle."""
        if path.suffix.lower() == BUNDLE:
            self._add(path)
        else:
            self._import(path)

    def _addresses(self, manifest: Manifest, file: ManifestFile) -> tuple[str, ...]:
        """Where a file of an installed model can be had again."""
        from edgellm import network
        from edgellm.models.repair import addresses_of

        return addresses_of(manifest, file, network.endpoints(self._app.settings))

    def _add(self, path: Path) -> None:
        def work(handle: Handle) -> Added:
            from edgellm.models import bundle_read, signing
            from edgellm.models.rate import Control

            control = Control(progress=handle.report, cancelled=handle.cancelled)
            terms = bundle_read.Terms(signing.folder_of(self._app.paths))
            added = bundle_read.add(str(path), self._app.models(), self._app.connect, terms, control)
            with suppress(StorageError):  # the models are here in any case
                self._app.remember(added.cards)
            return added

        def done(added: Added) -> None:
            names = ", ".join(model.name for model in added.models)
            words = tr("Added: {names}.").format(names=names) if names else tr("Everything in it was here already.")
            only = added.models[0].name if len(added.models) == 1 else ""
            self._notices.say(
                f"{words} {added.sentence}", tr("Use it now") if only else "", lambda: self.use_wanted.emit(only)
            )
            self.changed.emit()

        self._jobs.start(Handle("add", path.name, path.name), work, done, self._notices.complain)

    def _import(self, path: Path, how: How = "auto", instead: str = "") -> None:
        """By a link, which takes no second space, where that can be; `instead` is an installed model to replace."""

        def work(handle: Handle) -> Imported:
            from edgellm.models.importing import import_model

            store = self._app.models()
            if instead:
                store.remove(instead)
                store.discard(instead)
            return import_model(store, path, instead, how, handle.report, handle.cancelled)

        def done(found: Imported) -> None:
            name = found.model.name
            if found.linked:
                words = tr(
                    "{name} is here now. It shares its bytes with the file that you gave, and takes no more space."
                )
                copy = tr("Make a copy instead")
                self._notices.say(words.format(name=name), copy, lambda: self._import(path, "copy", name))
            else:
                words = tr("{name} is here now, as a copy.").format(name=name)
                self._notices.say(words, tr("Use it now"), lambda: self.use_wanted.emit(name))
            self.changed.emit()

        self._jobs.start(Handle("import", path.name, path.name), work, done, self._notices.complain)

    def _judge(self, row: Row, found: Verification) -> None:
        parts = [
            tr("{file}: bytes {start} to {stop}").format(file=bad.path, start=f"{bad.start:,}", stop=f"{bad.stop:,}")
            for bad in found.bad
        ]
        parts += [tr("{file} is missing").format(file=name) for name in found.missing]
        more = len(parts) - _MOST_PARTS
        shown = parts[:_MOST_PARTS] + ([tr("and {n} more").format(n=more)] if more > 0 else [])
        self.verdicts[row.name] = Verdict(told(found.sentence), "\n".join(shown), _mendable(found))
        self.judged.emit()


def _mendable(found: Verification) -> bool:
    return not found.ok and bool(found.bad or found.missing)
