"""The Models page in the real window, downloading real small models from a real hub on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from desk import Heartbeat, nameless, wait
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from shop import FILE, REPO, Shop

from edgellm.ui.models_page import ModelsPage
from tests.loopback_hub import Fault, Hub

Open = Callable[..., Shop]


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
    hub.faults.append(Fault("slow", times=1, seconds=0.2))
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    wait(lambda: shop.line(page).bar.value() > 100, "some bytes")
    shop.close()
    ledger = home / "ledger.jsonl"
    before = ledger.read_text()
    shop = open_shop(hub, mirror="https://mirror.example.org")
    page = shop.page()
    row = shop.choose(page, "tiny")
    assert row.fit.word
    assert page.details.main.text().startswith("Unlock and download")
    assert page.details.main.isEnabled()
    line = shop.line(page)
    assert line.activity.words.startswith("Waits for the offline lock")
    assert [key for key, button in line.buttons.items() if not button.isHidden()] == ["unlock", "cancel"]
    page.search.setText("qwen3.5-0.8b")
    wait(lambda: page.list.current is not None and page.list.current.name.startswith("qwen3.5"), "another")
    assert page.details.main.text().startswith("Unlock and download")
    assert "offline lock is on" in page.details._lock.text()
    assert page.hub.text() == "Unlock and search the hub"
    QTest.qWait(500)
    assert ledger.read_text() == before
    assert shop.app.settings.offline is True


def test_one_click_lifts_the_lock_and_only_then_is_anything_asked(open_shop: Open, hub: Hub, home: Path) -> None:
    shop = open_shop(hub, mirror="https://mirror.invalid", proxy="none")
    page = shop.page()
    shop.choose(page, "tiny")
    assert page.details.main.text().startswith("Unlock and download")
    shop.app.save_settings(mirror=hub.endpoint)  # so that the click leads to the loopback hub
    page.details.main.click()
    wait(lambda: "tiny" in shop.installed(), "the model")


def test_the_window_keeps_answering_while_a_model_comes_and_is_checked(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("slow", times=1, seconds=0.1))
    shop = open_shop(hub)
    page = shop.page()
    heart = Heartbeat()
    shop.download(page)
    wait(lambda: "tiny" in shop.installed(), "the model")
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the row")
    shop.choose(page, "tiny")
    page.details.others["check"].click()
    wait(lambda: page.details._verdict.text(), "the verdict")
    for name in ("chat", "models", "chat", "models"):
        shop.window.open_key(name)
        QTest.qWait(60)
    late = heart.stop()
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


def test_every_control_has_a_name_while_things_are_going_on(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("slow", times=1, seconds=0.1))
    shop = open_shop(hub)
    wait(lambda: shop.chat.welcome.offer.offer is not None, "the offer")
    page = shop.page()
    shop.download(page)
    line = shop.line(page)
    assert list(nameless(shop.window)) == []
    index = page.list.currentIndex()
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Tiny Test Model" in spoken
    assert "MIT" in spoken
    assert "weights" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert line.buttons["pause"].accessibleName() == "Pause Tiny Test Model"
    assert page.details._frame.accessibleName().startswith(("Fits", "Tight"))


def test_a_failed_download_says_why_and_can_be_tried_again(open_shop: Open, hub: Hub) -> None:
    hub.faults += [Fault("wrong_byte", at=20_000, times=-1)]
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    line = shop.line(page)
    wait(lambda: line.activity.trouble, "the failure")
    assert shop.notices.text
    assert line.words.property("role") == "warning"
    assert "tiny" not in shop.installed()
    hub.faults.clear()
    line.buttons["resume"].click()
    wait(lambda: "tiny" in shop.installed(), "the model")


def test_a_hub_that_does_not_answer_holds_up_neither_the_window_nor_its_end(open_shop: Open, hub: Hub) -> None:
    hub.faults.append(Fault("silent", times=-1, on="api"))
    shop = open_shop(hub)
    page = shop.page()
    page.search.setText("zebra")
    wait(page.hub.isEnabled, "the button")
    page.hub.click()
    wait(lambda: page._none.text() == "Searching the hub.", "the word that it searches")
    wait(lambda: hub.requests("hub"), "the request")
    begun = time.monotonic()
    shop.close()
    assert time.monotonic() - begun < 6.0


def test_an_empty_list_is_one_sentence_and_one_button(open_shop: Open, hub: Hub) -> None:
    shop = open_shop(hub)
    page = shop.page()
    page.search.setText("zebra")
    wait(lambda: page._middle.currentIndex() == 1, "the empty state")
    assert page._none.text() == "Nothing here is called “zebra”."
    page._none_button.click()
    wait(lambda: page._none.text() == "Nothing on the hub is called so.", "the answer")
