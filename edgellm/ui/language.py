"""The window's languages: English in the code, others as one flat table of sentences under `assets/theme/language`.

Every text a person reads goes through `tr`; a table that lacks a sentence leaves it English. Sentences that were made
elsewhere, with their values in them, go through `told` where they enter a label.
"""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from edgellm.errors import EdgeError
from edgellm.paths import assets_dir
from edgellm.tasks.languages import NAMES as NAMES_OF_LANGUAGES
from edgellm.ui.sentences import Sentences
from edgellm.ui.window_words import in_window

CONTEXT, TOLD = "edgellm", "edgellm told"
NAMES = {"system": "Follow the system", "en": "English", "zh_CN": "简体中文"}


def tr(text: str) -> str:
    """`text` in the language of the window."""
    return QCoreApplication.translate(CONTEXT, text)


def told(text: str) -> str:
    """A finished text of one or more sentences, as the window says it: in its language, and without command lines.

    What the tables do not know stays as it is. Telling twice does no harm.
    """
    return QCoreApplication.translate(TOLD, in_window(text)) if text else ""


def told_error(error: EdgeError) -> str:
    """What went wrong, and on the next line what to do about it."""
    return "\n".join(filter(None, (told(error.message), told(error.hint))))


def in_line(*sentences: str) -> str:
    """Sentences one after the other; Chinese ones have no blank between them."""
    text = ""
    for sentence in filter(None, sentences):
        text += sentence if not text or text.endswith(("。", "！", "？")) else f" {sentence}"
    return text


class Table(QTranslator):
    """A translator over a JSON object that maps English sentences to another language."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._sentences: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        self._told = Sentences(self._sentences, [name for name, _ in NAMES_OF_LANGUAGES.values()], clauses=True)

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        """The sentence in this language; None leaves it as it is."""
        if context == TOLD:
            return self._told.say(text)
        return self._sentences.get(text) if context == CONTEXT else None

    def isEmpty(self) -> bool:
        """An empty table would not be installed."""
        return not self._sentences


def code(setting: str) -> str:
    """The language that a setting asks for, as a code such as `zh_CN`."""
    return QLocale.system().name() if setting in ("", "system") else setting


def tables() -> dict[str, Path]:
    """The languages there are tables for."""
    return {path.stem: path for path in sorted((assets_dir() / "theme" / "language").glob("*.json"))}


def install(app: QApplication, setting: str) -> None:
    """Use a language from now on: its table, Qt's own sentences, and the direction of its script."""
    wanted = code(setting)
    found = tables()
    stem = wanted if wanted in found else next((name for name in found if name[:2] == wanted[:2]), "")
    if stem:
        table = Table(found[stem])
        table.setParent(app)
        app.installTranslator(table)
    qt = QTranslator(app)
    if qt.load(f"qtbase_{wanted}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(qt)
    locale = QLocale(wanted)
    right_to_left = locale.textDirection() == Qt.LayoutDirection.RightToLeft
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft if right_to_left else Qt.LayoutDirection.LeftToRight)
