"""A window whose model hub is on loopback, and short names for what a person does on its Models page."""

from __future__ import annotations

from pathlib import Path

from desk import Desk, script, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from edgellm.ui.models_page import ModelsPage
from edgellm.ui.models_strip import Line
from edgellm.ui.models_view import Row
from tests.loopback_hub import Hub

REPO, FILE = "tests/tiny-GGUF", "tiny-Q8_0.gguf"
CARD = """schema = 1
[[model]]
name = "tiny"
title = "Tiny Test Model"
summary = "A model for tests."
license = "MIT"
license_note = "Only for tests."
tasks = ["chat", "translate"]
languages = ["en", "fr"]
format = "gguf"
quantization = "Q8_0"
context = 4096
architecture = "llama"
distilled_from = "Large Test Model"
repo = "{repo}"
file = [{{ path = "{file}", size = {size}, sha256 = "{sha256}" }}]
"""


class Shop(Desk):
    """A window whose hub is on loopback, with the tiny model in the person's own catalog."""

    def __init__(self, home: Path, hub: Hub, **more: object) -> None:
        file = hub.files[REPO, FILE]
        home.mkdir(parents=True, exist_ok=True)
        card = CARD.format(repo=REPO, file=FILE, size=len(file.data), sha256=file.sha256)
        (home / "models.toml").write_text(card, encoding="utf-8")
        model = str(script(home.parent / "scripts", reply="Yes."))
        super().__init__({"model": model, "theme": "light", "language": "en", "mirror": hub.endpoint, **more})
        self.work = self.window.services.models
        self.notices = self.window.services.notices

    def page(self) -> ModelsPage:
        """The Models page, once it lists something with advice."""
        page = self.window.open_key("models")
        assert isinstance(page, ModelsPage)
        wait(lambda: any(row.fit.word for row in self.rows(page)), "advice")
        return page

    def rows(self, page: ModelsPage) -> list[Row]:
        """The rows that are listed."""
        return [entry for entry in page.list.entries.entries if isinstance(entry, Row)]

    def choose(self, page: ModelsPage, name: str) -> Row:
        """Show the details of a model."""
        page.choose(name)
        row = page.list.current
        assert row is not None
        assert row.name == name
        return row

    def download(self, page: ModelsPage) -> None:
        """Press Download for the tiny model."""
        self.choose(page, "tiny")
        assert "Download" in page.details.main.text()
        page.details.main.click()

    def line(self, page: ModelsPage) -> Line:
        """The only line of the strip."""
        wait(lambda: page.strip.lines, "the strip")
        return next(iter(page.strip.lines.values()))

    def installed(self) -> list[str]:
        """What the store has."""
        return [model.name for model in self.app.models().installed(others=False)]


def drop(page: ModelsPage, *paths: Path) -> None:
    """Let files go over the page."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), Qt.DropAction.CopyAction, data, buttons, keys)
    page.dragEnterEvent(enter)
    assert enter.isAccepted()
    assert page.property("dropping") is True
    drop = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop)
    page.dropEvent(drop)
    assert page.property("dropping") is False
