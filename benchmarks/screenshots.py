"""Takes the pictures of the documentation: the real window, the real engine, the built-in starter, a virtual screen.

Run: python -m benchmarks.screenshots [--model FILE.gguf] [--only NAME]

Everything happens in a home of its own that is thrown away. The pictures go to docs/screenshots.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QDialog, QWidget

from benchmarks.display import screen
from edgellm.app import App
from edgellm.ui import main as ui
from edgellm.ui.classify_page import ClassifyPage
from edgellm.ui.documents_page import DocumentsPage
from edgellm.ui.models_page import ModelsPage
from edgellm.ui.settings_page import SettingsPage
from edgellm.ui.summarize_page import SummarizePage
from edgellm.ui.translate_page import TranslatePage
from edgellm.ui.welcome import examples
from edgellm.ui.window import Window
from tests.document_files import Line, pdf
from tests.loopback_chat import ChatServer, answer
from tests.loopback_hub import Fault, Hub

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
_PATIENCE = 60.0
_SHOWN_MODEL = "qwen3.5-4b-q4"
_SLOW_MODEL, _SLOW_REPO, _SLOW_FILE = "harbor-notes-25m", "example/harbor-notes-GGUF", "harbor-notes-25m-Q8_0.gguf"
_SLOW_DATA = bytes(range(256)) * 100_000
_ISLAND: tuple[tuple[Line, ...], ...] = tuple(
    ((20, title), (12, ""), *((12, text) for text in lines))
    for title, *lines in (
        (
            "A week on the island",
            "The boat to the island leaves at noon. It waits for the train from the city.",
            "The captain is old and kind, and he has a small brown dog.",
        ),
        (
            "The market",
            "The farmer sells bread, apples and cheese at the market.",
            "The market opens on Monday and closes on Friday.",
        ),
        (
            "The garden",
            "Anna works in the garden in the evening. She is tired, but she is happy.",
        ),
        (
            "The way back",
            "The last boat leaves on Sunday evening. The ticket costs eight euros.",
            "The weather was cold and the sea was gray.",
        ),
    )
)
_NOTES = {
    "garden.md": "# Garden\n\n## Every week\n\nMy sister waters the flowers on Monday. "
    "The dog sleeps in the garden.\n\n## Summer\n\nThe children eat the red apples under the old tree.\n",
    "kitchen.md": "# Kitchen\n\nThe milk is in the kitchen. The key is on the table. My mother makes the soup.\n",
    "neighbors.txt": "The neighbor has a small brown dog. His son plays the piano in the evening.\n",
    "travel.md": "# Trips\n\n## Harbor\n\nThe boat leaves on Monday. We eat fish in the small restaurant.\n",
}
_MARKDOWN = """Here is the same greeting in five languages, and how a program could choose one.

| Language | Greeting |
|---|---|
| English | Good morning! |
| French | Bonjour ! |
| German | Guten Morgen! |
| Spanish | ¡Buenos días! |
| Chinese | 早上好！ |

```python
GREETINGS = {"en": "Good morning!", "fr": "Bonjour !", "zh": "早上好！"}

def greet(language: str) -> str:
    # English where the language is not known
    return GREETINGS.get(language, GREETINGS["en"])
```

> Everything stays on **this computer**.
"""


def wait(seconds: float, until: Callable[[], object] = lambda: False) -> None:
    """Run the event loop for some time, or until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        loop = QEventLoop()
        QTimer.singleShot(20, loop.quit)
        loop.exec()


