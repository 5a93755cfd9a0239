"""What the chat page does, without any widget: open, send, stop, regenerate, edit, switch versions.

Reads and writes of the database run in the background, generation in the engine; the page listens to the signals.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.chats.store import Chat, Store, StoredMessage
from edgellm.chats.stream import StreamWriter
from edgellm.errors import EdgeError
from edgellm.runtimes.base import Message, Request, Sampling
from edgellm.ui.background import Runner
from edgellm.ui.engine_worker import EngineWorker, Job

FRAME = 33
TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat as it is shown: the branch, and for each of its messages the ids of all its versions."""

    chat: Chat
    path: tuple[StoredMessage, ...]
    versions: tuple[tuple[int, ...], ...]


class Conversation(QObject):
    """The open chat. `shown` carries a `Shown` (None: a new one), `streamed` the text so far of the answer."""

    shown = Signal(object)
    streamed = Signal(str)
    ended = Signal(object)
    failed = Signal(object)
    busy_changed = Signal(bool)
    chats_changed = Signal()

    def __init__(self, store: Callable[[], Store], background: Runner, worker: EngineWorker) -> None:
        super().__init__()
        self._store = store
        self._background = background
        self._worker = worker
        self._job: Job | None = None
        self._preparing = False
        self.current: Shown | None = None
        self.system = ""
        self.sampling = Sampling(temperature=TEMPERATURE)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._frame)
        worker.ended.connect(self._on_ended)

    @property
    def busy(self) -> bool:
        """Whether an answer is being made."""
        return self._preparing or self._job is not None

    def new(self) -> None:
        """Show an empty chat; it is stored with its first message."""
        if self.busy:
            self.stop()
        self.current, self.system = None, ""
        self.shown.emit(None)

    def open(self, chat: int) -> None:
        """Show a stored chat."""
        if self.current is not None and self.current.chat.id == chat:
            return
        if self.busy:
            self.stop()
        self._background.run(lambda: self._read(chat), self._show, self.failed.emit)

    def send(self, text: str) -> bool:
        """Add what the person wrote below the last message and answer it; False when that cannot be now."""
        if self.busy or not text.strip():
            return False
        parent = self.current.path[-1].id if self.current and self.current.path else None
        return self._answer(lambda store, chat: store.add(chat, parent, "user", text).id)

    def regenerate(self, message: StoredMessage) -> bool:
        """Make another version of this answer."""
        if self.busy or message.parent is None:
            return False
        parent = message.parent
        return self._answer(lambda store, chat: parent)

    def edit(self, message: StoredMessage, text: str) -> bool:
        """Make another version of what the person wrote, and answer that."""
        if self.busy or not text.strip():
            return False
        return self._answer(lambda store, chat: store.add(chat, message.parent, "user", text).id)

    def switch(self, message: int) -> None:
        """Show the branch through another version of a message."""
        current = self.current
        if self.busy or current is None:
            return

        def job() -> Shown:
            self._store().select(message)
            return self._read(current.chat.id)

        self._background.run(job, self._show, self.failed.emit)

    def stop(self) -> None:
        """End the answer here; its text is kept."""
        if self._job is not None:
            self._job.cancel()

    def set_system(self, text: str) -> None:
        """Set the system prompt of this chat."""
        self.system = text
        if self.current is not None:
            chat = self.current.chat.id
            self._background.run(lambda: self._store().set_system(chat, text), None, self.failed.emit)

    def keep_draft(self, text: str) -> None:
        """Keep what was typed, with the chat."""
        if self.current is not None:
            chat = self.current.chat.id
            self._background.run(lambda: self._store().set_draft(chat, text), None, self.failed.emit)

    def delete(self, chat: int) -> None:
        """Put a chat away; `restore` undoes it."""
        if self.current is not None and self.current.chat.id == chat:
            self.new()
        self._background.run(lambda: self._store().delete(chat), lambda _: self.chats_changed.emit(), self.failed.emit)

    def restore(self, chat: int) -> None:
        """Undo `delete` and show the chat."""

        def job() -> Shown:
            self._store().restore(chat)
            return self._read(chat)

        self._background.run(job, self._restored, self.failed.emit)

    def _restored(self, shown: Shown) -> None:
        self.chats_changed.emit()
        self._show(shown)

    def _answer(self, ask: Callable[[Store, int], int]) -> bool:
        """Store the question that `ask` makes, begin the answer below it, and hand it to the engine."""
        chat = self.current.chat.id if self.current else None
        system = self.system

        def job() -> tuple[Shown, StreamWriter]:
            store = self._store()
            key = chat if chat is not None else store.create(system=system).id
            question = ask(store, key)
            writer = store.begin(key, question)
            store.set_draft(key, "")
            return self._read(key), writer

        self._preparing = True
        self.busy_changed.emit(True)
        self._background.run(job, self._start, self._refused)
        return True

    def _refused(self, error: EdgeError) -> None:
        self._preparing = False
        self.busy_changed.emit(False)
        self.failed.emit(error)

    def _start(self, prepared: tuple[Shown, StreamWriter]) -> None:
        shown, writer = prepared
        self._preparing = False
        past = tuple(message.message for message in shown.path if message.id != writer.message and message.text)
        system = (Message("system", shown.chat.system),) if shown.chat.system.strip() else ()
        self._job = Job(Request(system + past, self.sampling), writer)
        self._show(shown)
        self.chats_changed.emit()
        self._timer.start()
        self._worker.generate(self._job)

    def _frame(self) -> None:
        """Pass on what has arrived. Painting that takes long makes the next frame later, not the window slower."""
        job = self._job
        if job is None or not job.take():
            return
        began = time.perf_counter()
        if self._is_shown(job):
            self.streamed.emit(job.text)
        spent = (time.perf_counter() - began) * 1000
        self._timer.setInterval(max(FRAME, int(spent * 4)))

    def _on_ended(self, job: Job) -> None:
        if job is not self._job:
            return
        self._timer.stop()
        self._timer.setInterval(FRAME)
        job.take()
        self._job = None
        shown_now = self._is_shown(job)
        if shown_now:
            self.streamed.emit(job.text)
        self.ended.emit(job)
        self.busy_changed.emit(False)
        if shown_now and self.current is not None:
            chat = self.current.chat.id
            self._background.run(lambda: self._read(chat), self._refresh, self.failed.emit)
        if job.error is not None and not shown_now:
            self.failed.emit(job.error)

    def _is_shown(self, job: Job) -> bool:
        return self.current is not None and any(m.id == job.writer.message for m in self.current.path)

    def _read(self, chat: int) -> Shown:
        store = self._store()
        path = store.path(chat)
        return Shown(store.chat(chat), path, tuple(store.siblings(message.id) for message in path))

    def _refresh(self, shown: Shown) -> None:
        if self.current is not None and self.current.chat.id == shown.chat.id and not self.busy:
            self._show(shown)

    def _show(self, shown: Shown) -> None:
        self.current = shown
        self.system = shown.chat.system
        self.shown.emit(shown)
