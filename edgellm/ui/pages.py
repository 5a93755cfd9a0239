"""The table of pages: what the left rail lists, and what a page that is not built yet says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from edgellm.ui.buttons import AccentButton
from edgellm.ui.icons import pixmap
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.theme import Theme

_SENTENCE_WIDTH = 440


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `lower` ones stand at the foot of the rail; `make` builds the widget when it is first opened."""

    key: str
    title: str
    make: Callable[[Services], QWidget]
    lower: bool = False


@dataclass(frozen=True, slots=True)
class Soon:
    """What a page that is still to come says: one sentence, and one button that helps today.

    `action` is `copy` (the command line's way to the clipboard) or `chat`.
    """

    sentence: str
    button: str
    action: str
    command: str = ""


class SoonPage(QWidget):
    """An honest empty page. Sends `wanted` with the action of its button."""

    wanted = Signal(str, str)

    def __init__(self, theme: Theme, key: str, title: str, soon: Soon) -> None:
        super().__init__()
        self._theme, self._key = theme, key
        self._mark = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        heading = QLabel(title, alignment=Qt.AlignmentFlag.AlignCenter)
        heading.setProperty("role", "title")
        sentence = QLabel(soon.sentence, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        sentence.setProperty("role", "muted")
        sentence.setFixedWidth(_SENTENCE_WIDTH)
        sentence.setMinimumHeight(sentence.heightForWidth(_SENTENCE_WIDTH))
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setSpacing(14)
        column.addStretch(2)
        column.addWidget(self._mark)
        column.addWidget(heading)
        column.addWidget(sentence, 0, Qt.AlignmentFlag.AlignCenter)
        if soon.command:
            command = QLabel(soon.command, alignment=Qt.AlignmentFlag.AlignCenter)
            command.setProperty("role", "command")
            command.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            column.addWidget(command, 0, Qt.AlignmentFlag.AlignCenter)
        button = AccentButton(theme, soon.button, "copy" if soon.action == "copy" else "")
        button.clicked.connect(lambda: self.wanted.emit(soon.action, soon.command))
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)
        theme.changed.connect(self._paint_icon)
        self._paint_icon()

    def _paint_icon(self) -> None:
        self._mark.setPixmap(pixmap(self._key, self._theme.colors.accent, 44))


def pages() -> tuple[Page, ...]:
    """All pages in the order of the rail, which is also that of Ctrl+1 to Ctrl+9."""
    return (
        Page("chat", tr("Chat"), _chat),
        Page("summarize", tr("Summarize"), _summarize),
        Page("translate", tr("Translate"), _translate),
        Page("documents", tr("Documents"), _documents),
        Page("classify", tr("Classify"), _classify),
        Page("models", tr("Models"), _models, lower=True),
        Page("workbench", tr("Workbench"), _workbench, lower=True),
        Page("monitor", tr("Monitor"), _monitor, lower=True),
        Page("settings", tr("Settings"), _settings, lower=True),
    )


def _chat(services: Services) -> QWidget:
    from edgellm.ui.chat_page import ChatPage

    return ChatPage(services)


def _documents(services: Services) -> QWidget:
    from edgellm.ui.documents_page import DocumentsPage

    return DocumentsPage(services)


def _summarize(services: Services) -> QWidget:
    from edgellm.ui.summarize_page import SummarizePage

    return SummarizePage(services)


def _classify(services: Services) -> QWidget:
    from edgellm.ui.classify_page import ClassifyPage

    return ClassifyPage(services)


def _translate(services: Services) -> QWidget:
    from edgellm.ui.translate_page import TranslatePage

    return TranslatePage(services)


def _models(services: Services) -> QWidget:
    from edgellm.ui.models_page import ModelsPage

    return ModelsPage(services)


def _workbench(services: Services) -> QWidget:
    sentence = tr("Making a model smaller and faster on this computer is still to come.")
    return SoonPage(services.theme, "workbench", tr("Workbench"), Soon(sentence, tr("Go to Chat"), "chat"))


def _monitor(services: Services) -> QWidget:
    from edgellm.ui.monitor_page import MonitorPage

    return MonitorPage(services)


def _settings(services: Services) -> QWidget:
    from edgellm.ui.settings_page import SettingsPage

    return SettingsPage(services)
