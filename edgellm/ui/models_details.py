"""The details beside the list of the Models page: everything about one model, and the buttons for it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui import facts
from edgellm.ui.buttons import AccentButton
from edgellm.ui.flow import Flow
from edgellm.ui.icons import icon
from edgellm.ui.language import told, tr
from edgellm.ui.models_view import Row, Standing
from edgellm.ui.theme import Theme
from edgellm.ui.tips import tip

_READABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
_DRAWINGS = {
    "use": "check",
    "download": "download",
    "look-up": "search",
    "check": "check",
    "repair": "retry",
    "move": "right",
    "bundle": "export",
    "show": "folder",
    "import": "import",
    "remove": "trash",
    "measure": "speed",
}


def button_text(action: str, row: Row, standing: Standing) -> str:
    """What a button says."""
    if action == "use":
        return tr("In use") if row.in_use else tr("Use this model")
    if action == "download" and standing.busy:
        return tr("Downloading…")
    if action == "download":
        words = tr("Unlock and download") if standing.locked else tr("Download")
        return f"{words} ({facts.size(row.size)})" if row.size else words
    if action == "look-up":
        return tr("Unlock and look it up") if standing.locked else tr("Look it up")
    names = {
        "check": tr("Check"),
        "repair": tr("Repair"),
        "move": tr("Move…"),
        "bundle": tr("Save as a bundle…"),
        "show": tr("Show in folder"),
        "import": tr("Take into EdgeLLM"),
        "remove": tr("Remove"),
        "measure": tr("Measure this computer (20 s)"),
    }
    return names[action]


class ModelDetails(QScrollArea):
    """Sends `wanted` with the key of a button and the row it is for."""

    wanted = Signal(str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.row: Row | None = None
        self.standing = Standing()
        self.setObjectName("details")
        self.setAccessibleName(tr("Details of the model"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._title = self._label("heading")
        self._name = self._label("faint")
        self._summary = self._label("")
        self._marks = self._label("muted")
        self._badge, self._fit, self._sum = self._label(""), self._label(""), self._label("faint")
        self._badge.setObjectName("badge")
        self._speed = self._label("muted")
        self._license = self._label("muted")
        self._lock = self._label("faint")
        self._verdict = self._label("")
        self.main = AccentButton(theme, tr("Download"), "download")
        self.main.clicked.connect(self._want_main)
        self.others = {action: self._button(action) for action in _DRAWINGS}
        self._form = QFormLayout()
        self._arrange()
        theme.changed.connect(self._paint_icons)
        self._paint_icons()
        self.show_row(None, Standing())

    def show_row(self, row: Row | None, standing: Standing) -> None:
        """Show a model, or nothing. Quick where nothing has changed."""
        if row is not None and (row, standing) == (self.row, self.standing):
            return
        again = row is not None and self.row is not None and row.key == self.row.key
        same_facts = again and self.row is not None and row is not None and row.facts == self.row.facts
        self.row, self.standing = row, standing
        self._page.setVisible(row is not None)
        if row is None:
            return
        self._put(self._title, row.title)
        self._put(self._name, row.reference or row.name)
        self._put(self._summary, told(row.summary))
        self._put(self._marks, "\n".join(filter(None, (row.recommended, row.distilled))))
        self._show_fit(row)
        words = tr("Speed: {words}, {basis}").format(words=row.speed, basis=row.basis) if row.speed else row.basis
        self._put(self._speed, words)
        self._frame.setVisible(bool(row.fit.word or row.basis or row.recommended or row.distilled))
        offered = row.actions[:1] == ("download",)
        self._put(self._license, tr("License: {name}").format(name=row.license) if offered else "")
        self._put(self._verdict, "\n".join(filter(None, (standing.verdict, standing.damage))))
        self._show_buttons(row, standing)
        if not same_facts:
            self._fill_form(row)
        if not again:
            self.verticalScrollBar().setValue(0)

    def _show_fit(self, row: Row) -> None:
        self._put(self._badge, row.fit.word)
        self._badge.setProperty("fit", row.fit.kind)
        self._badge.style().polish(self._badge)
        self._put(self._fit, row.fit.reason)
        self._put(self._sum, row.fit.budget)
        words = (row.fit.word, row.fit.reason, row.fit.budget, row.speed, row.basis, row.recommended, row.distilled)
        self._frame.setAccessibleName(" ".join(filter(None, words)))
        self._frame.setToolTip(tip(row.fit.budget))

    def _show_buttons(self, row: Row, standing: Standing) -> None:
        actions = list(row.actions)
        main = actions.pop(0) if actions else ""
        if standing.mendable and "repair" not in row.actions:
            actions.insert(0, "repair")
        locked = standing.locked and main in ("download", "look-up")
        self.main.setVisible(bool(main))
        if main:
            text = button_text(main, row, standing)
            self.main.setText(text)
            self.main.setAccessibleName(text)
            self.main.draw("unlock" if locked else _DRAWINGS[main])
            self.main.setEnabled(not (standing.busy or (main == "use" and row.in_use)))
        self._put(
            self._lock,
            tr("The offline lock is on. This button lifts it; the strip at the foot of the window sets it again.")
            if locked
            else "",
        )
        for action, button in self.others.items():
            button.setVisible(action in actions)
            button.setEnabled(not standing.busy or action in ("show", "measure"))

    def _want_main(self) -> None:
        if self.row is not None and self.row.actions:
            self.wanted.emit(self.row.actions[0], self.row)

    def _want(self, action: str) -> None:
        if self.row is not None:
            self.wanted.emit(action, self.row)

    def _label(self, role: str) -> QLabel:
        label = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(_READABLE)
        if role:
            label.setProperty("role", role)
        return label

    def _button(self, action: str) -> QPushButton:
        text = button_text(action, Row("installed", "", ""), Standing(locked=False))
        button = QPushButton(text)
        button.setProperty("kind", "small")
        button.setAccessibleName(text)
        button.clicked.connect(partial(self._want, action))
        return button

    @staticmethod
    def _put(label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))

    def _arrange(self) -> None:
        self._title.setProperty("role", "page-title")
        fit = QFrame()
        fit.setObjectName("fit")
        fit.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # so that the keyboard, and a screen reader, come by
        inside = QVBoxLayout(fit)
        inside.setContentsMargins(14, 11, 14, 11)
        inside.setSpacing(5)
        for label in (self._badge, self._fit, self._sum, self._speed, self._marks):
            inside.addWidget(label)
        self._frame = fit
        first = QHBoxLayout()
        first.addWidget(self.main)
        first.addStretch(1)
        buttons = Flow()
        for button in self.others.values():
            buttons.addWidget(button)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(6)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        page = self._page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(22, 18, 22, 18)
        column.setSpacing(10)
        top = QVBoxLayout()
        top.setSpacing(2)
        top.addWidget(self._title)
        top.addWidget(self._name)
        column.addLayout(top)
        for part in (self._summary, fit, self._license):
            column.addWidget(part)
        column.addLayout(first)
        column.addWidget(self._lock)
        column.addLayout(buttons)
        column.addWidget(self._verdict)
        column.addSpacing(4)
        column.addLayout(self._form)
        column.addStretch(1)
        self.setWidget(page)

    def _fill_form(self, row: Row) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        for label, value in row.facts:
            name, words = QLabel(label), self._label("")
            name.setProperty("role", "muted")
            name.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
            words.setText(value)
            words.setAccessibleName(f"{label}: {value}")
            self._form.addRow(name, words)

    def _paint_icons(self) -> None:
        colors = self._theme.colors
        for action, button in self.others.items():
            button.setIcon(icon(_DRAWINGS[action], colors.muted, size=16))
