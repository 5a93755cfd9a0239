"""Pictures of the chat, the monitor, the settings and a remote model, in light, dark and Chinese."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QDialog

from benchmarks.studio import PATIENCE, Studio, wait
from edgellm.ui.settings_page import SettingsPage
from edgellm.ui.welcome import examples
from tests.loopback_chat import ChatServer, answer

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
    wait(PATIENCE, lambda: window.findChild(QDialog) is not None)
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
        wait(PATIENCE, lambda: window.status is not None and window.status.model == "qwen3-14b")
        window.chat.new_chat()
        studio.say("Good evening!")
        menu = window.selector.menu
        menu.popup(window.selector.button.mapToGlobal(window.selector.button.rect().bottomLeft()))
        wait(PATIENCE, lambda: bool(window.services.remote.listing.names))
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
