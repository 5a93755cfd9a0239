"""What the Models page does with files: take in, check, repair, move, remove and bring back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from desk import wait
from shop import FILE, REPO, Shop, drop

from edgellm.errors import Stopped
from edgellm.ui.model_jobs import Handle
from tests.loopback_hub import Hub

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


def test_a_file_dropped_on_the_page_is_taken_in_without_a_second_copy(
    open_shop: Open, hub: Hub, weights: bytes, tmp_path: Path
) -> None:
    shop = open_shop(hub)
    page = shop.page()
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(weights)
    drop(page, mine)
    wait(lambda: "mine" in shop.installed(), "the model")
    wait(lambda: "takes no more space" in shop.notices.text, "the notice")
    assert shop.app.models().get("mine").path.samefile(mine)
    wait(lambda: any(row.key == "installed:mine" and row.facts for row in shop.rows(page)), "the row")
    wait(lambda: "Architecture" in dict(shop.choose(page, "mine").facts), "what its header says")
    assert dict(shop.choose(page, "mine").facts)["Context"] == "4,096 tokens"
    shop.notices._button.click()
    wait(lambda: "as a copy" in shop.notices.text, "the copy")
    assert not shop.app.models().get("mine").path.samefile(mine)
    assert mine.read_bytes() == weights


def test_what_is_no_model_is_refused_with_a_sentence(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"no model at all")
    drop(page, junk)
    wait(lambda: shop.notices.text, "the refusal")
    assert shop.installed() == ["starter"]
    assert not page.strip.lines


def test_old_files_are_never_touched_by_a_walk_through_the_page(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(shop.app.models().get("starter").path, folder / "copy.gguf")
    before = (folder / "copy.gguf").stat().st_mtime_ns
    drop(page, folder)
    wait(lambda: shop.notices.text, "the outcome")
    assert (folder / "copy.gguf").stat().st_mtime_ns == before


def test_a_model_moves_to_another_folder(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the row")
    row = shop.choose(page, "tiny")
    other = tmp_path / "other disk"
    other.mkdir()
    shop.work.move(row, other)
    wait(lambda: "is in" in shop.notices.text, "the move")
    assert shop.app.models().get("tiny").folder == other
    assert shop.app.models().folder != other, "new models go where they went before"


def test_a_bundle_is_written_and_added(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    shop.download(page)
    wait(lambda: any(row.key == "installed:tiny" for row in shop.rows(page)), "the row")
    bundle = tmp_path / "stick.edgellm"
    shop.work.bundle(shop.choose(page, "tiny"), bundle)
    wait(lambda: "was written, signed by" in shop.notices.text, "the bundle")
    shop.app.models().remove("tiny")
    drop(page, bundle)
    wait(lambda: "Added: tiny" in shop.notices.text, "the news")
    assert "signed" in shop.notices.text
    assert "tiny" in shop.installed()


def test_a_check_can_be_stopped(open_shop: Open, hub: Hub, tmp_path: Path) -> None:
    shop = open_shop(hub)
    page = shop.page()
    stopped: list[object] = []
    handle = Handle("check", "starter", "Starter")

    def endless(handle: Handle) -> None:
        while not handle.cancelled():
            handle.report(1, 4)
            time.sleep(0.01)
        raise Stopped

    assert shop.work.jobs.start(handle, endless, stopped.append, stopped.append)
    assert not shop.work.jobs.start(Handle("check", "starter", "Starter"), endless, stopped.append, stopped.append)
    line = shop.line(page)
    wait(lambda: line.bar.value() == 250, "progress")
    line.buttons["cancel"].click()
    wait(lambda: not page.strip.lines, "the end")
    assert stopped == []
    assert not shop.notices.text
