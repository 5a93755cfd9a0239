"""The row above a translation: languages, text or files, and behind a button the glossary and the memory."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from edgellm.tasks.languages import NAMES
from edgellm.ui.buttons import IconButton
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.flow import Flow
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.translate_memory import MemoryRow
from edgellm.ui.translate_view import detected, language_name
from edgellm.ui.translate_work import Languages, Wish

TEXT, FILES = "text", "files"
_TAUGHT = ("en", "fr", "de", "es", "zh")  # by the starter; they stand first
_FIRST_TARGET = "fr"


class LanguageBox(QComboBox):
    """A choice of languages; `code` is empty where the language is to be found."""

    def __init__(self, name: str, first: str = "") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._first = first
        if first:
            self.addItem(first, "")
        for code in _TAUGHT:
            self.addItem(language_name(code), code)
        self.insertSeparator(self.count())
        for code in sorted(set(NAMES) - set(_TAUGHT), key=language_name):
            self.addItem(language_name(code), code)

    @property
    def code(self) -> str:
        """The chosen language."""
        return str(self.currentData() or "")

    def choose(self, code: str) -> None:
        """Choose a language; one that is not in the list changes nothing."""
        at = self.findData(code)
        if at >= 0:
            self.setCurrentIndex(at)

    def call_first(self, words: str = "") -> None:
        """What the first entry says; nothing puts back what it said at the beginning."""
        self.setItemText(0, words or self._first)


class Choices(QWidget):
    """Sends `languages_changed`, `live_changed`, `mode_changed`, `terms_changed`, `swapped`."""

    languages_changed = Signal()
    live_changed = Signal()
    mode_changed = Signal()
    terms_changed = Signal()
    swapped = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self.glossary: Path | None = None
        self.source = LanguageBox(tr("Language of the text"), tr("Detect the language"))
        self.target = LanguageBox(tr("Language of the translation"))
        self.target.choose(_first_target())
        self.swap = IconButton(services.theme, "swap", tr("Swap the languages"))
        self.live = QCheckBox(tr("As you type"))
        self.live.setToolTip(tr("Translate a moment after you stop typing"))
        self.live.setChecked(True)
        self.text_mode, self.files_mode = _mode(tr("Text"), True), _mode(tr("Whole files"), False)
        self._modes = QButtonGroup(self)
        self._modes.addButton(self.text_mode)
        self._modes.addButton(self.files_mode)
        self.options = QPushButton(tr("Options"))
        self.options.setProperty("kind", "quiet")
        self.options.setCheckable(True)
        self.panel = QFrame()
        self.panel.setObjectName("panel")
        self.keep = QLineEdit()
        self.choose_glossary = QPushButton(tr("Choose a glossary…"))
        self.no_glossary = IconButton(services.theme, "close", tr("Use no glossary"), size=14)
        self._glossary_name = ElidedLabel()
        self.pdf = QCheckBox(tr("A PDF becomes a Word document, not plain text"))
        self.memory = MemoryRow(services)
        self._arrange()
        self._connect()
        self._show_glossary()

    @property
    def mode(self) -> str:
        """`text` or `files`."""
        return FILES if self.files_mode.isChecked() else TEXT

    @property
    def wish(self) -> Wish:
        """What a translation is to be."""
        glossary = str(self.glossary) if self.glossary is not None else ""
        pdf = self.pdf_suffix(self.pdf.isChecked())
        return Wish(self.target.code, self.source.code, glossary, self.keep.text().strip(), pdf)

    @staticmethod
    def pdf_suffix(word: bool) -> str:
        """The ending of what a PDF becomes."""
        return ".docx" if word else ".txt"

    def set_mode(self, mode: str) -> None:
        """Show text or files."""
        (self.files_mode if mode == FILES else self.text_mode).setChecked(True)

    def show_found(self, languages: Languages | None) -> None:
        """Which language was found."""
        given = languages is None or languages.given
        self.source.call_first("" if given or languages is None else detected(languages))

    def use_glossary(self, path: Path | None) -> None:
        """Take the terms of this file."""
        self.glossary = path
        self._show_glossary()
        self.terms_changed.emit()

    def set_working(self, working: bool) -> None:
        """While files are translated, the languages stay."""
        for control in (self.source, self.target, self.swap, self.panel):
            control.setEnabled(not working)

    def _arrange(self) -> None:
        row = Flow(gap=8)
        for widget in (self.text_mode, self.files_mode, self.source, self.swap, self.target, self.live, self.options):
            widget.ensurePolished()
            widget.setMinimumHeight(self.target.sizeHint().height())  # one line, whatever each would like
            row.addWidget(widget)
        self.choose_glossary.setProperty("kind", "small")
        self.keep.setPlaceholderText(tr("EdgeLLM, Harbor Street"))
        words = QLabel(tr("Words that stay as they are, with commas between:"))
        words.setBuddy(self.keep)
        self.keep.setAccessibleName(tr("Words that stay as they are"))
        first, second = QHBoxLayout(), QHBoxLayout()
        self._glossary_name.setProperty("role", "faint")
        first.addWidget(self.choose_glossary)
        first.addWidget(self._glossary_name, 1)
        first.addWidget(self.no_glossary)
        second.addWidget(words)
        second.addWidget(self.keep, 1)
        inner = QVBoxLayout(self.panel)
        inner.setContentsMargins(14, 10, 14, 10)
        inner.setSpacing(8)
        for line in (first, second):
            inner.addLayout(line)
        inner.addWidget(self.pdf)
        inner.addLayout(self.memory)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.panel)
        self.panel.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.panel.hide()

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(self._on_language)
        self.target.currentIndexChanged.connect(self._on_language)
        self.swap.clicked.connect(self.swapped)
        self.live.toggled.connect(self.live_changed)
        self.files_mode.toggled.connect(self._on_mode)
        self.options.toggled.connect(self.panel.setVisible)
        self.choose_glossary.clicked.connect(self._ask_glossary)
        self.no_glossary.clicked.connect(lambda: self.use_glossary(None))
        self.keep.editingFinished.connect(self._on_keep)
        self.options.toggled.connect(self.memory.reload)
        self._kept_words = ""

    def _on_language(self) -> None:
        self.source.call_first()
        self.languages_changed.emit()

    def _on_mode(self, files: bool) -> None:
        self.live.setVisible(not files)
        self.mode_changed.emit()

    def _on_keep(self) -> None:
        if self.keep.text() != self._kept_words:
            self._kept_words = self.keep.text()
            self._mark()
            self.terms_changed.emit()

    def _ask_glossary(self) -> None:
        kinds = tr("Tables") + " (*.csv *.tsv *.txt)"
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Choose a glossary…"), "", kinds)
        if chosen:
            self.use_glossary(Path(chosen))

    def _show_glossary(self) -> None:
        there = self.glossary is not None
        self._glossary_name.set_text(
            self.glossary.name
            if self.glossary is not None
            else tr("A CSV file: each line a term, and what it becomes; nothing means that it stays.")
        )
        self.no_glossary.setVisible(there)
        self._mark()

    def _mark(self) -> None:
        self.options.setProperty("filled", self.glossary is not None or bool(self.keep.text().strip()))
        self.options.style().polish(self.options)


def _mode(words: str, on: bool) -> QPushButton:
    made = QPushButton(words)
    made.setProperty("kind", "quiet")
    made.setCheckable(True)
    made.setChecked(on)
    return made


def _first_target() -> str:
    code = QLocale().name()[:2]
    return code if code in NAMES and code != "en" else _FIRST_TARGET
