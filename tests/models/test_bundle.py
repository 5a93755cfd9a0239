"""Bundles: written, read by ordinary tools, added on another computer."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.errors import ModelDamaged, ModelError, Stopped, StorageError, UsageError
from edgellm.models import bundle, bundle_write, disk, signing
from edgellm.models.manifest import Manifest
from edgellm.models.rate import Control
from edgellm.models.staging import Staging
from edgellm.models.store import ModelStore
from edgellm.paths import starter_model
from tests import bundles


def test_what_was_bundled_is_added_elsewhere(tmp_path: Path) -> None:
    made = bundles.made(tmp_path / "a")
    added = bundles.add(made, tmp_path / "b")
    sent, there = ModelStore(bundles.home(tmp_path / "a")), ModelStore(bundles.home(tmp_path / "b"))
    assert [model.name for model in added.models] == ["alpha", "beta"] and added.here == ()
    for name, sizes in (("alpha", bundles.ALPHA), ("beta", bundles.BETA)):
        before, after = sent.get(name).manifest, there.get(name).manifest
        assert before and after and not there.get(name).problem
        assert (after.files, after.title, after.license) == (before.files, before.title, before.license)
        assert after.chunk_size == bundles.PART and after.added and after.checked
        for path, size in sizes.items():
            assert (there.folder / name / path).read_bytes() == bundles.content(f"{name}/{path}", size)
    assert there.resolve("alpha").name == "alpha-q4.gguf"


def test_the_archive_says_what_it_is_and_nothing_of_this_computer(tmp_path: Path) -> None:
    made = bundles.made(tmp_path / "a")
    with tarfile.open(made) as archive:
        names = archive.getnames()
        members = {member.name: (member.isreg(), member.mode, member.mtime, member.uname) for member in archive}
        listing = archive.extractfile("manifest.json")
        assert listing is not None
        document = json.load(listing)
    assert names == ["manifest.json", "manifest.sig", "models/alpha/alpha-q4.gguf"] + [
        f"models/beta/{path}" for path in bundles.BETA
    ]
    assert set(members.values()) == {(True, 0o644, 0, "")}
    assert document["version"] == 1 and document["program"] and document["created"]
    assert b"/private/place" not in made.read_bytes()
    first = document["models"][0]
    assert {"path", "size", "sha256", "chunks"} == set(first["files"][0]) and len(first["files"][0]["chunks"]) == 3
    assert document["cards"]["model"][0]["repo"] == "who/alpha"


def test_ordinary_tools_take_it_apart(tmp_path: Path) -> None:
    made = bundles.made(tmp_path / "a")
    with tarfile.open(made, "r|") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    for name, sizes in (("alpha", bundles.ALPHA), ("beta", bundles.BETA)):
        for path, size in sizes.items():
            assert (tmp_path / "out/models" / name / path).read_bytes() == bundles.content(f"{name}/{path}", size)


def test_cards_come_through_and_unknown_ones_are_left_out(tmp_path: Path) -> None:
    card = bundles.card("alpha")
    contents = bundle.Contents((bundles.manifest("alpha", {"a.gguf": b"a"}),), (card,))
    document = json.loads(bundle.encode(contents))
    document["cards"]["model"] += [{"name": "../x"}, "no table", {**document["cards"]["model"][0], "future": 1}]
    found = bundle.decode(json.dumps(document).encode())
    assert found.cards == (replace(card, own=False),)


def test_headers_are_the_same_with_every_python() -> None:
    """A reader compares them byte by byte: what this version writes must be what every other version expects."""
    long = "models/x/" + "文" * 80 + "/" + "a" * 120
    found = bundle.header("manifest.json", 776) + bundle.header(long, 5) + bundle.header("models/x/y", 9 << 30)
    assert len(found) == 512 * (1 + 3 + 3)
    assert hashlib.sha256(found).hexdigest() == "4dcff35420c8c8d2522bf83ee54f909c49e4dca26941d471eebf9dae2ac7e194"


def test_a_model_that_is_here_is_not_written_again(tmp_path: Path) -> None:
    made, there = bundles.made(tmp_path / "a"), tmp_path / "b"
    bundles.add(made, there)
    before = {path: path.stat().st_mtime_ns for path in (there / "models").rglob("*.*") if path.is_file()}
    again = bundles.add(made, there)
    assert (again.models, again.here) == ((), ("alpha", "beta"))
    ModelStore(bundles.home(there))
    after = {path: path.stat().st_mtime_ns for path in (there / "models").rglob("*.*") if path.is_file()}
    assert {path.name for path in before} >= {"alpha-q4.gguf", "edgellm-model.json"}
    assert [path for path in before if before[path] != after[path] and path.suffix != ".lock"] == []


def test_only_what_is_missing_is_added(tmp_path: Path) -> None:
    there = ModelStore(bundles.home(tmp_path / "b"))
    bundles.place(there, "alpha", bundles.ALPHA)
    added = bundles.add(bundles.made(tmp_path / "a"), tmp_path / "b")
    assert [model.name for model in added.models] == ["beta"] and added.here == ("alpha",)


def test_another_model_of_that_name_stays(tmp_path: Path) -> None:
    there = ModelStore(bundles.home(tmp_path / "b"))
    bundles.place(there, "beta", {"other.gguf": 100})
    before = bundles.tree(tmp_path / "b")
    with pytest.raises(ModelError, match="already is another model called beta") as error:
        bundles.add(bundles.made(tmp_path / "a"), tmp_path / "b")
    assert error.value.hint == "Remove it first: edgellm models remove beta"
    assert bundles.tree(tmp_path / "b") == before


def test_a_damaged_copy_here_is_not_taken_for_the_model(tmp_path: Path) -> None:
    made, there = bundles.made(tmp_path / "a"), tmp_path / "b"
    bundles.add(made, there)
    (there / "models/alpha/alpha-q4.gguf").write_bytes(b"short")
    with pytest.raises(ModelError, match="already is another model called alpha"):
        bundles.add(made, there)


@pytest.mark.parametrize("after", [0, 1, 5_000, 12_000])
def test_a_stop_leaves_nothing(tmp_path: Path, after: int) -> None:
    made, seen = bundles.made(tmp_path / "a"), []

    def progress(received: int, total: int | None) -> None:
        seen.append((received, total))

    control = Control(progress=progress, cancelled=lambda: bool(seen and seen[-1][0] > after) or after == 0)
    with pytest.raises(Stopped):
        bundles.add(made, tmp_path / "b", control=control)
    assert bundles.tree(tmp_path / "b") == {}


def test_progress_rises_to_the_size_of_the_file(tmp_path: Path) -> None:
    made, seen = bundles.made(tmp_path / "a"), []
    control = Control(progress=lambda received, total: seen.append((received, total)))
    bundles.add(made, tmp_path / "b", control=control)
    assert seen == sorted(seen) and {total for _, total in seen} == {made.stat().st_size}


def test_there_must_be_room_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bundles.made(tmp_path / "a")
    monkeypatch.setattr(disk, "room", lambda folder: 10_000)
    with pytest.raises(StorageError, match=r"The models need 1\d KB, and .* has 10 KB free"):
        bundles.add(made, tmp_path / "b")
    assert bundles.tree(tmp_path / "b") == {}


def test_a_failure_at_the_last_step_takes_the_first_model_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, there = bundles.made(tmp_path / "a"), tmp_path / "b"
    seen: list[str] = []
    commit = Staging.commit

    def second_fails(self: Staging, manifest: Manifest) -> Path:
        seen.append(manifest.name)
        if len(seen) == 2:
            assert (there / "models/alpha").is_dir()
            raise StorageError("The disk is gone.")
        return commit(self, manifest)

    monkeypatch.setattr(Staging, "commit", second_fails)
    with pytest.raises(StorageError, match="The disk is gone"):
        bundles.add(made, there)
    assert seen == ["alpha", "beta"] and bundles.tree(there) == {}


def test_the_signer_is_said_and_remembered_only_when_asked(tmp_path: Path) -> None:
    made, there = bundles.made(tmp_path / "a", ["alpha"]), tmp_path / "b"
    fingerprint = signing.own_key(tmp_path / "a/signing").fingerprint
    first = bundles.add(made, there)
    assert not first.known and first.fingerprint == fingerprint
    assert first.sentence == f"It is signed by a key that this computer has not seen: {fingerprint}"
    assert not bundles.add(made, there, trust=True).known
    again = bundles.add(made, there)
    assert again.known and again.sentence == f"It is signed by a key that you trust: {fingerprint}"
    assert [one.note for one in signing.trusted(there / "signing")] == ["models.edgellm"]
    own = bundles.add(made, tmp_path / "a")
    assert own.known and "own key" in own.sentence


def test_a_signer_can_be_demanded(tmp_path: Path) -> None:
    made, there = bundles.made(tmp_path / "a", ["alpha"]), tmp_path / "b"
    fingerprint = signing.own_key(tmp_path / "a/signing").fingerprint
    other = signing.own_key(tmp_path / "c").fingerprint
    with pytest.raises(ModelError, match=f"signed by {fingerprint}, and not by {other}, so nothing was added"):
        bundles.add(made, there, signer=other, trust=True)
    assert bundles.tree(there) == {}
    typed = fingerprint.upper().replace(" ", ":")
    assert [model.name for model in bundles.add(made, there, signer=typed).models] == ["alpha"]
    with pytest.raises(UsageError, match="no fingerprint"):
        bundles.add(made, there, signer=fingerprint[:9])


def test_a_loose_file_is_bundled_with_fresh_hashes(tmp_path: Path) -> None:
    store, out = ModelStore(bundles.home(tmp_path / "a")), tmp_path / "loose.edgellm"
    (store.folder / "Sub Folder").mkdir(parents=True)
    data = bundles.content("loose", 40_000)
    (store.folder / "Sub Folder" / "My Model.gguf").write_bytes(data)
    (found,) = (model for model in store.installed() if not model.builtin)
    written = bundle_write.write([found], [], out, signing.own_key(tmp_path / "key"), Control())
    assert written.size == out.stat().st_size
    (model,) = bundles.add(out, tmp_path / "b").models
    assert model.name == "sub-folder-my-model" and model.path.read_bytes() == data


def test_of_a_loose_folder_only_what_is_the_model_is_carried(tmp_path: Path) -> None:
    """A link may lead to anything, such as this person's keys; code would be refused where it arrives."""
    store, out = ModelStore(bundles.home(tmp_path / "a")), tmp_path / "loose.edgellm"
    folder = store.folder / "mine"
    (folder / ".cache").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "modeling.py", "pytorch_model.bin", ".cache/x.json", ".hidden"):
        (folder / name).write_bytes(b"{}")
    (tmp_path / "secret.json").write_bytes(b"secret")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    bundle_write.write([store.get("mine")], [], out, signing.own_key(tmp_path / "key"), Control())
    (model,) = bundles.add(out, tmp_path / "b").models
    assert model.manifest and [file.path for file in model.manifest.files] == ["config.json", "model.safetensors"]
    assert b"secret" not in out.read_bytes()


