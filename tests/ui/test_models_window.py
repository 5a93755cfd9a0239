"""The Models page in the real window, downloading real small models from a real hub on loopback."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk, script, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest

from edgellm.ui.models_page import ModelsPage
from edgellm.ui.models_strip import Line
from edgellm.ui.models_view import Row
from tests import tiny_gguf
from tests.loopback_hub import Fault, Hub

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


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model of a few hundred kilobytes."""
    path = tmp_path_factory.mktemp("weights") / FILE
    tiny_gguf.make(path, says="Hey, Bob.")
    return path.read_bytes()


@pytest.fixture
def hub(weights: bytes) -> Iterator[Hub]:
    """A hub with one repository."""
    with Hub(repos={REPO: {FILE: weights, "README.md": b"# Tiny"}}, licenses={REPO: "mit"}) as made:
        yield made


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


@pytest.fixture
def open_shop(home: Path) -> Iterator[Callable[..., Shop]]:
    """Opens such windows, and closes them after the test."""
    shops: list[Shop] = []

    def make(hub: Hub, **more: object) -> Shop:
        shops.append(Shop(home, hub, **more))
        return shops[-1]

    yield make
    for shop in shops:
        shop.close()


Open = Callable[..., Shop]


def test_a_model_is_found_downloaded_used_checked_removed_and_brought_back(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    page.search.setText("tiny test")
    wait(lambda: len(shop.rows(page)) == 1, "the filter")
    row = shop.choose(page, "tiny")
    assert "license" not in row.line
    assert "MIT" in row.line
    shown = page.details
    assert shown._license.text() == "License: MIT (Only for tests)"
    assert shown._badge.text() in ("Fits", "Tight")
    assert "weights" in shown._sum.text()
    assert "KV cache" in shown._sum.text()
    assert "Distilled from Large Test Model" in shown._marks.text()
    shop.download(page)
    wait(lambda: "tiny" in shop.installed(), "the model")
    wait(lambda: "is ready" in shop.notices.text, "the notice")
    assert not page.strip.isVisible()
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the new row")
    shop.choose(page, "tiny")
    page.details.others["check"].click()
    wait(lambda: "whole" in page.details._verdict.text(), "the verdict")
    assert page.details.others["repair"].isHidden()
    page.details.main.click()
    wait(lambda: shop.window.status is not None and shop.window.status.model.casefold().startswith("tiny"), "the model")
    assert shop.app.settings.model == "tiny"
    wait(lambda: page.list.current is not None and page.list.current.in_use, "the mark")
    assert page.details.main.text() == "In use"
    page.details.others["remove"].click()
    wait(lambda: "tiny" not in shop.installed(), "the removal")
    wait(lambda: "was removed" in shop.notices.text, "the notice")
    assert shop.app.settings.model == ""
    shop.notices._button.click()
    wait(lambda: "tiny" in shop.installed(), "the undo")


def test_a_download_pauses_goes_on_over_other_pages_and_its_bar_never_moves_back(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("slow", times=1, seconds=0.15))
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    line = shop.line(page)
    seen: list[int] = []
    line.bar.valueChanged.connect(seen.append)
    wait(lambda: 0 < line.bar.value() < 900, "some bytes")
    assert page.details.main.isEnabled() is False
    line.buttons["pause"].click()
    wait(lambda: "Paused" in line.activity.words, "the pause")
    before = line.bar.value()
    sent = hub.sent
    shop.window.open_key("chat")
    QTest.qWait(300)
    assert hub.sent == sent
    shop.window.open_key("models")
    assert line.bar.value() == before
    assert not line.buttons["resume"].isHidden()
    line.buttons["resume"].click()
    shop.window.open_key("chat")
    wait(lambda: "tiny" in shop.installed(), "the rest")
    assert seen == sorted(seen)
    assert hub.sent <= 1.1 * len(hub.files[REPO, FILE].data) + 65536


def test_a_canceled_download_leaves_nothing(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.2))
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    line = shop.line(page)
    wait(lambda: line.bar.value() > 0, "some bytes")
    begun = time.monotonic()
    line.buttons["cancel"].click()
    wait(lambda: not page.strip.lines, "the end")
    took = time.monotonic() - begun
    sys_note = f"canceled after {took:.2f} s"
    assert took < 3.0, sys_note
    left = [path for path in shop.app.models().folder.rglob("*") if path.is_file() and not path.name.endswith("lock")]
    assert left == []
    assert shop.choose(page, "tiny").part == "available"


