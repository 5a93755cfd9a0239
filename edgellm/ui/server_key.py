"""The row of the settings for the key of the remote server: kept, or forgotten; never shown."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from edgellm.errors import EdgeError
from edgellm.runtimes.remote_address import Address
from edgellm.ui.language import tr
from edgellm.ui.remote_place import place_of
from edgellm.ui.services import Services

_SPACING = 8


class ServerKey(QWidget):
    """Reads and writes what `edgellm remote --set-key` does. One button: keep what is typed, or forget what is kept."""

    def __init__(self, services: Services, width: int) -> None:
        super().__init__()
        self._services = services
        self._kept = False
        self._address = ""
        name = QLabel(tr("Server key"))
        words = QLabel(
            tr("For a server that asks for one; it is kept for its address only, and sent to nothing else."),
            wordWrap=True,
        )
        words.setProperty("role", "faint")
        self.field = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(name.text())
        self.field.setAccessibleDescription(words.text())
        self.field.textChanged.connect(lambda _: self._show())
        self.field.returnPressed.connect(self._press)
        self.button = QPushButton()
        self.button.setProperty("kind", "small")
        self.button.clicked.connect(self._press)
        name.setBuddy(self.field)
        left = QVBoxLayout()
        left.setSpacing(1)
        left.addWidget(name)
        left.addWidget(words)
        entry = QWidget()
        entry.setFixedWidth(width)
        right = QHBoxLayout(entry)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(_SPACING)
        right.addWidget(self.field, 1)
        right.addWidget(self.button)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addWidget(entry)
        self._show()

    def reload(self) -> None:
        """Look whether a key is kept for the address of the settings."""
        self._address, self._kept = "", False
        settings = self._services.app.settings
        if place_of(settings) is not None:
            self._address = Address.of(settings.remote_address).base
            address = self._address
            self._services.remote.run(lambda: self._find(address), lambda kept: self._found(address, kept))
        self._show()

    def _find(self, address: str) -> bool:
        from edgellm.models.token import Tokens
        from edgellm.runtimes.remote import KEYS

        return Tokens(self._services.app.paths, drawer=KEYS).find(address) is not None

    def _found(self, address: str, kept: bool) -> None:
        if address == self._address:
            self._kept = kept
            self._show()

    def _show(self) -> None:
        typed = bool(self.field.text().strip())
        self.field.setEnabled(bool(self._address))
        empty = tr("A key is kept") if self._kept else tr("No key is kept")
        self.field.setPlaceholderText(empty if self._address else tr("Set the address first"))
        self.button.setText(tr("Forget") if self._kept and not typed else tr("Keep"))
        self.button.setAccessibleName(
            tr("Forget the server's key") if self._kept and not typed else tr("Keep the server's key")
        )
        self.button.setEnabled(bool(self._address) and (typed or self._kept))

    def _press(self) -> None:
        typed, address = self.field.text().strip(), self._address
        if not address or not (typed or self._kept):
            return
        self.field.clear()
        services = self._services

        def keep() -> str:
            from edgellm.models.token import Tokens
            from edgellm.runtimes.remote import KEYS

            tokens = Tokens(services.app.paths, drawer=KEYS)
            if typed:
                return tokens.save(address, typed).notice
            tokens.forget(address)
            return ""

        def done(notice: str) -> None:
            words = tr("The server's key is kept.") if typed else tr("The server's key is forgotten.")
            services.notices.say(" ".join(filter(None, (words, notice))))
            self._found(address, bool(typed))

        def failed(error: EdgeError) -> None:
            services.notices.complain(error)

        services.remote.run(keep, done, failed)
