"""Tests of what was measured, kept between runs of the program."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.runtimes import speed_file, versions
from edgellm.runtimes.base import Finish, Placement
from edgellm.runtimes.speed import Accuracy, Miss, Sample, SelfTest, Speeds, Tuned, Way, file_key, processor_of, way_of
from edgellm.runtimes.workload import Work

MACHINE = "Test CPU; llama.cpp 1; zen4"
FINISH = Finish("stop", 200, 0, 64, 5.0, 20.0, "CPU, 4 threads", 1 << 30, False, 2.0)
SAMPLE = Sample("a.gguf:1000", "Model A", Work(400_000_000, 600_000_000, 28), Way("cpu", 0.0, 4), FINISH, 48)
TEST = SelfTest(1_700_000_000, 4, 40e9, 35e9, 400e9, 2e9, 3000.0, 15_000.0, 9_000_000, 4_700_000, 4, 0.1, False)


def nothing(_sample: Sample, _speeds: Speeds) -> Miss | None:
    """No prediction."""
    return None


def keep(path: Path, sample: Sample = SAMPLE, count: int = 1, machine: str = MACHINE) -> None:
    """Record a run some times."""
    for _ in range(count):
        assert speed_file.record(path, machine, sample, nothing)


def test_a_run_is_kept_with_its_speed_and_its_words(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    (model,) = speed_file.load(path, MACHINE).models
    assert (model.key, model.title, model.way, model.work) == ("a.gguf:1000", "Model A", SAMPLE.way, SAMPLE.work)
    assert (model.decode, model.prefill, model.words) == ((20.0,), (100.0,), (0.75,))
    assert model.tokens_per_second == 20.0


def test_the_median_of_the_last_runs_counts(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    for speed in (1.0, 1.0, 1.0, *(20.0 + number for number in range(9))):
        keep(path, replace(SAMPLE, finish=replace(FINISH, tokens_per_second=speed)))
    (model,) = speed_file.load(path, MACHINE).models
    assert len(model.decode) == speed_file.RUNS == 9
    assert model.tokens_per_second == 24.0


@pytest.mark.parametrize(
    "finish",
    [
        replace(FINISH, new_tokens=15),
        replace(FINISH, tokens_per_second=0.0),
        replace(FINISH, tokens_per_second=math.inf),
        replace(FINISH, tokens_per_second=math.nan),
        replace(FINISH, tokens_per_second=-3.0),
    ],
)
def test_a_run_that_says_nothing_about_speed_is_not_kept(tmp_path: Path, finish: Finish) -> None:
    path = tmp_path / "machine.toml"
    assert not speed_file.record(path, MACHINE, replace(SAMPLE, finish=finish), nothing)
    assert not path.exists()


def test_a_short_prompt_or_a_remembered_one_says_nothing_about_reading(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path, replace(SAMPLE, finish=replace(FINISH, cached_tokens=180)))
    keep(path, replace(SAMPLE, finish=replace(FINISH, prefill_seconds=0.0)))
    assert speed_file.load(path, MACHINE).models[0].prefill == ()


def test_another_way_of_running_is_another_measurement(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    keep(path, replace(SAMPLE, way=Way("cpu", 0.0, 2)))
    keep(path, replace(SAMPLE, way=Way("cuda:0", 1.0, 4)))
    keep(path)
    ways = [model.way for model in speed_file.load(path, MACHINE).models]
    assert ways == [Way("cpu", 0.0, 2), Way("cuda:0", 1.0, 4), Way("cpu", 0.0, 4)]


def test_another_processor_or_build_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    assert speed_file.keep_test(path, MACHINE, TEST)
    assert speed_file.load(path, "another") == Speeds("another")
    keep(path, machine="another")
    assert speed_file.load(path, MACHINE) == Speeds(MACHINE)
    assert speed_file.load(path, "another").test is None


def onnx(key: str = "marian:7") -> Sample:
    """A run of another runtime."""
    way = Way("cpu", 0.0, 4, "onnx")
    return replace(SAMPLE, key=key, title="Marian", way=way, version=versions.named("onnx"))


ONNX = f"Test CPU; {versions.named('onnx')}"


def test_runs_of_several_runtimes_are_kept_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    keep(path, onnx(), 2, ONNX)
    keep(path)
    found = speed_file.load(path, MACHINE)
    assert [(one.key, one.runtime, len(one.decode)) for one in found.models] == [
        ("marian:7", "onnx", 2),
        ("a.gguf:1000", "llama", 2),
    ]
    assert found.models[0].way == onnx().way
    first = tmp_path / "first.toml"  # a computer on which the other runtime ran first
    keep(first, onnx(), 1, ONNX)
    keep(first)
    assert len(speed_file.load(first, MACHINE).models) == 2


def test_another_llama_cpp_leaves_other_runtimes_and_what_is_known_of_the_processor(tmp_path: Path) -> None:
    path, later = tmp_path / "machine.toml", "Test CPU; llama.cpp 2; zen4"
    miss = Miss("measured", 21.0, 20.0)
    speed_file.record(path, MACHINE, SAMPLE, lambda _sample, _speeds: miss)
    speed_file.record(path, ONNX, onnx(), lambda _sample, _speeds: replace(miss, runtime="onnx"))
    assert speed_file.keep_test(path, MACHINE, TEST)
    speed_file.keep_tuned(path, MACHINE, Tuned("a.gguf:1000", "Model A", 5, 4))
    assert len(speed_file.load(path, MACHINE).tuned) == 1
    for _ in range(2):
        found = speed_file.load(path, later)
        assert [one.key for one in found.models] == ["marian:7"]
        assert [one.runtime for one in found.misses] == ["onnx"]
        assert found.test == replace(TEST, decode=0.0, prefill=0.0), "the starter was measured with the old one"
        assert found.tuned == ()
        keep(path, onnx(), 1, "Test CPU; ONNX Runtime 5")  # and a run of the other one forgets nothing of the first
    assert [one.key for one in speed_file.load(path, MACHINE).models] == ["a.gguf:1000", "marian:7"]


def test_another_version_of_a_runtime_forgets_its_own_rows_alone(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    old = replace(onnx(), version="ONNX Runtime 0.1")
    miss = Miss("measured", 21.0, 20.0, "onnx")
    assert speed_file.record(path, ONNX, old, lambda _sample, _speeds: miss)
    assert "ONNX Runtime 0.1" in path.read_text()
    found = speed_file.load(path, MACHINE)
    assert [one.key for one in found.models] == ["a.gguf:1000"]
    assert found.misses == ()
    keep(path, onnx("other:3"), 1, ONNX)
    assert "ONNX Runtime 0.1" not in path.read_text()


def test_another_processor_forgets_what_every_runtime_did(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    keep(path, onnx(), 1, "Another CPU; ONNX Runtime 1")
    assert speed_file.load(path, MACHINE).models == ()
    assert [one.key for one in speed_file.load(path, "Another CPU; llama.cpp 1; zen4").models] == ["marian:7"]


def test_a_table_from_before_other_runtimes_were_recorded_is_of_llama(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    path.write_text(
        f"""[speed]
