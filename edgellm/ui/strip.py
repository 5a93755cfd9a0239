"""The bottom strip: device and reason, model, memory, speed and the offline lock. Always there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy

from edgellm.ui import facts
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.engine_client import Status
from edgellm.ui.engine_worker import Job
from edgellm.ui.icons import icon, pixmap
from edgellm.ui.language import told, tr
from edgellm.ui.model_selector import display_name
from edgellm.ui.remote_place import Place
from edgellm.ui.theme import Theme
from edgellm.ui.tips import tip

if TYPE_CHECKING:
    from edgellm.hardware.monitor import Sample

_ICON = 15


class _Field(QFrame):
    """A small drawing and a text."""

    def __init__(self, drawing: str, name: str, elided: bool = False) -> None:
        super().__init__()
        self._drawing = drawing
        self._name = name
        self._mark = QLabel()
        self.label = ElidedLabel() if elided else QLabel("–", textFormat=Qt.TextFormat.PlainText)
        self.label.setObjectName("strip-text")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._mark)
        row.addWidget(self.label, 1)
        self.setToolTip(name)

    def show_text(self, text: str, tooltip: str = "") -> None:
        """Show a value."""
        if isinstance(self.label, ElidedLabel):
            self.label.set_text(text)
        elif text != self.label.text():
            self.label.setText(text)
        self.setToolTip(tip(tooltip or self._name))
        self.setAccessibleName(f"{self._name}: {text}")

    def draw(self, drawing: str) -> None:
        """Have another drawing from the next painting on."""
        self._drawing = drawing

    def paint_icon(self, color: str) -> None:
        """Draw in a color of the theme."""
        self._mark.setPixmap(pixmap(self._drawing, color, _ICON))


class Strip(QFrame):
    """Sends `details_wanted` when device and reason are clicked, `offline_wanted` when the lock is."""

    details_wanted = Signal()
    offline_wanted = Signal(bool)

    def __init__(self, theme: Theme, offline: bool) -> None:
        super().__init__()
        self._theme = theme
        self._place: Place | None = None
        self.setObjectName("strip")
        self.setAccessibleName(tr("Status"))
        self.device = QPushButton()
        self.device.setObjectName("device")
        self.device.setCursor(Qt.CursorShape.PointingHandCursor)
        self.device.clicked.connect(self.details_wanted)
        self.device.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._device = _Field("chip", tr("Device"), elided=True)
        inner = QHBoxLayout(self.device)
        inner.setContentsMargins(8, 0, 8, 0)
        inner.addWidget(self._device)
        self.model = _Field("models", tr("Model"))
        self.memory = _Field("memory", tr("Memory"))
        self.speed = _Field("speed", tr("Speed"))
        self.lock = QPushButton()
        self.lock.setObjectName("lock")
        self.lock.setCheckable(True)
        self.lock.setCursor(Qt.CursorShape.PointingHandCursor)
        self.lock.clicked.connect(self.offline_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(18)
        row.addWidget(self.device, 1)
        for field in (self.model, self.memory, self.speed):
            row.addWidget(field)
        row.addWidget(self.lock)
        theme.changed.connect(self._paint_icons)
        self.show_device(tr("Starting the engine…"), "")
        self.show_offline(offline)
        self._paint_icons()

    def show_device(self, device: str, reason: str) -> None:
        """Where the model runs and why."""
        text = told(f"{device}: {reason}" if reason else device)
        self._device.show_text(text)
        self.device.setToolTip(tip(text + "\n" + tr("Click for details.")))
        self.device.setAccessibleName(tr("Device: {text}").format(text=text))

    def show_status(self, status: Status, place: Place | None = None) -> None:
        """What the engine says of itself; `place` is where the model is when it is on a server."""
        self._show_place(place)
        if place is not None:
            self.show_device(place.sentence, "")
        else:
            self.show_device(status.device or tr("No model is loaded"), status.reason)
        self.model.show_text(display_name(status.model) if status.model else tr("no model"))

    def show_no_model(self, reason: str) -> None:
        """Nothing is loaded."""
        self._show_place(None)
        self.show_device(tr("No model is loaded"), reason)
        self.model.show_text(tr("no model"))

    def show_speed(self, job: Job) -> None:
        """The speed of the answer that just ended."""
        if job.finish is None or job.finish.new_tokens < facts.SHORTEST:
            return
        made = {"new_tokens": job.finish.new_tokens, "tokens_per_second": job.finish.tokens_per_second}
        tokens = tr("{n:.0f} tokens/s").format(n=job.finish.tokens_per_second)
        self.speed.show_text(facts.rate(facts.words_per_second(made, job.text)), tokens)

    def show_sample(self, sample: Sample) -> None:
        """Memory of this computer."""
        used, total = sample.memory_used, sample.memory_total
        text = tr("RAM {used} used · {free} free").format(used=facts.size(used), free=facts.size(max(total - used, 0)))
        engine = tr("Engine: {size}").format(size=facts.size(sample.engine_memory or 0))
        self.memory.show_text(text, tr("Memory of this computer") + f": {facts.size(total)}\n{engine}")

    def show_offline(self, on: bool) -> None:
        """Whether the offline lock is on."""
        self.lock.setChecked(on)
        self.lock.setText(tr("Offline") if on else tr("Online allowed"))
        words = (
            tr("Offline lock is on: EdgeLLM reaches nothing but this computer. Click to unlock.")
            if on
            else tr("Offline lock is off: EdgeLLM may use the network when you ask. Click to lock.")
        )
        self.lock.setToolTip(words)
        self.lock.setAccessibleName(tr("Offline lock"))
        self.lock.setAccessibleDescription(words)
        self._paint_icons()

    def _show_place(self, place: Place | None) -> None:
        """A drawing and a color of their own for a model that is elsewhere."""
        if place == self._place:
            return
        self._place = place
        self._device.draw("remote" if place is not None else "chip")
        self._device.label.setProperty("away", place is not None and not place.local)
        self._device.label.style().polish(self._device.label)
        self._paint_icons()

    def _paint_icons(self) -> None:
        colors = self._theme.colors
        for field in (self._device, self.model, self.memory, self.speed):
            field.paint_icon(colors.muted)
        if self._place is not None and not self._place.local:
            self._device.paint_icon(colors.warning)
        on = self.lock.isChecked()
        self.lock.setIcon(icon("lock" if on else "unlock", colors.good if on else colors.warning, size=_ICON))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Nothing below the strip wants its clicks."""
        event.accept()