class Studio:
    """One window and what is photographed in it."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        self.app = App.create(overrides)
        self.window: Window = ui.build(ui.application(), self.app)
        self.window.painted.connect(lambda: ui.start(self.window))
        self.window.show()
        wait(_PATIENCE, lambda: self.window.status is not None)
        wait(1.5)

    def say(self, text: str) -> None:
        """Send a message and wait for the answer."""
        conversation, views = self.window.services.conversation, self.window.chat.transcript.views
        before = len(views)
        self.window.chat.send(text)
        wait(_PATIENCE, lambda: len(self.window.chat.transcript.views) == before + 2 and not conversation.busy)
        wait(0.6)

    def keep(self, question: str, answer: str) -> None:
        """Put a conversation from elsewhere into the store and show it."""
        store = self.app.store()
        chat = store.create()
        asked = store.add(chat.id, None, "user", question)
        store.add(chat.id, asked.id, "assistant", answer)
        self.window.services.conversation.chats_changed.emit()
        self.window.services.conversation.open(chat.id)
        wait(0.8)
        self.window.chat.transcript.verticalScrollBar().setValue(0)
        wait(0.2)

    def picture(self, name: str, widget: QWidget | None = None) -> None:
        """Save what is on the screen."""
        TARGET.mkdir(parents=True, exist_ok=True)
        (widget or self.window).grab().save(str(TARGET / f"{name}.png"))
        sys.stdout.write(f"docs/screenshots/{name}.png\n")

    def close(self) -> None:
        """End the window and the engine."""
        self.window.close()
        ui.finish(self.window)


def chats(studio: Studio, suffix: str = "") -> None:
    """The first start, a conversation, and Markdown."""
    window = studio.window
    window.chat.new_chat()
    wait(0.5)
    studio.picture(f"first-start{suffix}")
    prompts = [example.prompt for example in examples()]
    for prompt in prompts[1:]:
        window.chat.new_chat()
        studio.say(prompt)
    window.chat.new_chat()
    studio.say(prompts[0])
    studio.say("Translate from English to German:\nThe teacher is tired.")
    studio.say(prompts[2])
    studio.picture(f"chat{suffix}")


def tour(studio: Studio) -> None:
    """All the pictures of the light window."""
    window = studio.window
    chats(studio)
    studio.keep("How do I greet people in five languages?", _MARKDOWN)
    studio.picture("markdown")
    window.chat.delete_current()
    wait(0.6)
    studio.picture("undo")
    window.services.notices.hide()
    window.open_key("workbench")
    wait(0.4)
    studio.picture("page-to-come")
    window.open_key("settings")
    wait(0.4)
    studio.picture("settings")
    window.strip.device.click()
    wait(_PATIENCE, lambda: window.findChild(QDialog) is not None)
    wait(0.6)
    dialog = window.findChild(QDialog)
    if dialog is not None:
        studio.picture("device-details", dialog)
        dialog.close()
    monitor(studio, "monitor")


def monitor(studio: Studio, name: str, seconds: float = 45.0) -> None:
    """The monitor after some work."""
    window = studio.window
    window.open_key("monitor")
    end, prompts = time.monotonic() + seconds, [example.prompt for example in examples()]
    number = 0
    while time.monotonic() < end:
        window.services.conversation.new()
        window.services.conversation.send(prompts[number % len(prompts)])
        number += 1
        wait(2.5)
    studio.picture(name)


def models(studio: Studio) -> None:
    """The card of the first start, and the Models page: details, and a download from a slow hub of its own."""
    window, work = studio.window, studio.window.services.models
    suffix = {"dark": "-dark", "contrast": "-contrast"}.get(studio.app.settings.theme, "")
    suffix = "-chinese" if studio.app.settings.language == "zh_CN" else suffix
    work.act_on_offer("measure", "")
    wait(_PATIENCE, lambda: not work.activities)
    wait(_PATIENCE, lambda: window.chat.welcome.offer.offer is not None)
    window.services.notices.hide()
    window.chat.new_chat()
    wait(0.8)
    studio.picture(f"offer{suffix}")
    page = window.open_key("models")
    assert isinstance(page, ModelsPage)
    wait(2.0)
    page.choose(_SHOWN_MODEL)
    wait(0.4)
    studio.picture(f"models{suffix}")
    with slow_hub() as hub:
        studio.app.save_settings(mirror=hub.endpoint)
        work.show_lock()
        page.choose(_SLOW_MODEL)
        page.details.main.click()
        wait(_PATIENCE, lambda: any((one.fraction or 0) > 0.4 for one in work.activities))
        wait(0.5)
        studio.picture(f"models-download{suffix}")
        for activity in work.activities:
            work.act_on("cancel", activity)
        wait(_PATIENCE, lambda: not work.activities)


def slow_hub() -> Hub:
    """A hub on this machine that has one file, and takes its time."""
    return Hub(repos={_SLOW_REPO: {_SLOW_FILE: _SLOW_DATA}}, faults=[Fault("slow", times=-1, seconds=0.02)])


def own_catalog() -> str:
    """A person's own catalog with that file."""
    digest = hashlib.sha256(_SLOW_DATA).hexdigest()
    return f"""schema = 1
[[model]]
name = "{_SLOW_MODEL}"
title = "Harbor Notes 25M"
summary = "A small model of the person's own catalog."
license = "MIT"
tasks = ["chat", "summarize"]
languages = ["en"]
format = "gguf"
quantization = "Q8_0"
parameters = "25M"
architecture = "llama"
distilled_from = "Harbor Notes 8B"
repo = "{_SLOW_REPO}"
file = [{{ path = "{_SLOW_FILE}", size = {len(_SLOW_DATA)}, sha256 = "{digest}" }}]
"""


