"""Rows 1 and 2 of what a download must survive: a hundred broken connections and a hundred wrong answers, each with a
right file at its end or none at all; silence, and a person who does not want to wait.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edgellm.errors import ModelDamaged, Stopped
from edgellm.models.rate import Control
from edgellm.models.transfer import Wanted, fetch, fetch_ranges, part_name
from tests.fetching import CHUNK, NAME, QUICK, REPO, chunks, connector, content, sha256, wanted
from tests.loopback_hub import Fault, Hub

DATA = content()
BROKEN = ("cut", "reset", "stall", "refuse", "503", "slow")
KILLS = 12
HASTY = replace(QUICK, stall=0.15)
_CHILD = """
import sys
from pathlib import Path
from edgellm.models.rate import Control
from edgellm.models.transfer import Wanted, fetch
from tests.fetching import QUICK, connector
address, size, sha256, part = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
sys.stdout.write("ready")
sys.stdout.flush()
sys.stdin.read(1)
fetch(Wanted((address,), size, sha256), part, connector(part.parent.parent), Control(), QUICK)
"""


def _broken_case(number: int) -> list[Fault]:
    """One to three faults at random places."""
    draw = random.Random(number)
    kinds = [BROKEN[number % len(BROKEN)], *draw.choices(BROKEN[:5], k=draw.randrange(3))]
    return [Fault(kind, at=draw.randrange(1, len(DATA)), seconds=0.005) for kind in kinds]


def test_row_1_a_hundred_broken_connections(tmp_path: Path) -> None:
    right = sent = 0
    for number in range(100 - KILLS):
        folder = tmp_path / str(number)
        with Hub({REPO: {NAME: DATA}}, _broken_case(number)) as hub:
            asked = wanted(hub, DATA)
            fetched = fetch(asked, folder / part_name(asked), connector(tmp_path), Control(), HASTY)
            right += sha256(fetched.path.read_bytes()) == sha256(DATA)
            sent += hub.sent
        assert [path.name for path in folder.iterdir()] == [part_name(asked)]
    assert right == 100 - KILLS
    assert sent <= 1.1 * right * len(DATA)


def test_row_1_killed_at_any_moment(tmp_path: Path) -> None:
    """Together with the test above a hundred; each kill hits a transfer that runs, and 90 % are kept over all."""
    kept = there = sent = 0
    draw = random.Random(5)
    for number in range(KILLS):
        part = tmp_path / str(number) / f"{sha256(DATA)}.part"
        with Hub({REPO: {NAME: DATA}}, [Fault("slow", seconds=0.03)]) as hub:
            asked = wanted(hub, DATA)
            order = [sys.executable, "-c", _CHILD, asked.addresses[0], str(len(DATA)), asked.sha256, str(part)]
            with subprocess.Popen(order, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
                assert child.stdout and child.stdout.read(5) == b"ready"
                assert child.stdin
                child.stdin.write(b"\n")
                child.stdin.flush()
                _wait_for(partial(_sends, hub))
                time.sleep(draw.uniform(0, 0.3))
                there += hub.sent
                child.kill()
            kept += part.stat().st_size
            fetched = fetch(asked, part, connector(tmp_path), Control(), QUICK)
            assert fetched.path.read_bytes() == DATA
            sent += hub.sent
        assert [path.name for path in part.parent.iterdir() if not path.name.startswith(".")] == [part.name]
    assert kept >= 0.9 * there
    assert sent <= 1.1 * KILLS * len(DATA)


def _sends(hub: Hub) -> bool:
    return hub.sent > 0


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


WRONG = (
    "wrong_byte",
    "zeros",
    "short",
    "swapped_prefix",
    "etag",
    "lying_range",
    "lying_body",
    "416",
    "no_range",
    "no_etag",
)


@pytest.mark.parametrize("known", [False, True], ids=["sha256", "chunks"])
def test_row_2_a_hundred_wrong_answers(tmp_path: Path, known: bool) -> None:
    """Half of them with a part to go on with. What comes out is right, or an error and nothing at all."""
    for number in range(50):
        draw = random.Random(number)
        kind, at = WRONG[number % len(WRONG)], draw.randrange(1, len(DATA))
        lasting = draw.random() < 0.3
        faults = [Fault("cut", at=draw.randrange(1, len(DATA)))] if number % 2 else []
        faults.append(Fault(kind, at=at, value="another", times=-1 if lasting else 1))
        part = tmp_path / str(number) / f"{sha256(DATA)}.part"
        with Hub({REPO: {NAME: DATA}}, faults) as hub:
            asked = replace(wanted(hub, DATA), chunks=chunks(DATA) if known else ())
            try:
                fetched = fetch(asked, part, connector(tmp_path), Control(), replace(QUICK, patience=0.6))
            except ModelDamaged:
                assert lasting, f"{kind} once should not be the end"
                assert not part.exists() or DATA.startswith(part.read_bytes()), (kind, at)
            else:
                assert sha256(fetched.path.read_bytes()) == sha256(DATA), (kind, at)
            if known and not lasting and kind in ("wrong_byte", "lying_body"):
                assert hub.sent <= len(DATA) + _most_again(kind, at), (kind, at)
        assert len(list(part.parent.iterdir())) <= 2


def _most_again(kind: str, at: int) -> int:
    """From the bad chunk on: a connection may have more of it under way than one chunk."""
    return len(DATA) if kind == "lying_body" else len(DATA) - at // CHUNK * CHUNK


def test_row_2_a_file_changed_on_the_hub_in_between(tmp_path: Path) -> None:
    old, new = content(seed=2), DATA
    with Hub({REPO: {NAME: old}}, [Fault("cut", at=90_000), Fault("503", times=3)]) as hub:
        asked = Wanted((hub.url(REPO, NAME),), len(new), sha256(new))
        part = tmp_path / part_name(asked)

        def publish(received: int, total: int | None) -> None:
            if received == 90_000:
                hub.replace(REPO, NAME, new)

        fetched = fetch(asked, part, connector(tmp_path), Control(publish), QUICK)
        assert fetched.path.read_bytes() == new


def test_row_2_only_bad_parts_are_fetched_again(tmp_path: Path) -> None:
    """A hundred damaged files: a bad byte, zeros, a missing end; over good and bad connections."""
    path = tmp_path / "model.gguf"
    for number in range(100):
        draw = random.Random(number)
        damaged = bytearray(DATA)
        bad = set()
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(DATA))
            damaged[at] ^= 1 << draw.randrange(8)
            bad.add(at // CHUNK)
        if number % 3 == 0:
            cut = draw.randrange(1, len(DATA))
            del damaged[cut:]
            bad.update(range(cut // CHUNK, len(chunks(DATA))))
        path.write_bytes(damaged)
        kind = ("", "cut", "reset", "wrong_byte", "503", "lying_range", "stall")[number % 7]
        faults = [Fault(kind, at=draw.randrange(1, CHUNK))] if kind else []
        with Hub({REPO: {NAME: DATA}}, faults) as hub:
            asked = replace(wanted(hub, DATA), chunks=chunks(DATA))
            size = sum(min(CHUNK, len(DATA) - one * CHUNK) for one in bad)
            received = fetch_ranges(asked, path, sorted(bad), connector(tmp_path), Control(), HASTY)
            assert path.read_bytes() == DATA, number
            if kind in ("", "cut", "reset", "503"):
                assert received == hub.sent == size
            elif kind != "lying_range":
                assert received <= 2 * size + CHUNK


def test_repair_asks_a_mirror_that_keeps_sending_wrong_chunks_no_more(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(len(DATA)))
    with Hub({REPO: {NAME: content(seed=2)}}) as wrong:
        asked = replace(wanted(wrong, DATA), chunks=chunks(DATA))
        with pytest.raises(ModelDamaged, match="not the one that was published"):
            fetch_ranges(asked, path, [0, 3], connector(tmp_path), Control(), QUICK)
        assert path.read_bytes() == bytes(len(DATA))


def test_silence_is_noticed_and_cancel_answers_within_a_second(tmp_path: Path) -> None:
    for kind, on in (("stall", "file"), ("silent", "file"), ("silent", "resolve")):
        with Hub({REPO: {NAME: DATA}}, [Fault(kind, at=50_000, on=on)]) as hub:
            asked, stop = wanted(hub, DATA), threading.Event()
            began: list[float] = []

            def cancel(hub: Hub = hub, stop: threading.Event = stop, began: list[float] = began) -> None:
                _wait_for(lambda: bool(hub.log))
                time.sleep(0.3)
                began.append(time.monotonic())
                stop.set()

            helper = threading.Thread(target=cancel)
            helper.start()
            part = tmp_path / kind / on / "x.part"
            with pytest.raises(Stopped):
                fetch(asked, part, connector(tmp_path), Control(cancelled=stop.is_set), replace(QUICK, stall=30))
            took = time.monotonic() - began[0]
            helper.join()
            assert took < 1.0 * 3, took  # the goal is 1 s, the rest is for a busy machine
            assert (part.stat().st_size if part.exists() else 0) == (50_000 if kind == "stall" else 0)
            started = time.monotonic()
            hub.faults.append(Fault("silent"))
            assert fetch(asked, part, connector(tmp_path), Control(), QUICK).path.read_bytes() == DATA
            assert time.monotonic() - started >= QUICK.stall


def test_descriptors_and_threads_do_not_grow(tmp_path: Path) -> None:
    before = threading.active_count(), _descriptors()
    for number in range(8):
        with Hub({REPO: {NAME: DATA}}, [Fault("reset", at=40_000), Fault("404", times=-1)]) as hub:
            asked = wanted(hub, DATA)
            with pytest.raises(Exception, match="does not have this"):
                fetch(asked, tmp_path / str(number) / "x.part", connector(tmp_path), Control(), QUICK)
    _wait_for(lambda: threading.active_count() <= before[0])
    assert _descriptors() <= before[1] + 2


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.exists() else 0
