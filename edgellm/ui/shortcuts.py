"""Keyboard shortcuts as values: what there is, how changed ones are written as one setting, which keys cannot be used.

Acting on them is left to `keyboard.py`, showing and changing them to `shortcut_sheet.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtGui import QKeySequence

from edgellm.ui.language import tr

PAGES = 9
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "new": "Ctrl+N",
        "search": "Ctrl+K",
        "find": "Ctrl+F",
        "settings": "Ctrl+,",
        "stop": "Esc",
        "help": "F1",
        "quit": "Ctrl+Q",
        **{f"page-{number}": f"Ctrl+{number}" for number in range(1, PAGES + 1)},
    }
)
# Keys that text boxes and lists handle themselves
FIXED = ("Enter", "Ctrl+Enter", "Shift+Enter", "Return", "Ctrl+Return", "Shift+Return", "F2", "Del", "Tab", "Shift+Tab")
_EDITING = ("Copy", "Paste", "Cut", "Undo", "Redo", "SelectAll")
_USABLE = re.compile(r"(?:Shift\+)?(?:F\d+|Esc)$|(?:Ctrl|Alt|Meta)\+.")


def parse(text: str) -> dict[str, str]:
    """All shortcuts, with those that `text` changes (as in `new=Ctrl+T find=`). What cannot be used is passed over."""
    asked = {action: normal(key) for action, sign, key in (part.partition("=") for part in text.split()) if sign}
    keys = {action: asked.get(action, key) for action, key in DEFAULTS.items()}
    wrong = [action for action in keys if action in asked and refusal(action, keys[action], keys)]
    while wrong:
        keys[wrong[0]] = DEFAULTS[wrong[0]]
        del asked[wrong[0]]
        wrong = [action for action in keys if action in asked and refusal(action, keys[action], keys)]
    return keys


def written(keys: Mapping[str, str]) -> str:
    """The setting that gives these shortcuts: only what differs."""
    return " ".join(f"{action}={key}" for action, key in keys.items() if key != normal(DEFAULTS[action]))


def normal(key: str) -> str:
    """A key as the setting writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def native(key: str) -> str:
    """A key as this platform writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def holder(key: str, keys: Mapping[str, str], but: str = "") -> str:
    """The action that has this key, apart from `but`; empty when it is free."""
    return next((action for action, taken in keys.items() if action != but and key and normal(taken) == key), "")


def refusal(action: str, key: str, keys: Mapping[str, str]) -> str:
    """Why `action` cannot have this key, as a sentence; empty when it can. An empty key is always possible."""
    key = normal(key)
    if not key:
        return ""
    sequence = QKeySequence(key)
    if sequence.count() > 1 or " " in key or not _USABLE.match(key):
        return tr("Use one key together with Ctrl or Alt, or a function key.")
    editing = [taken for name in _EDITING for taken in QKeySequence.keyBindings(QKeySequence.StandardKey[name])]
    if sequence in editing or key in map(normal, FIXED):
        return tr("{key} is needed for writing and for lists.").format(key=native(key))
    if holder(key, keys, action):
        return tr("{key} is taken already.").format(key=native(key))
    return ""
