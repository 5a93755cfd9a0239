"""The widgets of the Models page by themselves: list, strip, card, flow; each in both directions of reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from desk import nameless, wait
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from edgellm.ui import main
from edgellm.ui.flow import Flow
from edgellm.ui.models_activity import Activity
from edgellm.ui.models_advice import Fit
from edgellm.ui.models_list import ModelList
from edgellm.ui.models_offer import Offer, OfferCard
from edgellm.ui.models_strip import ActivityStrip
from edgellm.ui.models_view import Row
from edgellm.ui.theme import Theme

ROW = Row("installed", "one", "One", line="5 MB · MIT", fit=Fit("fits", "Fits", "It fits."), speed="about 9 words/s")


@pytest.fixture
def theme() -> Iterator[Theme]:
    """The light theme."""
    app = main.application()
    assert isinstance(app, QApplication)
    yield Theme(app, "light")
    app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_the_list_passes_headings_over_and_keeps_what_is_chosen(theme: Theme) -> None:
    models = ModelList(theme)
    models.resize(500, 400)
    models.show()
    two, three = replace(ROW, name="two", part="available"), replace(ROW, name="three", part="available")
    models.show_entries(("Installed · 1", ROW, "Available · 2", two, three))
    models.choose_first()
    assert models.current == ROW
    QTest.keyClick(models, Qt.Key.Key_Down)
    assert models.current == two
    models.show_entries(("Available · 2", two, three))
    assert models.current == two
    models.show_entries(("Installed · 2", ROW, replace(two, part="installed"), "Available · 1", three))
    assert models.current is not None
    assert models.current.key == "installed:two"
    models.show_entries(())
    assert models.current is None
    models.close()


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("choice", ["light", "dark", "contrast"])
def test_rows_are_painted_in_every_theme_and_direction(
    theme: Theme, choice: str, direction: Qt.LayoutDirection
) -> None:
    theme.choose(choice)
    models = ModelList(theme)
    models.setLayoutDirection(direction)
    models.resize(420, 120)
    models.show()
    row = replace(ROW, in_use=True, recommended="Because.", distilled="From a large one.", title="A title " * 9)
    models.show_entries((row,))
    models.choose_first()
    image = models.grab().toImage()
    colors = {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    assert len(colors) > 5
    models.close()
    theme.choose("light")


def test_a_bar_never_moves_back_and_lines_beyond_the_fourth_are_counted(theme: Theme) -> None:
    strip = ActivityStrip(theme)
    strip.resize(700, 200)
    assert strip.isHidden()
    going = Activity("download", "x", "X", "5 of 9", 0.5, ("pause", "cancel"))
    strip.show_activities((going,))
    strip.show_activities((replace(going, fraction=0.2),))
    line = strip.lines["download:x"]
    assert line.bar.value() == 500
    strip.show_activities((replace(going, fraction=0.7),))
    assert line.bar.value() == 700
    assert list(nameless(strip)) == []
    strip.show()
    strip.show_activities(tuple(replace(going, name=str(number)) for number in range(6)))
    assert sum(line.isVisible() for line in strip.lines.values()) == 4
    assert strip._more.text() == "and 2 more"
    strip.show_activities(())
    assert not strip.isVisible()
    strip.close()


def test_the_card_says_size_license_speed_and_reason(theme: Theme) -> None:
    card = OfferCard(theme)
    card.resize(600, 200)
    asked: list[tuple[str, str]] = []
    card.wanted.connect(lambda action, name: asked.append((action, name)))
    offer = Offer(
        "m", "Model M", 2_700_000_000, "MIT", "It fits well.", "about 9 words/s", "measured here", locked=True
    )
    card.show_offer(offer)
    assert card.title.text() == "Recommended for this computer: Model M"
    assert card.words.text() == "2.7 GB · license MIT · about 9 words/s (measured here)\nIt fits well."
    assert card.download.text() == "Unlock and download"
    assert card.measure.isHidden()
    assert not card.lock.isHidden()
    for button in (card.download, card.others, card.close_button):
        button.click()
    assert asked == [("download", "m"), ("others", "m"), ("dismiss", "m")]
    card.show_activity(Activity("download", "m", "Model M", "1 of 2", 0.5))
    assert card.bar.value() == 500
    assert card.download.isHidden()
    card.show_activity(Activity("download", "m", "Model M", "1 of 2", 0.4))
    assert card.bar.value() == 500
    card.show_activity(None)
    assert not card.download.isHidden()
    card.show_offer(replace(offer, speed="", locked=False))
    assert "speed not known yet" in card.words.text()
    assert not card.measure.isHidden()
    assert card.lock.isHidden()
    card.show_offer(None)
    assert card.isHidden()


def test_buttons_flow_into_the_next_line(theme: Theme) -> None:
    box = QWidget()
    flow = Flow(box)
    buttons = [QPushButton(f"Button {number}") for number in range(5)]
    for button in buttons:
        flow.addWidget(button)
    box.resize(2000, 200)
    box.show()
    wait(lambda: buttons[4].x() > buttons[0].x(), "the layout")
    assert len({button.y() for button in buttons}) == 1
    one = flow.heightForWidth(2000)
    box.resize(buttons[0].width() * 2 + 30, 300)
    wait(lambda: len({button.y() for button in buttons}) == 3, "three lines")
    assert flow.heightForWidth(box.width()) > 2 * one
    assert flow.minimumSize().width() < box.width()
    buttons[0].hide()
    wait(lambda: buttons[1].geometry().topLeft().isNull(), "the room of what is hidden to be used")
    box.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    wait(lambda: buttons[1].geometry().right() == box.width() - 1, "the other side")
    taken = flow.takeAt(0)
    assert taken is not None
    assert flow.count() == 4
    assert flow.takeAt(9) is None
    box.close()
