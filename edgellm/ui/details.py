"""The details behind the bottom strip: device, reason, every step that was tried, and a report to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from edgellm.ui.engine_client import Status
from edgellm.ui.language import told, tr
from edgellm.ui.remote_place import Place

if TYPE_CHECKING:
    from edgellm.runtimes.report import Source


def report(app: Source, status: Status | None) -> str:
    """What `edgellm doctor` prints, and how the engine stands; nothing that the person wrote. Takes a moment."""
    from edgellm.runtimes.report import as_lines, gather  # it knows every runtime; the window starts without

    lines = list(as_lines(gather(app)))
    if status is not None:
        lines += [
            "",
            "The engine now",
            f"  {status.state}, {status.model or 'no model'}, {status.device or 'no device'}",
        ]
        lines += [f"  {line}" for line in (status.reason, *status.steps) if line]
    return "\n".join(lines)


class Details(QDialog):
    """Shows what the strip has no room for."""

    def __init__(self, parent: QWidget, report: str, status: Status | None, place: Place | None = None) -> None:
        super().__init__(parent)
        self._report = report
        self.setWindowTitle(tr("Device details"))
        self.resize(640, 560)
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        if status is not None:
            device = status.device or tr("none")
            self._row(form, tr("Device"), tr("Remote server {host}").format(host=place.host) if place else device)
            self._row(form, tr("Why"), place.sentence if place else status.reason)
            if status.placement is not None:
                placement = status.placement
                self._row(form, tr("Context"), tr("{n} tokens").format(n=f"{placement.context:,}"))
                if placement.threads:
                    self._row(form, tr("Threads"), str(placement.threads))
            for number, step in enumerate(status.steps):
                self._row(form, tr("Tried") if number == 0 else "", step)
        text = QPlainTextEdit(self._report, readOnly=True)
        text.setObjectName("report")
        text.setAccessibleName(tr("Hardware report"))
        self.copy = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        button = self.copy.addButton(tr("Copy hardware report"), QDialogButtonBox.ButtonRole.ActionRole)
        button.clicked.connect(self.copy_report)
        self.copy.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 14)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(text, 1)
        layout.addWidget(self.copy)
        button.setFocus()

    def copy_report(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self._report)

    @staticmethod
    def _row(form: QFormLayout, name: str, value: str) -> None:
        label = QLabel(told(value), wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        title = QLabel(name)
        title.setProperty("role", "muted")
        form.addRow(title, label)
