"""Bundles over the network: taken up again where the connection broke off, never believed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgellm import network
from edgellm.errors import EdgeError, ModelDamaged, NetworkError, OfflineError, Stopped, StorageError, UsageError
from edgellm.models import bundle_read, bundle_source, bundle_write, signing
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from edgellm.settings import Settings
from tests import bundles
from tests.loopback_hub import Fault, Hub

REPO, FILE = "who/bundles", "models.edgellm"
BIG = {"big.gguf": 400_000, "small.gguf": 3_000}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle of 0.4 MB with two models."""
    folder = tmp_path_factory.mktemp("made")
    store = ModelStore(bundles.home(folder))
    bundles.place(store, "big", BIG)
    bundles.place(store, "tiny", {"tiny.gguf": 100})
    models = [store.get("big"), store.get("tiny")]
    bundle_write.write(models, [], folder / FILE, signing.own_key(folder), Control())
    return (folder / FILE).read_bytes()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts that suit a test."""
    monkeypatch.setattr(bundle_source, "_WAITS", (0.0, 0.01, 0.05))
    monkeypatch.setattr(bundle_source, "_ASK", 0.01)


def connect(folder: Path, offline: bool = True, silence: float = 1.0) -> Callable[[str], network.Client]:
    """A maker of clients that lose patience after a second."""

    def client(purpose: str) -> network.Client:
        made = network.client(Settings(offline=offline), folder / "ledger.jsonl", purpose)
        made.timeout = silence
        return made

    return client


def add(address: str, folder: Path, control: Control | None = None, **options: Any) -> bundle_read.Added:
    """Add what is at the address to the computer in `folder`."""
    store, terms = ModelStore(bundles.home(folder)), bundle_read.Terms(folder / "signing")
    return bundle_read.add(address, store, connect(folder, **options), terms, control or Control())


def installed(folder: Path) -> list[str]:
    """The names of the models there, each with the right content."""
    store = ModelStore(bundles.home(folder))
    for name, sizes in (("big", BIG), ("tiny", {"tiny.gguf": 100})):
        for path, size in sizes.items():
            if (store.folder / name).exists():
                assert (store.folder / name / path).read_bytes() == bundles.content(f"{name}/{path}", size)
    return [model.name for model in store.installed() if not model.builtin and not model.problem]


@pytest.fixture
def hub(data: bytes) -> Iterator[Hub]:
    """A server with the bundle."""
    with Hub({REPO: {FILE: data}}) as made:
        yield made


def left(folder: Path) -> list[str]:
    """The files there, but for the ledger."""
    return [name for name in bundles.tree(folder) if name != "ledger.jsonl"]


def test_over_the_network_as_from_a_file(tmp_path: Path, hub: Hub, data: bytes) -> None:
    added = add(hub.url(REPO, FILE), tmp_path)
    assert [model.name for model in added.models] == ["big", "tiny"] == installed(tmp_path)
    assert hub.sent == len(data) and len(hub.requests()) == 1


@pytest.mark.parametrize("kind", ["cut", "reset", "stall", "silent"])
@pytest.mark.parametrize("seed", range(5))
def test_broken_connections_are_taken_up_again(tmp_path: Path, hub: Hub, data: bytes, kind: str, seed: int) -> None:
    """At most 110 % of the bytes are sent in all."""
    draw = random.Random(seed)
    times = 1 if kind in ("stall", "silent") else 3
    hub.faults = [Fault(kind, at=draw.randrange(100_000 if kind != "silent" else 1)) for _ in range(times)]
    add(hub.url(REPO, FILE), tmp_path, silence=0.3)
    assert installed(tmp_path) == ["big", "tiny"]
    assert hub.sent <= 1.1 * len(data)
    assert len(hub.requests()) == 1 + times
    assert all(seen.headers["Accept-Encoding"] == "identity" for seen in hub.requests())


@pytest.mark.parametrize("fault", [Fault("503"), Fault("429"), Fault("500"), Fault("no_range"), Fault("no_etag")])
def test_what_passes_is_waited_for(tmp_path: Path, hub: Hub, fault: Fault) -> None:
    """Where Range is ignored after a break, what we have is passed over."""
    hub.faults = [Fault("cut", at=70_000), fault]
    add(hub.url(REPO, FILE), tmp_path)
    assert installed(tmp_path) == ["big", "tiny"]


WRONG = (
    *("wrong_byte", "zeros", "swapped_prefix", "short", "portal", "portal_redirect", "loop", "etag"),
    *("lying_range", "lying_body", "416"),
)
UNSEEN = ("lying_range", "lying_body", "416", "etag")


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("broken", [False, True])
def test_what_is_wrong_is_never_visible(tmp_path: Path, hub: Hub, kind: str, broken: bool) -> None:
    hub.faults = [Fault("cut", at=70_000)] * broken + [Fault(kind, at=90_000, times=-1, value="other")]
    if kind in UNSEEN and not broken:  # nothing is asked for in part
        add(hub.url(REPO, FILE), tmp_path)
        assert installed(tmp_path) == ["big", "tiny"]
        return
    with pytest.raises((ModelDamaged, NetworkError)) as error:
        add(hub.url(REPO, FILE), tmp_path)
    assert error.value.message and error.value.hint
    assert left(tmp_path) == [] == installed(tmp_path)


def test_another_bundle_under_the_same_address(tmp_path: Path, hub: Hub, data: bytes) -> None:
    """Replaced between two requests, by one of the same length."""
    other = data[:200_000] + bytes([data[200_000] ^ 1]) + data[200_001:]

    def progress(received: int, total: int | None) -> None:
        if received < 150_000:
            hub.replace(REPO, FILE, other)

    hub.faults = [Fault("cut", at=160_000)]
    with pytest.raises(ModelDamaged, match="replaced by another while it was fetched"):
        add(hub.url(REPO, FILE), tmp_path, Control(progress=progress))
    assert left(tmp_path) == []


def test_a_dead_server_is_given_up(tmp_path: Path, data: bytes) -> None:
    with Hub({REPO: {FILE: data}}, [Fault("cut", at=30_000), Fault("cut", at=0, times=-1)]) as hub:
        address = hub.url(REPO, FILE)
        with pytest.raises(NetworkError, match=r"The connection to 127\.0\.0\.1 broke off"):
            add(address, tmp_path)
        assert left(tmp_path) == [] and len(hub.requests()) == 4
    with pytest.raises(NetworkError, match="refused the connection"):
        add(address, tmp_path)


def test_no_such_bundle_is_said_at_once(tmp_path: Path, hub: Hub) -> None:
    with pytest.raises(NetworkError, match=r"has no such bundle \(status 404\)"):
        add(hub.url(REPO, "none.edgellm"), tmp_path)
    assert len(hub.requests()) == 1


def test_a_stop_is_answered_while_the_server_is_silent(tmp_path: Path, hub: Hub) -> None:
    hub.faults = [Fault("stall", at=50_000, times=-1)]
    started = time.monotonic()
    stopped: list[float] = []

    def cancelled() -> bool:
        if not stopped and time.monotonic() > started + 0.5:
            stopped.append(time.monotonic())
        return bool(stopped)

    with pytest.raises(Stopped):
        add(hub.url(REPO, FILE), tmp_path, Control(cancelled=cancelled), silence=30.0)
    assert time.monotonic() - stopped[0] < 3.0
    assert left(tmp_path) == []


def test_what_is_here_is_not_fetched(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_source, "_SKIP_BY_READING", 1_000)
    monkeypatch.setattr(bundle_source, "PIECE", 4_096)
    there = ModelStore(bundles.home(tmp_path))
    bundles.place(there, "big", BIG)
    added = add(hub.url(REPO, FILE), tmp_path)
    assert added.here == ("big",) and installed(tmp_path) == ["big", "tiny"]
    ranges = [seen.headers.get("Range") for seen in hub.requests()]
    assert len(ranges) == 2 and ranges[0] is None and int((ranges[1] or "")[6:-1]) > 400_000


@pytest.mark.parametrize("address", ["http://192.0.2.1/x.edgellm", "https://example.invalid:8443/x.edgellm"])
def test_the_offline_lock_refuses_other_machines(tmp_path: Path, address: str) -> None:
    with pytest.raises(OfflineError, match=r"offline lock is on, so .* was not contacted") as error:
        add(address, tmp_path)
    assert "\n" not in error.value.message and error.value.hint
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "address", ["http://", "https:///x", "http://[::1/x", "http://127.0.0.1:99999/x", "http://a b/"]
)
def test_addresses_that_are_none(tmp_path: Path, address: str) -> None:
    with pytest.raises(EdgeError) as error:
        add(address, tmp_path)
    assert error.value.message and left(tmp_path) == []


@pytest.mark.parametrize("path", ["", "/"])
def test_a_server_that_shares_no_bundle(tmp_path: Path, hub: Hub, path: str) -> None:
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1 shares no bundle"):
        add(hub.endpoint + path, tmp_path)
    assert left(tmp_path) == []


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UsageError):
            bundles.add(path, tmp_path / "there")
    with pytest.raises((UsageError, StorageError)):
        bundles.add("a\0b", tmp_path / "there")
    assert not (tmp_path / "there").exists()
