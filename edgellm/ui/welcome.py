"""What an empty chat shows: what the built-in starter is, and examples it can really do. One click sends an example."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui.icons import app_icon, pixmap
from edgellm.ui.language import tr
from edgellm.ui.models_offer import Offer, OfferCard
from edgellm.ui.remote_place import Place
from edgellm.ui.theme import Theme

_WIDTH = 720
_MARGIN, _GAP = 20, 12


@dataclass(frozen=True, slots=True)
class Example:
    """An example prompt: its drawing, what it does, what the card shows, and what is sent."""

    icon: str
    title: str
    shown: str
    prompt: str


def examples() -> tuple[Example, ...]:
    """One per job of the starter, in the very prompts that the tasks send (a test compares; `tasks` imports numpy)."""
    sentence = "Where is the nearest pharmacy, please?"
    note = "Anna went to the market on Monday. She bought three apples for her brother."
    question = "What did Anna buy?"
    news = "Paul visited the museum in Paris yesterday. It was raining. He was happy."
    review = "The hotel was clean and the food was delicious."
    story = "Write a short story about Emma and a dog."
    asked = f"Answer from the text, or reply: The text does not say.\nText: {note}\nQuestion: {question}"
    answered = tr("{question} Answered from a note.").format(question=question)
    labels = f"Classify the text as one of: positive, negative\nText: {review}"
    return (
        Example("translate", tr("Translate a sentence"), sentence, f"Translate from English to French:\n{sentence}"),
        Example("question", tr("Answer from a text"), answered, asked),
        Example("summarize", tr("Summarize a note"), news, f"Summarize in one sentence:\n{news}"),
        Example("classify", tr("Classify a text"), review, labels),
        Example("write", tr("Write a short story"), story, story),
        Example("spark", tr("Ask what it can do"), "What can you do?", "What can you do?"),
    )


def _starter(*, short: bool) -> str:
    """What the built-in model is."""
    if short:
        return tr(
            "It is tiny and knows everyday sentences in English, French, German, Spanish and Chinese. It refuses "
            "nearly every question from outside its world, but not all: do not believe the rest."
        )
    return tr(
        "It is tiny, works without a network, and knows everyday sentences in English, French, German, Spanish "
        "and Chinese: translating, short summaries, answers from a short text, classifying, little stories. "
        "It refuses nearly every question from outside its world, but not all: do not believe the rest. "
        "For anything else, get a larger model from the Models page."
    )


class _Card(QPushButton):
    """A button with a drawing, a title and an example, as high as its texts need in any font and language."""

    def __init__(self, theme: Theme, example: Example) -> None:
        super().__init__()
        self._theme, self.example = theme, example
        self.setProperty("kind", "card")
        self.setAccessibleName(f"{example.title}: {example.shown}")
        self.setToolTip(example.prompt)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._drawing = QLabel()
        title = QLabel(example.title)
        title.setProperty("role", "strong")
        shown = QLabel(example.shown, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        shown.setProperty("role", "muted")
        shown.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(title)
        column.addWidget(shown, 1)
        row = self._inside = QHBoxLayout(self)
        row.setContentsMargins(14, 11, 12, 11)
        row.setSpacing(12)
        row.addWidget(self._drawing, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        for label in (self._drawing, title, shown):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.paint_icon)
        self.paint_icon()

    def sizeHint(self) -> QSize:
        """That of the texts: a button knows nothing of its layout."""
        return self._inside.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """That of the texts."""
        return self._inside.minimumSize()

    def hasHeightForWidth(self) -> bool:
        """The example wraps."""
        return True

    def heightForWidth(self, width: int) -> int:
        """What the wrapped texts take."""
        return self._inside.totalHeightForWidth(width)

    def paint_icon(self) -> None:
        """Draw in the colors of the theme."""
        self._drawing.setPixmap(pixmap(self.example.icon, self._theme.colors.accent, 22))


class Welcome(QScrollArea):
    """Sends `chosen` with the prompt of the example that was clicked."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("transcript")
        self.setAccessibleName(tr("Examples"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QWidget()
        column.setObjectName("column")
        column.setMaximumWidth(_WIDTH)
        rows = QVBoxLayout(column)
        rows.setContentsMargins(_MARGIN, 16, _MARGIN, 16)
        rows.setSpacing(14)
        rows.addStretch(2)
        rows.addLayout(self._heading())
        self.offer = OfferCard(theme)
        rows.addWidget(self.offer)
        rows.addLayout(self._make_grid())
        self.notice = self._starter_card()
        rows.addWidget(self.notice)
        rows.addStretch(3)
        page = QWidget()
        page.setObjectName("page")
        around = QHBoxLayout(page)
        around.setContentsMargins(0, 0, 0, 0)
        around.addStretch(1)
        around.addWidget(column, 100)
        around.addStretch(1)
        self.setWidget(page)
        theme.changed.connect(self._paint_icons)
        self._paint_icons()

    def show_starter(self, on: bool) -> None:
        """The card about the starter belongs to the starter only."""
        self.notice.setVisible(on)

    def show_offer(self, offer: Offer | None) -> None:
        """Offer a model, or nothing; what the starter is then takes one sentence less."""
        self.offer.show_offer(offer)
        self._mark.setVisible(offer is None)
        self._starter_words.setText(_starter(short=offer is not None))

    def show_place(self, place: Place | None) -> None:
        """Where what is written goes: nowhere, or to a server."""
        here = tr("Everything happens on this computer. Write below, or try one of these.")
        self._where.setText(here if place is None else place.sentence)

    def _heading(self) -> QVBoxLayout:
        self._mark = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        title = QLabel(tr("What shall we write?"), alignment=Qt.AlignmentFlag.AlignCenter)
        title.setProperty("role", "title")
        self._where = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._where.setProperty("role", "muted")
        self.show_place(None)
        column = QVBoxLayout()
        column.setSpacing(8)
        for label in (self._mark, title, self._where):
            column.addWidget(label)
        return column

    def _make_grid(self) -> QGridLayout:
        self._grid = QGridLayout()
        self._grid.setSpacing(_GAP)
        self._cards = [_Card(self._theme, example) for example in examples()]
        for card in self._cards:
            card.clicked.connect(lambda _=False, prompt=card.example.prompt: self.chosen.emit(prompt))
        self._columns = 0
        self._arrange(2)
        return self._grid

    def _arrange(self, columns: int) -> None:
        """Put the cards into one column or two."""
        if columns == self._columns:
            return
        self._columns = columns
        for card in self._cards:
            self._grid.removeWidget(card)
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // columns, number % columns)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, columns - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two cards stand beside each other where there is room for their titles."""
        super().resizeEvent(event)
        widest = max(card.minimumSizeHint().width() for card in self._cards)
        self._arrange(2 if 2 * widest + _GAP + 2 * _MARGIN <= self.viewport().width() else 1)

    def _starter_card(self) -> QFrame:
        card = QFrame()
        card.setObjectName("starter")
        self._info = QLabel()
        title = QLabel(tr("This is the built-in starter model"))
        title.setProperty("role", "strong")
        words = self._starter_words = QLabel(_starter(short=False), wordWrap=True)
        words.setProperty("role", "muted")
        column = QVBoxLayout()
        column.setSpacing(3)
        column.addWidget(title)
        column.addWidget(words)
        row = QHBoxLayout(card)
        row.setContentsMargins(14, 12, 14, 12)
        row.setSpacing(12)
        row.addWidget(self._info, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        return card

    def _paint_icons(self) -> None:
        self._mark.setPixmap(app_icon().pixmap(48, 48))
        self._info.setPixmap(pixmap("info", self._theme.colors.accent, 20))
