"""The real window on a real engine process with a scripted model, driven the way a person would."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QProgressBar,
    QTextBrowser,
    QWidget,
)

from edgellm.app import App
from edgellm.ui import main
from edgellm.ui.language import tr
from edgellm.ui.message_view import MessageView
from edgellm.ui.text_view import TextView
from edgellm.ui.window import Window

PATIENCE = 40.0
_BEAT_MS = 50
W = TypeVar("W", bound=QWidget)
NEEDS_NAME = (
    QAbstractButton,
    QLineEdit,
    QPlainTextEdit,
    QTextBrowser,
    QComboBox,
    QAbstractSpinBox,
    QListView,
    QProgressBar,
)


def script(folder: Path, **content: Any) -> Path:
    """A file for the scripted runtime."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "told.fake.json"
    path.write_text(json.dumps({"name": "told", **content}), encoding="utf-8")
    return path


def wait(condition: Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
    """Run the event loop until something is so; fails when it does not come."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what or condition}"
        QTest.qWait(5)


class Heartbeat:
    """Beats on the window's thread from now on, every 50 ms, and notes how late each beat is."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def stop(self) -> list[float]:
        """How late the beats were, in milliseconds, the latest last; there were some."""
        self._timer.stop()
        assert self._late, "not one beat"
        return sorted(self._late)

    def _beat(self) -> None:
        now = time.perf_counter()
        self._late.append((now - self._last) * 1000 - _BEAT_MS)
        self._last = now


class Desk:
    """A window, with short names for what tests do."""

    def __init__(self, overrides: Mapping[str, Any]) -> None:
        self._open = True
        self.app = App.create(overrides)
        self.window: Window = main.build(main.application(), self.app)
        self.window.painted.connect(lambda: main.start(self.window))
        self.window.show()
        self.chat = self.window.chat
        self.conversation = self.window.services.conversation

    def ready(self) -> None:
        """Wait for the model, or for the news that there is none."""
        none = tr("No model")
        wait(lambda: self.window.status is not None or self.window.selector._name.text() == none, "the model")

    def type(self, text: str) -> None:
        """Write into the message box."""
        self.chat.composer.input.setFocus()
        self.chat.composer.input.insertPlainText(text)

    def send(self, text: str) -> None:
        """Write and press Enter; returns once the answer has begun."""
        self.type(text)
        QTest.keyClick(self.chat.composer.input, Qt.Key.Key_Return)
        wait(lambda: self.conversation.busy or self.last is not None, "the answer to begin")

    def say(self, text: str) -> MessageView:
        """Send and wait for the end of the answer."""
        before = len(self.views)
        self.send(text)
        wait(lambda: len(self.views) == before + 2 and not self.conversation.busy, "the answer")
        self.settle()
        return self.views[-1]

    def settle(self) -> None:
        """Wait until what was stored is shown."""
        wait(lambda: all(view.message.state != "streaming" for view in self.views), "the stored message")

    @property
    def views(self) -> list[MessageView]:
        """The messages on the screen."""
        return self.chat.transcript.views

    @property
    def last(self) -> MessageView | None:
        """The newest message on the screen."""
        return self.views[-1] if self.views else None

    def titles(self) -> list[str]:
        """The list of chats."""
        rows = self.chat.chats.list
        return [rows.item(row).text() for row in range(rows.count())]

    def close(self) -> None:
        """End everything; may be called again."""
        if not self._open:
            return
        self._open = False
        self.window.close()
        main.finish(self.window)
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def child(parent: QWidget, kind: type[W]) -> W:
    """The first widget of a kind inside another. Fails when there is none."""
    found = parent.findChild(kind)
    assert found is not None, f"there is no {kind.__name__}"
    return found


def nameless(root: QWidget) -> Iterator[str]:
    """Controls below a widget that a screen reader has nothing to say about."""
    for widget in root.findChildren(QWidget):
        parent = widget.parent()
        above = (parent, parent.parent() if parent is not None else None)
        inner = widget.objectName().startswith("qt_")
        inner = inner or any(isinstance(one, QAbstractSpinBox | QComboBox) for one in above)
        if isinstance(widget, NEEDS_NAME) and not inner and type(widget).__name__ != "QToolButton":
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not widget.accessibleName() and not text:
                yield f"{type(widget).__name__} {widget.objectName()} in {type(widget.parent()).__name__}"


def shown_text(widget: QWidget) -> str:
    """All that is written in the text views of a widget, without markup."""
    return "\n".join(view.toPlainText() for view in widget.findChildren(TextView))
