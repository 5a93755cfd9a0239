"""The window that is photographed for the documentation, and where its pictures go."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QWidget

from edgellm.app import App
from edgellm.ui import main as ui
from edgellm.ui.window import Window

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
PATIENCE = 60.0


def wait(seconds: float, until: Callable[[], object] = lambda: False) -> None:
    """Run the event loop for some time, or until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        loop = QEventLoop()
        QTimer.singleShot(20, loop.quit)
        loop.exec()


class Studio:
    """One window and what is photographed in it."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        self.app = App.create(overrides)
        self.window: Window = ui.build(ui.application(), self.app)
        self.window.painted.connect(lambda: ui.start(self.window))
        self.window.show()
        wait(PATIENCE, lambda: self.window.status is not None)
        wait(1.5)

    def say(self, text: str) -> None:
        """Send a message and wait for the answer."""
        conversation, views = self.window.services.conversation, self.window.chat.transcript.views
        before = len(views)
        self.window.chat.send(text)
        wait(PATIENCE, lambda: len(self.window.chat.transcript.views) == before + 2 and not conversation.busy)
        wait(0.6)

    def keep(self, question: str, answer: str) -> None:
        """Put a conversation from elsewhere into the store and show it."""
        store = self.app.store()
        chat = store.create()
        asked = store.add(chat.id, None, "user", question)
        store.add(chat.id, asked.id, "assistant", answer)
        self.window.services.conversation.chats_changed.emit()
        self.window.services.conversation.open(chat.id)
        wait(0.8)
        self.window.chat.transcript.verticalScrollBar().setValue(0)
        wait(0.2)

    def picture(self, name: str, widget: QWidget | None = None) -> None:
        """Save what is on the screen."""
        TARGET.mkdir(parents=True, exist_ok=True)
        (widget or self.window).grab().save(str(TARGET / f"{name}.png"))
        sys.stdout.write(f"docs/screenshots/{name}.png\n")

    def close(self) -> None:
        """End the window and the engine."""
        self.window.close()
        ui.finish(self.window)

    @property
    def suffix(self) -> str:
        """What the names of pictures end in, after the theme and the language."""
        if self.app.settings.language == "zh_CN":
            return "-chinese"
        return {"dark": "-dark", "contrast": "-contrast"}.get(self.app.settings.theme, "")
