"""The line of the Translate page that says which models translate, and the button for others.

Models that were made for the two languages are used by themselves; any other better one is only offered.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal

from edgellm.runtimes.base import Choice
from edgellm.ui.engine_client import Status
from edgellm.ui.language import in_line, told, tr
from edgellm.ui.model_hint import ModelHint
from edgellm.ui.model_selector import display_name
from edgellm.ui.services import Services
from edgellm.ui.translate_models import Made, Standing, Translators


class TranslatorHint(ModelHint):
    """Sends `chosen` when another model is to translate from now on."""

    chosen = Signal()

    def __init__(self, services: Services, translators: Translators) -> None:
        services.models.changed.connect(translators.forget)  # before this asks again
        super().__init__(services, "translate")
        self.translators = translators
        self.made: Made | None = None
        self._top = ""
        self._chosen = bool(services.app.settings.model)

    def look(self) -> None:
        """Find out in the background which models suit the languages best."""
        languages = self._languages
        if self._services.app.settings.model or not all(languages):
            self.made = None
            super().look()
            return

        def show(made: Made | None) -> None:
            if languages == self._languages and not self._services.app.settings.model:  # chosen meanwhile
                self._show_made(made)

        self._services.background.run(lambda: self.translators.made(*languages), show, self._give_up)

    def say_standing(self, event: Standing) -> None:
        """What was found cannot be used after all, or can be again."""
        self._show_made(event.made)

    def _show_made(self, made: Made | None) -> None:
        self.made = made
        if made is None:
            super().look()
            return
        own, two = self.translators.own, len(made.names) > 1
        self.words.set_text(_sentence(made, own))
        ours = tr("Use both") if two else tr("Use {name}").format(name=made.names[0])
        self.button.setText(ours if own else tr("Use {name}").format(name=display_name(self._top)))
        self.button.setAccessibleName(self.button.text())
        self.button.setEnabled(True)
        self.button.setVisible(not made.problem and bool(own or self._top))
        self.show()

    def _show(self, best: Choice[Path]) -> None:
        if self.made is None:  # nothing was found since
            super()._show(best)

    def _on_ready(self, status: Status) -> None:
        self._top = status.model
        chosen = bool(self._services.app.settings.model)
        if chosen != self._chosen:  # in the selector: now their model counts, or none does any more
            self._chosen = chosen
            self.look()
        if self.made is not None and not self._services.app.settings.model:
            self._loaded = status.path
            self._show_made(self.made)
            return
        self.made = None
        super()._on_ready(status)

    def _appear(self) -> None:
        if self.made is None:
            self.button.setVisible(True)
            super()._appear()

    def _use(self) -> None:
        if self.made is None:
            super()._use()
            return
        self.translators.own = not self.translators.own
        self._show_made(self.made)
        self.chosen.emit()


def _sentence(made: Made, own: bool) -> str:
    """What is used, or what could be where the person wants the model at the top of the window."""
    first, second = made.names[0], made.names[-1]
    two = first != second
    if made.problem:
        name = f"{first} + {second}" if two else first
        said = tr("{name} could not be used: {problem}").format(name=name, problem=told(made.problem))
        return in_line(said, told(made.advice))
    if two and own:
        said = tr("Through English, {first} and {second} were made for these two languages.")
    elif two:
        said = tr("Translated through English: {first}, then {second}")
    elif own:
        said = tr("{name} was made for these two languages.")
    else:
        said = tr("Translated by {name}, which was made for these two languages.")
    return said.format(name=first, first=first, second=second)
