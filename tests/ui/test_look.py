"""Themes are readable, every sentence of the window has its Chinese, speeds are counted in words."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

import edgellm.ui
from edgellm.settings import Settings
from edgellm.tasks.special import NO_CHAT
from edgellm.ui import facts, language, main, settings_page, theme
from edgellm.ui.icons import pixmap
from edgellm.ui.pages import pages
from edgellm.ui.welcome import Welcome

UI = Path(edgellm.ui.__file__).parent


def _luminance(name: str) -> float:
    color = QColor(name)
    shares = (color.redF(), color.greenF(), color.blueF())
    parts = [float(c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4) for c in shares]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK, theme.CONTRAST_LIGHT, theme.CONTRAST_DARK])
def test_text_can_be_read_in_every_theme(colors: theme.Colors) -> None:
    """4.5 to 1 is what WCAG 2 asks for text, 7 to 1 for enhanced contrast."""
    least = 7.0 if colors.name.startswith("high") else 4.5
    grounds = (colors.window, colors.surface, colors.raised, colors.rail, colors.tint, colors.code, colors.hover)
    for ground in grounds:
        assert _contrast(colors.text, ground) >= least, ("text", ground)
        assert _contrast(colors.muted, ground) >= least, ("muted", ground)
    for ground in (colors.window, colors.surface, colors.raised):
        for name in ("accent", "danger", "warning"):
            assert _contrast(getattr(colors, name), ground) >= 4.5, (name, ground)
    assert _contrast(colors.warning, colors.rail) >= 4.5  # the strip, when a model is elsewhere
    assert _contrast(colors.on_accent, colors.accent) >= 4.5
    assert _contrast(colors.text, colors.selection) >= 4.5


def test_high_contrast_and_dark_follow_the_choice() -> None:
    app = main.application()
    assert theme._pick("contrast", app).name.startswith("high contrast")
    assert theme._pick("dark", app) is theme.DARK
    assert theme._pick("light", app) is theme.LIGHT


def _sentences() -> Iterator[str]:
    for path in sorted(UI.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                        yield part.value
    for spec in dataclasses.fields(Settings):
        yield from (spec.metadata["description"], *spec.metadata["choices"])
    yield from settings_page.NAMES.values()
    yield from NO_CHAT.values()
    yield from (title for title, _ in settings_page.GROUPS)


def test_every_sentence_of_the_window_is_there_in_chinese() -> None:
    table = json.loads(language.tables()["zh_CN"].read_text(encoding="utf-8"))
    ignored = {"_", " ", "description"}
    missing = sorted({text for text in _sentences() if text not in table and text not in ignored})
    assert missing == []
    for english, chinese in table.items():
        if "{}" not in english:  # those are templates, see test_sentences.py
            assert english.count("{") == chinese.count("{"), english


def test_a_language_changes_words_and_direction() -> None:
    app = main.application()
    assert isinstance(app, QApplication)
    table = language.Table(language.tables()["zh_CN"])
    app.installTranslator(table)
    try:
        assert language.tr("Undo") == "撤销"
        assert language.tr("Not in the table") == "Not in the table"
    finally:
        app.removeTranslator(table)
    language.install(app, "ar")
    assert app.layoutDirection() == Qt.LayoutDirection.RightToLeft
    language.install(app, "en")
    assert app.layoutDirection() == Qt.LayoutDirection.LeftToRight


def test_every_page_has_its_drawing() -> None:
    app = main.application()
    assert app is not None
    for page in pages():
        image = pixmap(page.key, "#ff0000", 24).toImage()
        reds = sum(image.pixelColor(x, y).red() > 200 for x in range(48) for y in range(48))
        assert reds > 60, page.key


def test_speed_is_in_words() -> None:
    made = {"new_tokens": 10, "tokens_per_second": 100.0}
    assert facts.words_per_second(made, "one two three four five") == 50.0
    assert facts.words_per_second({**made, "new_tokens": 2}, "one two") == 0.0
    assert facts.rate(4.25) == "4.2 words/s"
    assert facts.rate(1234.5) == "1,234 words/s"


@pytest.mark.parametrize("width", [420, 760])
@pytest.mark.parametrize("points", [8.0, 10.5, 14.0, 20.0])
def test_the_examples_show_their_whole_text_in_any_font(width: int, points: float) -> None:
    app = main.application()
    assert isinstance(app, QApplication)
    before = app.font()
    welcome = Welcome(theme.Theme(app, "light"))
    font = QFont(app.font())
    font.setPointSizeF(points)
    app.setFont(font)
    try:
        welcome.resize(width, 900)
        welcome.show()
        QTest.qWait(20)
        labels = [(card, label) for card in welcome._cards for label in card.findChildren(QLabel) if label.text()]
        assert len(labels) == 12
        for card, label in labels:
            needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= needed, label.text()
            assert label.geometry().bottom() < card.height() - 5, label.text()
            assert label.geometry().right() < card.width(), label.text()
        right = max(card.mapTo(welcome, card.rect().topRight()).x() for card in welcome._cards)
        assert right < welcome.viewport().width()
    finally:
        welcome.close()
        app.setFont(before)


def test_small_and_large_texts_follow_the_font_of_the_desktop() -> None:
    app = main.application()
    assert isinstance(app, QApplication)
    before = app.font()
    font = QFont(before)
    font.setPointSizeF(20.0)
    made = theme.Theme(app, "light")
    app.setFont(font)
    try:
        made.choose("dark")
        label = QLabel("words")
        label.setProperty("role", "faint")
        label.ensurePolished()
        assert 16.5 < label.font().pointSizeF() < 18
    finally:
        app.setFont(before)
        made.choose("light")
