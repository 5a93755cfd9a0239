"""Chats as files, through the real dialogs; and what is said of a damaged database or settings file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk, child, wait
from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from edgellm.ui import chat_files

Open = Callable[..., Desk]


@pytest.fixture(autouse=True)
def own_dialogs() -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)


def choose(path: Path, kind: str = "") -> None:
    """Answer the dialog that opens next."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(50, answer)
            return
        if kind:
            dialog.selectNameFilter(next(name for name in dialog.nameFilters() if kind in name))
        child(dialog, QLineEdit).setText(str(path))
        dialog.accept()

    QTimer.singleShot(50, answer)


def export(desk: Desk, path: Path, kind: str = "") -> None:
    current = desk.conversation.current
    assert current is not None
    desk.window.services.notices.hide()
    choose(path, kind)
    chat_files.export(desk.window, desk.window.services, current)
    wait(lambda: f"Saved as {path.stem}" in desk.window.services.notices.text, "the file")


def test_a_chat_is_exported_in_every_format_and_comes_back_whole(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(reply="A **warm** welcome.")
    desk.ready()
    desk.say("Welcome me")
    desk.conversation.regenerate(desk.views[-1].message)
    wait(lambda: desk.views[-1].versions and len(desk.views[-1].versions) == 2 and not desk.conversation.busy)
    desk.settle()
    export(desk, tmp_path / "chat.md")
    assert "A **warm** welcome." in (tmp_path / "chat.md").read_text()
    export(desk, tmp_path / "chat.html")
    assert "<strong>warm</strong>" in (tmp_path / "chat.html").read_text()
    export(desk, tmp_path / "kept", "JSON")
    export(desk, tmp_path / "page", "Web page")
    assert (tmp_path / "page.html").read_text() == (tmp_path / "chat.html").read_text()
    before = desk.conversation.current
    choose(tmp_path / "kept.json")
    QTest.mouseClick(desk.chat.chats.bring_in, Qt.MouseButton.LeftButton)
    notices = desk.window.services.notices
    wait(lambda: notices.text == "“Welcome me” was imported.", "the import")
    wait(lambda: desk.conversation.current != before and len(desk.views) == 2, "the chat")
    assert [view.text for view in desk.views] == ["Welcome me", "A **warm** welcome."]
    assert len(desk.views[-1].versions) == 2
    wait(lambda: desk.titles() == ["Welcome me", "Welcome me"])
    notices._button.click()
    wait(lambda: desk.titles() == ["Welcome me"], "the undo")


@pytest.mark.parametrize("content", ["not a chat", '{"format": "edgellm-chat"}', "\udcff"])
def test_a_file_that_is_no_chat_is_refused_with_a_sentence(open_desk: Open, tmp_path: Path, content: str) -> None:
    desk = open_desk()
    desk.ready()
    path = tmp_path / "odd.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    choose(path)
    chat_files.bring_in(desk.window, desk.window.services)
    wait(lambda: "not a chat that EdgeLLM saved" in desk.window.services.notices.text, "the refusal")
    assert desk.titles() == []


@pytest.mark.logs("WARNING")
def test_damaged_settings_and_chats_are_said_together_and_stay(open_desk: Open, home: Path) -> None:
    home.mkdir()
    (home / "settings.toml").write_text("[[[")
    (home / "chats.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    desk = open_desk()
    notices = desk.window.services.notices
    wait(lambda: notices.text, "the notice")
    assert "settings file was damaged" in notices.text
    assert "chats.db" in notices.text
    assert not notices._timer.isActive()
