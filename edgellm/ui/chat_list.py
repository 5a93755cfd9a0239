"""The list of chats: search, new, rename in place, delete. The store is read in the background."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import (
    QDateTime,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetrics, QIcon, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from edgellm.chats.store import TITLE_LENGTH, Chat, Store
from edgellm.ui.buttons import AccentButton, IconButton
from edgellm.ui.icons import icon
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.theme import Theme
from edgellm.ui.tips import tip

_SEARCH_MS = 150
_CHAT, _TITLE, _BELOW = (Qt.ItemDataRole.UserRole + n for n in range(3))
_ROW_SPACE = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: a chat, and what is written below its title."""

    chat: int
    title: str
    below: str


def entries(store: Store, words: str) -> tuple[Entry, ...]:
    """The chats that have something in them, or the places where `words` occur, one per chat."""
    if not words.strip():
        kept = [chat for chat in store.chats() if chat.leaf is not None or chat.draft.strip()]
        return tuple(Entry(chat.id, name(chat), _when(chat)) for chat in kept)
    found: dict[int, Entry] = {}
    for hit in store.search(words):
        below = hit.excerpt if hit.message is not None else _when(hit.chat)
        found.setdefault(hit.chat.id, Entry(hit.chat.id, name(hit.chat), below))
    return tuple(found.values())


def name(chat: Chat) -> str:
    """What a chat is called in the window."""
    if len(chat.title) == TITLE_LENGTH:
        return chat.title + "…"  # the store cuts the first message there
    return chat.title or " ".join(chat.draft.split())[:60] or tr("New chat")


def _when(chat: Chat) -> str:
    if chat.draft.strip():
        return tr("Draft")
    moment, now = QDateTime.fromSecsSinceEpoch(int(chat.updated)), QDateTime.fromSecsSinceEpoch(int(time.time()))
    days = moment.date().daysTo(now.date())
    clock = QLocale().toString(moment.time(), QLocale.FormatType.ShortFormat)
    if days == 0:
        return clock
    if days == 1:
        return tr("Yesterday, {time}").format(time=clock)
    return QLocale().toString(moment.date(), QLocale.FormatType.ShortFormat)


class _Row(QStyledItemDelegate):
    """Two lines per chat, in the colors of the theme."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same height for every row: two lines of text."""
        return QSize(100, option.fontMetrics.height() + QFontMetrics(_small(option.font)).height() + _ROW_SPACE)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the row."""
        colors = self._theme.colors
        state, area = option.state, option.rect.adjusted(6, 2, -6, -2)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(colors.tint if chosen else colors.hover))
            painter.drawRoundedRect(area, 8, 8)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colors.accent), 2))
            painter.drawRoundedRect(area, 8, 8)
        inner = area.adjusted(12, 0, -10, 0)
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold if chosen else QFont.Weight.Normal)
        first, small = QFontMetrics(font).height(), _small(option.font)
        second = QFontMetrics(small).height()
        top = inner.top() + (inner.height() - first - second) // 2
        self._line(painter, font, colors.text, QRect(inner.left(), top, inner.width(), first), index.data(_TITLE))
        below = QRect(inner.left(), top + first, inner.width(), second)
        self._line(painter, small, colors.muted, below, index.data(_BELOW))
        painter.restore()

    @staticmethod
    def _line(painter: QPainter, font: QFont, color: str, area: QRect, text: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(color))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        start = QStyle.visualAlignment(painter.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
        painter.drawText(area, int(start | Qt.AlignmentFlag.AlignVCenter), shown)


def _small(font: QFont) -> QFont:
    made = QFont(font)
    made.setPointSizeF(QFontInfo(font).pointSizeF() * 0.86)
    return made


class _Chats(QListWidget):
    """The list itself; Delete and F2 work on the chosen chat."""

    removed = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete puts the chat away."""
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None:
            self.removed.emit(item.data(_CHAT))
        else:
            super().keyPressEvent(event)


