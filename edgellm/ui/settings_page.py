"""The settings: a form made from the schema. Each change is saved at once; what it means is left to its owner."""

from __future__ import annotations

import dataclasses
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from edgellm.errors import EdgeError
from edgellm.settings import Settings
from edgellm.ui import language
from edgellm.ui.language import tr
from edgellm.ui.server_key import ServerKey
from edgellm.ui.services import Services

_WIDTH = 780
_EDITOR = 250
_INDENT = 8
_LARGEST_INT = 2_147_483_647
REMOTE = ("remote_address", "remote_model")
GROUPS = (
    ("Window", ("theme", "language", "shortcuts")),
    ("Model", ("model", "device", "context", "threads", "gpu_layers", "batch", "kv_type")),
    ("Answers", ("temperature", "max_tokens", "prompt_cache")),
    ("Documents", ("ocr", "index_on_battery", "translation_memory")),
    ("Network", ("offline", "proxy", "mirror", "further_mirrors")),
    ("Remote server", REMOTE),
    ("Models and downloads", ("model_folders", "download_rate", "downloads_at_once", "offer_model")),
)
RELOADS = frozenset(("model", "device", "context", "threads", "gpu_layers", "batch", "kv_type", "prompt_cache"))
READ_AGAIN = frozenset(("mirror", "further_mirrors", "model_folders", "offer_model"))
NAMES = {
    "model": "Model",
    "device": "Device",
    "context": "Context window",
    "threads": "Threads",
    "gpu_layers": "GPU layers",
    "batch": "Batch",
    "kv_type": "KV cache",
    "temperature": "Temperature",
    "max_tokens": "Longest answer",
    "prompt_cache": "Kept prompts",
    "ocr": "Text in pictures (OCR)",
    "index_on_battery": "Reading on battery",
    "translation_memory": "Translation memory",
    "offline": "Offline lock",
    "proxy": "Proxy",
    "mirror": "Mirror",
    "further_mirrors": "Further mirrors",
    "model_folders": "Folders for models",
    "download_rate": "Download limit",
    "downloads_at_once": "Files at once",
    "offer_model": "Offer a model",
    "remote_address": "Address",
    "remote_model": "Model of the server",
    "theme": "Theme",
    "language": "Language",
    "shortcuts": "Keyboard",
}