def test_an_unfinished_download_goes_on_by_itself_at_the_next_start(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("slow", times=1, seconds=0.2))
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    line = shop.line(page)
    wait(lambda: line.bar.value() > 100, "some bytes")
    shop.close()
    again = open_shop(hub)
    wait(lambda: "tiny" in again.installed(), "the model")
    assert hub.sent <= 1.1 * len(hub.files[REPO, FILE].data) + 65536


def test_a_paused_download_stays_paused_at_the_next_start(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("slow", times=1, seconds=0.2))
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    line = shop.line(page)
    wait(lambda: line.bar.value() > 100, "some bytes")
    line.buttons["pause"].click()
    wait(lambda: "Paused" in line.activity.words, "the pause")
    shop.close()
    again = open_shop(hub)
    page = again.page()
    line = again.line(page)
    asked = len(hub.requests())
    assert "Paused" in line.words._whole
    QTest.qWait(400)
    assert len(hub.requests()) == asked


def test_damage_is_named_and_repaired_from_the_hub(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    wait(lambda: "tiny" in shop.installed(), "the model")
    path = shop.app.models().get("tiny").path
    data = bytearray(path.read_bytes())
    data[5000] ^= 255
    path.write_bytes(data)
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the row")
    shop.choose(page, "tiny")
    page.details.others["check"].click()
    wait(lambda: "damaged" in page.details._verdict.text(), "the verdict")
    assert f"{FILE}: bytes 0 to" in page.details._verdict.text()
    wait(lambda: not page.details.others["repair"].isHidden() and page.details.others["repair"].isEnabled(), "Repair")
    page.details.others["repair"].click()
    wait(lambda: "whole again" in shop.notices.text, "the repair")
    assert path.read_bytes() == hub.files[REPO, FILE].data
    assert page.details.others["repair"].isHidden()


def _drop(page: ModelsPage, *paths: Path) -> None:
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


def test_a_file_dropped_on_the_page_is_taken_in_without_a_second_copy(
    open_shop: Open, hub: Hub, weights: bytes, tmp_path: Path
) -> None:
    shop = open_shop(hub)
    page = shop.page()
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(weights)
    _drop(page, mine)
    wait(lambda: "mine" in shop.installed(), "the model")
    wait(lambda: "takes no more space" in shop.notices.text, "the notice")
    assert shop.app.models().get("mine").path.samefile(mine)
    shop.notices._button.click()
    wait(lambda: "as a copy" in shop.notices.text, "the copy")
    assert not shop.app.models().get("mine").path.samefile(mine)
    assert mine.read_bytes() == weights


def test_what_is_no_model_is_refused_with_a_sentence(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"no model at all")
    _drop(page, junk)
    wait(lambda: shop.notices.text, "the refusal")
    assert shop.installed() == ["starter"]
    assert not page.strip.lines


def test_a_pasted_reference_is_looked_up_and_fetched(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    page.search.setText(REPO)
    QTest.keyClick(page.search, Qt.Key.Key_Return)
    wait(lambda: page.list.current is not None and page.list.current.actions[:1] == ("download",), "the card")
    row = page.list.current
    assert row is not None
    assert row.part == "hub"
    assert "mit" in page.details._license.text().lower()
    page.details.main.click()
    wait(lambda: any("tests-tiny" in name for name in shop.installed()), "the model")


def test_the_hub_is_searched_by_name(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    assert not page.hub.isEnabled()
    page.search.setText("tiny")
    wait(page.hub.isEnabled, "the button")
    page.hub.click()
    wait(lambda: any(row.key == f"hub:{REPO}" for row in shop.rows(page)), "the result")
    page.search.setText("no-such-thing-anywhere")
    wait(lambda: page._middle.currentIndex() == 1 or not shop.rows(page), "nothing")


def test_a_locked_window_asks_nobody_and_says_that_it_waits(open_shop: Open, hub: Hub, home: Path) -> None:
    """The lock is about other machines; a mirror that is none of ours stands for them here."""
    shop = open_shop(hub, mirror="https://mirror.example.org")
    page = shop.page()
    row = shop.choose(page, "tiny")
    assert row.fit.word
    assert page.details.main.text().startswith("Unlock and download")
    assert "offline lock is on" in page.details._lock.text()
    assert page.hub.text() == "Unlock and search the hub"
    ledger = home / "ledger.jsonl"
    assert not ledger.exists() or "mirror.example.org" not in ledger.read_text()
    shop.app.downloads().start(next(card for card in shop.app.catalog().cards if card.name == "tiny"))
    line = shop.line(page) if shop.work.feed._downloads else None
    assert line is None or "lock" in line.words._whole
    assert not ledger.exists() or "mirror.example.org" not in ledger.read_text()


def test_the_window_keeps_answering_while_a_model_comes_and_is_checked(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    late: list[float] = []
    last = time.perf_counter()

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        late.append((now - last) * 1000 - 50)
        last = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    timer.start(50)
    shop.download(page)
    wait(lambda: "tiny" in shop.installed(), "the model")
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the row")
    shop.choose(page, "tiny")
    page.details.others["check"].click()
    wait(lambda: page.details._verdict.text(), "the verdict")
    for name in ("chat", "models", "chat", "models"):
        shop.window.open_key(name)
        QTest.qWait(60)
    timer.stop()
    late.sort()
    assert late[int(len(late) * 0.9)] < 250, late[-5:]


def test_the_card_of_the_first_start_offers_downloads_and_goes(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    offer = shop.chat.welcome.offer
    wait(lambda: offer.offer is not None, "the offer")
    assert offer.offer is not None
    assert offer.isVisible()
    assert "Recommended for this computer" in offer.title.text()
    assert "license" in offer.words.text()
    offer.close_button.click()
    assert not offer.isVisible()
    assert shop.app.settings.offer_model is False
    shop.notices._button.click()
    wait(offer.isVisible, "the undo")
    offer.others.click()
    assert isinstance(shop.window.stack.currentWidget(), ModelsPage)
    page = shop.page()
    shop.download(page)
    wait(lambda: "tiny" in shop.installed(), "the model")
    wait(lambda: offer.offer is None, "the card to go")


def test_keys_alone_reach_everything(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    page.search.setText("tiny test")
    wait(lambda: len(shop.rows(page)) == 1, "the filter")
    QTest.keyClick(page.search, Qt.Key.Key_Return)
    assert page.list.hasFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the model")
    reached = set()
    for _ in range(40):
        QTest.keyClick(shop.window.focusWidget() or shop.window, Qt.Key.Key_Tab)
        focus = shop.window.focusWidget()
        reached.add(focus)
    assert page.details._frame in reached
    assert page.details.main in reached or not page.details.main.isEnabled()
    assert page.details.others["check"] in reached


def test_old_files_are_never_touched_by_a_walk_through_the_page(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(shop.app.models().get("starter").path, folder / "copy.gguf")
    before = (folder / "copy.gguf").stat().st_mtime_ns
    _drop(page, folder)
    wait(lambda: shop.notices.text, "the outcome")
    assert (folder / "copy.gguf").stat().st_mtime_ns == before
