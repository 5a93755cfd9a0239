"""Bundles that are damaged, or forged by somebody with a key: refused, and no file is anywhere but in the store."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import EdgeError, ModelDamaged, ModelUnsupported, Stopped, StorageError, UntrustedName
from edgellm.models import bundle, bundle_read, signing
from edgellm.models.bundle_read import Bundle
from edgellm.models.manifest import Manifest
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from tests import bundles
from tests.bundles import document, entry, forged, manifest

FILES = {"a.gguf": b"alpha" * 100, "b.gguf": b"beta!" * 100}


@pytest.fixture
def key(tmp_path: Path) -> signing.OwnKey:
    """The key of somebody who makes hostile bundles."""
    return signing.own_key(tmp_path / "hostile")


def refused(path: Path, tmp_path: Path, kind: type[EdgeError] = EdgeError) -> EdgeError:
    """The error that adding it gives; nothing else may come of it."""
    before = bundles.tree(tmp_path)
    with pytest.raises(kind) as error:
        bundles.add(path, tmp_path / "there")
    assert bundles.tree(tmp_path) == before
    assert not isinstance(error.value, Stopped) and error.value.message and error.value.hint
    assert [one for one in ModelStore(bundles.home(tmp_path / "there")).installed() if not one.builtin] == []
    return error.value


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_is_never_visible(tmp_path: Path, seed: int) -> None:
    """360 cases: whatever is changed, cut out, put in or put behind."""
    data = bundles.made(tmp_path / "a").read_bytes()
    spoiled, seen = tmp_path / "x.edgellm", Counter[str]()
    for name, damaged in bundles.damages(data, seed, 60):
        spoiled.write_bytes(damaged)
        error = refused(spoiled, tmp_path)
        assert isinstance(error, ModelDamaged), name
        seen[name.split()[1]] += 1
    assert sum(seen.values()) >= 50 and len(seen) >= 8


def test_each_single_byte_counts(tmp_path: Path) -> None:
    data = bundles.made(tmp_path / "a", ["alpha"]).read_bytes()
    Bundle(bundles.Bytes(data)).check(Control())
    listing = 512 + int(data[124:135], 8)
    places = [*range(0, 700), *range(listing - 200, listing + 1800, 3), *range(700, len(data), 61)]
    for at in places:
        with pytest.raises(EdgeError):
            Bundle(bundles.Bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])).check(Control())


def test_cut_anywhere(tmp_path: Path) -> None:
    data = bundles.made(tmp_path / "a", ["alpha"]).read_bytes()
    spoiled, lengths = tmp_path / "x.edgellm", [0, 1, 511, 512, 513, *range(700, len(data), 997), len(data) - 1]
    for length in lengths:
        spoiled.write_bytes(data[:length])
        error = refused(spoiled, tmp_path, ModelDamaged)
        assert "too early" in error.message or "no bundle" in error.message


def test_nothing_is_written_before_the_signature_holds(tmp_path: Path) -> None:
    data = bytearray(bundles.made(tmp_path / "a").read_bytes())
    at = data.index(b'"license": "MIT"')
    data[at + 12 : at + 15] = b"GPL"
    (tmp_path / "x.edgellm").write_bytes(data)
    error = refused(tmp_path / "x.edgellm", tmp_path, ModelDamaged)
    assert error.message == "The bundle is damaged: it was changed after it was signed."
    assert not (tmp_path / "there").exists()


def test_a_signature_by_another_key_and_of_another_list(tmp_path: Path, key: signing.OwnKey) -> None:
    made = bundles.made(tmp_path / "a").read_bytes()
    listing = made[512 : 512 + int(made[124:135], 8)]
    at = made.index(b"ed25519\n")
    real = bundle.read_signature(made[at : at + bundle.SIGNATURE_SIZE])
    assert real.covers(listing)
    other = bundle.sign(b"another list", key)
    for signature in (
        replace(real, public=key.public),
        other,
        replace(other, public=real.public),
        bundle.Signature(key.public, key.sign(listing)),
        bundle.Signature(bytes(32), bytes(64)),
        bundle.Signature(b"\1" + bytes(31), b"\1" + bytes(63)),
    ):
        spoiled = made[:at] + signature.encode() + made[at + bundle.SIGNATURE_SIZE :]
        (tmp_path / "x.edgellm").write_bytes(spoiled)
        assert "changed after it was signed" in refused(tmp_path / "x.edgellm", tmp_path, ModelDamaged).message


@pytest.mark.parametrize("name", ["modeling.py", "pytorch_model.bin", "sub/weights.PT", "a.pkl", "lib.so", "x.ckpt"])
def test_code_and_pickle_are_refused_whoever_signed(tmp_path: Path, key: signing.OwnKey, name: str) -> None:
    model = manifest("good", {"a.gguf": b"alpha", name: b"import os"})
    members = [("models/good/a.gguf", b"alpha"), (f"models/good/{name}", b"import os")]
    error = refused(forged(tmp_path / "x.edgellm", key, document(model), members), tmp_path, ModelUnsupported)
    assert error.message == f"The bundle holds '{name}', which is code or may hold some, so it was refused."


HOSTILE_PATHS = (
    *("../x", "../../x", "/etc/x", "a/../../x", "C:/x", "C:x", "a\\..\\x", "CON", "a/nul.gguf", "x.", "x ", " x", "."),
    *("", "a//b", "a\0b", "a\nb", "a\u202eb", "x" * 300, "edgellm-model.json", "~/x", "\ud800"),
)


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_file_names(tmp_path: Path, key: signing.OwnKey, path: str) -> None:
    model = entry(manifest("good", FILES))
    model["files"][0]["path"] = path
    spoiled = document(manifest("good", FILES), models=[model])
    members = [(_info("models/good/x"), FILES["a.gguf"]), (_info("models/good/b.gguf"), FILES["b.gguf"])]
    error = refused(forged(tmp_path / "x.edgellm", key, spoiled, members), tmp_path, ModelDamaged)
    assert "has a name or a hash that is not allowed" in error.message or "lists something" in error.message
    assert error.hint == "Copy the bundle again from where it was made."


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "..", "", "CON", "Big", ".incoming", "x" * 300])
def test_hostile_model_names(tmp_path: Path, key: signing.OwnKey, name: str) -> None:
    spoiled = document(manifest("good", FILES), models=[{**entry(manifest("good", FILES)), "name": name}])
    members = [(f"models/{name}/{path}", data) for path, data in FILES.items()]
    error = refused(forged(tmp_path / "x.edgellm", key, spoiled, members), tmp_path)
    assert isinstance(error, UntrustedName) or "names no model" in error.message


def _info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int | None = None) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, 0o644, 0
    info.size = 500 if size is None else size
    return info


@pytest.mark.parametrize(
    "member",
    [
        *[_info("models/good/a.gguf", kind, "../../../x") for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE)],
        *[_info("models/good/a.gguf", kind) for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)],
        *[_info("models/good/a.gguf", kind) for kind in (tarfile.DIRTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE)],
        *[_info("models/good/a.gguf", kind) for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE)],
        *[_info(name) for name in ("../x", "/x", "models/good/../../../x", "models/good/b.gguf", "manifest.json")],
        *[_info("models/good/a.gguf", size=size) for size in (0, 499, 501, 1 << 30, 1 << 40)],
    ],
    ids=lambda member: f"{member.type!r} {member.name} {member.size}",
)
def test_hostile_members_under_a_good_list(tmp_path: Path, key: signing.OwnKey, member: tarfile.TarInfo) -> None:
    model = manifest("good", FILES)
    members: list[tuple[tarfile.TarInfo | str, bytes]] = [(member, FILES["a.gguf"])]
    members.append(("models/good/b.gguf", FILES["b.gguf"]))
    refused(forged(tmp_path / "x.edgellm", key, document(model), members), tmp_path, ModelDamaged)


def test_members_that_are_swapped_missing_twice_or_more(tmp_path: Path, key: signing.OwnKey) -> None:
    one, two = manifest("one", {"a.gguf": FILES["a.gguf"]}), manifest("two", {"a.gguf": FILES["b.gguf"]})
    first, second = FILES.values()
    for members in (
        [("models/one/a.gguf", second), ("models/two/a.gguf", first)],
        [("models/two/a.gguf", second), ("models/one/a.gguf", first)],
        [("models/one/a.gguf", first)],
        [],
        [("models/one/a.gguf", first), ("models/one/a.gguf", first), ("models/two/a.gguf", second)],
        [("models/one/a.gguf", first), ("models/two/a.gguf", second), ("models/two/b.gguf", second)],
        [("extra", b""), ("models/one/a.gguf", first), ("models/two/a.gguf", second)],
    ):
        refused(forged(tmp_path / "x.edgellm", key, document(one, two), members), tmp_path, ModelDamaged)
    good = [("models/one/a.gguf", first), ("models/two/a.gguf", second)]
    assert len(bundles.add(forged(tmp_path / "x.edgellm", key, document(one, two), good), tmp_path / "b").models) == 2


def _models(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    model = entry(manifest("good", FILES))
    change(model)
    return {"models": [model]}


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": 0},
        {"version": True},
        {"version": "1"},
        {"kind": "other"},
        {"models": []},
        {"models": {}},
        {"models": [[]]},
        {"models": [entry(manifest("good", FILES))] * 2},
        {"models": [entry(manifest("good", FILES))] * 101},
        {"program": "x" * 200},
        {"created": 5},
        {"program": "a\nb"},
        _models(lambda model: model.update(files=[])),
        _models(lambda model: model.update(version=99)),
        _models(lambda model: model["files"].append(dict(model["files"][0]))),
        _models(lambda model: model["files"].append({**model["files"][0], "path": "A.GGUF"})),
        _models(lambda model: model["files"].append({**model["files"][0], "path": "a.gguf/b"})),
        _models(lambda model: model["files"][0].update(size=-1)),
        _models(lambda model: model["files"][0].update(size=1 << 60)),
        _models(lambda model: model["files"][0].update(size=500.0)),
        _models(lambda model: model["files"][0].update(size=True)),
        _models(lambda model: model["files"][0].update(sha256="0" * 63)),
        _models(lambda model: model["files"][0].update(sha256="0" * 64)),
        _models(lambda model: model["files"][0].update(sha256=None)),
        _models(lambda model: model["files"][0].update(chunks=["0" * 64])),
        _models(lambda model: model["files"][0].update(chunks=["0" * 64] * 5)),
        _models(lambda model: model.update(chunk_size=0)),
        _models(lambda model: model.update(chunk_size=1)),
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_hostile_lists(tmp_path: Path, key: signing.OwnKey, changes: dict[str, Any]) -> None:
    members = [(f"models/good/{path}", data) for path, data in FILES.items()]
    refused(forged(tmp_path / "x.edgellm", key, document(manifest("good", FILES), **changes), members), tmp_path)


@pytest.mark.parametrize("size", [1 << 40, 1 << 50])
def test_a_size_beyond_the_disk_is_refused_first(tmp_path: Path, key: signing.OwnKey, size: int) -> None:
    """The signed list says how much is read: a member's own size is never believed."""
    model = entry(manifest("good", FILES))
    model["files"][0].update(size=size, chunks=[])
    spoiled = document(manifest("good", FILES), models=[model])
    path = forged(tmp_path / "x.edgellm", key, spoiled, [(_info("models/good/a.gguf", size=1 << 33), b"x")])
    os.truncate(path, bundle.member_size("models/good/a.gguf", 1 << 34))
    error = refused(path, tmp_path, ModelDamaged)
    assert "too early" in error.message or "impossibly large" in error.message
    os.truncate(path, 0)


