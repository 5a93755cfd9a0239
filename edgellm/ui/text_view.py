"""One piece of text in the transcript: as high as its content, selectable, safe, without scroll bars of its own."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QTextEdit, QWidget

from edgellm.ui import links
from edgellm.ui.text_style import style
from edgellm.ui.theme import Colors

_WIDEST_HTML = 2_000_000


class TextView(QTextBrowser):
    """Shows HTML. Links are shown to the person, never followed."""

    def __init__(self, name: str, parent: QWidget | None = None, wrap: bool = True) -> None:
        super().__init__(parent)
        self._wrap = wrap
        self._height = -1
        self.setAccessibleName(name)
        self.setDocument(links.SafeDocument(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._on_link)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        if wrap:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        else:
            self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
            option.setWrapMode(QTextOption.WrapMode.NoWrap)
        self.document().setDefaultTextOption(option)

    def show_html(self, html: str, colors: Colors) -> None:
        """Replace the text."""
        document = self.document()
        document.setDefaultFont(self.font())
        document.setDefaultStyleSheet(style(colors, self.font().pointSizeF()))
        document.setHtml(html[:_WIDEST_HTML])
        self.fit()

    def fit(self) -> None:
        """Take the height of the text at this width."""
        document = self.document()
        if self._wrap:
            document.setTextWidth(self.viewport().width())
        height = int(document.size().height() + 0.999)
        bar = self.horizontalScrollBar()
        if not self._wrap and document.idealWidth() > self.viewport().width():
            height += bar.sizeHint().height()
        if height != self._height:
            self._height = height
            self.setFixedHeight(max(height, 1))

    def sizeHint(self) -> QSize:
        """As wide as the text wants, as high as it is."""
        return QSize(int(self.document().idealWidth()) + 2, max(self._height, 1))

    def mark(self, words: str, colors: Colors) -> list[QTextCursor]:
        """Highlight every place where `words` occur and return them; none when `words` is empty."""
        look = QTextCharFormat()
        look.setBackground(QColor(colors.selection))
        found, selections = list[QTextCursor](), list[QTextEdit.ExtraSelection]()
        cursor = self.document().find(words) if words else QTextCursor()
        while not cursor.isNull():
            selection = QTextEdit.ExtraSelection()
            selection.cursor, selection.format = cursor, look
            found.append(cursor)
            selections.append(selection)
            cursor = self.document().find(words, cursor)
        self.setExtraSelections(selections)
        return found

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A new width means new lines."""
        super().resizeEvent(event)
        if self._wrap and event.size().width() != event.oldSize().width():
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave scrolling to the transcript, except sideways in wide code."""
        if not self._wrap and abs(event.angleDelta().x()) > abs(event.angleDelta().y()):
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that move a page scroll the transcript."""
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _on_link(self, url: QUrl) -> None:
        links.ask(self.window(), url)
