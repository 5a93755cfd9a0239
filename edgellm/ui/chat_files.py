"""Chats as files: asks for the file, writes or reads it in the background, and says what came of it.

What is in the files is left to `chats/export` and `chats/imports`.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from edgellm.chats import imports
from edgellm.chats.export import to_html, to_json, to_markdown
from edgellm.chats.store import Chat
from edgellm.errors import StorageError
from edgellm.ui.chat_list import name
from edgellm.ui.conversation import Shown
from edgellm.ui.language import tr
from edgellm.ui.services import Services

_LONGEST_NAME = 60


def _kinds() -> dict[str, str]:
    """What the dialog offers, and the ending of each."""
    return {
        tr("Markdown (*.md)"): ".md",
        tr("Web page (*.html)"): ".html",
        tr("JSON with every version, to import again (*.json)"): ".json",
    }


def export(parent: QWidget, services: Services, shown: Shown) -> None:
    """Save the chat where the person wants it. The ending of the name decides what is written."""
    kinds = _kinds()
    title = "".join(sign if sign.isalnum() or sign in " -_" else " " for sign in shown.chat.title)
    proposed = " ".join(title.split())[:_LONGEST_NAME] or "chat"
    chosen, kind = QFileDialog.getSaveFileName(parent, tr("Export this chat"), f"{proposed}.md", ";;".join(kinds))
    if not chosen:
        return
    target = Path(chosen)
    if target.suffix not in kinds.values():
        target = target.with_name(target.name + kinds.get(kind, ".md"))
    store, notices = services.app.store, services.notices

    def job() -> str:
        if target.suffix == ".json":
            text = to_json(shown.chat, store().tree(shown.chat.id))
        else:
            text = (to_html if target.suffix == ".html" else to_markdown)(shown.chat, shown.path)
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StorageError(f"The chat could not be saved: {error.strerror}.", "Choose another folder.") from error
        return target.name

    services.background.run(job, lambda saved: notices.say(tr("Saved as {name}.").format(name=saved)), notices.complain)


def bring_in(parent: QWidget, services: Services) -> None:
    """Read a chat from a file that was exported as JSON, and show it."""
    chosen, _ = QFileDialog.getOpenFileName(parent, tr("Import a chat"), "", tr("Exported chats (*.json)"))
    if not chosen:
        return
    store, conversation, notices = services.app.store, services.conversation, services.notices

    def done(chat: Chat) -> None:
        conversation.chats_changed.emit()
        conversation.open(chat.id)
        said = tr("“{title}” was imported.").format(title=name(chat))
        notices.say(said, tr("Undo"), lambda: conversation.delete(chat.id))

    services.background.run(lambda: store().add_copy(imports.parse(_read(Path(chosen)))), done, notices.complain)


def _read(path: Path) -> str:
    """The text of a file, no longer than a chat may be. What is no text is left to the parser to refuse."""
    try:
        with path.open("rb") as file:
            return file.read(imports.LARGEST + 1).decode("utf-8", "replace")
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