def test_a_changed_file_is_not_signed(tmp_path: Path) -> None:
    store, out = bundles.sender(tmp_path / "a"), tmp_path / "x.edgellm"
    file = store.folder / "alpha/alpha-q4.gguf"
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(ModelDamaged, match=r"alpha is damaged: alpha-q4\.gguf is not what it was") as error:
        bundle_write.write([store.get("alpha")], [], out, signing.own_key(tmp_path / "key"), Control())
    assert error.value.hint == "Run: edgellm models verify alpha"
    assert not list(tmp_path.glob("x.edgellm*"))


def _write(tmp_path: Path, out: Path, control: Control | None = None, replacing: bool = False) -> bundle_write.Written:
    store = ModelStore(bundles.home(tmp_path / "a"))
    if not store.folder.exists():
        bundles.sender(tmp_path / "a")
    key = signing.own_key(tmp_path / "key")
    return bundle_write.write([store.get("alpha")], [], out, key, control or Control(), replacing)


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    out = tmp_path / "x.edgellm"
    out.write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"already is a file x\.edgellm"):
        _write(tmp_path, out)
    assert out.read_bytes() == b"mine"
    assert _write(tmp_path, out, replacing=True).size == out.stat().st_size > 9_000
    with pytest.raises(UsageError, match="is a folder"):
        _write(tmp_path, tmp_path, replacing=True)
    with pytest.raises(UsageError, match="There is no folder"):
        _write(tmp_path, tmp_path / "none" / "x.edgellm")


