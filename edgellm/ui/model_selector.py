"""The model selector: which model answers, whether it is loading, and a menu of the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from edgellm.models.store import STARTER
from edgellm.tasks.starter import NAME
from edgellm.ui.engine_worker import Status
from edgellm.ui.facts import size
from edgellm.ui.icons import icon, pixmap
from edgellm.ui.language import tr
from edgellm.ui.services import Services

if TYPE_CHECKING:
    from edgellm.models.store import Installed

_STEP_MS = 80
_NARROWEST, _WIDEST = 210, 320


class Spinner(QWidget):
    """A turning arc; it costs nothing while it is hidden."""

    def __init__(self, color: str) -> None:
        super().__init__()
        self.color = color
        self._angle = 0
        self._timer = QTimer(self, interval=_STEP_MS)
        self._timer.timeout.connect(self._turn)
        self.setFixedSize(16, 16)
        self.setAccessibleName(tr("Loading"))
        self.hide()

    def run(self, on: bool) -> None:
        """Show and turn, or hide."""
        self.setVisible(on)
        if on:
            self._timer.start()
        else:
            self._timer.stop()

    def _turn(self) -> None:
        self._angle = (self._angle + 30) % 360
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the arc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.color), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(QRectF(2, 2, 12, 12), -self._angle * 16, 270 * 16)


class ModelSelector(QFrame):
    """Sends `chosen` with the name or path of another model; empty is the starter."""

    chosen = Signal(str)

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._listed: tuple[Installed, ...] = ()
        self.setObjectName("selector")
        self.spinner = Spinner(services.theme.colors.accent)
        self.button = QPushButton()
        self.button.setProperty("kind", "selector")
        self.button.setMinimumWidth(_NARROWEST)
        self._icon, self._name, self._arrow = QLabel(), QLabel(), QLabel()
        self._name.setProperty("role", "strong")
        inside = QHBoxLayout(self.button)
        inside.setContentsMargins(12, 0, 10, 0)
        inside.setSpacing(9)
        inside.addWidget(self._icon)
        inside.addWidget(self._name, 1)
        inside.addWidget(self._arrow)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill)
        self.button.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.spinner)
        row.addWidget(self.button)
        services.models.changed.connect(self._list_again)
        services.theme.changed.connect(self._paint_icon)
        self._paint_icon()
        self._say(tr("Starting…"))

    def show_loading(self, name: str) -> None:
        """A model is being loaded."""
        self.spinner.run(True)
        self._say(tr("Loading {name}…").format(name=display_name(name)))

    def show_status(self, status: Status) -> None:
        """A model is loaded, or none."""
        self.spinner.run(False)
        self._say(display_name(status.model) if status.model else tr("No model"))

    def show_failed(self) -> None:
        """Loading failed."""
        self.spinner.run(False)
        self._say(tr("No model"))

    def open_file(self) -> None:
        """Ask for a model file."""
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Open a model file"), "", tr("Models (*.gguf)"))
        if chosen:
            self.chosen.emit(chosen)

    def _say(self, text: str) -> None:
        metrics = self._name.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, _WIDEST)
        self._name.setText(shown)
        self.button.setMinimumWidth(max(_NARROWEST, metrics.horizontalAdvance(shown) + 84))
        self.button.setToolTip(text)
        self.button.setAccessibleName(tr("Model: {name}").format(name=text))

    def _fill(self) -> None:
        """The menu as it opens: what was read last; what is read now is there a moment later."""
        self._list()
        self._services.models.refresh()

    def _list(self) -> None:
        self._listed = self._services.models.installed
        self.menu.clear()
        current = self._services.app.settings.model
        for model in self._listed:
            value = "" if model.builtin else model.name
            action = self.menu.addAction(f"{display_name(model.name)}   {size(model.size)}")
            action.setCheckable(True)
            action.setChecked(value == current)
            action.triggered.connect(lambda _=False, value=value: self.chosen.emit(value))
        if current and Path(current).suffix == ".gguf":
            action = self.menu.addAction(Path(current).stem)
            action.setCheckable(True)
            action.setChecked(True)
        self.menu.addSeparator()
        self.menu.addAction(icon("folder", self._services.theme.colors.muted), tr("Open a model file…"), self.open_file)

    def _list_again(self) -> None:
        if self.menu.isVisible() and self._services.models.installed != self._listed:
            self._list()

    def _paint_icon(self) -> None:
        colors = self._services.theme.colors
        self.spinner.color = colors.accent
        self._icon.setPixmap(pixmap("models", colors.accent, 18))
        self._arrow.setPixmap(pixmap("down", colors.muted, 14))


def is_starter_name(name: str) -> bool:
    """Whether a model that calls itself so is the built-in one."""
    return name.casefold().startswith(NAME) or name == STARTER


def display_name(name: str) -> str:
    """The name of a model for reading."""
    return tr("Starter (built in)") if is_starter_name(name) else name
