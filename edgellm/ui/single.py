"""One window per person's folder: a second start raises the first window and ends.

Uses a local socket of the operating system, never the network. Two starts with different EDGELLM_HOME do not meet.
"""

from __future__ import annotations

import getpass
import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_PATIENCE_MS = 400
_RAISE = b"raise\n"


class Instance(QObject):
    """`first` says whether this is the first; `raised` is sent when another start asks for the window."""

    raised = Signal()

    def __init__(self, home: Path) -> None:
        super().__init__()
        digest = hashlib.sha256(f"{getpass.getuser()}\n{home}".encode()).hexdigest()[:16]
        self._name = f"edgellm-{digest}"
        self._server: QLocalServer | None = None
        self.first = not self._other_answers()
        if self.first:
            self._listen()

    def raise_other(self) -> None:
        """Ask the first instance to come to the front."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(_PATIENCE_MS):
            socket.write(_RAISE)
            socket.waitForBytesWritten(_PATIENCE_MS)
            socket.disconnectFromServer()

    def close(self) -> None:
        """Let another start be the first."""
        if self._server is not None:
            self._server.close()

    def _other_answers(self) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        answers = socket.waitForConnected(_PATIENCE_MS)
        socket.abort()
        return answers

    def _listen(self) -> None:
        QLocalServer.removeServer(self._name)  # what a killed window left behind
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        self._server.listen(self._name)

    def _on_connection(self) -> None:
        if self._server is None:
            return
        socket = self._server.nextPendingConnection()
        if socket is None:
            return
        socket.readyRead.connect(lambda: self._on_words(socket))
        socket.disconnected.connect(socket.deleteLater)

    def _on_words(self, socket: QLocalSocket) -> None:
        if bytes(socket.read(64).data()).startswith(_RAISE.strip()):
            self.raised.emit()