def test_the_disk_must_hold_what_an_honest_size_asks(tmp_path: Path, key: signing.OwnKey) -> None:
    """A sparse file of 8 TB on the disk, of exactly the size that its list asks for."""
    model = entry(manifest("good", {"a.gguf": b""}))
    model["files"][0].update(size=8 << 40, chunks=[])
    path = forged(tmp_path / "x.edgellm", key, document(manifest("good", {"a.gguf": b""}), models=[model]), [])
    with path.open("rb") as file:
        start = 512 + int(file.read(135)[124:], 8)
    start += bundle.padding(start) + bundle.member_size(bundle.SIGNATURE, bundle.SIGNATURE_SIZE)
    whole = start + bundle.member_size("models/good/a.gguf", 8 << 40)
    os.truncate(path, whole + len(bundle.end(whole)))
    error = refused(path, tmp_path, StorageError)
    assert error.message.startswith("The models need 8796 GB, and")
    os.truncate(path, 0)


def test_lists_that_are_long_deep_or_no_json(tmp_path: Path, key: signing.OwnKey) -> None:
    for listing in (
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'"' + b"x" * 9_999_999,
    ):
        if listing:
            refused(forged(tmp_path / "x.edgellm", key, listing, []), tmp_path, ModelDamaged)
    (tmp_path / "x.edgellm").write_bytes(bundle.header(bundle.LISTING, 100 << 20))
    os.truncate(tmp_path / "x.edgellm", 101 << 20)
    assert "impossibly long" in refused(tmp_path / "x.edgellm", tmp_path, ModelDamaged).message
    os.truncate(tmp_path / "x.edgellm", 0)


