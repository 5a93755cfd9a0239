"""The details behind the bottom strip: device, reason, every step that was tried, and a report to copy."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from edgellm import __version__
from edgellm.ui.engine_worker import Status
from edgellm.ui.language import tr


def report(hardware: Any, status: Status | None) -> str:
    """Everything about this machine and the engine as JSON, without any text of the person."""
    engine = None
    if status is not None:
        engine = {
            "state": status.state,
            "model": status.model,
            "device": status.device,
            "reason": status.reason,
            "placement": _plain(status.placement),
            "steps": list(status.steps),
        }
    document = {"edgellm": __version__, "hardware": _plain(hardware), "engine": engine}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Dataclasses, sets and mappings as what JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {spec.name: _plain(getattr(value, spec.name)) for spec in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return " ".join(sorted(str(item) for item in value))
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


class Details(QDialog):
    """Shows what the strip has no room for."""

    def __init__(self, parent: QWidget, hardware: Any, status: Status | None) -> None:
        super().__init__(parent)
        self._report = report(hardware, status)
        self.setWindowTitle(tr("Device details"))
        self.resize(640, 560)
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        if status is not None:
            self._row(form, tr("Device"), status.device or tr("none"))
            self._row(form, tr("Why"), status.reason)
            if status.placement is not None:
                placement = status.placement
                self._row(form, tr("Context"), tr("{n} tokens").format(n=f"{placement.context:,}"))
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
        label = QLabel(value, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        title = QLabel(name)
        title.setProperty("role", "muted")
        form.addRow(title, label)
