"""The translation memory among a page's options: whether files use it, and a button that clears it."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton

from edgellm.errors import EdgeError
from edgellm.ui import translate_file_work
from edgellm.ui.language import tr
from edgellm.ui.services import Services


class MemoryRow(QHBoxLayout):
    """One line. The switch is the setting of the same name."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self.used = QCheckBox(tr("Remember translated paragraphs of files"))
        self.used.setChecked(services.app.settings.translation_memory)
        self.forget = QPushButton(tr("Clear the memory"))
        self.forget.setProperty("kind", "small")
        self.addWidget(self.used)
        self.addStretch(1)
        self.addWidget(self.forget)
        self.used.toggled.connect(self._keep)
        self.forget.clicked.connect(self._ask)

    def reload(self) -> None:
        """Show what the setting says now: it can be changed elsewhere too."""
        self.used.blockSignals(True)
        self.used.setChecked(self._services.app.settings.translation_memory)
        self.used.blockSignals(False)

    def _keep(self, on: bool) -> None:
        try:
            self._services.app.save_settings(translation_memory=on)
        except EdgeError as error:
            self._services.notices.complain(error)
            self.reload()

    def _ask(self) -> None:
        """Say how much would be gone; it is a cache, so there is a second button and no undo."""
        services = self._services

        def ask(count: int) -> None:
            if count:
                said = tr("{n} paragraphs that were translated before are to be forgotten.")
                services.notices.say(said.format(n=f"{count:,}"), tr("Forget them"), self._clear)
            else:
                services.notices.say(tr("The memory is empty."))

        services.background.run(lambda: services.app.memory().count(), ask, services.notices.complain)

    def _clear(self) -> None:
        services, said = self._services, tr("{n} paragraphs were forgotten.")
        services.background.run(
            lambda: translate_file_work.clear_memory(services.app),
            lambda n: services.notices.say(said.format(n=f"{n:,}")),
            services.notices.complain,
        )
