"""The strip at the foot of the Models page: one line per download, check or move, with its bar and buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui.buttons import IconButton
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.language import tr
from edgellm.ui.models_activity import Activity
from edgellm.ui.theme import Theme

_STEPS = 1000
_MOST_LINES = 4
_DRAWINGS = {"pause": "pause", "resume": "play", "unlock": "unlock", "cancel": "close"}


def button_name(action: str, title: str) -> str:
    """What a button of the strip does, for its tooltip and for screen readers."""
    names = {
        "pause": tr("Pause {title}"),
        "resume": tr("Resume {title}"),
        "unlock": tr("Unlock the network and go on with {title}"),
        "cancel": tr("Cancel {title}"),
    }
    return names[action].format(title=title)


class Line(QFrame):
    """One activity. Its bar never moves back. Sends `wanted` with the key of a button and the activity."""

    wanted = Signal(str, object)

    def __init__(self, theme: Theme, activity: Activity) -> None:
        super().__init__()
        self.activity = activity
        self.title, self.words = ElidedLabel(), ElidedLabel()
        self.title.setProperty("role", "strong")
        self.words.setProperty("role", "faint")
        self.words.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setObjectName("progress")
        self.bar.setFixedHeight(6)
        self.buttons = {key: IconButton(theme, drawing, key, size=17) for key, drawing in _DRAWINGS.items()}
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.title, 2)
        head.addWidget(self.words, 3)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addLayout(head)
        left.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addLayout(left, 1)
        group = QButtonGroup(self)
        for button in self.buttons.values():
            group.addButton(button)
            row.addWidget(button)
        group.buttonClicked.connect(self._press)
        self.show_activity(activity)

    def show_activity(self, activity: Activity) -> None:
        """Show how far it is now."""
        again = activity.kind != self.activity.kind
        self.activity = activity
        self.title.set_text(activity.title)
        self.words.set_text(activity.words)
        role = "warning" if activity.trouble else "faint"
        if self.words.property("role") != role:
            self.words.setProperty("role", role)
            self.words.style().polish(self.words)
        if activity.fraction is None:
            self.bar.setRange(0, 0 if not activity.trouble and activity.actions[:1] != ("resume",) else _STEPS)
        else:
            reached = self.bar.value() if self.bar.maximum() == _STEPS and not again else 0
            self.bar.setRange(0, _STEPS)
            self.bar.setValue(max(reached, int(activity.fraction * _STEPS)))
        self.bar.setVisible(not activity.trouble)
        self.bar.setAccessibleName(activity.title)
        self.bar.setAccessibleDescription(activity.words)
        for key, button in self.buttons.items():
            button.setVisible(key in activity.actions)
            button.rename(button_name(key, activity.title))

    def _press(self, pressed: QAbstractButton) -> None:
        for key, button in self.buttons.items():
            if button is pressed:
                self.wanted.emit(key, self.activity)


class ActivityStrip(QFrame):
    """All that is going on. Sends `wanted` with the key of a button and the activity. Empty, it takes no room."""

    wanted = Signal(str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.lines: dict[str, Line] = {}
        self.setObjectName("activities")
        self.setAccessibleName(tr("Downloads and checks"))
        self._more = QLabel()
        self._more.setProperty("role", "faint")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(24, 10, 16, 12)
        self._column.setSpacing(10)
        self._column.addWidget(self._more)
        self.hide()

    def show_activities(self, activities: Sequence[Activity]) -> None:
        """Show these, in this order; a line that stays is changed in place."""
        keys = [activity.key for activity in activities]
        for key in [key for key in self.lines if key not in keys]:
            self._drop(self.lines.pop(key))
        for place, activity in enumerate(activities):
            line = self.lines.get(activity.key)
            if line is None:
                line = self.lines[activity.key] = Line(self._theme, activity)
                line.wanted.connect(self.wanted)
                self._column.insertWidget(place, line)
            else:
                line.show_activity(activity)
            line.setVisible(place < _MOST_LINES)
        hidden = len(activities) - _MOST_LINES
        self._more.setVisible(hidden > 0)
        self._more.setText(tr("and {n} more").format(n=hidden))
        self.setVisible(bool(activities))

    def _drop(self, line: QWidget) -> None:
        self._column.removeWidget(line)
        line.hide()
        line.deleteLater()
