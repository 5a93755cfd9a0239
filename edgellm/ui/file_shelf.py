"""The files of a task's source, one below the other: each with what is known of it, and a way to take it out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from edgellm.ui.buttons import IconButton
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.icons import pixmap
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.tips import tip

_ONE = 44  # pixels that one file takes
_NAME = 90  # that its name has at least


class FileChip(QFrame):
    """A file that was given: its name, what is known of it, and a button that takes it out."""

    removed = Signal()

    def __init__(self, services: Services, path: Path) -> None:
        super().__init__()
        self.setObjectName("chip")
        self._services = services
        self._mark = QLabel()
        name = ElidedLabel()
        name.setMinimumWidth(_NAME)
        name.set_text(path.name)
        name.setProperty("role", "strong")
        self.facts = ElidedLabel()
        self.facts.set_text(tr("Reading"))
        self.facts.setProperty("role", "faint")
        self.take_out = IconButton(services.theme, "close", tr("Take {name} out").format(name=path.name), size=14)
        self.take_out.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 4, 4)
        row.addWidget(self._mark)
        row.addWidget(name, 1)
        row.addWidget(self.facts)
        row.addWidget(self.take_out)
        self.setToolTip(tip(str(path)))
        services.theme.changed.connect(self._draw)
        self._draw()

    def say(self, words: str, tooltip: str = "", bad: bool = False) -> None:
        """What is known of the file."""
        self.facts.set_text(words)
        self.facts.setToolTip(tip("\n".join(filter(None, (words, tooltip)))))
        self.facts.setProperty("role", "warning" if bad else "faint")
        self.facts.style().polish(self.facts)

    def _draw(self) -> None:
        self._mark.setPixmap(pixmap("documents", self._services.theme.colors.accent, 16))


class FileShelf(QScrollArea):
    """The files below each other: as high as they are, scrolled where there is less room."""

    def __init__(self, files: QVBoxLayout, more: QLabel, name: str) -> None:
        super().__init__()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(files)
        column.addWidget(more)
        self._inner = inner
        self.setObjectName("column")
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(inner)
        inner.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def sizeHint(self) -> QSize:
        """All the files."""
        return QSize(super().sizeHint().width(), self._inner.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """One file."""
        return QSize(0, min(self._inner.sizeHint().height(), _ONE))