def test_stopping_or_failing_to_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out" / "x.edgellm"
    out.parent.mkdir()
    with pytest.raises(Stopped):
        _write(tmp_path, out, Control(cancelled=lambda: True))
    monkeypatch.setattr(disk, "room", lambda folder: 1_000)
    with pytest.raises(StorageError, match="The bundle needs"):
        _write(tmp_path, out)
    monkeypatch.undo()
    with pytest.raises(StorageError, match="The bundle could not be written: File name too long"):
        _write(tmp_path, out.parent / ("x" * 250))
    assert list(out.parent.iterdir()) == []


def test_a_fat_stick_is_told_before_four_gigabytes_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_write, "file_system", lambda folder: "vfat")
    monkeypatch.setattr(bundle_write, "_FAT_LIMIT", 10_000)
    with pytest.raises(StorageError, match="file system \\(FAT\\) holds no file above"):
        _write(tmp_path, tmp_path / "x.edgellm")
    monkeypatch.setattr(bundle_write, "file_system", lambda folder: "exfat")
    assert _write(tmp_path, tmp_path / "x.edgellm").size > 10_000


def test_the_file_system_of_a_folder_is_known(tmp_path: Path) -> None:
    assert bundle_write.file_system(tmp_path) not in ("", "vfat")


def test_some_models_are_not_bundled(tmp_path: Path) -> None:
    store, key = bundles.sender(tmp_path / "a"), signing.own_key(tmp_path / "key")
    assert starter_model().is_file()
    with pytest.raises(UsageError, match="starter comes with the program"):
        bundle_write.write([store.get("starter")], [], tmp_path / "x", key, Control())
    with pytest.raises(UsageError, match="named twice"):
        bundle_write.write([store.get("alpha")] * 2, [], tmp_path / "x", key, Control())
    (store.folder / "alpha/alpha-q4.gguf").unlink()
    with pytest.raises(ModelDamaged, match="lacks the file"):
        bundle_write.write([store.get("alpha")], [], tmp_path / "x", key, Control())
    assert not (tmp_path / "x").exists()
