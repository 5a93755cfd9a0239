"""The line above a conversation: its title and what can be done with the whole of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QSizePolicy

from edgellm.chats.export import to_json, to_markdown
from edgellm.errors import StorageError
from edgellm.ui.buttons import IconButton
from edgellm.ui.chat_list import name
from edgellm.ui.conversation import Shown
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.language import tr
from edgellm.ui.services import Services


class ChatHeader(QFrame):
    """Hidden while the chat is empty."""

    renamed = Signal(int)
    deleted = Signal(int, str)
    find_wanted = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._shown: Shown | None = None
        self.setObjectName("header")
        self._title = ElidedLabel()
        self._title.setProperty("role", "strong")
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme = services.theme
        find = IconButton(theme, "search", tr("Find in this chat (Ctrl+F)"))
        rename = IconButton(theme, "edit", tr("Rename this chat"))
        export = IconButton(theme, "documents", tr("Export this chat"))
        delete = IconButton(theme, "trash", tr("Delete this chat"))
        find.clicked.connect(self.find_wanted)
        rename.clicked.connect(lambda: self._shown and self.renamed.emit(self._shown.chat.id))
        export.clicked.connect(self._export)
        delete.clicked.connect(lambda: self._shown and self.deleted.emit(self._shown.chat.id, self._shown.chat.title))
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 6, 12, 6)
        row.addWidget(self._title, 1)
        for button in (find, rename, export, delete):
            row.addWidget(button)
        self.hide()

    def show_chat(self, shown: Shown | None) -> None:
        """Show the title."""
        self._shown = shown
        self.setVisible(shown is not None and bool(shown.path))
        self._title.set_text(name(shown.chat) if shown is not None else "")

    def _export(self) -> None:
        if self._shown is None:
            return
        chat, path = self._shown.chat, self._shown.path
        title = "".join(c if c.isalnum() or c in " -_" else " " for c in chat.title).strip()[:60] or "chat"
        chosen, _ = QFileDialog.getSaveFileName(
            self, tr("Export this chat"), f"{title}.md", "Markdown (*.md);;JSON (*.json)"
        )
        if not chosen:
            return
        store = self._services.app.store

        def job() -> str:
            target = Path(chosen)
            text = to_json(chat, store().tree(chat.id)) if target.suffix == ".json" else to_markdown(chat, path)
            try:
                target.write_text(text, encoding="utf-8")
            except OSError as error:
                raise StorageError(
                    f"The chat could not be saved: {error.strerror}.", "Choose another folder."
                ) from error
            return target.name

        notices = self._services.notices
        self._services.background.run(
            job, lambda saved: notices.say(tr("Saved as {name}.").format(name=saved)), notices.complain
        )
