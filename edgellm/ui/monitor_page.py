"""The monitor: what this computer and the engine did in the last two minutes, as plots.

The plotting library takes most of a second to import, so that happens in the background when the page is first
opened. A hidden page paints nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from edgellm.ui import facts
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.theme import Theme

if TYPE_CHECKING:
    from edgellm.hardware.monitor import Sample
    from edgellm.hardware.probe import Hardware

SECONDS = 120
_COLUMNS = 2
_LONG_UNIT = 3


@dataclass(frozen=True, slots=True)
class Series:
    """One plot. `read` gives a value (None: not readable), `show` the text; `top` ends the axis, 0 lets it grow."""

    key: str
    title: str
    read: Callable[[Sample], float | None]
    show: Callable[[Sample], str]
    top: float = 100.0
    unit: str = "%"
    optional: bool = False


def series() -> tuple[Series, ...]:
    """All plots, in the order of the page; optional ones appear when there is something to show."""

    def memory(sample: Sample) -> str:
        return tr("{used} of {total}").format(
            used=facts.size(sample.memory_used), total=facts.size(sample.memory_total)
        )

    return (
        Series("cpu", tr("Processor"), lambda s: s.cpu_percent, lambda s: f"{s.cpu_percent:.0f} %"),
        Series("memory", tr("Memory"), lambda s: 100 * s.memory_used / max(s.memory_total, 1), memory),
        Series(
            "engine",
            tr("Engine memory"),
            lambda s: s.engine_memory / 1e6,
            lambda s: facts.size(s.engine_memory),
            top=0,
            unit="MB",
        ),
        Series(
            "speed",
            tr("Speed"),
            lambda s: s.tokens_per_second or 0.0,
            lambda s: tr("{n:.0f} tokens/s").format(n=s.tokens_per_second or 0.0),
            top=0,
            unit="tokens/s",
        ),
        Series(
            "gpu", tr("Graphics card"), lambda s: s.gpu_percent, lambda s: f"{s.gpu_percent or 0:.0f} %", optional=True
        ),
        Series(
            "gpu-memory",
            tr("Graphics memory"),
            lambda s: None if s.gpu_memory is None else s.gpu_memory / 1e6,
            lambda s: facts.size(s.gpu_memory or 0),
            top=0,
            unit="MB",
            optional=True,
        ),
        Series(
            "temperature",
            tr("Temperature"),
            lambda s: s.temperature,
            lambda s: f"{s.temperature or 0:.0f} °C",
            unit="°C",
            optional=True,
        ),
        Series("battery", tr("Battery"), lambda s: s.battery, lambda s: f"{s.battery or 0:.0f} %", optional=True),
    )


class Panel(QFrame):
    """One plot with its title and its present value."""

    def __init__(self, theme: Theme, kind: Series, plots: Any) -> None:
        super().__init__()
        self.kind = kind
        self._theme, self._plots = theme, plots
        self._top = 0.0
        self.setObjectName("panel")
        self.setMinimumHeight(170)
        title = QLabel(kind.title)
        title.setProperty("role", "muted")
        self._value = QLabel("–")
        self._value.setProperty("role", "value")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self._value)
        self._plot = plots.PlotWidget(enableMenu=False)
        self._plot.setAccessibleName(kind.title)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        self._plot.setFrameShape(QFrame.Shape.NoFrame)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._plot.setXRange(-SECONDS, 0, padding=0)
        self._plot.getAxis("bottom").setTicks(
            [[(-119.9, tr("−{n} min").format(n=2)), (-60, tr("−{n} min").format(n=1)), (0, tr("now"))]]
        )
        self._plot.getAxis("left").setWidth(58)
        self._plot.getAxis("left").setGrid(60)
        for side in ("left", "bottom"):
            self._plot.getAxis(side).setStyle(hideOverlappingLabels=False)
        self._plot.getPlotItem().setContentsMargins(0, 2, 22, 0)
        self._curve = self._plot.plot([], [])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._plot, 1)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._scale(kind.top or 10.0)

    def show_samples(self, samples: tuple[Sample, ...]) -> bool:
        """Draw; whether there was anything to draw."""
        points = [(s.time, value) for s in samples if (value := self.kind.read(s)) is not None]
        if not points:
            return False
        now = samples[-1].time
        self._curve.setData([time - now for time, _ in points], [value for _, value in points])
        self._value.setText(self.kind.show(samples[-1]))
        self.setAccessibleName(f"{self.kind.title}: {self._value.text()}")
        if not self.kind.top:
            highest = max(value for _, value in points)
            if highest > self._top or highest < self._top / 3:
                self._scale(max(_round_up(highest * 1.15), 10.0))
        return True

    def _scale(self, top: float) -> None:
        self._top = top
        self._plot.setYRange(0, top * 1.08, padding=0)
        unit = f" {self.kind.unit}" if len(self.kind.unit) < _LONG_UNIT else ""
        marks = [(top / 1000, "0"), (top / 2, f"{top / 2:g}{unit}"), (top, f"{top:g}{unit}")]
        self._plot.getAxis("left").setTicks([marks])

    def _restyle(self) -> None:
        colors = self._theme.colors
        self._plot.setBackground(colors.surface)
        fill = QColor(colors.accent)
        fill.setAlpha(38)
        self._curve.setPen(self._plots.mkPen(colors.accent, width=1.5))
        self._curve.setFillLevel(0)
        self._curve.setBrush(fill)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(colors.border)
            axis.setTextPen(colors.muted)
            axis.setStyle(tickLength=0, tickFont=self._value.font())


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    step = 1.0
    while step * 10 < value:
        step *= 10
    return next((step * n for n in (1, 2, 5, 10) if step * n >= value), value)


class MonitorPage(QScrollArea):
    """All panels. `services.sampler` measures, whether the page is open or not."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._panels: list[Panel] = []
        self._shown: list[Panel] = []
        self.setObjectName("monitor")
        self.setAccessibleName(tr("Monitor"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        page = QWidget()
        page.setObjectName("page")
        self._grid = QGridLayout()
        self._grid.setSpacing(14)
        self._wait = QLabel(tr("Preparing the plots…"), alignment=Qt.AlignmentFlag.AlignCenter)
        self._wait.setProperty("role", "muted")
        heading = QLabel(tr("The last two minutes"))
        heading.setProperty("role", "title")
        column = QVBoxLayout(page)
        column.setContentsMargins(24, 18, 24, 18)
        column.setSpacing(14)
        column.addWidget(heading)
        column.addWidget(self._wait, 1)
        column.addLayout(self._grid, 10)
        self.setWidget(page)
        services.background.run(_import_plots, self._build, services.notices.complain)
        services.background.run(services.app.hardware, self._use_gpu)
        services.sampler.sampled.connect(lambda _: self._draw())

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels that have something to show."""
        return tuple(self._shown)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what was measured while the page was hidden."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._draw)

    def _use_gpu(self, hardware: Hardware) -> None:
        """NVIDIA's driver is asked for figures only where it is known to work."""
        self._services.sampler.gpu = any(gpu.kind == "cuda" and gpu.usable for gpu in hardware.gpus)

    def _build(self, plots: Any) -> None:
        self._wait.hide()
        self._panels = [Panel(self._services.theme, kind, plots) for kind in series()]
        self._draw()

    def _draw(self) -> None:
        history = self._services.sampler.history
        if not self.isVisible() or history is None or not self._panels:
            return
        samples = history.samples()
        shown = [panel for panel in self._panels if panel.show_samples(samples)]
        if shown != self._shown:
            self._shown = shown
            for number, panel in enumerate(shown):
                self._grid.addWidget(panel, number // _COLUMNS, number % _COLUMNS)
                panel.show()


def _import_plots() -> Any:
    import pyqtgraph

    return pyqtgraph
