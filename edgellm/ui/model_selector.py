"""The model selector: which model answers, whether it is loading, and a menu of the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from edgellm.runtimes.remote_address import is_remote, model_of
from edgellm.tasks.starter import NAME
from edgellm.ui.engine_client import Status
from edgellm.ui.facts import size
from edgellm.ui.icons import icon, pixmap
from edgellm.ui.language import told, tr
from edgellm.ui.remote_place import Place
from edgellm.ui.services import Services
from edgellm.ui.tips import tip

if TYPE_CHECKING:
    from edgellm.models.store import Installed

STARTER = "starter"  # what models/store calls it; importing that would import much that the start does not need
_STEP_MS = 80
_LONGEST_LINE = 64
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
        self._place: Place | None = None
        self.setObjectName("selector")
        self.spinner = Spinner(services.theme.colors.accent)
        self.button = QPushButton()
        self.button.setProperty("kind", "selector")
        self.button.setMinimumWidth(_NARROWEST)
        self._icon, self._name, self._arrow = QLabel(), QLabel(textFormat=Qt.TextFormat.PlainText), QLabel()
        self._name.setProperty("role", "strong")
        inside = QHBoxLayout(self.button)
        inside.setContentsMargins(12, 0, 10, 0)
        inside.setSpacing(9)
        inside.addWidget(self._icon)
        inside.addWidget(self._name, 1)
        inside.addWidget(self._arrow)
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill)
        self.button.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.spinner)
        row.addWidget(self.button)
        services.models.changed.connect(self._list_again)
        services.remote.changed.connect(self._list_servers)
        services.theme.changed.connect(self._paint_icon)
        self._paint_icon()
        self._say(tr("Starting…"))

    def show_waiting(self, name: str) -> None:
        """A model was chosen, and waits until the engine is free."""
        self.spinner.run(True)
        self._say(tr("{name} waits…").format(name=shown_name(name)))

    def show_loading(self, name: str) -> None:
        """A model is being loaded."""
        self.spinner.run(True)
        self._say(tr("Loading {name}…").format(name=display_name(name)))

    def show_status(self, status: Status, place: Place | None = None) -> None:
        """A model is loaded, or none; `place` is where it is when it is on a server."""
        self.spinner.run(False)
        self._mark(place)
        self._say(display_name(status.model) if status.model else tr("No model"))

    def show_failed(self) -> None:
        """Loading failed."""
        self.spinner.run(False)
        self._mark(None)
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
        self.button.setToolTip(tip("\n".join(filter(None, (text, self._place.sentence if self._place else "")))))
        spoken = f"{text} ({self._place.short})" if self._place else text
        self.button.setAccessibleName(tr("Model: {name}").format(name=spoken))

    def _fill(self) -> None:
        """The menu as it opens: what was read last; what is read now is there a moment later."""
        self._services.remote.ask()
        self._list()
        self._services.models.refresh()

    def _list(self) -> None:
        self._listed = self._services.models.chatting
        self.menu.clear()
        current = self._services.app.settings.model
        for model in self._listed:
            value = "" if model.builtin else model.name
            self._offer(f"{display_name(model.name)}   {size(model.size)}", value, current)
        if current and Path(current).suffix == ".gguf":
            action = self.menu.addAction(Path(current).stem.replace("&", "&&"))
            action.setToolTip(tip(Path(current).stem))
            action.setCheckable(True)
            action.setChecked(True)
        self._list_remote(current)
        self.menu.addSeparator()
        self.menu.addAction(icon("folder", self._services.theme.colors.muted), tr("Open a model file…"), self.open_file)

    def _offer(self, text: str, value: str, current: str) -> None:
        action = self.menu.addAction(text.replace("&", "&&"))
        action.setToolTip(tip(text))
        action.setCheckable(True)
        action.setChecked(value == current)
        action.triggered.connect(lambda _=False: self.chosen.emit(value))

    def _list_remote(self, current: str) -> None:
        """The models of the server of the settings; one line says where it is, one how the asking went."""
        listing, settings = self._services.remote.listing, self._services.app.settings
        place = listing.place
        if not listing.address and not is_remote(current):
            return
        self.menu.addSeparator()
        if place is not None:
            self._remark(f"{place.host}: {place.short}", place.sentence, "remote")
        listed = {}
        if listing.names:
            first = settings.remote_model or listing.names[0]
            listed["remote"] = tr("{name} (the server's usual one)").format(name=first)
            listed |= {f"remote:{name}": name for name in listing.names}
        if is_remote(current) and current not in listed:
            listed[current] = model_of(current) or settings.remote_model or tr("The server's usual model")
        for value, text in listed.items():
            self._offer(text, value, current)
        if listing.words:
            self._remark(told(listing.words), told(listing.hint), "")

    def _remark(self, words: str, more: str, drawing: str) -> None:
        """A line that cannot be chosen."""
        shown = words if len(words) <= _LONGEST_LINE else words[: _LONGEST_LINE - 1].rstrip() + "…"
        action = self.menu.addAction(shown.replace("&", "&&"))
        action.setToolTip(tip("\n".join(filter(None, (words, more)))))
        action.setEnabled(False)
        if drawing:
            action.setIcon(icon(drawing, self._services.theme.colors.muted))

    def _list_again(self) -> None:
        if self.menu.isVisible() and self._services.models.chatting != self._listed:
            self._list()

    def _list_servers(self) -> None:
        if self.menu.isVisible():
            self._list()

    def _mark(self, place: Place | None) -> None:
        if place != self._place:
            self._place = place
            self._paint_icon()

    def _paint_icon(self) -> None:
        colors = self._services.theme.colors
        self.spinner.color = colors.accent
        away = self._place is not None and not self._place.local
        drawing = "remote" if self._place is not None else "models"
        self._icon.setPixmap(pixmap(drawing, colors.warning if away else colors.accent, 18))
        self._arrow.setPixmap(pixmap("down", colors.muted, 14))


def is_starter_name(name: str) -> bool:
    """Whether a model that calls itself so is the built-in one."""
    return name.casefold().startswith(NAME) or name == STARTER


def shown_name(chosen: str) -> str:
    """The name of a model as it is chosen: by name, by path, on a server, or empty for the starter."""
    if is_remote(chosen):
        return model_of(chosen) or tr("The server's usual model")
    path = Path(chosen)
    return display_name((path.stem if path.suffix == ".gguf" else path.name) or STARTER)


def display_name(name: str) -> str:
    """The name of a model for reading."""
    return tr("Starter (built in)") if is_starter_name(name) else name