machine = "{MACHINE}"
[speed.test]
time = 5
threads = 4
bandwidth = 4e10
usual_bandwidth = 3e10
compute = 4e11
disk = 0.0
decode = 9.0
prefill = 9.0
read = 9
weights = 4
layers = 4
busy = 0.1
on_battery = false
[[speed.miss]]
basis = "test"
predicted = 22.0
measured = 20.0
[[speed.model]]
key = "a.gguf:1000"
title = "A"
device = "cpu"
share = 0.0
threads = 4
read = 4
weights = 6
layers = 2
time = 5
decode = [20.0]
prefill = []
words = [0.7]
"""
    )
    found = speed_file.load(path, MACHINE)
    (model,) = found.models
    assert (model.runtime, model.version, model.does, model.precision) == ("llama", "", "writes", "")
    assert (found.misses[0].runtime, found.test is not None) == ("llama", True)
    keep(path)
    assert speed_file.load(path, MACHINE).models[0].decode == (20.0, 20.0)


@pytest.mark.parametrize("machine", [MACHINE, ONNX, "Test CPU; PyTorch 2.1+cpu", "Test CPU"])
def test_the_processor_is_named_first_by_every_runtime(machine: str) -> None:
    assert processor_of(machine) == "Test CPU"


def test_the_self_test_replaces_the_one_before_and_leaves_the_runs(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    assert speed_file.keep_test(path, MACHINE, replace(TEST, threads=2))
    assert speed_file.keep_test(path, MACHINE, TEST)
    found = speed_file.load(path, MACHINE)
    assert found.test == TEST
    assert len(found.models) == 1


def test_the_error_of_predictions_is_the_median_of_the_last_ones(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    for number in range(40):
        predicted = 1000.0 if number < 10 else 22.0 if number % 2 else 23.0
        miss = Miss("test" if number % 2 else "measured", predicted, 20.0)
        speed_file.record(path, MACHINE, SAMPLE, lambda _sample, _speeds, miss=miss: miss)  # type: ignore[misc]
    found = speed_file.load(path, MACHINE)
    assert len(found.misses) == 30
    accuracy = found.accuracy()
    assert accuracy is not None
    assert str(accuracy) == "predictions here were 12% off over 30 runs"
    tested = found.accuracy("test")
    assert tested is not None
    assert (round(tested.error, 6), tested.runs) == (0.1, 15)
    assert found.accuracy("scaled") is None
    assert str(Accuracy(0.5, 1)) == "predictions here were 50% off over 1 run"


def test_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    for number in range(60):
        keep(path, replace(SAMPLE, key=f"model-{number}.gguf:{number}", title="T" * 500))
    found = speed_file.load(path, MACHINE)
    assert [model.key for model in found.models] == [f"model-{number}.gguf:{number}" for number in range(20, 60)]
    assert path.stat().st_size < 20_000


@pytest.mark.parametrize(
    "text",
    [
        "speed = 3",
        "[speed]\nmachine = 7",
        "[speed]\nmachine = 'MACHINE'\nmodel = 3\nmiss = 'x'\ntest = []",
        "[speed]\nmachine = 'MACHINE'\nmodel = [1, {}, {key = 'a'}]\nmiss = [{basis = 'guess'}]",
        "[speed]\nmachine = 'MACHINE'\ntest = {time = 1, threads = 'many'}",
        "[speed]\nmachine = 'MACHINE'\nmiss = [{basis = 'test', predicted = nan, measured = 1.0}]",
        "[speed]\nmachine = 'MACHINE'\nmiss = [{basis = 'test', predicted = 1.0, measured = 0.0}]",
        "[speed]\nmachine = 'MACHINE'\nmiss = [{basis = 'test', predicted = inf, measured = 2.0}]",
        "[[[",
    ],
)
def test_a_damaged_table_is_empty_and_written_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "machine.toml"
    path.write_text(text.replace("MACHINE", MACHINE))
    assert speed_file.load(path, MACHINE) == Speeds(MACHINE)
    keep(path)
    assert len(speed_file.load(path, MACHINE).models) == 1
    assert tomllib.loads(path.read_text())["speed"]["machine"] == MACHINE


@pytest.mark.parametrize("field", ["read", "weights", "decode", "key", "threads", "share"])
def test_a_damaged_row_is_left_out_alone(tmp_path: Path, field: str) -> None:
    path = tmp_path / "machine.toml"
    keep(path)
    keep(path, replace(SAMPLE, key="b.gguf:5"))
    rows = tomllib.loads(path.read_text())["speed"]["model"]
    bad = {"read": 0, "weights": 0, "decode": [], "key": "", "threads": "two", "share": -1.0}[field]
    text = path.read_text()
    old = {"decode": "decode = [20.0]", "key": 'key = "a.gguf:1000"'}.get(field, f"{field} = {rows[0][field]}")
    shown = f'"{bad}"' if isinstance(bad, str) else bad
    path.write_text(text.replace(old, f"{field} = {shown}", 1))
    assert [model.key for model in speed_file.load(path, MACHINE).models] == ["b.gguf:5"]


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert not speed_file.record(blocked / "machine.toml", MACHINE, SAMPLE, nothing)
    assert not speed_file.keep_test(blocked / "machine.toml", MACHINE, TEST)
    assert speed_file.load(blocked / "machine.toml", MACHINE) == Speeds(MACHINE)


def test_the_same_file_in_another_folder_is_the_same_model() -> None:
    assert file_key("/a/b/model.gguf", 5) == file_key("model.gguf", 5) == "model.gguf:5"
    assert file_key("sub/model.gguf", 6) != file_key("model.gguf", 5)
    assert file_key("bad\udcff.gguf", 5).encode("utf-8")


@pytest.mark.parametrize(
    ("placement", "way"),
    [
        (Placement(threads=4), Way("cpu", 0.0, 4)),
        (Placement(device="cuda:0", gpu_layers=0, threads=4), Way("cpu", 0.0, 4)),
        (Placement(device="cuda:0", gpu_layers=-1), Way("cuda:0", 1.0, 2)),
        (Placement(device="cuda:0", gpu_layers=99), Way("cuda:0", 1.0, 2)),
        (Placement(device="metal", gpu_layers=10), Way("metal", 0.5, 2)),
        (Placement(runtime="onnx", threads=4), Way("cpu", 0.0, 4, "onnx")),
        (Placement(runtime="onnx", device="cuda"), Way("cuda", 1.0, 2, "onnx")),
        (Placement(runtime="torch", precision="bf16"), Way("cpu", 0.0, 2, "torch", "bf16")),
    ],
)
def test_the_way_is_what_decides_the_speed(placement: Placement, way: Way) -> None:
    assert way_of(placement, 19) == way
