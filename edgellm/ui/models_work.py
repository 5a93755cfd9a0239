"""What the Models page and the first-start card do: reads, orders and outcomes. The widgets only show what is here.

It lives as long as the window. Reading happens in one thread, long jobs and the network in others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.errors import EdgeError
from edgellm.ui import model_kinds, models_reading, models_view
from edgellm.ui.background import Runner
from edgellm.ui.downloads_feed import DownloadsFeed
from edgellm.ui.language import tr
from edgellm.ui.model_jobs import ModelJobs
from edgellm.ui.models_activity import Activity
from edgellm.ui.models_files import FileWork, Verdict
from edgellm.ui.models_hub import HubSearch
from edgellm.ui.models_offer import Offer
from edgellm.ui.models_reading import Shelf
from edgellm.ui.models_view import Row, Standing
from edgellm.ui.notices import Notices

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.models.store import Installed


@dataclass(frozen=True, slots=True)
class Runners:
    """Threads: `reading` is one, so that what was read last is also shown last; `long` and `network` are several."""

    reading: Runner
    long: Runner
    network: Runner

    def close(self) -> None:
        """Wait for what was accepted."""
        for runner in (self.reading, self.network, self.long):
            runner.close()


class ModelsWork(QObject):
    """`changed`: there is something else to list; `activities_changed`: something went on.

    `use_wanted` asks the window to load a model, `unlock_wanted` to lift the offline lock, at once. `offered` carries
    an `Offer`, or None.
    """

    changed = Signal()
    activities_changed = Signal()
    use_wanted = Signal(str)
    unlock_wanted = Signal()
    page_wanted = Signal()
    offered = Signal(object)

    def __init__(self, app: App, runners: Runners, notices: Notices) -> None:
        super().__init__()
        self._app, self._runners, self._notices = app, runners, notices
        self.jobs = ModelJobs(runners.long)
        self.feed = DownloadsFeed(
            lambda: app.downloads(), runners.network, lambda: self.locked, lambda: models_reading.any_left(app)
        )
        self._files = FileWork(app, self.jobs, runners.reading, notices)
        self._shelf = Shelf()
        self._hub = HubSearch(app, runners.network, notices)
        self._reading = self._again = False
        self._told = ""
        self.jobs.changed.connect(self.activities_changed)
        self._hub.changed.connect(self.changed)
        self.feed.changed.connect(self.activities_changed)
        self.feed.finished.connect(self._on_finished)
        self.feed.failed.connect(notices.complain)
        self._files.changed.connect(self.refresh)
        self._files.judged.connect(self.activities_changed)
        self._files.repair_wanted.connect(self._repair)
        self._files.use_wanted.connect(self.use_wanted)

    # What is shown

    @property
    def locked(self) -> bool:
        """Whether the offline lock keeps the network away; a mirror on this machine itself is always allowed."""
        return models_reading.locked(self._app.settings)

    @property
    def activities(self) -> tuple[Activity, ...]:
        """What is going on, downloads first."""
        return (*self.feed.activities, *self.jobs.activities)

    def entries(self, text: str) -> tuple[Row | str, ...]:
        """The list for what is typed in the search box: rows, and a text before each part."""
        listed: list[Row | str] = []
        if asked := models_view.reference(text):
            listed += [tr("From the hub"), self._hub.asked(asked)]
        rows = self._shelf.rows if asked == "" else ()
        here = models_view.filtered((row for row in rows if row.part == "installed"), text)
        there = models_view.filtered((row for row in rows if row.part == "available"), text)
        for title, part in ((tr("Installed"), here), (tr("Available"), there)):
            if part:
                listed += [f"{title} · {len(part)}", *part]
        listed += self._hub.entries(text)
        return tuple(listed)

    def nothing(self, text: str) -> str:
        """What to say where the list is empty."""
        if text.strip() and self._hub.words(text):
            return f"{self._hub.words(text)}."  # searching, or nothing was found
        return tr("Nothing here is called “{text}”.").format(text=text.strip()) if text.strip() else tr("One moment…")

    def standing(self, row: Row | None) -> Standing:
        """What changes about a model while it is looked at."""
        if row is None:
            return Standing()
        verdict = self._files.verdicts.get(row.name, Verdict()) if row.part == "installed" else Verdict()
        busy = self.jobs.busy(row.name) or (row.part != "installed" and self.feed.busy(row.name))
        return Standing(self.locked, busy, verdict.sentence, verdict.damage, verdict.mendable)

    def folder_of(self, row: Row) -> Path | None:
        """The folder that an installed model's files are in."""
        entry = self._shelf.installed(row.name)
        return entry.home if entry is not None else None

    # What is asked for

    def start(self) -> None:
        """Look at what is here, and go on with downloads. Called once the window is on the screen."""
        self._runners.reading.run(lambda: self._app.models().tidy())
        if not self._shelf.rows:
            self.refresh()
        self.feed.start()

    def look(self) -> None:
        """The page was opened: files and downloads of others may have come and gone, and free memory changes."""
        self.refresh()
        self.feed.look()

    @property
    def installed(self) -> tuple[Installed, ...]:
        """What was installed when it was last read."""
        return self._shelf.known.installed

    @property
    def chatting(self) -> tuple[Installed, ...]:
        """Those of them that can chat."""
        return tuple(entry for entry in self.installed if self._shelf.chats(entry.name))

    def refresh(self) -> None:
        """Read store and catalog again, then what fits; `changed` follows twice."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        before = self._shelf
        self._runners.reading.run(lambda: models_reading.read(self._app, before), self._first, self._unread)

    def act(self, action: str, row: Row) -> None:
        """A button of the details."""
        table: Mapping[str, Callable[[Row], None]] = {
            "use": self._use,
            "download": self._download,
            "look-up": self._look_up,
            "check": self._files.check,
            "repair": self._repair,
            "remove": self._remove,
            "import": self._adopt,
            "measure": lambda _: self._files.measure(),
        }
        table[action](row)

    def act_on(self, action: str, activity: Activity) -> None:
        """A button of the strip."""
        if activity.kind != "download":
            self.jobs.cancel(activity.key)
            return
        table: Mapping[str, Callable[[str], None]] = {
            "pause": self.feed.pause,
            "resume": self.feed.resume,
            "cancel": self.feed.cancel,
            "unlock": self._unlock_for,
        }
        table[action](activity.name)

    def act_on_offer(self, action: str, name: str) -> None:
        """A button of the card of the first start; `others` is the window's business."""
        if action == "download":
            card = self._shelf.card(name)
            if card is not None and self._unlocked():
                self.feed.fetch(card)
        elif action == "measure":
            self._files.measure()
        elif action == "dismiss":
            self._save_offer(False)
            self._notices.say(tr("No model is offered any more."), tr("Undo"), lambda: self._save_offer(True))

    def search_hub(self, text: str) -> None:
        """Search on the hub by name; the lock is lifted, because the button says so."""
        text = text.strip()
        if not text or not self._unlocked():
            return
        if models_view.reference(text):
            self._hub.look_up(self._hub.asked(text))
        else:
            self._hub.search(text)

    def take_in(self, paths: tuple[Path, ...]) -> None:
        """Install files, folders and bundles of this computer."""
        for path in paths:
            self._files.take_in(path)

    def bundle(self, row: Row, target: Path) -> None:
        """Write a model into one file for another computer."""
        self._files.bundle(row, target)

    def move(self, row: Row, folder: Path) -> None:
        """Keep a model in another folder."""
        self._files.move(row, folder)

    def show_lock(self) -> None:
        """The lock was lifted or set: buttons and waiting downloads depend on it."""
        if not self.locked:
            self.feed.unlocked()
        self.changed.emit()
        self.activities_changed.emit()
        self._offer()

    def close(self) -> None:
        """Stop what runs; downloads go on at the next start."""
        self.jobs.close()
        self._hub.close()
        self.feed.close()
        self._runners.close()

    # Steps

    def _first(self, shelf: Shelf) -> None:
        self._show(shelf)
        self._runners.reading.run(lambda: models_reading.advise(self._app, shelf), self._advised, self._unread)

    def _advised(self, shelf: Shelf) -> None:
        self._show(shelf)
        self._offer()
        self._reading = False
        if self._again:
            self._again = False
            QTimer.singleShot(0, self, self.refresh)

    def _unread(self, error: EdgeError) -> None:
        self._reading = self._again = False
        self._notices.complain(error)

    def _show(self, shelf: Shelf) -> None:
        self._shelf = shelf
        if shelf.notice and shelf.notice != self._told:
            self._told = shelf.notice
            self._notices.say(shelf.notice, stays=True)
        self.changed.emit()
        self.activities_changed.emit()

    def _offer(self) -> None:
        offer = models_reading.offer(self._app.settings, self._shelf)
        self.offered.emit(replace(offer, locked=self.locked) if isinstance(offer, Offer) else None)

    def _save_offer(self, on: bool) -> None:
        try:
            self._app.save_settings(offer_model=on)
        except EdgeError as error:
            self._notices.complain(error)
        self._offer()

    def _unlocked(self) -> bool:
        """Lift the lock, if it is on; whether the network may be used now."""
        if self.locked:
            self.unlock_wanted.emit()
        return not self.locked

    def _unlock_for(self, name: str) -> None:
        if self._unlocked():
            self.feed.resume(name)

    def _use(self, row: Row) -> None:
        entry = self._shelf.installed(row.name)
        self.use_wanted.emit("" if entry is not None and entry.builtin else row.name)

    def _download(self, row: Row) -> None:
        card = self._hub.card(row) or self._shelf.card(row.name)
        if card is not None and self._unlocked():
            self.feed.fetch(card)

    def _look_up(self, row: Row) -> None:
        if self._unlocked():
            self._hub.look_up(row)

    def _repair(self, row: Row) -> None:
        if self._unlocked():
            self._files.repair(row)

    def _remove(self, row: Row) -> None:
        if row.in_use:
            self.use_wanted.emit("")
        self._files.remove(row)

    def _adopt(self, row: Row) -> None:
        entry = self._shelf.installed(row.name)
        if entry is not None:
            self._files.take_in(entry.path)

    def _on_finished(self, name: str) -> None:
        card = self._shelf.card(name)
        words = tr("{title} is ready.").format(title=card.title if card is not None else name)
        if card is None or model_kinds.can_chat(card):
            self._notices.say(words, tr("Use it now"), lambda: self.use_wanted.emit(name))
        else:
            use = model_kinds.used_by(name, card.tasks)
            self._notices.say("\n".join(filter(None, (words, use))))
        self.refresh()