def dark(studio: Studio) -> None:
    """The dark window."""
    studio.window.chat.new_chat()
    wait(0.5)
    studio.picture("first-start-dark")
    studio.say(examples()[0].prompt)
    studio.keep("How do I greet people in five languages?", _MARKDOWN)
    studio.picture("markdown-dark")
    monitor(studio, "monitor-dark", seconds=20.0)


def chinese(studio: Studio) -> None:
    """The window in Simplified Chinese."""
    studio.window.chat.new_chat()
    wait(0.5)
    studio.say("Translate from English to Chinese:\nThe teacher is tired.")
    studio.picture("chinese")


def remote(studio: Studio) -> None:
    """A model of a server: one on this computer, and what the window says once the address is that of another."""
    window, app = studio.window, studio.app
    with ChatServer(answer("Good evening! ", "How can I help you?"), models=("qwen3-14b", "gemma-3-27b")) as server:
        app.save_settings(remote_address=server.address)
        window.selector.chosen.emit("remote:qwen3-14b")
        wait(_PATIENCE, lambda: window.status is not None and window.status.model == "qwen3-14b")
        window.chat.new_chat()
        studio.say("Good evening!")
        menu = window.selector.menu
        menu.popup(window.selector.button.mapToGlobal(window.selector.button.rect().bottomLeft()))
        wait(_PATIENCE, lambda: bool(window.services.remote.listing.names))
        wait(0.5)
        studio.picture("remote-menu", menu)
        menu.hide()
        app.save_settings(remote_address="https://models.example", offline=False)
        window.strip.show_offline(False)
        window.services.models.show_lock()
        window.show_place()
        window.chat.new_chat()
        window.services.notices.hide()
        wait(0.5)
        studio.picture("remote")
        page = window.open_key("settings")
        assert isinstance(page, SettingsPage)
        page.ensureWidgetVisible(page.key)
        wait(0.5)
        studio.picture("remote-settings")


def summarize(studio: Studio) -> None:
    """A PDF of four pages on the Summarize page, with links to its pages."""
    page = studio.window.open_key("summarize")
    assert isinstance(page, SummarizePage)
    path = Path(os.environ["EDGELLM_HOME"], "island.pdf")
    path.write_bytes(pdf(_ISLAND))
    page.box.take([path])
    page.choices.style.setCurrentIndex(page.choices.style.findData("sections"))
    wait(_PATIENCE, lambda: not page.box.reading)
    wait(0.3)
    page.run()
    wait(_PATIENCE, lambda: not page.runner.busy)
    wait(0.5)
    studio.picture({"dark": "summarize-dark"}.get(studio.app.settings.theme, "summarize"))


def documents(studio: Studio) -> None:
    """The Documents page: a folder that is read, with one file that cannot be, and answers with their quotes."""
    window = studio.window
    suffix = {"dark": "-dark", "contrast": "-contrast"}.get(studio.app.settings.theme, "")
    suffix = "-chinese" if studio.app.settings.language == "zh_CN" else suffix
    page = window.open_key("documents")
    assert isinstance(page, DocumentsPage)
    folder = notes(Path(studio.app.paths.work).parent / "Our house")
    page.documents.take([folder])
    wait(_PATIENCE, lambda: sum(file.read is not None for file in page.work.shelf.files()) == len(_NOTES) + 2)
    for question in ("Who waters the flowers?", "What is the price of gold?", "Where does the dog sleep?"):
        page.answers.question.setText(question)
        page.run()
        wait(_PATIENCE, lambda: not page.runner.busy)
        wait(0.3)
    page.answers.question.clear()
    wait(0.6)
    studio.picture(f"documents{suffix}")


