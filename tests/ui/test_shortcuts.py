"""Keyboard shortcuts: read from the setting, refused with a reason, changed in the sheet, used and named at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk, child, wait
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from edgellm.ui import main
from edgellm.ui.shortcut_sheet import Sheet
from edgellm.ui.shortcuts import DEFAULTS, parse, refusal, written

Open = Callable[..., Desk]
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        ("new=Ctrl+T", {"new": "Ctrl+T"}),
        ("new=Ctrl+K search=Ctrl+N", {"new": "Ctrl+K", "search": "Ctrl+N"}),
        ("find= page-9=Alt+9", {"find": "", "page-9": "Alt+9"}),
        ("settings=Ctrl+; stop=F5", {"settings": "Ctrl+;", "stop": "F5"}),
        ("new=Ctrl+K", {}),
        ("new=Ctrl+T find=Ctrl+T", {"find": "Ctrl+T"}),
        ("nosuch=Ctrl+T new quit=x =Ctrl+T find=Ctrl+C new=Ctrl+X,Ctrl+T", {}),
    ],
)
def test_the_setting_is_read_and_what_cannot_be_used_is_passed_over(text: str, changes: dict[str, str]) -> None:
    main.application()
    keys = parse(text)
    assert keys == {**DEFAULTS, **changes}
    assert parse(written(keys)) == keys


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("T", "Ctrl or Alt"),
        ("Shift+T", "Ctrl or Alt"),
        ("Ctrl+K, Ctrl+T", "one key"),
        ("Ctrl+V", "writing"),
        ("Ctrl+Return", "writing"),
        ("F2", "writing"),
        ("Ctrl+Q", "taken"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_the_reason(key: str, word: str) -> None:
    main.application()
    assert word in refusal("new", key, DEFAULTS)
    assert refusal("new", "Ctrl+Shift+T", DEFAULTS) == refusal("new", "F8", DEFAULTS) == ""


def test_a_key_is_changed_in_the_sheet_and_works_at_once(open_desk: Open, home: Path) -> None:
    desk = open_desk(reply="Yes.")
    desk.ready()
    desk.say("hello")
    QTest.keyClick(desk.window, Qt.Key.Key_F1)
    wait(lambda: desk.window.findChild(Sheet) is not None, "the sheet")
    sheet = child(desk.window, Sheet)
    assert set(sheet.editors) == set(DEFAULTS)
    editor = sheet.editors["new"]
    assert editor.accessibleName() == "New chat"
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Q, CTRL)
    wait(lambda: "taken already" in sheet.message.text(), "the refusal")
    assert "Quit" in sheet.message.text()
    assert editor.keySequence() == QKeySequence("Ctrl+N")
    QTest.keyClick(editor, Qt.Key.Key_T, CTRL)
    wait(lambda: sheet.message.text() == "Saved.", "the change")
    sheet.close()
    assert 'shortcuts = "new=Ctrl+T"' in (home / "settings.toml").read_text()
    assert desk.chat.chats.new.toolTip() == "Start a new chat (Ctrl+T)"
    QTest.keyClick(desk.window, Qt.Key.Key_N, CTRL)
    assert desk.views
    QTest.keyClick(desk.window, Qt.Key.Key_T, CTRL)
    wait(lambda: not desk.views, "a new chat")
    desk.window.show_shortcuts()
    sheet = desk.window.findChildren(Sheet)[-1]
    assert sheet.editors["new"].keySequence() == QKeySequence("Ctrl+T")
    sheet.reset.click()
    assert sheet.editors["new"].keySequence() == QKeySequence("Ctrl+N")
    assert desk.app.settings.shortcuts == ""
    assert desk.chat.chats.new.toolTip() == "Start a new chat (Ctrl+N)"
    sheet.close()


def test_the_settings_page_opens_the_sheet(open_desk: Open) -> None:
    desk = open_desk()
    desk.ready()
    page = desk.window.open_key("settings")
    button = page.findChild(QPushButton, "setting-shortcuts")
    assert button is not None
    button.click()
    child(desk.window, Sheet).close()