def test_a_newer_form_says_so(tmp_path: Path, key: signing.OwnKey) -> None:
    path = forged(tmp_path / "x.edgellm", key, document(manifest("good", FILES), version=2), [])
    error = refused(path, tmp_path, ModelUnsupported)
    assert str(error) == "The bundle was made by a newer EdgeLLM. Update EdgeLLM on this computer."


def test_parts_that_are_not_those_of_the_whole(tmp_path: Path, key: signing.OwnKey) -> None:
    """A repair would trust them."""
    model = entry(manifest("good", FILES))
    model["files"][0]["chunks"] = ["0" * 64]
    members = [(f"models/good/{path}", data) for path, data in FILES.items()]
    path = forged(tmp_path / "x.edgellm", key, document(manifest("good", FILES), models=[model]), members)
    assert "not what was signed" in refused(path, tmp_path, ModelDamaged).message


def test_a_part_size_of_one_byte_costs_nothing(tmp_path: Path, key: signing.OwnKey) -> None:
    """One file names its parts of one byte each, the other does not: those are not made up in memory."""
    model = replace(manifest("good", {"a": b"x", "b": bytes(3 << 20)}), chunk_size=1)
    listed = entry(model)
    listed["files"][1]["chunks"] = []
    members = [("models/good/a", b"x"), ("models/good/b", bytes(3 << 20))]
    path = forged(tmp_path / "x.edgellm", key, document(model, models=[listed]), members)
    (added,) = bundles.add(path, tmp_path / "there").models
    assert added.manifest and [len(file.chunks) for file in added.manifest.files] == [1, 0]


