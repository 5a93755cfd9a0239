"""A text and its translation side by side: the sentence under the pointer or the cursor is marked on both sides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QTextCursor
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QTextBrowser, QTextEdit, QWidget

from edgellm.ui.language import told, tr
from edgellm.ui.result_pane import ResultPane
from edgellm.ui.services import Services
from edgellm.ui.source_box import SourceBox
from edgellm.ui.translate_file_work import sorted_out
from edgellm.ui.translate_view import Offsets, Sides, as_html, plain
from edgellm.ui.translate_work import Four

_UNBROKEN = re.compile(r"\w{24}(?=\w)")
_ABOVE = 3  # lines above a sentence that is scrolled to


class TextSource(SourceBox):
    """Sends `files` with those that keep their format when they are translated; of another one, its text is read."""

    files = Signal(list)

    def take(self, paths: Sequence[Path]) -> None:
        """Find out in the background what these are."""
        self._services.background.run(lambda: sorted_out(paths), self._take, self._services.notices.complain)

    def replace(self, text: str) -> None:
        """Another text, in place of the one that is there; Ctrl+Z brings that back."""
        if self.paths:
            self.put(text)
            return
        cursor = QTextCursor(self.text.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)

    def _take(self, found: tuple[tuple[Path, ...], tuple[Path, ...]]) -> None:
        fit, others = found
        if fit or len(others) > 1:
            self.files.emit([*fit, *others])
        elif others:
            super().take(others)


class TranslationPane(ResultPane):
    """The translation, and below it what is doubtful about it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, tr("Translation"), tr("The translation appears here while you type."))
        self.stem = "translation"
        self.notes = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notes.setProperty("role", "warning")
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notes.setContentsMargins(0, 0, 6, 4)
        column = self.layout()
        assert column is not None
        column.addWidget(self.notes)
        self.say_notes(())

    def show_result(self, result: str) -> None:
        """Show a translation, or what there is of it."""
        self.show_html(as_html(result), plain(result))

    def say_notes(self, notes: Sequence[str]) -> None:
        """What is doubtful."""
        said = "\n".join(map(told, notes))
        self.notes.setText(_UNBROKEN.sub("\\g<0>\u200b", said))  # a label breaks lines between words only
        self.notes.setVisible(bool(notes))


class Alignment(QObject):
    """Marks the sentences of two views that belong together."""

    def __init__(self, services: Services, left: QPlainTextEdit, right: QTextBrowser, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._left, self._right = services, left, right
        self._sides = Sides()
        self._here, self._there = Offsets(""), Offsets("")
        self.shown: Four | None = None
        for view in (left, right):
            view.viewport().setMouseTracking(True)
            view.viewport().installEventFilter(self)
        left.cursorPositionChanged.connect(lambda: self._follow(left.textCursor(), True, scroll=True))
        right.cursorPositionChanged.connect(lambda: self._follow(right.textCursor(), False, scroll=True))
        services.theme.changed.connect(self._draw)

    def show_pairs(self, pairs: Sequence[Four], text: str, result: str) -> None:
        """From now on these belong together; none marks nothing."""
        self._sides = Sides(tuple(pairs))
        self._here, self._there = Offsets(text), Offsets(result)
        self._mark(None)
        if pairs and _is_in(self._left):
            self._follow(self._left.textCursor(), True)

    def _follow(self, cursor: QTextCursor, from_left: bool, scroll: bool = False) -> None:
        view = self._left if from_left else self._right
        if not self._sides.pairs or (scroll and not _is_in(view)):  # a new text moves the cursor too
            return
        if from_left:
            pair = self._sides.at_source(self._here.characters(cursor.position()))
        else:
            pair = self._sides.at_target(self._there.characters(cursor.position()))
        self._mark(pair)
        if pair is not None and scroll:
            self._bring(pair, from_left)

    def _mark(self, pair: Four | None) -> None:
        if pair != self.shown:
            self.shown = pair
            self._draw()

    def _draw(self) -> None:
        pair = self.shown
        for view, here, span in (
            (self._left, self._here, pair[:2] if pair is not None else None),
            (self._right, self._there, pair[2:] if pair is not None else None),
        ):
            selections = list[QTextEdit.ExtraSelection]()
            if span is not None:
                cursor = _cursor(view, here.units(span[0]))
                cursor.setPosition(min(here.units(span[1]), _end(view)), QTextCursor.MoveMode.KeepAnchor)
                made = QTextEdit.ExtraSelection()
                made.cursor = cursor
                made.format.setBackground(QColor(self._services.theme.colors.selection))
                selections.append(made)
            view.setExtraSelections(selections)

    def _bring(self, pair: Four, to_right: bool) -> None:
        """Scroll the other side to the sentence, where it is out of sight."""
        if to_right:
            bar = self._right.verticalScrollBar()
            rect = self._right.cursorRect(_cursor(self._right, self._there.units(pair[2])))
            if not self._right.viewport().rect().contains(rect.center()):
                bar.setValue(bar.value() + rect.top() - _ABOVE * rect.height())
        else:
            cursor = _cursor(self._left, self._here.units(pair[0]))
            if not self._left.viewport().rect().contains(self._left.cursorRect(cursor).center()):
                self._left.verticalScrollBar().setValue(cursor.block().firstLineNumber() - _ABOVE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the pointer; where it leaves, the cursor counts again."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseMove and not event.buttons():
            left = watched is self._left.viewport()
            view = self._left if left else self._right
            self._follow(_at(view, event.position().toPoint()), left)
        elif event.type() == QEvent.Type.Leave:
            if _is_in(self._left):
                self._follow(self._left.textCursor(), True)
            else:
                self._mark(None)
        return False


def _is_in(view: QWidget) -> bool:
    """Whether the person is in this view, or was when the window was left."""
    return view.window().focusWidget() is view


def _at(view: QPlainTextEdit | QTextBrowser, point: QPoint) -> QTextCursor:
    return view.cursorForPosition(point)


def _end(view: QPlainTextEdit | QTextBrowser) -> int:
    return view.document().characterCount() - 1


def _cursor(view: QPlainTextEdit | QTextBrowser, at: int) -> QTextCursor:
    cursor = QTextCursor(view.document())
    cursor.setPosition(min(at, _end(view)))
    return cursor