class ChatList(QFrame):
    """Sends `opened` with a chat's id, `new_wanted`, `import_wanted`, and `deleted` with id and title."""

    opened = Signal(int)
    new_wanted = Signal()
    import_wanted = Signal()
    deleted = Signal(int, str)

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._current: int | None = None
        self.setObjectName("chats")
        self.new = AccentButton(services.theme, tr("New chat"), "plus")
        services.keyboard.describe(self.new, tr("Start a new chat"), "new")
        self.new.clicked.connect(self.new_wanted)
        self.bring_in = IconButton(services.theme, "import", tr("Import a chat"))
        self.bring_in.clicked.connect(self.import_wanted)
        self.search = QLineEdit(placeholderText=tr("Search chats"), clearButtonEnabled=True)
        self.search.setAccessibleName(tr("Search chats"))
        services.keyboard.describe(self.search, tr("Search titles and messages"), "search")
        self._glass = self.search.addAction(self._drawing(), QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._timer.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _: self._timer.start())
        self.list = self._make_list()
        self._nothing = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self._nothing.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 12, 10, 8)
        layout.setSpacing(10)
        top = QHBoxLayout()
        top.addWidget(self.new, 1)
        top.addWidget(self.bring_in)
        layout.addLayout(top)
        layout.addWidget(self.search)
        layout.addWidget(self._nothing)
        layout.addWidget(self.list, 1)
        services.theme.changed.connect(lambda: self._glass.setIcon(self._drawing()))
        self._nothing.hide()

    def reload(self) -> None:
        """Read the chats again."""
        words = self.search.text()
        store = self._services.app.store
        self._services.background.run(
            lambda: entries(store(), words), lambda found: self._fill(found, words), self._services.notices.complain
        )

    def choose(self, chat: int | None) -> None:
        """Mark the chat that is open."""
        self._current = chat
        self.list.blockSignals(True)
        self.list.setCurrentRow(-1)
        for row in range(self.list.count()):
            if self.list.item(row).data(_CHAT) == chat:
                self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    def rename(self, chat: int) -> None:
        """Edit a title in place."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item.data(_CHAT) == chat:
                self.list.editItem(item)

    def _make_list(self) -> _Chats:
        made = _Chats()
        made.setObjectName("chatlist")
        made.setAccessibleName(tr("Chats"))
        made.setFrameShape(QFrame.Shape.NoFrame)
        made.setItemDelegate(_Row(self._services.theme, made))
        made.setMouseTracking(True)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        made.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(self._menu)
        made.currentItemChanged.connect(self._on_chosen)
        made.itemChanged.connect(self._on_renamed)
        made.removed.connect(self._remove)
        return made

    def _fill(self, found: tuple[Entry, ...], words: str) -> None:
        if words != self.search.text() or self.list.state() == QAbstractItemView.State.EditingState:
            return
        self.list.blockSignals(True)
        self.list.clear()
        for entry in found:
            item = QListWidgetItem(entry.title)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setToolTip(tip(entry.title))
            for role, value in ((_CHAT, entry.chat), (_TITLE, entry.title), (_BELOW, entry.below)):
                item.setData(role, value)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.title}, {entry.below}")
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._nothing.setVisible(not found)
        self._nothing.setText(
            tr("No chat has these words.") if words.strip() else tr("Your chats will be listed here.")
        )
        self.choose(self._current)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.opened.emit(item.data(_CHAT))

    def _on_renamed(self, item: QListWidgetItem) -> None:
        title = item.text().strip()
        if title and title != item.data(_TITLE):
            self._services.conversation.rename(item.data(_CHAT), title)

    def _remove(self, chat: int) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(_CHAT) == chat:
                self.deleted.emit(chat, self.list.item(row).data(_TITLE))
                return

    def _menu(self, point: QPoint) -> None:
        item = self.list.itemAt(point)
        if item is None:
            return
        chat = item.data(_CHAT)
        menu = QMenu(self)
        menu.addAction(tr("Rename (F2)"), lambda: self.rename(chat))
        menu.addAction(tr("Delete (Del)"), lambda: self._remove(chat))
        menu.exec(self.list.viewport().mapToGlobal(point))

    def _drawing(self) -> QIcon:
        return icon("search", self._services.theme.colors.muted, size=16)
