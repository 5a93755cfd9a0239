"""What an empty chat shows: what the built-in starter is, and examples it can really do. One click sends an example."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from edgellm.ui.icons import app_icon, pixmap
from edgellm.ui.language import tr
from edgellm.ui.theme import Theme

_WIDTH = 720


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


class _Card(QPushButton):
    """A button with a drawing, a title and two lines of example."""

    def __init__(self, theme: Theme, example: Example) -> None:
        super().__init__()
        self._theme, self._example = theme, example
        self.setProperty("kind", "card")
        self.setAccessibleName(f"{example.title}: {example.shown}")
        self.setToolTip(example.prompt)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(84)
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
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 12, 8)
        row.setSpacing(12)
        row.addWidget(self._drawing, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        for label in (self._drawing, title, shown):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.paint_icon)
        self.paint_icon()

    def paint_icon(self) -> None:
        """Draw in the colors of the theme."""
        self._drawing.setPixmap(pixmap(self._example.icon, self._theme.colors.accent, 22))


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
        rows.setContentsMargins(20, 16, 20, 16)
        rows.setSpacing(14)
        rows.addStretch(2)
        rows.addLayout(self._heading())
        rows.addLayout(self._grid())
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

    def _heading(self) -> QVBoxLayout:
        self._mark = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        title = QLabel(tr("What shall we write?"), alignment=Qt.AlignmentFlag.AlignCenter)
        title.setProperty("role", "title")
        below = QLabel(
            tr("Everything happens on this computer. Write below, or try one of these."),
            alignment=Qt.AlignmentFlag.AlignCenter,
            wordWrap=True,
        )
        below.setProperty("role", "muted")
        column = QVBoxLayout()
        column.setSpacing(8)
        for label in (self._mark, title, below):
            column.addWidget(label)
        return column

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(12)
        for number, example in enumerate(examples()):
            card = _Card(self._theme, example)
            card.clicked.connect(lambda _=False, prompt=example.prompt: self.chosen.emit(prompt))
            grid.addWidget(card, number // 2, number % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _starter_card(self) -> QFrame:
        card = QFrame()
        card.setObjectName("starter")
        self._info = QLabel()
        title = QLabel(tr("This is the built-in starter model"))
        title.setProperty("role", "strong")
        words = QLabel(
            tr(
                "It is tiny, works without a network, and knows everyday sentences in English, French, German, Spanish "
                "and Chinese: translating, short summaries, answers from a short text, classifying, little stories. "
                "For anything else, open a larger model (a .gguf file) from the model menu above."
            ),
            wordWrap=True,
        )
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
