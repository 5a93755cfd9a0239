"""One file over loopback: fetched, gone on with, verified, from mirrors, at a limited rate."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.errors import ModelDamaged, NetworkError, OfflineError, Stopped, UntrustedName, UsageError
from edgellm.models.rate import Control, RateLimit
from edgellm.models.transfer import Wanted, fetch, part_name
from tests.fetching import CHUNK, NAME, QUICK, REPO, chunks, connector, content, sha256, wanted
from tests.loopback_hub import Fault, Hub, git_oid

DATA = content()


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub({REPO: {NAME: DATA, "config.json": b'{"a": 1}\n', "empty.txt": b""}}) as running:
        yield running


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return tmp_path / "parts"


def test_a_file_arrives_verified_with_its_chunks_and_nothing_else_is_left(
    hub: Hub, parts: Path, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    asked = wanted(hub, DATA)
    part = parts / part_name(asked)
    fetched = fetch(asked, part, connector(tmp_path), Control(lambda *now: told.append(now)), QUICK)
    assert part.read_bytes() == DATA
    assert (fetched.size, fetched.sha256, fetched.received) == (len(DATA), sha256(DATA), len(DATA))
    assert fetched.chunks == chunks(DATA)
    assert [path.name for path in parts.iterdir()] == [f"{sha256(DATA)}.part"]
    assert told[-1] == (len(DATA), len(DATA))
    assert told == sorted(told)


def test_a_small_file_is_verified_by_gits_id(hub: Hub, parts: Path, tmp_path: Path) -> None:
    small = hub.files[REPO, "config.json"].data
    asked = Wanted((hub.url(REPO, "config.json"),), len(small), git_oid=git_oid(small))
    assert fetch(asked, parts / part_name(asked), connector(tmp_path), Control(), QUICK).sha256 == sha256(small)
    wrong = replace(asked, git_oid="0" * 40)
    with pytest.raises(ModelDamaged, match="not the one that was published"):
        fetch(wrong, parts / part_name(wrong), connector(tmp_path), Control(), QUICK)
    assert [path.name for path in parts.iterdir()] == [part_name(asked)]


def test_an_empty_file_and_one_of_unknown_size(hub: Hub, parts: Path, tmp_path: Path) -> None:
    for name, data in (("empty.txt", b""), (NAME, DATA)):
        asked = Wanted((hub.url(REPO, name),))
        part = parts / part_name(asked)
        assert fetch(asked, part, connector(tmp_path), Control(), QUICK).sha256 == sha256(data)
        assert part.read_bytes() == data


def test_a_whole_part_is_verified_without_the_network(hub: Hub, parts: Path, tmp_path: Path) -> None:
    asked = wanted(hub, DATA)
    part = parts / part_name(asked)
    parts.mkdir()
    part.write_bytes(DATA)
    assert fetch(asked, part, connector(tmp_path), Control(), QUICK).received == 0
    assert hub.log == []


def test_a_stopped_transfer_goes_on_where_it_was(hub: Hub, parts: Path, tmp_path: Path) -> None:
    hub.faults.append(Fault("stall", at=150_000))
    asked, stop = wanted(hub, DATA), threading.Event()
    part = parts / part_name(asked)

    def progress(received: int, total: int | None) -> None:
        if received >= 100_000:
            stop.set()

    with pytest.raises(Stopped):
        fetch(asked, part, connector(tmp_path), Control(progress, stop.is_set), replace(QUICK, stall=20))
    note = json.loads((parts / f"{part.name}.json").read_text())
    assert note["address"] == asked.addresses[0] and note["size"] == len(DATA)
    before = part.stat().st_size
    assert before >= 100_000
    checked: list[int] = []
    control = Control(checking=lambda done, total: checked.append(done))
    assert fetch(asked, part, connector(tmp_path), control, QUICK).received == len(DATA) - before
    assert checked[-1] == before


def test_a_damaged_tail_of_a_part_is_cut_back_to_the_last_good_chunk(hub: Hub, parts: Path, tmp_path: Path) -> None:
    hub.faults.append(Fault("cut", at=5 * CHUNK + 100))
    asked = wanted(hub, DATA)
    part = parts / part_name(asked)
    stop = threading.Event()
    control = Control(lambda received, total: stop.set() if received > 5 * CHUNK else None, stop.is_set)
    with pytest.raises(Stopped):
        fetch(asked, part, connector(tmp_path), control, QUICK)
    assert part.stat().st_size == 5 * CHUNK + 100
    damaged = bytearray(part.read_bytes())
    damaged[3 * CHUNK + 7] ^= 1
    part.write_bytes(damaged)
    assert fetch(asked, part, connector(tmp_path), Control(), QUICK).received == len(DATA) - 3 * CHUNK
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("note", ["", "{", "[]", '{"address": 1}', "null", '{"chunks": [1], "chunk": 16384}'])
def test_a_note_that_makes_no_sense_is_ignored(hub: Hub, parts: Path, tmp_path: Path, note: str) -> None:
    asked = wanted(hub, DATA)
    part = parts / part_name(asked)
    parts.mkdir()
    part.write_bytes(DATA[:70_000])
    (parts / f"{part.name}.json").write_text(note)
    assert fetch(asked, part, connector(tmp_path), Control(), QUICK).received == len(DATA) - 70_000


def test_without_a_hash_a_part_is_gone_on_with_only_while_the_file_is_the_same(
    hub: Hub, parts: Path, tmp_path: Path
) -> None:
    asked = Wanted((hub.url(REPO, NAME),))
    part = parts / part_name(asked)

    def stopped_at(size: int) -> None:
        stop = threading.Event()
        hub.faults.append(Fault("stall", at=size))
        control = Control(lambda received, total: stop.set() if received >= size else None, stop.is_set)
        with pytest.raises(Stopped):
            fetch(asked, part, connector(tmp_path), control, replace(QUICK, stall=20))

    stopped_at(100_000)
    assert fetch(asked, part, connector(tmp_path), Control(), QUICK).received == len(DATA) - 100_000
    part.unlink()
    stopped_at(100_000)
    other = content(seed=2)
    hub.replace(REPO, NAME, other)
    assert fetch(asked, part, connector(tmp_path), Control(), QUICK).received == len(other)
    assert part.read_bytes() == other


def test_mirrors_are_tried_in_turn(hub: Hub, parts: Path, tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9/owner/model/resolve/main/model.gguf"
    with Hub({REPO: {NAME: content(seed=2)}}) as wrong, Hub({REPO: {NAME: DATA[:-1]}}) as short:
        addresses = (dead, wrong.url(REPO, NAME), short.url(REPO, NAME), hub.url(REPO, NAME))
        asked = Wanted(addresses, len(DATA), sha256(DATA))
        part = parts / part_name(asked)
        assert fetch(asked, part, connector(tmp_path), Control(), QUICK).sha256 == sha256(DATA)
        assert wrong.log and short.log
        only = Wanted((wrong.url(REPO, NAME), short.url(REPO, NAME)), len(DATA), sha256(DATA))
        with pytest.raises(ModelDamaged):
            fetch(only, parts / "x.part", connector(tmp_path), Control(), replace(QUICK, patience=0.5))
    assert sorted(path.name for path in parts.iterdir()) == [part_name(asked)]


def test_another_mirror_goes_on_with_the_part_of_the_first(hub: Hub, parts: Path, tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("reset", at=120_000), Fault("503", times=-1)]) as first:
        asked = Wanted((first.url(REPO, NAME), hub.url(REPO, NAME)), len(DATA), sha256(DATA))
        fetched = fetch(asked, parts / part_name(asked), connector(tmp_path), Control(), QUICK)
        assert first.sent == 120_000
        assert fetched.received == len(DATA)


def test_known_chunks_say_at_once_what_is_wrong(hub: Hub, parts: Path, tmp_path: Path) -> None:
    hub.faults.append(Fault("wrong_byte", at=2 * CHUNK + 5))
    asked = replace(wanted(hub, DATA), chunks=chunks(DATA))
    fetched = fetch(asked, parts / part_name(asked), connector(tmp_path), Control(), QUICK)
    assert fetched.sha256 == sha256(DATA)
    assert fetched.received <= len(DATA) + 12 * CHUNK
    requests = [seen.headers.get("Range") for seen in hub.requests("cdn")]
    assert requests == [None, f"bytes={2 * CHUNK}-"]


def test_the_rate_is_shared_and_limited(hub: Hub, parts: Path, tmp_path: Path) -> None:
    rate = RateLimit(400_000)
    started = time.monotonic()

    def one(number: int) -> None:
        fetch(wanted(hub, DATA), parts / f"{number}.part", connector(tmp_path), Control(rate=rate), QUICK)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started > 2 * len(DATA) / 400_000 - 0.3
    rate.change(0)
    assert rate.take(10**9) == 0.0


def test_hashes_and_addresses_are_data(parts: Path, tmp_path: Path) -> None:
    for bad in ("../../x", "0" * 63, "g" * 64, "0" * 65):
        with pytest.raises(UntrustedName):
            Wanted(("http://127.0.0.1:9/x",), sha256=bad)
    with pytest.raises(UsageError):
        fetch(Wanted(()), parts / "x.part", connector(tmp_path), Control(), QUICK)
    for address in (
        "http://[",
        "ftp://127.0.0.1/x",
        "http://a b/",
        "file:///etc/passwd",
        "x",
        "http://127.0.0.1:99999/",
    ):
        with pytest.raises(NetworkError):
            fetch(Wanted((address,)), parts / "x.part", connector(tmp_path), Control(), replace(QUICK, patience=0.2))
    assert list(parts.iterdir()) == []


def test_the_offline_lock_ends_it_at_once(parts: Path, tmp_path: Path) -> None:
    asked = Wanted(("http://192.0.2.1/x.gguf",), 10, "0" * 64)
    with pytest.raises(OfflineError, match="offline lock"):
        fetch(asked, parts / part_name(asked), connector(tmp_path), Control(), QUICK)
    assert list(parts.iterdir()) == []


def test_no_secret_of_a_signed_address_is_kept(hub: Hub, parts: Path, tmp_path: Path) -> None:
    hub.faults.append(Fault("cut", at=50_000))
    stop = threading.Event()
    address = hub.url(REPO, NAME) + "?token=canary-in-query"
    control = Control(lambda received, total: stop.set() if received else None, stop.is_set)
    asked = Wanted((address,), len(DATA), sha256(DATA))
    with pytest.raises(Stopped):
        fetch(asked, parts / part_name(asked), connector(tmp_path), control, QUICK)
    kept = b"".join(path.read_bytes() for path in [*parts.glob("*.json"), tmp_path / "ledger.jsonl"])
    assert b"resolve/main" in kept and b"/cdn/" in kept
    assert b"canary" not in kept and b"Signature" not in kept and b"s3cr3t" not in kept