class SettingsPage(QScrollArea):
    """Sends `changed` with the name and the value of a setting that was saved."""

    changed = Signal(str, object)
    shortcuts_wanted = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self.editors: dict[str, QWidget] = {}
        self.key = ServerKey(services, _EDITOR)
        self.setObjectName("settings")
        self.setAccessibleName(tr("Settings"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        page = QWidget()
        page.setObjectName("page")
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        around = QHBoxLayout(page)
        around.addStretch(1)
        around.addWidget(inner, 100)
        around.addStretch(1)
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 14, 24, 24)
        column.setSpacing(14)
        specs = {spec.name: spec for spec in dataclasses.fields(Settings)}
        grouped = {name for _, names in GROUPS for name in names}
        rest = tuple(name for name in specs if name not in grouped)
        for title, names in (*GROUPS, *((("More", rest),) if rest else ())):
            present = [specs[name] for name in names if name in specs]
            column.addWidget(self._group(tr(title), present))
        column.addStretch(1)
        self.setWidget(page)

    def reload(self) -> None:
        """Show the values that are in force."""
        for name, editor in self.editors.items():
            editor.blockSignals(True)
            _put(editor, getattr(self._services.app.settings, name))
            editor.blockSignals(False)
        self.key.reload()

    def _group(self, title: str, specs: list[dataclasses.Field[Any]]) -> QFrame:
        card = QFrame()
        card.setObjectName("card")
        column = QVBoxLayout(card)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(4)
        heading = QLabel(title)
        heading.setProperty("role", "strong")
        column.addWidget(heading)
        for spec in specs:
            column.addSpacing(6)
            self._field(column, spec)
        if any(spec.name in REMOTE for spec in specs):
            column.addSpacing(6)
            column.addWidget(self.key)
        return card

    def _field(self, column: QVBoxLayout, spec: dataclasses.Field[Any]) -> None:
        name = tr(NAMES.get(spec.name, spec.name.replace("_", " ").capitalize()))
        editor = self._editor(spec)
        editor.setObjectName(f"setting-{spec.name}")
        editor.setAccessibleName(name)
        editor.setAccessibleDescription(tr(spec.metadata["description"]))
        self.editors[spec.name] = editor
        label = QLabel(name)
        label.setBuddy(editor)
        words = QLabel(tr(spec.metadata["description"]), wordWrap=True)
        words.setProperty("role", "faint")
        left = QVBoxLayout()
        left.setSpacing(1)
        left.addWidget(label)
        left.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addWidget(editor, 0, Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(row)

    def _editor(self, spec: dataclasses.Field[Any]) -> QWidget:
        value = getattr(self._services.app.settings, spec.name)
        rules = spec.metadata
        if spec.name == "language":
            own = {code: language.NAMES.get(code, code) for code in ("en", *language.tables())}  # in itself
            return self._combo(spec.name, {"system": tr(language.NAMES["system"]), **own}, value)
        if spec.name == "shortcuts":
            button = QPushButton(tr("Show and change…"))
            button.setFixedWidth(_EDITOR)
            button.clicked.connect(self.shortcuts_wanted)
            return button
        if rules["choices"]:
            return self._combo(spec.name, {choice: tr(choice) for choice in rules["choices"]}, value)
        if isinstance(spec.default, bool):
            box = QCheckBox()
            box.setChecked(value)
            box.toggled.connect(lambda on: self._save(spec.name, on))
            return box
        if isinstance(spec.default, int):
            return self._spin(spec, int(value))
        if isinstance(spec.default, float):
            real = _Wheelless(minimum=rules["low"], maximum=rules["high"], singleStep=0.1, decimals=2, value=value)
            real.setFixedWidth(_EDITOR)
            real.lineEdit().setTextMargins(_INDENT, 0, 0, 0)
            real.valueChanged.connect(lambda number: self._save(spec.name, number))
            return real
        line = QLineEdit(value)
        line.setFixedWidth(_EDITOR)
        line.editingFinished.connect(lambda: self._save(spec.name, line.text().strip()))
        return line

    def _spin(self, spec: dataclasses.Field[Any], value: int) -> QSpinBox:
        rules = spec.metadata
        made = QSpinBox(minimum=rules["low"], maximum=min(rules["high"], _LARGEST_INT), value=value)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.setFixedWidth(_EDITOR)
        made.lineEdit().setTextMargins(_INDENT, 0, 0, 0)
        made.setKeyboardTracking(False)
        made.valueChanged.connect(lambda number: self._save(spec.name, number))
        return made

    def _combo(self, name: str, choices: dict[str, str], value: str) -> QComboBox:
        box = QComboBox()
        box.setFixedWidth(_EDITOR)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for code, words in choices.items():
            box.addItem(words, code)
        _put(box, value)
        box.currentIndexChanged.connect(lambda _: self._save(name, box.currentData()))
        return box

    def _save(self, name: str, value: Any) -> None:
        app = self._services.app
        if getattr(app.settings, name) == value:
            return
        try:
            app.save_settings(**{name: value})
        except EdgeError as error:
            self._services.notices.complain(error)
            self.reload()
        else:
            if name in REMOTE:
                self.key.reload()
            self.changed.emit(name, value)


class _Wheelless(QDoubleSpinBox):
    """A number that the wheel does not change by accident while the page scrolls."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)


def _put(editor: QWidget, value: Any) -> None:
    """Show a value in an editor."""
    if isinstance(editor, QComboBox):
        editor.setCurrentIndex(editor.findData(value))
    elif isinstance(editor, QCheckBox):
        editor.setChecked(value)
    elif isinstance(editor, QSpinBox | QDoubleSpinBox):
        editor.setValue(value)
    elif isinstance(editor, QLineEdit):
        editor.setText(value)
