"""The chat page: puts list, transcript, find bar and composer together, and connects them to the conversation."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from edgellm.chats.store import StoredMessage
from edgellm.ui.chat_files import bring_in
from edgellm.ui.chat_header import ChatHeader
from edgellm.ui.chat_list import ChatList
from edgellm.ui.composer import Composer
from edgellm.ui.conversation import Shown
from edgellm.ui.engine_client import Status
from edgellm.ui.engine_worker import Counted, Job
from edgellm.ui.find_bar import FindBar
from edgellm.ui.language import tr
from edgellm.ui.model_kinds import no_chat
from edgellm.ui.services import Services
from edgellm.ui.transcript import COLUMN, Transcript
from edgellm.ui.welcome import Welcome


class ChatPage(QWidget):
    """Everything about the open chat. Logic is in `Conversation`."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._conversation = services.conversation
        self._editing: StoredMessage | None = None
        self._open: int | None = None
        self._context = 0
        self._tokens = 0
        self.chats = ChatList(services)
        self.header = ChatHeader(services)
        self.transcript = Transcript(services.theme)
        self.find_bar = FindBar(services.theme, self.transcript)
        self.welcome = Welcome(services.theme)
        self.composer = Composer(services.theme, services.keyboard)
        self.system = self._make_system()
        self._middle = QStackedWidget()
        self._middle.addWidget(self.welcome)
        self._middle.addWidget(self.transcript)
        self._arrange()
        self._connect()

    def start(self) -> None:
        """Read the chats and show the one used last. Called once the window is on the screen."""
        self.chats.reload()
        self._conversation.open_last()

    def new_chat(self) -> None:
        """Show an empty chat."""
        self.composer.flush()
        self._conversation.new()
        self.composer.input.setFocus()

    def send(self, text: str) -> None:
        """Send a message, or the edited version of one."""
        editing, self._editing = self._editing, None
        sent = self._conversation.edit(editing, text) if editing else self._conversation.send(text)
        if sent:
            self.composer.put("")
            self.composer.show_editing(False)
            self.transcript.to_end()
        else:
            self._editing = editing

    def open_find(self) -> None:
        """Find in this chat."""
        self.find_bar.open()

    def open_search(self) -> None:
        """Search all chats."""
        self.chats.search.setFocus()
        self.chats.search.selectAll()

    def delete_current(self) -> None:
        """Put the open chat away, with an undo."""
        current = self._conversation.current
        if current is not None:
            self._delete(current.chat.id, current.chat.title)

    def escape(self) -> None:
        """Stop the answer; when there is none, leave what was begun: finding, or editing."""
        if self._conversation.busy:
            self._conversation.stop()
        elif self.find_bar.isVisible():
            self.find_bar.dismiss()
            self.composer.input.setFocus()
        else:
            self._end_edit()

    def flush(self) -> None:
        """Keep what was typed, before the window closes."""
        self.composer.flush()

    def show_status(self, status: Status, starter: bool) -> None:
        """A model is ready, or not any more."""
        self._context = status.placement.context if status.placement is not None else 0
        self.welcome.show_starter(starter)
        self._hint.setVisible(starter)
        self.composer.show_context(self._tokens, self._context)
        self._conversation.recount(self.composer.input.toPlainText())

    def show_no_model(self) -> None:
        """None is loaded: nothing that is said of the one before holds."""
        self._context = 0
        self.welcome.show_starter(False)
        self._hint.hide()
        self._other.setText("")
        self._other.hide()
        self.composer.show_context(self._tokens, self._context)

    def show_kind(self, kind: str) -> None:
        """What the model is for, when it was not made for chatting."""
        sentence = no_chat(kind)
        self._other.setText(f"{sentence} {tr('Choose another model at the top of the window.')}" if sentence else "")
        self._other.setVisible(bool(sentence))

    def _make_system(self) -> QPlainTextEdit:
        made = QPlainTextEdit()
        made.setObjectName("system")
        made.setAccessibleName(tr("System prompt"))
        made.setPlaceholderText(tr("Instructions for this chat, for example: Answer briefly."))
        made.setTabChangesFocus(True)
        made.setFixedHeight(78)
        made.hide()
        return made

    def _arrange(self) -> None:
        foot = QWidget()
        foot.setMaximumWidth(COLUMN)
        self._hint = QLabel(
            tr("The built-in starter knows everyday sentences, reads each message alone, and can be wrong."),
            wordWrap=True,
        )
        self._hint.setProperty("role", "faint")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.hide()
        self._other = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._other.setProperty("role", "warning")
        self._other.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._other.hide()
        below = QVBoxLayout(foot)
        below.setContentsMargins(20, 0, 20, 8)
        below.setSpacing(6)
        for widget in (self.system, self.composer, self._hint, self._other):
            below.addWidget(widget)
        centered = QHBoxLayout()
        centered.addStretch(1)
        centered.addWidget(foot, 100)
        centered.addStretch(1)
        right = QFrame()
        right.setObjectName("chat")
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.find_bar)
        column.addWidget(self._middle, 1)
        column.addLayout(centered)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.chats)
        splitter.addWidget(right)
        splitter.setSizes([250, 900])
        splitter.setStretchFactor(1, 1)
        self.chats.setMinimumWidth(190)
        right.setMinimumWidth(420)
        around = QHBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(splitter)

    def _connect(self) -> None:
        conversation, composer, transcript = self._conversation, self.composer, self.transcript
        conversation.shown.connect(self._show)
        conversation.streamed.connect(transcript.stream)
        conversation.ended.connect(self._on_ended)
        conversation.busy_changed.connect(composer.set_busy)
        conversation.failed.connect(self._services.notices.complain)
        conversation.chats_changed.connect(self.chats.reload)
        conversation.counted.connect(self._on_counted)
        composer.sent.connect(self.send)
        composer.stopped.connect(conversation.stop)
        composer.draft.connect(self._keep_draft)
        composer.typed.connect(conversation.recount)
        composer.edit_ended.connect(self._end_edit)
        composer.system.toggled.connect(self.system.setVisible)
        composer.system.toggled.connect(lambda on: self.system.setFocus() if on else composer.input.setFocus())
        self.system.textChanged.connect(lambda: conversation.set_system(self.system.toPlainText()))
        transcript.regenerate.connect(conversation.regenerate)
        transcript.switch.connect(conversation.switch)
        transcript.edit.connect(self._edit)
        self.welcome.chosen.connect(self.send)
        self.chats.new_wanted.connect(self.new_chat)
        self.chats.import_wanted.connect(lambda: bring_in(self, self._services))
        self.chats.opened.connect(self._open_chat)
        self.chats.deleted.connect(self._delete)
        self.header.renamed.connect(self.chats.rename)
        self.header.deleted.connect(self._delete)
        self.header.find_wanted.connect(self.open_find)

    def _open_chat(self, chat: int) -> None:
        self.composer.flush()
        self._conversation.open(chat)

    def _show(self, shown: Shown | None) -> None:
        chat = shown.chat if shown is not None else None
        another = chat is None or chat.id != self._open
        self._open = chat.id if chat is not None else None
        self._middle.setCurrentIndex(1 if shown is not None and shown.path else 0)
        self.transcript.show_chat(shown)
        self.header.show_chat(shown)
        self.chats.choose(self._open)
        if another:
            self._end_edit()
            self.find_bar.hide()
            self.composer.put(chat.draft if chat is not None else "")
        if self.system.toPlainText() != self._conversation.system:
            self.system.blockSignals(True)
            self.system.setPlainText(self._conversation.system)
            self.system.blockSignals(False)
        self.composer.system.setProperty("filled", bool(self._conversation.system.strip()))
        self.composer.system.style().polish(self.composer.system)

    def _on_ended(self, job: Job) -> None:
        if job.finish is not None:
            self._show_tokens(job.finish.prompt_tokens + job.finish.new_tokens)

    def _on_counted(self, counted: Counted) -> None:
        self._show_tokens(counted.tokens)
        self.composer.show_left_out(counted)
        self.transcript.show_left_out(counted.left_out)

    def _show_tokens(self, tokens: int) -> None:
        self._tokens = tokens
        self.composer.show_context(tokens, self._context)

    def _keep_draft(self, text: str) -> None:
        if self._editing is None:
            self._conversation.keep_draft(text)

    def _edit(self, message: StoredMessage) -> None:
        self._editing = message
        self.composer.put(message.text)
        self.composer.show_editing(True)
        self.composer.input.setFocus()

    def _end_edit(self) -> None:
        if self._editing is not None:
            self._editing = None
            current = self._conversation.current
            self.composer.put(current.chat.draft if current is not None else "")
        self.composer.show_editing(False)

    def _delete(self, chat: int, title: str) -> None:
        self._conversation.delete(chat)
        said = tr("“{title}” was deleted.").format(title=title or tr("New chat"))
        self._services.notices.say(said, tr("Undo"), lambda: self._conversation.restore(chat))
