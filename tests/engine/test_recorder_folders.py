"""Tests of what runs of ONNX and PyTorch models leave behind: real engines, tiny models of random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.engine.recorder import Recorder
from edgellm.engine.status import Plan, Run
from edgellm.engine.supervisor import Engine
from edgellm.hardware import probe
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.paths import Paths
from edgellm.runtimes import build, plans, speed_file, versions
from edgellm.runtimes.advice import Here, advise, advise_file
from edgellm.runtimes.base import Finish, Message, Placement, Reading, Request
from edgellm.runtimes.plans import Situation
from edgellm.runtimes.preference import Wish, prefer
from edgellm.runtimes.speed import Speeds, machine_name
from edgellm.settings import Settings
from tests import tiny_onnx, tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
ASK = Request((Message("user", "Anna went to the market and bought three apples."),), max_tokens=24)
TEXTS = tuple(tiny_onnx.texts()) * 3
SETTINGS = Settings(threads=1)
HARDWARE = probe.probe()


class Desk:
    """An engine that records into a folder of its own, as the program does."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths.under(folder, folder, folder / "logs")
        self.engine = Engine(self.paths, self._plan, on_finish=Recorder(self.paths.machine))

    def _plan(self, path: Path, anyway: bool) -> Plan:
        found = plans.ways(path, Situation(HARDWARE, SETTINGS, anyway))
        return Plan(found.rungs, found.machine)

    def speeds(self) -> Speeds:
        """What is kept."""
        return speed_file.load(self.paths.machine, machine_name(HARDWARE, build.inspect()))

    def here(self) -> Here:
        """What advice is given for."""
        return Here(HARDWARE, SETTINGS, build.inspect(), self.speeds())

    def run(self, path: Path, count: int = 3) -> list[float]:
        """Ask some times; the speeds."""
        self.engine.load(path)
        finishes = [list(self.engine.generate(ASK))[-1] for _ in range(count)]
        assert all(isinstance(one, Finish) and one.new_tokens >= speed_file.SHORTEST for one in finishes)
        return [one.tokens_per_second for one in finishes if isinstance(one, Finish)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A fresh one."""
    made = Desk(tmp_path)
    yield made
    made.engine.close()


def writes_on(source: Path, target: Path) -> Path:
    """A copy whose answers are long enough for their speed to mean something."""
    shutil.copytree(source, target)
    file = target / "generation_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "min_length": 30}))
    return target


def installed(path: Path, form: str) -> Installed:
    """The folder as the store knows it: a translator from English into French."""
    files = tuple(ManifestFile(file.name, file.stat().st_size, "0" * 64) for file in path.iterdir() if file.is_file())
    manifest = Manifest(name=path.name, files=files, format=form, tasks=("translate",), languages=("en", "fr"))
    return Installed(path.name, path, sum(file.size for file in files), manifest=manifest)


def card_of(model: Installed) -> ModelCard:
    """The same as the catalog would have it."""
    assert model.manifest is not None
    files = tuple(CardFile(file.path, file.size) for file in model.manifest.files)
    return ModelCard(model.name, "T", "", files, format=model.manifest.format, tasks=("translate",))


def test_an_onnx_model_is_known_by_its_runs(desk: Desk, tmp_path: Path) -> None:
    path = writes_on(tiny_onnx.seq2seq("marian")[0], tmp_path / "tiny-en-fr")
    before = advise_file(path, desk.here())
    assert before.speed is not None and before.speed.basis == "assumed"
    speeds = desk.run(path)
    (kept,) = desk.speeds().models
    assert kept.decode == tuple(round(speed, 3) for speed in speeds)
    assert (kept.runtime, kept.version, kept.does) == ("onnx", versions.named("onnx"), "writes")
    weights = sum(file.stat().st_size for file in path.glob("*.onnx"))
    assert kept.key == f"tiny-en-fr:{weights}"
    after = advise_file(path, desk.here())
    assert after.basis == "measured here, over 3 runs"
    assert after.speed is not None and after.speed.tokens_per_second == kept.tokens_per_second
    card = advise(card_of(installed(path, "onnx")), desk.here())
    assert card.basis == after.basis, "the card of a model that ran here says so too"
    other = advise_file(writes_on(path, tmp_path / "another"), desk.here())
    assert other.basis == "scaled from tiny-en-fr, measured here"


def test_a_pytorch_model_is_not_foretold_but_known_by_its_runs(desk: Desk, tmp_path: Path) -> None:
    path = writes_on(tiny_torch.saved("marian")[0], tmp_path / "torch-en-fr")
    before = advise_file(path, desk.here())
    assert before.speed is None
    assert before.speed_line == "Its speed is not known yet: it has not run here."
    assert before.as_dict()["unknown"] == "first"
    desk.run(path)
    (kept,) = desk.speeds().models
    assert (kept.runtime, kept.precision, kept.version) == ("torch", "fp32", versions.named("torch"))
    assert kept.key == f"torch-en-fr:{(path / 'model.safetensors').stat().st_size}"
    after = advise_file(path, desk.here())
    assert after.speed_line.startswith("about ")
    assert "measured here, over 3 runs" in after.speed_line
    assert advise_file(writes_on(path, tmp_path / "another"), desk.here()).speed is None


def test_the_choice_among_installed_models_goes_by_what_was_measured(desk: Desk, tmp_path: Path) -> None:
    onnx = writes_on(tiny_onnx.seq2seq("marian")[0], tmp_path / "one")
    torch = writes_on(tiny_torch.saved("marian")[0], tmp_path / "two")
    models = (installed(onnx, "onnx"), installed(torch, "safetensors"))
    for path in (onnx, torch):
        desk.run(path, 1)
    rates = {one.title: one.tokens_per_second for one in desk.speeds().models}
    found = prefer(Wish("translate", "en", "fr"), models, (), desk.here())
    assert found is not None
    assert found.value.name == max(rates, key=lambda name: rates[name])


def test_what_reads_is_known_by_the_words_it_reads(desk: Desk, tmp_path: Path) -> None:
    path, _ = tiny_onnx.encoder("bert")
    assert advise_file(path, desk.here()).speed is None
    desk.engine.load(path)
    for _ in range(3):  # as often as indexing asks: one of them is kept
        desk.engine.read(Reading("embed", texts=TEXTS))
    (kept,) = desk.speeds().models
    assert (kept.does, kept.words, len(kept.decode)) == ("reads", (1.0,), 1)
    line = advise_file(path, desk.here()).speed_line
    assert line.startswith("reads about ")
    assert line.endswith(" words/s, measured here, over 1 run.")


@pytest.mark.parametrize(
    "reading",
    [
        Reading("embed", texts=("a short question",)),
        Reading("embed", texts=("word " * 500,)),  # more than it reads: the rest was skipped
        Reading("embed"),
    ],
)
def test_readings_that_say_nothing_of_the_speed_are_not_kept(desk: Desk, reading: Reading) -> None:
    desk.engine.load(tiny_onnx.encoder("bert")[0])
    desk.engine.read(reading)
    desk.engine.read(Reading("embed", texts=TEXTS), lambda: True)
    assert desk.speeds().models == ()


def test_a_folder_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "machine.toml")
    finish = Finish("stop", 100, 0, 64, 5.0, 20.0, "CPU", 0, False, 1.0)
    run = Run(tmp_path / "gone", "gone:1:1", "m", Placement(runtime="onnx"), finish, 40)
    record(run)
    record(replace(run, placement=Placement(runtime="torch")))
    record(replace(run, reads=True))
    assert not (tmp_path / "machine.toml").exists()


def test_a_scripted_reading_is_not_kept(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "machine.toml")
    finish = Finish("stop", 0, 0, 640, 5.0, 128.0, "", 0, False)
    record(Run(tmp_path / "x.script.toml", "x:1:1", "m", Placement(runtime="fake"), finish, 640, reads=True))
    assert not (tmp_path / "machine.toml").exists()
