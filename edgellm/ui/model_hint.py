"""One line on a task's page: another installed model suits this task better, why, and a button that loads it.

Shown only where the person has chosen no model themselves. Loading it here is for now: the next start is as before.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from edgellm.errors import EdgeError
from edgellm.runtimes.base import Choice
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.engine_client import Status
from edgellm.ui.language import told, tr
from edgellm.ui.services import Services


class ModelHint(QFrame):
    """Hidden while there is nothing to say. `task` is one of a card's tasks; `look` asks again."""

    def __init__(self, services: Services, task: str) -> None:
        super().__init__()
        self.setObjectName("hint")
        self._services, self._task = services, task
        self._better: Path | None = None
        self._loaded: Path | None = None
        self._languages = ("", "")
        self.words = ElidedLabel()
        self.words.setProperty("role", "faint")
        self.button = QPushButton(tr("Use another model"))
        self.button.setProperty("kind", "small")
        self.button.clicked.connect(self._use)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 4, 14, 0)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        services.worker.ready.connect(self._on_ready)
        services.models.changed.connect(self.look)
        self.hide()

    def for_languages(self, source: str, target: str) -> None:
        """A translation between other languages may want another model. Both are codes, or empty."""
        if (source, target) != self._languages:
            self._languages = (source, target)
            self.look()

    def look(self) -> None:
        """Find out in the background which model suits best."""
        app, languages = self._services.app, self._languages
        if app.settings.model:
            self.hide()
            return
        self._services.background.run(lambda: app.model_for(self._task, *languages), self._show, self._give_up)

    def _show(self, best: Choice[Path]) -> None:
        self._better = best.value if best.reason else None
        self.words.set_text(told(best.reason))
        name = best.value.name if best.value.is_dir() else best.value.stem
        self.button.setText(tr("Use {name}").format(name=name))
        self.button.setAccessibleName(self.button.text())
        self.button.setEnabled(True)
        self._appear()

    def _give_up(self, _: EdgeError) -> None:
        self.hide()

    def _on_ready(self, status: Status) -> None:
        self._loaded = status.path
        self._appear()

    def _appear(self) -> None:
        chosen = self._services.app.settings.model  # maybe after the background was asked
        self.setVisible(self._better is not None and self._better != self._loaded and not chosen)

    def _use(self) -> None:
        if self._better is not None:
            self.button.setEnabled(False)
            self._services.worker.load(str(self._better), asked=True)
