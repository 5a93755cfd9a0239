"""The half of the Translate page that is about a text: what is typed, its translation, and which sentences match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.errors import EdgeError
from edgellm.runtimes.base import Chunk
from edgellm.ui import translate_view
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.task_work import Body
from edgellm.ui.translate_kept import translated
from edgellm.ui.translate_text import Alignment, TextSource, TranslationPane
from edgellm.ui.translate_work import Asked, Languages, Translated, Wish, text_body

_TYPED_MS = 600
_DRAW_MS = 120
_LONG = 20_000  # characters; longer translations are drawn less often while they grow
_DRAW_LONG_MS = 700


class TextDesk(QObject):
    """Sends `changed` when something on it did, `outdated` when it is no longer the text that is being translated,
    `paused` when typing did, and `found` with the languages of a translation, or None."""

    changed = Signal()
    outdated = Signal()
    paused = Signal()
    found = Signal(object)

    def __init__(self, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self.box = TextSource(services, tr("Text"), tr("Type or paste a text here, or drop files."))
        self.pane = TranslationPane(services)
        self.alignment = Alignment(services, self.box.text, self.pane.view, self)
        self.made: Translated | None = None  # the newest translation that ended, well or not
        self.result = ""
        self.unfinished = False
        self.stale = False  # the text changed while it was being translated
        self._kept_made: object = None  # belongs to a file that is still being read again
        self._typed = QTimer(self, singleShot=True, interval=_TYPED_MS)
        self._drawing = QTimer(self, singleShot=True)
        self.pane.saves = {**self.pane.saves, ".csv": (tr("Table of sentences"), self._sentences)}
        self.pane.sources = lambda: self.box.paths
        self._typed.timeout.connect(self.paused)
        self._drawing.timeout.connect(self.draw)

    @property
    def text(self) -> str:
        """What is to be translated."""
        return self.box.source.text

    def restore(self, state: dict[str, Any]) -> None:
        """Show what was kept; every value may be missing or of another kind."""
        self.box.put(str(state.get("text", "")))
        file = str(state.get("file") or "")
        self.result = str(state.get("result", ""))
        if file:
            self.box.take([Path(file)])
            self._kept_made = state.get("made") or {}
        else:
            self.made = translated(state.get("made"), self.text, self.result)
        self.unfinished = state.get("unfinished") is True
        self.draw()
        self.show_made()

    def again(self, live: bool) -> None:
        """The text, or how it is to be translated, changed."""
        if self._came_back():
            return
        self.alignment.show_pairs((), "", "")
        self.unfinished = False
        self.outdated.emit()
        if self.box.source.empty:
            self._typed.stop()
            self.made, self.result = None, ""
            self.found.emit(None)
            self.draw()
            self.show_made()
        elif live and self.text.strip():
            self._typed.start()
        self.changed.emit()

    def begin(self) -> None:
        """It is translated now, whether typing pauses or not."""
        self._typed.stop()

    def body(self, wish: Wish, asked: Asked) -> Body | None:
        """The work; None where there is no text."""
        text = self.text
        if not text.strip():
            return None
        before = self.made.beginning(text, wish) if self.made is not None else None
        self.result, self.unfinished, self.stale = "", True, False
        return text_body(text, wish, asked, before)

    def on_chunk(self, event: Chunk) -> None:
        """A piece of the translation."""
        if not self.stale:
            self.result += event.text
            if not self._drawing.isActive():
                self._drawing.start(_DRAW_MS if len(self.result) < _LONG else _DRAW_LONG_MS)

    def take(self, made: Translated) -> None:
        """Show the whole of it, unless the text changed meanwhile."""
        if not self.stale:
            self.made, self.result, self.unfinished = made, made.result, not made.finished
            self.draw()
            self.show_made()

    def end(self) -> None:
        """The work is over, however it ended. Where nothing came of it, what there was before is there again."""
        before = self.made
        if not self.result:
            there = before is not None and before.text == self.text and not before.finished
            self.result = before.result if there and before is not None else ""
            self.unfinished = there and bool(self.result)
        self.draw()

    @property
    def standing(self) -> str:
        """What is shown, in words: its languages, and that it was stopped."""
        said = translate_view.line(self.made.languages) if self.made is not None and self.result else ""
        return " · ".join(filter(None, (tr("Stopped") if self.unfinished else "", said)))

    def say(self, error: EdgeError) -> None:
        """An error, said below the translation: the person is typing."""
        self.unfinished = False
        self.pane.say_notes([f"{error.message} {error.hint}".strip()])

    def draw(self) -> None:
        """Show what there is of the translation."""
        self._drawing.stop()
        self.pane.show_result(self.result)
        self.changed.emit()

    def show_made(self) -> None:
        """The sentences of the translation, and what is doubtful about it."""
        made = self.made
        self.pane.say_notes(translate_view.notes(made) if made is not None else ())
        if made is None:
            self.alignment.show_pairs((), "", "")
            return
        self.found.emit(made.languages)
        self.alignment.show_pairs(made.pairs, made.text, made.result)

    def forget(self) -> None:
        """The translation was made with other terms or another model."""
        self.made = None

    def languages(self) -> Languages | None:
        """Those of the translation."""
        return self.made.languages if self.made is not None else None

    def _came_back(self) -> bool:
        """Whether the text is that of a file that was open before a restart."""
        if self._kept_made is None:
            return False
        if self.box.paths and not self.box.reading:
            self.made, self._kept_made = translated(self._kept_made, self.text, self.result), None
            self.show_made()
            self.changed.emit()
        return bool(self.box.paths)

    def _sentences(self) -> str:
        return translate_view.table(self.made) if self.made is not None else ""
