"""Tests of tuned settings: what is tried, what wins with speeds of our own, what is said, when the choice uses it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from machines import AMX, CUDA, EVERY, PLAIN, SMALL, computer, nvidia

from edgellm.hardware.probe import Hardware, Power
from edgellm.runtimes import speed_file, tuning
from edgellm.runtimes.base import Placement
from edgellm.runtimes.build import Build
from edgellm.runtimes.ladder import ladder
from edgellm.runtimes.select import choose
from edgellm.runtimes.speed import SelfTest, Speeds, Tuned
from edgellm.runtimes.tuning import Change, Pace
from edgellm.settings import Settings, changed

DAY = time.strftime("%Y-%m-%d", time.localtime(1_795_000_000))
MEASURED = f"measured here on {DAY}"
TUNED = Tuned("small.gguf:5", "Small", 1_795_000_000, 3, 128, "q8_0", False, False, 20.0, 150.0)
LAPTOP = computer(16, 12)
USUAL = Placement(threads=4, cpu_variant="haswell")


def tried(placement: Placement = USUAL, hardware: Hardware = LAPTOP, **values: Any) -> dict[str, Change]:
    """What is tried, by what is said of it."""
    return {one.words: one for one in tuning.changes(placement, hardware, changed(Settings(), **values))}


def change(part: str) -> Change:
    """The first change of a part."""
    return next(one for one in tried().values() if one.part == part)


def test_each_setting_is_tried_once_against_the_usual_ones() -> None:
    assert [(one.part, one.value) for one in tried().values()] == [
        ("repack", False), ("threads", 8), ("threads", 3), ("flash", False), ("batch", 128), ("kv_type", "q8_0"),
    ]  # fmt: skip
    for one in tried().values():
        placement = one.of(USUAL)
        assert placement != USUAL
        assert replace(placement, **{one.part: getattr(USUAL, one.part)}) == USUAL


@pytest.mark.parametrize(
    ("values", "gone"),
    [({"threads": 2}, "threads"), ({"batch": 64}, "batch"), ({"kv_type": "f16"}, "kv_type")],
)
def test_what_the_person_set_is_not_tried(values: dict[str, Any], gone: str) -> None:
    parts = {one.part for one in tried(**values).values()}
    assert gone not in parts
    assert len(parts) == 4


def test_nothing_unsafe_or_impossible_is_tried() -> None:
    amx = computer(16, 12, flags=AMX)
    plain = replace(USUAL, cpu_variant="", repack=False)
    assert "repack" not in {one.part for one in tried(plain, amx).values()}
    assert "repack" in {one.part for one in tried(replace(plain, cpu_variant="zen4"), amx).values()}
    one_core = computer(16, 12, cores=1)
    assert [one.value for one in tried(replace(USUAL, threads=1), one_core).values() if one.part == "threads"] == [2]
    limited = computer(16, 12, limit="the container allows 4")
    assert 8 not in [one.value for one in tried(USUAL, limited).values()]
    assert "kv_type" not in {one.part for one in tried(replace(USUAL, kv_type="q8_0")).values()}


BASE = Pace(100.0, 20.0)  # 5 s of reading and 7.5 s of writing


@pytest.mark.parametrize(
    ("part", "pace", "busy", "wins"),
    [
        ("repack", (120.0, 16.8), False, False),  # 4.2 + 8.9 s: reads faster, writes slower, all in all slower
        ("repack", (200.0, 18.0), False, True),  # 2.5 + 8.3 s
        ("repack", (101.0, 20.2), False, False),  # a hundredth is noise
        ("threads", (110.0, 22.0), False, True),
        ("threads", (110.0, 22.0), True, False),  # on a busy computer a tenth is noise too
        ("threads", (130.0, 26.0), True, True),
        ("kv_type", (106.0, 21.2), False, False),  # not worth the precision
        ("kv_type", (125.0, 25.0), False, True),
        ("flash", (50.0, 26.0), False, False),
    ],
)
def test_a_typical_request_decides(part: str, pace: tuple[float, float], busy: bool, wins: bool) -> None:
    assert tuning.gains(change(part), BASE, Pace(*pace), busy) is wins


@pytest.mark.parametrize(
    ("part", "pace", "taken", "said"),
    [
        (
            "repack", (120.0, 16.8), False,
            "Without rearranged weights it reads 20 % faster but writes 16 % slower: kept on.",
        ),
        (
            "repack", (120.0, 24.0), True,
            "Without rearranged weights it reads 20 % faster and writes 20 % faster: turned off.",
        ),
        ("flash", (100.5, 19.9), False, "Without flash attention it is as fast: kept on."),
        ("flash", (80.0, 20.0), False, "Without flash attention it reads 20 % slower and writes as fast: kept on."),
        ("threads", None, False, "With 8 threads instead of 4 it did not run: left at 4."),
        (
            "batch", (150.0, 20.0), True,
            "With 128 tokens read at a time it reads 50 % faster and writes as fast: set to 128.",
        ),
    ],
)  # fmt: skip
def test_one_sentence_says_what_a_setting_did(
    part: str, pace: tuple[float, float] | None, taken: bool, said: str
) -> None:
    assert tuning.sentence(change(part), BASE, Pace(*pace) if pace else None, taken) == said


def test_the_median_counts_and_of_two_numbers_of_threads_the_better() -> None:
    assert Pace.of([90.0, 500.0, 100.0], [1.0, 20.0, 21.0]) == Pace(100.0, 20.0)
    eight, three = (one for one in tried().values() if one.part == "threads")
    found = tuning.together((three, change("flash"), eight), USUAL)
    assert found == replace(USUAL, threads=3, flash=False)


def parts(
    tuned: Tuned | None = TUNED, hardware: Hardware = LAPTOP, build: Build = EVERY, **values: Any
) -> dict[str, tuple[Any, str]]:
    """The parts of the choice with their reasons."""
    found = choose(SMALL, hardware, changed(Settings(), **values), build, tuned=tuned)
    assert found.choice.value == Placement(**{name: part.value for name, part in found.parts.items()})
    return {name: (part.value, part.reason) for name, part in found.parts.items()}


TUNABLE = {"threads": 3, "batch": 128, "kv_type": "q8_0", "repack": False, "flash": False}


def test_the_choice_uses_what_was_measured_and_says_so() -> None:
    found = parts()
    assert {name: found[name] for name in TUNABLE} == {name: (value, MEASURED) for name, value in TUNABLE.items()}
    usual = parts(None)
    assert {name: usual[name][0] for name in TUNABLE} == {
        "threads": 4, "batch": 512, "kv_type": "f16", "repack": True, "flash": True,
    }  # fmt: skip
    assert all("measured" not in reason for _, reason in usual.values())
    assert {name: found[name] for name in set(found) - set(TUNABLE)} == {
        name: usual[name] for name in set(usual) - set(TUNABLE)
    }


def test_what_was_measured_to_be_best_already_says_so_too() -> None:
    same = Tuned("small.gguf:5", "Small", 1_795_000_000, 4, 512, "f16", True, True, 20.0, 150.0)
    assert {parts(same)[name][1] for name in TUNABLE} == {MEASURED}


@pytest.mark.parametrize(
    ("values", "name", "value"),
    [({"threads": 2}, "threads", 2), ({"batch": 256}, "batch", 256), ({"kv_type": "f16"}, "kv_type", "f16")],
)
def test_a_setting_of_the_person_wins(values: dict[str, Any], name: str, value: Any) -> None:
    found = parts(**values)
    assert found[name] == (value, "because you set it")
    assert all(found[other][1] == MEASURED for other in TUNABLE if other != name)


def test_it_holds_for_the_processor_and_these_cores_alone() -> None:
    assert all("measured" not in reason for _, reason in parts(hardware=computer(4, 3, cores=1)).values())
    card = parts(hardware=computer(16, 12, nvidia(8)), build=CUDA)
    assert card["device"][0] == "cuda:0"
    assert all("measured" not in reason for _, reason in card.values())


def test_memory_the_battery_and_safety_come_first() -> None:
    short = computer(1, 0.75)
    large = replace(TUNED, batch=4096, kv_type="f16")
    assert parts(large, short)["batch"] == parts(None, short)["batch"]
    empty = parts(hardware=computer(16, 12, power=Power(True, 10.0)))
    assert empty["threads"][0] == 2
    assert "battery" in empty["threads"][1]
    rearranged = replace(TUNED, repack=True)
    assert parts(rearranged, computer(16, 12, flags=AMX), PLAIN)["repack"][0] is False


def test_the_ladder_begins_with_it_and_keeps_it_on_the_processor() -> None:
    steps = ladder(choose(SMALL, LAPTOP, Settings(), EVERY, tuned=TUNED), LAPTOP, EVERY)
    assert steps[0].value.threads == 3
    assert steps[0].value.flash is False
    assert len({step.value for step in steps}) == len(steps) > 3


def test_the_file_keeps_one_for_each_model_and_forgets_them_with_the_build(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    test = SelfTest(1, 4, 40e9, 35e9, 400e9, 2e9, 3000.0, 15_000.0, 9_000_000, 4_700_000, 4)
    speed_file.keep_test(path, "m", test)
    for one in (TUNED, replace(TUNED, key="b:1"), replace(TUNED, threads=2)):
        assert speed_file.keep_tuned(path, "m", one)
    found = speed_file.load(path, "m")
    assert found.test == test
    assert found.tuning("small.gguf:5") == replace(TUNED, threads=2)
    assert found.tuning("b:1") == replace(TUNED, key="b:1")
    assert found.tuning("c:1") is found.tuning("") is None
    assert len(found.tuned) == 2
    assert speed_file.load(path, "another build") == Speeds("another build")
    speed_file.keep_test(path, "m", test)
    assert len(speed_file.load(path, "m").tuned) == 2


@pytest.mark.parametrize(
    "line", ["threads = 0", 'kv_type = "f8"', "batch = 9000", 'repack = "yes"', "decode = -1.0", "threads = 1e9"]
)
def test_nonsense_in_the_file_is_left_out(tmp_path: Path, line: str) -> None:
    path = tmp_path / "machine.toml"
    speed_file.keep_tuned(path, "m", TUNED)
    name = line.partition(" ")[0]
    lines = [line if row.startswith(f"{name} ") else row for row in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    assert speed_file.load(path, "m").tuned == ()
