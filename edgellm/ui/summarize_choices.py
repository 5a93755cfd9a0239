"""The row of choices above a summary: style, length and language, or a comparison of several files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QWidget

from edgellm.tasks.languages import NAMES
from edgellm.ui.flow import Flow
from edgellm.ui.language import tr
from edgellm.ui.summarize_work import KEYS, Wanted


class Choices(QObject):
    """`row` is the layout for the page's head. Sends `changed` when the person chose something else."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.row = Flow(gap=14)
        self.style = _combo(
            tr("Style"),
            (
                ("line", tr("One line")),
                ("paragraph", tr("Paragraph")),
                ("bullets", tr("Bullets")),
                ("sections", tr("Points per section")),
                ("questions", tr("Questions and answers")),
                (KEYS, tr("Key sentences, no model")),
            ),
        )
        self.by = _combo(
            tr("What is compared"),
            (("bullets", tr("The model's points")), (KEYS, tr("The sentences, no model"))),
        )
        self.length = _combo(tr("Length"), (("short", tr("Short")), ("medium", tr("Medium")), ("long", tr("Long"))))
        self.language = _combo(
            tr("Language of the summary"),
            (("", tr("As in the text")), *((code, own) for code, (_, own) in NAMES.items())),
        )
        self.compare = QCheckBox(tr("Compare the files"))
        self.compare.setToolTip(tr("Show what the files have in common, and what only one of them says."))
        self._style = _named(tr("Style"), self.style)
        self._by = _named(tr("Compare"), self.by)
        self._language = _named(tr("Language"), self.language)
        for widget in (self._style, self._by, _named(tr("Length"), self.length), self._language, self.compare):
            self.row.addWidget(widget)
        _choose(self.style, "bullets")
        _choose(self.length, "medium")
        self.compare.hide()
        self._show()
        for combo in (self.style, self.by, self.length, self.language):
            combo.activated.connect(self._on_chosen)
        self.compare.toggled.connect(self._on_chosen)

    @property
    def wanted(self) -> Wanted:
        """What is chosen now."""
        compare = self._comparing
        style = str((self.by if compare else self.style).currentData())
        language = "" if style == KEYS else str(self.language.currentData())
        return Wanted(style, str(self.length.currentData()), language, compare)

    @property
    def usual(self) -> bool:
        """Whether nothing was chosen."""
        return self.wanted == Wanted()

    def choose_keys(self) -> None:
        """Take what needs no model."""
        _choose(self.by if self._comparing else self.style, KEYS)
        self._on_chosen()

    def set_files(self, count: int) -> None:
        """Several files can be compared."""
        self.compare.setVisible(count > 1)
        self._show()

    def state(self) -> dict[str, Any]:
        """What is chosen, also what is not shown now."""
        return {**asdict(self.wanted), "style": self.style.currentData(), "by": self.by.currentData()} | {
            "language": self.language.currentData(),
            "compare": self.compare.isChecked(),
        }

    def restore(self, state: object) -> None:
        """Choose what was chosen before."""
        if not isinstance(state, Mapping):
            return
        for name, combo in {
            "style": self.style,
            "by": self.by,
            "length": self.length,
            "language": self.language,
        }.items():
            _choose(combo, state.get(name))
        self.compare.setChecked(state.get("compare") is True)
        self._show()

    @property
    def _comparing(self) -> bool:
        return self.compare.isChecked() and not self.compare.isHidden()

    def _on_chosen(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        compare = self._comparing
        self._style.setVisible(not compare)
        self._by.setVisible(compare)
        self._language.setVisible((self.by if compare else self.style).currentData() != KEYS)


def _combo(name: str, choices: Iterable[tuple[str, str]]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for value, words in choices:
        combo.addItem(words, value)
    return combo


def _named(name: str, combo: QComboBox) -> QWidget:
    """The choice with its name before it."""
    label = QLabel(name)
    label.setProperty("role", "muted")
    label.setBuddy(combo)
    widget = QWidget()
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(label)
    row.addWidget(combo)
    return widget


def _choose(combo: QComboBox, value: object) -> None:
    at = combo.findData(value) if isinstance(value, str) else -1
    if at >= 0:
        combo.setCurrentIndex(at)