def test_other_files_are_no_bundles(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(_info("manifest.json", size=5), io.BytesIO(b"hello"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(_info("manifest.json", size=5), io.BytesIO(b"hello"))
    page = b"<!doctype html><html><body>Sign in</body></html>" * 50
    for data in (b"", b"x", bytes(10_240), page, packed.getvalue(), archive.getvalue(), b"PK\3\4" + bytes(600)):
        (tmp_path / "x.edgellm").write_bytes(data)
        refused(tmp_path / "x.edgellm", tmp_path, ModelDamaged)


def test_a_model_called_like_a_file_that_is_here(tmp_path: Path, key: signing.OwnKey) -> None:
    """On a file system that ignores case they would be one."""
    there = ModelStore(bundles.home(tmp_path / "there"))
    there.folder.mkdir(parents=True)
    (there.folder / "GOOD.gguf").write_bytes(b"mine")
    path = _good(tmp_path, key, manifest("good", FILES))
    with pytest.raises(EdgeError, match="already is another model called good"):
        bundles.add(path, tmp_path / "there")
    assert bundles.tree(there.folder) == {"GOOD.gguf": b"mine"}


def test_a_link_in_the_way_is_not_followed(tmp_path: Path, key: signing.OwnKey) -> None:
    there, outside = ModelStore(bundles.home(tmp_path / "there")), tmp_path / "outside"
    outside.mkdir()
    there.folder.mkdir(parents=True)
    (there.folder / "good").symlink_to(outside)
    with pytest.raises(EdgeError):
        bundles.add(_good(tmp_path, key, manifest("good", FILES)), tmp_path / "there")
    assert list(outside.iterdir()) == []


def _good(tmp_path: Path, key: signing.OwnKey, model: Manifest) -> Path:
    members = [(f"models/{model.name}/{path}", data) for path, data in FILES.items()]
    return forged(tmp_path / "x.edgellm", key, document(model), members)


def test_the_forger_can_also_make_a_good_one(tmp_path: Path, key: signing.OwnKey) -> None:
    """What is refused above is refused for its fault, and not because it is forged."""
    added = bundles.add(_good(tmp_path, key, manifest("good", FILES)), tmp_path / "there")
    assert [model.name for model in added.models] == ["good"]
    assert isinstance(added, bundle_read.Added) and added.fingerprint == key.fingerprint
