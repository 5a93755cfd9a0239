"""The line above a conversation: its title and what can be done with the whole of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from edgellm.ui.buttons import IconButton
from edgellm.ui.chat_files import export
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
        find = IconButton(theme, "search", tr("Find in this chat"))
        services.keyboard.describe(find, tr("Find in this chat"), "find")
        rename = IconButton(theme, "edit", tr("Rename this chat"))
        save = IconButton(theme, "export", tr("Export this chat"))
        delete = IconButton(theme, "trash", tr("Delete this chat"))
        find.clicked.connect(self.find_wanted)
        rename.clicked.connect(lambda: self._shown and self.renamed.emit(self._shown.chat.id))
        save.clicked.connect(self._export)
        delete.clicked.connect(lambda: self._shown and self.deleted.emit(self._shown.chat.id, self._shown.chat.title))
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 6, 12, 6)
        row.addWidget(self._title, 1)
        for button in (find, rename, save, delete):
            row.addWidget(button)
        self.hide()

    def show_chat(self, shown: Shown | None) -> None:
        """Show the title."""
        self._shown = shown
        self.setVisible(shown is not None and bool(shown.path))
        self._title.set_text(name(shown.chat) if shown is not None else "")

    def _export(self) -> None:
        if self._shown is not None:
            export(self, self._services, self._shown)
