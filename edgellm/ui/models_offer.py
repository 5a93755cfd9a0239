"""The card of the first start: the one model that this computer should have, and why."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout

from edgellm.ui import facts
from edgellm.ui.buttons import AccentButton, IconButton
from edgellm.ui.flow import Flow
from edgellm.ui.icons import pixmap
from edgellm.ui.language import told, tr
from edgellm.ui.models_activity import Activity
from edgellm.ui.theme import Theme

_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """What the card says. `reason` is a sentence; `speed` and `basis` are empty while nothing is known of them."""

    name: str
    title: str
    size: int | None
    license: str
    reason: str
    speed: str = ""
    basis: str = ""
    locked: bool = False


class OfferCard(QFrame):
    """Sends `wanted` with what is asked for and the model's name: download, others, measure or dismiss."""

    wanted = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.offer: Offer | None = None
        self.setObjectName("offer")
        self.setAccessibleName(tr("A model for this computer"))
        self._mark = QLabel()
        self.title, self.words, self.lock = (
            QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText) for _ in range(3)
        )
        self.title.setProperty("role", "strong")
        self.words.setProperty("role", "muted")
        self.lock.setProperty("role", "faint")
        self.bar = QProgressBar(textVisible=False, minimum=0, maximum=_STEPS)
        self.bar.setObjectName("progress")
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(tr("Download"))
        self.download = AccentButton(theme, tr("Download"), "download")
        self.others = QPushButton(tr("Other models"))
        self.measure = QPushButton(tr("Measure the speed (20 s)"))
        self.close_button = IconButton(theme, "close", tr("Do not offer this again"), size=14)
        self.download.clicked.connect(lambda: self._want("download"))
        self.others.clicked.connect(lambda: self._want("others"))
        self.measure.clicked.connect(lambda: self._want("measure"))
        self.close_button.clicked.connect(lambda: self._want("dismiss"))
        self._arrange()
        theme.changed.connect(self._paint_icon)
        self._paint_icon()
        self.hide()

    def show_offer(self, offer: Offer | None) -> None:
        """Offer a model, or nothing."""
        self.offer = offer
        self.setVisible(offer is not None)
        if offer is None:
            return
        self.title.setText(tr("Recommended for this computer: {title}").format(title=offer.title))
        line = (
            facts.size(offer.size) if offer.size else "",
            tr("license {name}").format(name=offer.license or tr("not stated")),
            f"{offer.speed} ({offer.basis})" if offer.speed else tr("speed not known yet"),
        )
        self.measure.setVisible(not offer.speed)
        self.words.setText("\n".join(filter(None, (" · ".join(filter(None, line)), told(offer.reason)))))
        text = tr("Unlock and download") if offer.locked else tr("Download")
        self.download.setText(text)
        self.download.setAccessibleName(text)
        self.download.draw("unlock" if offer.locked else "download")
        self.lock.setText(tr("The offline lock is on; this button lifts it for the download."))
        self._settle(None)

    def show_activity(self, activity: Activity | None) -> None:
        """How far the download of the offered model is; None: there is none."""
        if self.offer is not None:
            self._settle(activity)

    def _settle(self, activity: Activity | None) -> None:
        busy = activity is not None
        self.bar.setVisible(busy)
        self.download.setVisible(not busy)
        locked = self.offer is not None and self.offer.locked
        self.lock.setVisible(busy or locked)
        if activity is not None:
            self.bar.setValue(max(self.bar.value(), int((activity.fraction or 0.0) * _STEPS)))
            self.lock.setText(activity.words)
        else:
            self.bar.setValue(0)

    def _want(self, action: str) -> None:
        if self.offer is not None:
            self.wanted.emit(action, self.offer.name)

    def _arrange(self) -> None:
        buttons = Flow()
        buttons.addWidget(self.download)
        buttons.addWidget(self.others)
        buttons.addWidget(self.measure)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.words)
        column.addWidget(self.bar)
        column.addWidget(self.lock)
        column.addSpacing(4)
        column.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 12, 10, 12)
        row.setSpacing(12)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)

    def _paint_icon(self) -> None:
        self._mark.setPixmap(pixmap("spark", self._theme.colors.accent, 20))
