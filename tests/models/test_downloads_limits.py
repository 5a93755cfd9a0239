"""What a download keeps to: names, room on the disk, folders, mirrors, the rate, the offline lock, and failures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edgellm import paths
from edgellm.errors import (
    ModelError,
    NetworkError,
    OfflineError,
    StorageError,
    UntrustedName,
    UsageError,
)
from edgellm.models import download_plan
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.downloads import FOLDER
from edgellm.models.progress import Progress
from edgellm.models.store import ModelStore
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
    received,
    wait_for,
)
from tests.loopback_hub import Fault, Hub


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
        f"one needs 200 KB, and 64.1 MB is free in {models()}, of which 64.0 MB is kept for your chats."
    )
    assert "Free 100 KB" in caught.value.hint
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
    with pytest.raises(StorageError, match=r"needs 5\d KB besides the 1\d\d KB that are here"):
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


def test_further_mirrors_are_asked_in_order(hub: Hub, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.faults.append(Fault("503", times=-1, on="resolve"))
    with Hub(REPOS) as mirror, Hub({}) as empty:
        setting.change(mirror=hub.endpoint, further_mirrors=f"{empty.endpoint} {mirror.endpoint}")
        model = build(setting).pull(card("one", REPOS["maker/one"]))
        assert model.path.read_bytes() == REPOS["maker/one"]["one.gguf"]
        assert mirror.sent == 200 * KB
        assert empty.requests()
        assert hub.requests()


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
        CardFile("modeling.py", 5),
        CardFile("pytorch_model.bin", 5),
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