def notes(folder: Path) -> Path:
    """A folder with a few notes, a PDF of four pages and one file that is damaged."""
    folder.mkdir(parents=True)
    for name, text in _NOTES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "island.pdf").write_bytes(pdf(_ISLAND, "A week on the island"))
    (folder / "old letter.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    return folder


def classify(studio: Studio) -> None:
    """The Classify page: a table of opinions with its labels, and one text with the share of every label."""
    page = studio.window.open_key("classify")
    assert isinstance(page, ClassifyPage)
    suffix = {"dark": "-dark", "contrast": "-contrast"}.get(studio.app.settings.theme, "")
    path = Path(os.environ["EDGELLM_HOME"], "opinions.csv")
    lines = [f'{number},2026-05-{number:02},"{text}"' for number, text in enumerate(_OPINIONS, 1)]
    path.write_text("\n".join(("number,day,opinion", *lines, "")), encoding="utf-8")
    page.unsure.setValue(75)
    page.given.box.take([path])
    wait(_PATIENCE, lambda: page.given.ready)
    page.run()
    wait(_PATIENCE, lambda: not page.runner.busy)
    page.pane.table.selectRow(1)
    wait(0.5)
    studio.picture(f"classify{suffix}")


_OPINIONS = (
    "The food was great. We loved it.",
    "The train is late and I am angry.",
    "The book is on the table.",
    "The room is dirty and the bed is broken.",
    "The teacher is kind.",
    "The soup is cold.",
    "The doctor works in the hospital.",
    "",
    "This garden is beautiful!",
    "The coffee is bad.",
    "The shop opens at nine.",
    "I am happy with the new phone.",
    "The hotel is terrible.",
)


def translate(studio: Studio) -> None:
    """The Translate page: a text with its sentences side by side, and files with what came of them."""
    window = studio.window
    page = window.open_key("translate")
    assert isinstance(page, TranslatePage)
    suffix = {"dark": "-dark", "contrast": "-contrast"}.get(studio.app.settings.theme, "")
    suffix = "-chinese" if studio.app.settings.language == "zh_CN" else suffix
    page.box.text.setFocus()
    page.box.text.setPlainText(_TO_TRANSLATE)
    wait(_PATIENCE, lambda: page.made is not None and not page.runner.busy)
    cursor = page.box.text.textCursor()
    cursor.setPosition(_TO_TRANSLATE.index("Where"))
    page.box.text.setTextCursor(cursor)
    wait(0.5)
    studio.picture(f"translate{suffix}")
    folder = notes(Path(os.environ["EDGELLM_HOME"], "letters"))
    page.choices.options.setChecked(True)
    page.desk.take([folder / name for name in ("garden.md", "island.pdf", "old letter.pdf")])
    wait(_PATIENCE, lambda: not page.desk.placing)
    page.run()
    wait(_PATIENCE, lambda: not page.runner.busy)
    wait(0.5)
    studio.picture(f"translate-files{suffix}")


_TO_TRANSLATE = """Good morning! The teacher is tired. I have two red books.

Where is the station? The train is late, and the doctor is angry.

The soup is cold. My sister lives in a small house near the sea.
"""


SCENES: Mapping[str, tuple[Callable[[Studio], None], Mapping[str, str]]] = {
    "tour": (tour, {"theme": "light", "language": "en"}),
    "dark": (dark, {"theme": "dark", "language": "en"}),
    "chinese": (chinese, {"theme": "light", "language": "zh_CN"}),
    "remote": (remote, {"theme": "light", "language": "en"}),
    "models": (models, {"theme": "light", "language": "en"}),
    "summarize": (summarize, {"theme": "light", "language": "en"}),
    "summarize-dark": (summarize, {"theme": "dark", "language": "en"}),
    "models-dark": (models, {"theme": "dark", "language": "en"}),
    "models-contrast": (models, {"theme": "contrast", "language": "en"}),
    "documents": (documents, {"theme": "light", "language": "en"}),
    "documents-dark": (documents, {"theme": "dark", "language": "en"}),
    "documents-chinese": (documents, {"theme": "light", "language": "zh_CN"}),
    "classify": (classify, {"theme": "light", "language": "en"}),
    "classify-dark": (classify, {"theme": "dark", "language": "en"}),
    "translate": (translate, {"theme": "light", "language": "en"}),
    "translate-dark": (translate, {"theme": "dark", "language": "en"}),
    "translate-chinese": (translate, {"theme": "light", "language": "zh_CN"}),
    "models-chinese": (models, {"theme": "light", "language": "zh_CN"}),
}


def main() -> int:
    """Take all pictures, each scene in a process of its own: a language stays installed for the life of one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="", help="another model than the built-in one")
    parser.add_argument("--only", choices=list(SCENES), default="")
    arguments = parser.parse_args()
    if not arguments.only:
        commands = [[sys.executable, "-m", "benchmarks.screenshots", "--only", scene] for scene in SCENES]
        model = ["--model", arguments.model] if arguments.model else []
        return max(os.spawnv(os.P_WAIT, sys.executable, [*command, *model]) for command in commands)
    with tempfile.TemporaryDirectory() as folder, screen(virtual=True):
        os.environ["EDGELLM_HOME"] = folder
        scene, overrides = SCENES[arguments.only]
        if scene is models:
            Path(folder, "models.toml").write_text(own_catalog(), encoding="utf-8")
        if arguments.model:
            store = Path(folder) / "models"
            store.mkdir()
            shutil.copyfile(arguments.model, store / "candidate.gguf")
            overrides = {**overrides, "model": "candidate"}
        studio = Studio(overrides)
        try:
            scene(studio)
        finally:
            studio.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
