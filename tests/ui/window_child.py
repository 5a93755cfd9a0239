"""A window in a process of its own: opens it the way `edgellm` does, types a message, and says when words arrive."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from edgellm.app import App
from edgellm.ui import main
from edgellm.ui.window import Window


def step(model: str) -> None:
    """Type once the model is ready; report what has arrived."""
    window = next((w for w in QApplication.topLevelWidgets() if isinstance(w, Window)), None)
    if window is None or window.status is None:
        return
    chat = window.chat
    if not chat.transcript.views and not window.services.conversation.busy:
        chat.composer.input.setPlainText("Tell me a lot.")
        QTest.keyClick(chat.composer.input, Qt.Key.Key_Return)
    elif chat.transcript.views:
        sys.stdout.write(f"{len(chat.transcript.views[-1].text)}\n")
        sys.stdout.flush()


main.application()
timer = QTimer()
timer.timeout.connect(lambda: step(sys.argv[1]))
timer.start(50)
sys.exit(main.run(lambda: App.create({"model": sys.argv[1]})))
