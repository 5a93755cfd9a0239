"""What the chat page does, without any widget: open, send, stop, regenerate, edit, switch versions.

Reads and writes of the database run in the background, generation in the engine; the page listens to the signals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.chats.store import Chat, Store, StoredMessage
from edgellm.chats.stream import StreamWriter
from edgellm.errors import EdgeError
from edgellm.runtimes.base import Message, Request, Sampling
from edgellm.tasks.options import VARIED
from edgellm.ui.background import Runner
from edgellm.ui.engine_worker import Counted, EngineWorker, Job
from edgellm.ui.pace import FRAME, Pace

COUNT_DELAY = 350


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat as it is shown: the branch, and for each of its messages the ids of all its versions."""

    chat: Chat
    path: tuple[StoredMessage, ...]
    versions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How answers are drawn, from the settings. `max_tokens` 0 lets an answer fill the context."""

    temperature: float = 0.0
    max_tokens: int = 0


class Conversation(QObject):
    """The open chat. `shown` carries a `Shown` (None: a new one), `streamed` the text so far of the answer."""

    shown = Signal(object)
    streamed = Signal(str)
    ended = Signal(object)
    failed = Signal(object)
    busy_changed = Signal(bool)
    chats_changed = Signal()
    counted = Signal(object)

    def __init__(
        self, store: Callable[[], Store], background: Runner, worker: EngineWorker, limits: Callable[[], Limits]
    ) -> None:
        super().__init__()
        self._store = store
        self._background = background
        self._worker = worker
        self._limits = limits
        self._job: Job | None = None
        self._preparing = self._varied = self._over = False
        self._stopped = self._left = False  # while an answer was being prepared
        self._pace = Pace()
        self._draft = ""
        self._ticket = 0
        self.current: Shown | None = None
        self.system = ""
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._frame)
        self._count_timer = QTimer(self, singleShot=True, interval=COUNT_DELAY)
        self._count_timer.timeout.connect(self._count)
        worker.ended.connect(self._on_ended)
        worker.counted.connect(self._on_counted)

    @property
    def busy(self) -> bool:
        """Whether an answer is being made."""
        return self._preparing or self._job is not None

    def new(self) -> None:
        """Show an empty chat; it is stored with its first message."""
        self._leave()
        self.current, self.system, self._draft = None, "", ""
        self.shown.emit(None)
        self.recount("")

    def open_last(self) -> None:
        """Show the chat used last, if there is one."""

        def job() -> Shown | None:
            chats = self._store().chats(limit=1)
            return self._read(chats[0].id) if chats else None

        def done(shown: Shown | None) -> None:
            if shown is not None and self.current is None and not self.busy:
                self._show(shown)

        self._background.run(job, done, self.failed.emit)

    def open(self, chat: int) -> None:
        """Show a stored chat."""
        if self.current is not None and self.current.chat.id == chat:
            return
        self._leave()
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
        self._varied = True
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
        self._stopped = self._preparing
        if self._job is not None:
            self._job.cancel()

    def _leave(self) -> None:
        """Another chat will be shown: what is being made ends, also when it has not begun yet."""
        self._left = self._preparing
        if self.busy:
            self.stop()

    def set_system(self, text: str) -> None:
        """Set the system prompt of this chat."""
        self.system = text
        self.recount(self._draft)
        if self.current is not None:
            chat = self.current.chat.id
            self._background.run(lambda: self._store().set_system(chat, text), None, self.failed.emit)

    def keep_draft(self, text: str) -> None:
        """Keep what was typed, with the chat. A new chat is stored with its first draft."""
        if self._preparing:
            return
        if self.current is not None:
            chat = self.current.chat.id
            self._background.run(lambda: self._store().set_draft(chat, text), None, self.failed.emit)
        elif text.strip():
            self._background.run(lambda: self._store_draft(text), self._drafted, self.failed.emit)

    def _store_draft(self, text: str) -> Shown:
        store = self._store()
        chat = store.create(system=self.system)
        store.set_draft(chat.id, text)
        return self._read(chat.id)

    def _drafted(self, shown: Shown) -> None:
        if self.current is None and not self._preparing:
            self.current = shown
            self.chats_changed.emit()
        else:
            self._background.run(lambda: self._store().delete(shown.chat.id))

    def recount(self, draft: str) -> None:
        """Count what would be sent if `draft` were, once typing pauses; `counted` follows with a `Counted`."""
        self._draft = draft
        self._ticket += 1
        self._count_timer.start()

    def _count(self) -> None:
        if self.busy:
            return
        path = self.current.path if self.current is not None else ()
        messages = _prompt(self.system, path)
        if self._draft.strip():
            messages += (Message("user", self._draft),)
        if messages:
            self._worker.count(self._ticket, messages)
        else:
            self.counted.emit(Counted())

    def _on_counted(self, ticket: int, counted: Counted) -> None:
        if ticket == self._ticket:
            self.counted.emit(counted)

    def rename(self, chat: int, title: str) -> None:
        """Give a chat another title."""
        self._background.run(
            lambda: self._store().rename(chat, title), lambda _: self.chats_changed.emit(), self.failed.emit
        )

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

        self._preparing, self._stopped, self._left = True, False, False
        self.busy_changed.emit(True)
        self._background.run(job, self._start, self._refused)
        return True

    def _refused(self, error: EdgeError) -> None:
        self._preparing = self._varied = False
        self.busy_changed.emit(False)
        self.failed.emit(error)

    def _start(self, prepared: tuple[Shown, StreamWriter]) -> None:
        shown, writer = prepared
        self._preparing = False
        if self._stopped:
            self._give_up(shown, writer)
            return
        past = tuple(message for message in shown.path if message.id != writer.message)
        limits = self._limits()
        temperature = max(limits.temperature, VARIED) if self._varied else limits.temperature
        self._varied = False
        request = Request(
            _prompt(shown.chat.system, past), Sampling(temperature=temperature), max_tokens=limits.max_tokens or None
        )
        self._job, self._over = Job(request, writer), False
        self._pace = Pace()
        self._show(shown)
        self.chats_changed.emit()
        self._timer.start()
        self._worker.generate(self._job)

    def _give_up(self, shown: Shown, writer: StreamWriter) -> None:
        """The answer was stopped before it began: the question stays, and the chat is shown unless it was left."""
        left, self._varied = self._left, False

        def job() -> Shown:
            writer.finish("cancelled", {})
            return self._read(shown.chat.id)

        def done(now: Shown) -> None:
            self.chats_changed.emit()
            if not left:
                self._show(now)

        self.busy_changed.emit(False)
        self._background.run(job, done, self.failed.emit)

    def _frame(self) -> None:
        """Pass on what has arrived, as much as can be painted in time; slow painting makes fewer frames, not a slow
        window. Whatever is left when the answer has ended follows in the same way."""
        job = self._job
        if job is None:
            return
        job.take()
        if self._pace.visible < len(job.text) and self._is_shown(job):
            began = time.perf_counter()
            self.streamed.emit(job.text[: self._pace.advance(len(job.text))])
            self._timer.setInterval(self._pace.painted((time.perf_counter() - began) * 1000))
        elif self._over:
            self._conclude(job)

    def _on_ended(self, job: Job) -> None:
        if job is self._job:
            self._over = True
            self._frame()

    def _conclude(self, job: Job) -> None:
        self._timer.stop()
        self._timer.setInterval(FRAME)
        self._job, self._over = None, False
        shown_now = self._is_shown(job)
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
        self.recount(self._draft if self.busy else shown.chat.draft)


def _prompt(system: str, path: Sequence[StoredMessage]) -> tuple[Message, ...]:
    """What is sent to the model: the system prompt and the messages that have text."""
    first = (Message("system", system),) if system.strip() else ()
    return first + tuple(message.message for message in path if message.text)
