"""The field for a collection's name: of a new one, or another name for one that is there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from edgellm.ui.language import tr

_LONGEST = 400  # more than a name may have, so that one that is too long is refused with a reason and not cut


class NameField(QLineEdit):
    """Hidden until it is asked for; Esc gives it up.

    Sends `made` with the name of a new collection, `renamed` with the old name and the new one. The field stays until
    `done` is called, so that a name that was refused can be corrected.
    """

    made = Signal(str)
    renamed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._old = ""
        self.setMaxLength(_LONGEST)
        self.setAccessibleName(tr("Name of the new collection"))
        self.returnPressed.connect(self._give)
        self.hide()

    def ask_new(self) -> None:
        """Ask for the name of a new collection."""
        self._ask("", tr("Name of the new collection"))

    def ask_other(self, name: str) -> None:
        """Ask for another name of this collection."""
        self._ask(name, tr("Another name for {name}").format(name=name))

    def done(self) -> None:
        """The name was taken, or is not wanted any more."""
        self.clear()
        self.hide()

    def event(self, event: QEvent) -> bool:
        """Esc is the field's own while it has the focus, and not the window's."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc hides the field."""
        if event.key() == Qt.Key.Key_Escape:
            self.done()
        else:
            super().keyPressEvent(event)

    def _ask(self, old: str, words: str) -> None:
        self._old = old
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.setText(old)
        self.selectAll()
        self.show()
        self.setFocus()

    def _give(self) -> None:
        name = self.text().strip()
        if not self._old:
            self.made.emit(name)
        elif name == self._old:
            self.done()
        else:
            self.renamed.emit(self._old, name)
