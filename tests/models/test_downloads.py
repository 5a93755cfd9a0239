"""Downloads of whole models from the loopback hub: several files, pausing, canceling, and what is here already."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm import paths
from edgellm.errors import (
    ModelDamaged,
    ModelNotFound,
    NetworkError,
    Stopped,
)
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.check import verify
from edgellm.models.downloads import FOLDER
from edgellm.models.progress import Progress
from tests import download_child, tiny_gguf
from tests.download_child import Setting
from tests.download_models import (
    KB,
    ONNX,
    REPOS,
    SPLIT,
    build,
    card,
    leftovers,
    models,
    noise,
    publish,
    received,
    wait_for,
)
from tests.loopback_hub import Fault, Hub


@pytest.mark.parametrize(
    ("reference", "files", "load"),
    [
        ("maker/one", REPOS["maker/one"], "one.gguf"),
        ("maker/onnx", ONNX, ""),
        ("maker/split", SPLIT, "q4/small-00001-of-00003.gguf"),
    ],
)
def test_a_whole_repository_becomes_one_model(
    hub: Hub, setting: Setting, reference: str, files: dict[str, bytes], load: str
) -> None:
    downloads, api, store = download_child.build(paths.from_environment(), setting)
    seen: list[Progress] = []
    wanted = api.card(reference)
    model = downloads.pull(wanted, seen.append)
    for path, data in files.items():
        assert (model.home / path).read_bytes() == data
    assert model.path == models() / wanted.name / load
    assert store.resolve(wanted.name) == model.path
    assert verify(model).ok
    assert model.manifest is not None
    assert model.manifest.revision == hub.commit(reference)
    assert all(len(file.chunks) == -(-file.size // download_child.CHUNK) for file in model.manifest.files)
    assert hub.sent == sum(map(len, files.values()))
    assert replace(seen[-1], files=()) == Progress(wanted.name, "done", hub.sent, hub.sent)
    assert dict(seen[-1].files) == {path: len(data) for path, data in files.items()}
    assert leftovers() == []
    assert downloads.unfinished() == ()


def test_files_come_side_by_side_and_the_bar_never_moves_back(hub: Hub, setting: Setting) -> None:
    files = {f"part{number}.onnx": noise(100 * KB, number) for number in range(6)}
    publish(hub, "maker/many", files)
    hub.faults.append(Fault("slow", times=-1, seconds=0.05))
    downloads = build(setting)
    seen: list[Progress] = []
    downloads.listen(seen.append)
    busiest = 0

    def watch(progress: Progress) -> None:
        nonlocal busiest
        attempt = downloads._jobs["many"]._attempt
        busiest = max(busiest, attempt.busy if attempt else 0)

    setting.change(downloads_at_once=2)
    downloads.pull(card("many", files, format="onnx"), watch)
    assert busiest == 2
    shown = [progress.received for progress in seen]
    assert shown == sorted(shown)
    running = [progress for progress in seen if progress.state == "running" and progress.speed]
    assert running
    assert all(progress.total == 600 * KB and progress.seconds_left is not None for progress in running)
    assert [progress.state for progress in seen][-2:] == ["checking", "done"]


def test_pause_and_resume_keep_what_arrived(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.1))
    downloads, wanted = build(setting), card("one", REPOS["maker/one"])
    downloads.start(wanted)
    wait_for(lambda: received(downloads) > 50 * KB)
    started = time.monotonic()
    downloads.pause("one")
    wait_for(lambda: downloads.progress()[0].state == "paused")
    took = time.monotonic() - started
    print(f"paused after {took:.2f} s")
    assert took < 3
    assert [record.state for record in downloads.unfinished()] == ["paused"]
    assert build(setting).resume_all() == (), "a paused download goes on only when asked to"
    sent = hub.sent
    hub.faults.clear()
    downloads.resume("one")
    wait_for(lambda: not downloads.unfinished())
    assert (models() / "one/one.gguf").read_bytes() == REPOS["maker/one"]["one.gguf"]
    assert hub.sent - sent <= 200 * KB - 50 * KB + 2 * 16384, "but for a piece that was on its way"
    wait_for(lambda: leftovers() == [])  # the lock goes after the record


def test_resuming_at_once_after_pausing_goes_on(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.3))
    downloads = build(setting)
    seen: list[Progress] = []
    downloads.listen(seen.append)
    downloads.start(card("one", REPOS["maker/one"]))
    for _ in range(4):
        wait_for(lambda: downloads.progress() and downloads.progress()[0].state == "running")
        downloads.pause("one")
        downloads.resume("one")
    hub.faults[0].seconds = 0.0
    wait_for(lambda: not downloads.unfinished())
    shown = [progress.received for progress in seen]
    assert shown == sorted(shown), "the bar does not move back"
    assert "Another EdgeLLM" not in " ".join(progress.message for progress in seen)
    assert (models() / "one/one.gguf").read_bytes() == REPOS["maker/one"]["one.gguf"]
    wait_for(lambda: leftovers() == [])


def test_cancel_leaves_nothing(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("stall", at=50 * KB, times=-1))
    downloads = build(setting)
    states: list[str] = []
    downloads.listen(lambda progress: states.append(progress.state))
    downloads.start(card("one", REPOS["maker/one"]))
    wait_for(lambda: received(downloads) >= 40 * KB)
    assert leftovers() != []
    started = time.monotonic()
    downloads.cancel("one")
    took = time.monotonic() - started
    print(f"canceled in {took:.2f} s, in the middle of a stall")
    assert took < 3
    assert downloads.unfinished() == ()
    wait_for(lambda: leftovers() == [])  # the lock goes last
    wait_for(lambda: states[-1] == "canceled")
    with pytest.raises(ModelNotFound, match="no unfinished download"):
        downloads.cancel("one")


def test_a_pull_that_is_cancelled_or_closed_goes_on_at_the_next_start(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.1))
    downloads, wanted = build(setting), card("one", REPOS["maker/one"])
    with pytest.raises(Stopped, match="kept"):
        downloads.pull(wanted, cancelled=lambda: received(downloads) > 50 * KB)
    hub.faults.clear()
    sent, later = hub.sent, build(setting)
    assert later.resume_all() == ("one",)
    wait_for(lambda: not later.unfinished())
    assert hub.sent - sent < 150 * KB
    wait_for(lambda: leftovers() == [])
    assert later.resume_all() == ()


def test_closing_keeps_the_wish(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("stall", at=50 * KB, times=-1))
    downloads = build(setting)
    downloads.start(card("one", REPOS["maker/one"]))
    wait_for(lambda: downloads.progress() and downloads.progress()[0].state == "running")
    downloads.close()
    assert [record.state for record in downloads.unfinished()] == ["wanted"]


def test_content_that_is_here_is_linked_and_not_fetched(hub: Hub, setting: Setting) -> None:
    downloads = build(setting)
    first = downloads.pull(card("one", REPOS["maker/one"]))
    sent = hub.sent
    files = {"other-name.gguf": REPOS["maker/one"]["one.gguf"]}
    second = downloads.pull(card("again", files, repo="maker/one"))
    assert hub.sent == sent
    assert second.path.read_bytes() == first.path.read_bytes()
    assert second.path.stat().st_ino == first.path.stat().st_ino
    assert leftovers() == []


def test_damaged_content_is_not_linked(hub: Hub, setting: Setting) -> None:
    downloads = build(setting)
    first = downloads.pull(card("one", REPOS["maker/one"]))
    damaged = bytearray(first.path.read_bytes())
    damaged[1000] ^= 1
    first.path.write_bytes(damaged)
    publish(hub, "maker/again", REPOS["maker/one"])
    second = downloads.pull(card("again", REPOS["maker/one"]))
    assert second.path.read_bytes() == REPOS["maker/one"]["one.gguf"]
    assert first.path.read_bytes() == damaged, "the other model is not touched"


def test_the_same_content_twice_in_a_model_is_fetched_once(hub: Hub, setting: Setting) -> None:
    data = noise(90 * KB)
    files = {"a.onnx": data, "b/a.onnx": data, "config.json": b"{}"}
    publish(hub, "maker/twice", files)
    model = build(setting).pull(card("twice", files, format="onnx"))
    assert hub.sent == 90 * KB + 2
    assert {path: (model.home / path).read_bytes() for path in files} == files


def test_a_second_pull_returns_the_model_and_asks_nobody(hub: Hub, setting: Setting) -> None:
    downloads, wanted = build(setting), card("one", REPOS["maker/one"])
    first = downloads.pull(wanted)
    seen = len(hub.requests())
    assert downloads.pull(wanted).path == first.path
    assert len(hub.requests()) == seen
    assert leftovers() == []


@pytest.mark.logs("ERROR")
def test_a_listener_that_fails_does_not_end_a_download(hub: Hub, setting: Setting) -> None:
    downloads = build(setting)
    seen: list[Progress] = []

    def bad(progress: Progress) -> None:
        raise RuntimeError("the window is gone")

    downloads.listen(bad)
    end = downloads.listen(seen.append)
    assert downloads.pull(card("one", REPOS["maker/one"])).size == 200 * KB
    assert seen[-1].state == "done"
    end()
    seen.clear()
    downloads.pull(card("split", SPLIT))
    assert seen == []


def test_the_bar_goes_on_where_it_was_after_a_restart(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.05))
    downloads, wanted = build(setting), card("one", REPOS["maker/one"])
    with pytest.raises(Stopped):
        downloads.pull(wanted, cancelled=lambda: received(downloads) > 100 * KB)
    later, seen = build(setting), []
    later.listen(lambda progress: seen.append(progress.received))
    assert later.progress()[0].received > 100 * KB
    later.pull(wanted)
    assert min(seen) > 100 * KB
    assert seen == sorted(seen)


def test_a_card_of_the_catalog_is_completed_by_the_hub(hub: Hub, setting: Setting) -> None:
    wanted = card("onnx", {"onnx/model.onnx": ONNX["onnx/model.onnx"]}, format="onnx")
    model = build(setting).pull(wanted)
    assert {path: (model.home / path).read_bytes() for path in ONNX} == ONNX
    seen = len(hub.requests())
    assert build(setting).pull(wanted).path == model.path
    assert len(hub.requests()) == seen


def test_two_threads_that_pull_the_same_model_share_one_download(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.02))
    downloads, wanted = build(setting), card("one", REPOS["maker/one"])
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(downloads.pull(wanted).path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [models() / "one/one.gguf"] * 3
    assert hub.sent == 200 * KB


def test_a_direct_link_is_a_model_when_it_is_a_gguf_file(hub: Hub, setting: Setting, tmp_path: Path) -> None:
    real = tiny_gguf.make(tmp_path / "tiny.gguf").read_bytes()
    publish(hub, "maker/link", {"tiny.gguf": real, "page.gguf": b"<html>not a model</html>" * 20})
    downloads = build(setting)
    url = hub.url("maker/link", "tiny.gguf")
    model = downloads.pull(ModelCard("tiny", "", "", (CardFile("tiny.gguf", None, url=url),)))
    assert model.path.read_bytes() == real
    assert model.manifest is not None
    assert model.manifest.files[0].sha256 == hashlib.sha256(real).hexdigest()
    with pytest.raises(ModelDamaged, match="not a GGUF model"):
        downloads.pull(
            ModelCard("page", "", "", (CardFile("page.gguf", None, url=hub.url("maker/link", "page.gguf")),))
        )
    assert not (models() / "page").exists()


def test_old_parts_of_another_revision_are_dropped(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("cut", at=150 * KB))
    hub.faults.append(Fault("503", times=-1))
    downloads = build(setting)
    with pytest.raises(NetworkError):
        downloads.pull(card("one", REPOS["maker/one"]))
    parts = models() / FOLDER / "one.parts"
    assert len(list(parts.glob("*.part"))) == 1
    hub.faults.clear()
    newer = {"one.gguf": noise(150 * KB, 77)}
    hub.replace("maker/one", "one.gguf", newer["one.gguf"])
    model = downloads.pull(card("one", newer))
    assert model.path.read_bytes() == newer["one.gguf"]
    assert leftovers() == []
