"""Downloads of whole models from the loopback hub: several files, pausing, canceling, room, mirrors, and the lock."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgellm import paths
from edgellm.errors import (
    ModelDamaged,
    ModelError,
    ModelNotFound,
    NetworkError,
    OfflineError,
    Stopped,
    StorageError,
    UntrustedName,
    UsageError,
)
from edgellm.models import download_plan
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.check import verify
from edgellm.models.downloads import FOLDER, Downloads
from edgellm.models.progress import Progress
from edgellm.models.store import ModelStore
from tests import download_child, tiny_gguf
from tests.download_child import Setting
from tests.loopback_hub import Fault, Hub

KB = 1000


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that no two files have in common."""
    return random.Random(seed).randbytes(size)


ONNX = {
    "onnx/model.onnx": noise(300 * KB, 2),
    "onnx/model.onnx_data": noise(200 * KB, 3),
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": noise(20 * KB, 4),
}
SPLIT = {f"q4/small-{number:05}-of-00003.gguf": noise(100 * KB, 10 + number) for number in (1, 2, 3)}
REPOS = {"maker/one": {"one.gguf": noise(200 * KB)}, "maker/onnx": ONNX, "maker/split": SPLIT}


@pytest.fixture
def setting() -> Setting:
    """The settings of this test."""
    return Setting()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that HF_ENDPOINT leads to."""
    with Hub(REPOS) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


def publish(hub: Hub, repo: str, files: dict[str, bytes]) -> None:
    """Add a repository to a hub that runs."""
    with Hub({repo: files}) as more:
        hub.files.update(more.files)
        hub.repos.update(more.repos)


def card(name: str, files: dict[str, bytes], repo: str = "", format: str = "gguf") -> ModelCard:
    """A card that pins every file by its sha256."""
    listed = tuple(CardFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items())
    return ModelCard(name, name, "", listed, repo=repo or f"maker/{name}", format=format)


def models() -> Path:
    """The folder for models."""
    return paths.from_environment().models


def leftovers() -> list[str]:
    """What lies in the folder for models and is no model: nothing but the locks, when all is well."""
    hidden = [path for path in models().rglob("*") if path.relative_to(models()).parts[0].startswith(".")]
    return sorted(path.relative_to(models()).as_posix() for path in hidden if path.is_file() and path.name != ".lock")


def build(setting: Setting, **more: Any) -> Downloads:
    """The downloads of this process."""
    return download_child.build(paths.from_environment(), setting, **more)[0]


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def received(downloads: Downloads) -> int:
    """Bytes of all downloads that are not finished."""
    return sum(progress.received for progress in downloads.progress())


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
    assert hub.sent - sent <= 200 * KB - 50 * KB
    assert leftovers() == []


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
    assert leftovers() == []
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
    assert leftovers() == []
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


def test_a_name_that_another_model_has_is_refused_before_the_first_byte(hub: Hub, setting: Setting) -> None:
    downloads = build(setting)
    downloads.pull(card("one", REPOS["maker/one"]))
    sent = hub.sent
    with pytest.raises(ModelError, match="already is a model one") as caught:
        downloads.pull(card("one", SPLIT, repo="maker/split"))
    assert "edgellm models remove one" in caught.value.hint
    assert hub.sent == sent
    assert leftovers() == []


def test_a_file_of_that_name_in_any_case_is_another_model_too(hub: Hub, setting: Setting) -> None:
    models().mkdir(parents=True)
    (models() / "ONE.gguf").write_bytes(b"mine")
    with pytest.raises(ModelError, match="already is a model one"):
        build(setting).pull(card("one", REPOS["maker/one"]))
    assert hub.sent == 0
    assert (models() / "ONE.gguf").read_bytes() == b"mine"


def test_a_model_that_was_moved_to_another_folder_is_not_fetched_again(
    hub: Hub, setting: Setting, tmp_path: Path
) -> None:
    store = ModelStore(paths.from_environment(), (tmp_path / "first", tmp_path / "second"))
    for folder in store.folders:
        folder.mkdir(parents=True)
    downloads = build(setting, store=store)
    assert downloads.pull(card("one", REPOS["maker/one"])).folder == tmp_path / "first"
    store.move("one", tmp_path / "second")
    sent = hub.sent
    assert downloads.pull(card("one", REPOS["maker/one"])).folder == tmp_path / "second"
    assert hub.sent == sent


def test_a_download_goes_on_after_another_folder_became_the_first(hub: Hub, setting: Setting, tmp_path: Path) -> None:
    hub.faults.append(Fault("cut", at=150 * KB))
    hub.faults.append(Fault("503", times=-1))
    with pytest.raises(NetworkError):
        build(setting).pull(card("one", REPOS["maker/one"]))
    hub.faults.clear()
    (tmp_path / "stick").mkdir()
    store, sent = ModelStore(paths.from_environment(), (tmp_path / "stick",)), hub.sent
    later = build(setting, store=store)
    assert later.resume_all() == ("one",)
    wait_for(lambda: not later.unfinished())
    assert store.get("one").folder == tmp_path / "stick"
    assert hub.sent - sent < 100 * KB
    wait_for(lambda: leftovers() == [])


def test_a_folder_that_is_not_plugged_in_is_not_made(hub: Hub, setting: Setting, tmp_path: Path) -> None:
    gone = tmp_path / "stick" / "models"
    downloads = build(setting, store=ModelStore(paths.from_environment(), (gone,)))
    with pytest.raises(StorageError) as caught:
        downloads.pull(card("one", REPOS["maker/one"]))
    assert "Plug in" in caught.value.hint
    assert not gone.parent.exists()
    assert hub.sent == 0


def test_without_room_nothing_is_begun_and_the_sum_is_shown(hub: Hub, setting: Setting) -> None:
    downloads = build(setting, room=lambda folder: 64_100_000)
    with pytest.raises(StorageError) as caught:
        downloads.pull(card("one", REPOS["maker/one"]))
    assert caught.value.message == (
        f"one needs 200.0 KB, and 64.1 MB is free in {models()}, of which 64.0 MB is kept for your chats."
    )
    assert "Free 100.0 KB" in caught.value.hint
    assert hub.sent == 0
    (record,) = downloads.unfinished()
    assert record.message == caught.value.message
    assert downloads.progress()[0].state == "failed"
    downloads.cancel("one")
    assert leftovers() == []


def test_what_is_here_already_counts_when_room_is_looked_for(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("cut", at=150 * KB, times=1))
    hub.faults.append(Fault("503", times=-1))
    wanted = card("one", REPOS["maker/one"])
    with pytest.raises(NetworkError):
        build(setting).pull(wanted)
    hub.faults.clear()
    with pytest.raises(StorageError, match=r"needs 5\d\.\d KB besides the 1\d\d\.\d KB that are here"):
        build(setting, room=lambda folder: 64_010_000).pull(wanted)
    assert build(setting, room=lambda folder: 64_060_000).pull(wanted).size == 200 * KB


def test_two_downloads_that_fit_only_alone_do_not_begin_together(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("slow", times=-1, seconds=0.1, path="one.gguf"))
    downloads = build(setting, room=lambda folder: 64_000_000 + 550 * KB)
    downloads.start(card("one", REPOS["maker/one"]))
    wait_for(lambda: downloads.progress() and downloads.progress()[0].state == "running")
    with pytest.raises(StorageError, match="kept for your chats and other downloads"):
        downloads.pull(card("onnx", ONNX, format="onnx"))
    downloads.cancel("one")
    wait_for(lambda: not (models() / FOLDER / "one.parts").exists())
    assert downloads.pull(card("onnx", ONNX, format="onnx")).size == sum(map(len, ONNX.values()))


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


def test_further_mirrors_are_asked_in_order(hub: Hub, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.faults.append(Fault("503", times=-1, on="resolve"))
    with Hub(REPOS) as mirror, Hub({}) as empty:
        setting.change(mirror=hub.endpoint, further_mirrors=f"{empty.endpoint} {mirror.endpoint}")
        model = build(setting).pull(card("one", REPOS["maker/one"]))
        assert model.path.read_bytes() == REPOS["maker/one"]["one.gguf"]
        assert mirror.sent == 200 * KB
        assert empty.requests()
        assert hub.requests()


def test_a_card_of_the_catalog_is_completed_by_the_hub(hub: Hub, setting: Setting) -> None:
    wanted = card("onnx", {"onnx/model.onnx": ONNX["onnx/model.onnx"]}, format="onnx")
    model = build(setting).pull(wanted)
    assert {path: (model.home / path).read_bytes() for path in ONNX} == ONNX
    seen = len(hub.requests())
    assert build(setting).pull(wanted).path == model.path
    assert len(hub.requests()) == seen


def test_the_offline_lock_is_one_sentence_and_nothing_else(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    downloads = build(setting)
    with pytest.raises(OfflineError, match="offline lock is on") as caught:
        downloads.pull(card("one", REPOS["maker/one"]))
    assert "\n" not in str(caught.value)
    assert leftovers() == []
    assert downloads.unfinished() == ()
    ledger = paths.from_environment().ledger
    assert not ledger.exists()


def test_the_lock_waits_for_nothing_and_starts_nothing_at_the_next_start(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("503", times=-1))
    with pytest.raises(NetworkError):
        build(setting).pull(card("one", REPOS["maker/one"]))
    setting.change(mirror="https://models.example")
    later = build(setting)
    assert later.resume_all() == ()
    with pytest.raises(OfflineError):
        later.pull(card("one", REPOS["maker/one"]))
    assert [record.name for record in later.unfinished()] == ["one"], "what was begun is kept"
    assert "models.example" not in paths.from_environment().ledger.read_text(encoding="utf-8")


def test_a_lock_that_is_put_on_ends_what_runs(hub: Hub, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_plan, "is_loopback", lambda host: False)  # as if the hub were far away
    hub.faults.append(Fault("slow", times=-1, seconds=0.1))
    setting.change(offline=False)
    downloads = build(setting)
    downloads.start(card("one", REPOS["maker/one"]))
    wait_for(lambda: received(downloads) > 50 * KB)
    setting.change(offline=True)
    wait_for(lambda: downloads.progress()[0].state != "running")
    assert [record.state for record in downloads.unfinished()] == ["wanted"]


def test_a_failure_is_kept_with_the_record_and_names_the_file(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("404", times=-1, path="tokenizer.json", on="resolve"))
    downloads = build(setting)
    with pytest.raises(NetworkError, match=r"^tokenizer\.json: ") as caught:
        downloads.pull(card("onnx", ONNX, format="onnx"))
    (record,) = build(setting).unfinished()
    assert (record.message, record.hint) == (caught.value.message, caught.value.hint)
    (progress,) = build(setting).progress()
    assert (progress.state, progress.message) == ("failed", record.message)


def test_a_background_download_outlasts_the_network(hub: Hub, setting: Setting) -> None:
    hub.faults.append(Fault("503", times=-1, on="resolve"))
    downloads = build(setting, waits=(0.2,))
    seen: list[Progress] = []
    downloads.listen(seen.append)
    downloads.start(card("one", REPOS["maker/one"]))
    wait_for(lambda: any(progress.message for progress in seen))
    assert downloads.progress()[0].state == "queued"
    hub.faults.clear()
    wait_for(lambda: seen[-1].state == "done")
    assert "goes on by itself" in next(progress.hint for progress in seen if progress.message)


def test_the_rate_is_kept_over_all_files_and_can_be_changed(hub: Hub, setting: Setting) -> None:
    setting.change(download_rate=100)
    downloads = build(setting)
    downloads.start(card("onnx", ONNX, format="onnx"))
    time.sleep(2.0)
    here = received(downloads)
    print(f"{here} bytes in 2 s at 100 KB/s")
    assert here < 400 * KB
    setting.change(download_rate=0)
    wait_for(lambda: not downloads.unfinished(), 10)


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


@pytest.mark.parametrize(
    "file",
    [
        CardFile("../out.gguf", 5),
        CardFile("/tmp/out.gguf", 5),
        CardFile("CON.gguf", 5),
        CardFile("a‮fgg.gguf", 5),
        CardFile("edgellm-model.json", 5),
        CardFile("a.gguf", 5, sha256="zz" * 32),
        CardFile("a.gguf", 5, git_oid="1234"),
    ],
)
def test_names_and_hashes_that_cannot_be_trusted_are_refused_before_any_write(
    hub: Hub, setting: Setting, file: CardFile
) -> None:
    downloads = build(setting)
    with pytest.raises(UntrustedName):
        downloads.pull(ModelCard("one", "", "", (file,), repo="maker/one"))
    assert not hub.requests()
    assert leftovers() == []


@pytest.mark.parametrize("name", ["../one", "One", "a/b", "con", ""])
def test_a_model_needs_a_plain_name(setting: Setting, name: str) -> None:
    with pytest.raises(UntrustedName):
        build(setting).start(ModelCard(name, "", "", (CardFile("a.gguf", 5),), repo="maker/one"))


def test_a_card_without_files_or_addresses_says_so(setting: Setting) -> None:
    with pytest.raises(UsageError, match="names no file"):
        build(setting).pull(ModelCard("one", "", "", ()))
    with pytest.raises(UsageError, match="does not say where"):
        build(setting).pull(ModelCard("one", "", "", (CardFile("a.gguf", 5, sha256="ab" * 32),)))


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
