"""Tests of the choice among installed models: a table of what is installed and which one a task takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from machines import EVERY, MB, computer

from edgellm.hardware.probe import Hardware
from edgellm.models import catalog
from edgellm.models.catalog import ModelCard
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.paths import from_environment, starter_model
from edgellm.runtimes import preference
from edgellm.runtimes.advice import Advice, Here
from edgellm.runtimes.prediction import Prediction
from edgellm.runtimes.preference import Wish, prefer, rank
from edgellm.runtimes.speed import Speeds
from edgellm.settings import Settings

CARDS = catalog.load(from_environment()).cards
STARTER = Installed("starter", starter_model(), 10 * MB, builtin=True)
# Words a second that were measured of each, and whether it fits
FAST: dict[str, tuple[float, str]] = {
    "qwen3.5-0.8b-q4": (20.0, "fits"),
    "qwen3.5-2b-q4": (9.0, "fits"),
    "qwen3.5-4b-q4": (4.0, "fits"),
    "qwen3-14b-q4": (0.7, "fits"),
    "hy-mt2-1.8b-q4": (10.0, "fits"),
    "deepseek-r1-distill-qwen-7b-q4": (5.0, "fits"),
    "gemma-4-26b-a4b-qat-q4": (6.0, "swap"),
    "qwen3.5-9b-q4": (4.0, "tight"),
}


def here(hardware: Hardware | None = None) -> Here:
    """A computer."""
    return Here(hardware or computer(16, 12), Settings(), EVERY, Speeds("m"))


def installed(name: str) -> Installed:
    """A model of the catalog, as if it were here."""
    card = next(one for one in CARDS if one.name == name)
    files = tuple(ManifestFile(file.path, file.size or 0, "0" * 64) for file in card.files)
    manifest = Manifest(
        name=name, files=files, format=card.format, tasks=card.tasks, languages=card.languages, repo=card.repo
    )
    return Installed(name, Path(name), card.size or 0, manifest=manifest)


@pytest.fixture(autouse=True)
def speeds(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, str]]:
    """Speeds and fits of our own, in place of advice from files that are not here."""
    table = dict(FAST)

    def advice(model: Installed, _card: ModelCard, _here: Here) -> Advice:
        words, fit = table.get(model.name, (0.0, "fits"))
        speed = Prediction(words / 0.75, words, "measured", "measured here, over 3 runs") if words else None
        return Advice(fit, "", speed=speed)  # type: ignore[arg-type]

    monkeypatch.setattr(preference, "_advice", advice)
    return table


def best(wish: Wish, *names: str) -> tuple[str, str]:
    """The name of what is taken, and why."""
    found = prefer(wish, (STARTER, *(installed(name) for name in names)), CARDS, here())
    assert found is not None
    return found.value.name, found.reason


ANSWER, SUMMARY, FRENCH = Wish("answer"), Wish("summarize"), Wish("translate", "en", "fr")


@pytest.mark.parametrize(
    ("wish", "names", "expected"),
    [
        (SUMMARY, (), "starter"),
        (SUMMARY, ("qwen3.5-0.8b-q4",), "qwen3.5-0.8b-q4"),
        (SUMMARY, ("qwen3.5-0.8b-q4", "qwen3.5-4b-q4", "qwen3.5-2b-q4"), "qwen3.5-4b-q4"),
        (SUMMARY, ("qwen3-14b-q4", "qwen3.5-2b-q4"), "qwen3.5-2b-q4"),  # a model that is too slow here comes after
        (SUMMARY, ("qwen3-14b-q4",), "qwen3-14b-q4"),  # but before the built-in one
        (SUMMARY, ("qwen3.5-9b-q4", "qwen3.5-4b-q4"), "qwen3.5-4b-q4"),  # where memory is tight too
        (SUMMARY, ("gemma-4-26b-a4b-qat-q4",), "starter"),  # it would swap
        (ANSWER, ("deepseek-r1-distill-qwen-7b-q4", "qwen3.5-4b-q4"), "qwen3.5-4b-q4"),  # it thinks aloud
        (ANSWER, ("opus-mt-en-fr",), "starter"),
        (Wish("classify"), ("hy-mt2-1.8b-q4", "qwen3.5-0.8b-q4"), "qwen3.5-0.8b-q4"),
        (FRENCH, ("opus-mt-en-fr", "qwen3.5-4b-q4"), "opus-mt-en-fr"),
        (FRENCH, ("opus-mt-en-fr", "hy-mt2-1.8b-q4"), "opus-mt-en-fr"),
        (FRENCH, ("opus-mt-fr-en", "qwen3.5-4b-q4"), "qwen3.5-4b-q4"),  # the other direction
        (FRENCH, ("opus-mt-fr-en", "opus-mt-en-de"), "starter"),
        (FRENCH, ("hy-mt2-1.8b-q4", "qwen3.5-4b-q4"), "hy-mt2-1.8b-q4"),  # made for it
        (Wish("translate", "de", "en"), ("opus-mt-de-en", "opus-mt-en-de"), "opus-mt-de-en"),
        (Wish("translate", "", "fr"), ("opus-mt-en-fr",), "starter"),  # from an unknown language
    ],
)
def test_what_a_task_takes(wish: Wish, names: tuple[str, ...], expected: str) -> None:
    for order in (names, names[::-1]):
        assert best(wish, *order)[0] == expected


@pytest.mark.parametrize(
    ("wish", "names", "reason"),
    [
        (SUMMARY, (), ""),
        (FRENCH, ("opus-mt-en-fr",), "because it was made to translate between just these languages."),
        (SUMMARY, ("qwen3.5-2b-q4",), "the only one installed for this besides the built-in model (about 9.0 words/s,"),
        (
            SUMMARY,
            ("qwen3.5-2b-q4", "qwen3.5-4b-q4"),
            "can do the most (about 4.0 words/s, measured here, over 3 runs",
        ),
        (FRENCH, ("hy-mt2-1.8b-q4", "qwen3.5-4b-q4"), "because it was made to translate (about 10 words/s, measured"),
    ],
)
def test_the_reason_is_one_sentence_and_how_to_overrule_it(wish: Wish, names: tuple[str, ...], reason: str) -> None:
    name, said = best(wish, *names)
    assert reason in said
    assert not said or said == f"{name} is used, because {said.partition('because ')[2]}"
    assert not said or said.endswith(" Choose another with --model NAME.")


def test_where_all_are_slow_the_fastest_is_taken_and_that_is_said(speeds: dict[str, tuple[float, str]]) -> None:
    speeds["qwen3.5-4b-q4"] = (1.5, "fits")
    name, reason = best(SUMMARY, "qwen3-14b-q4", "qwen3.5-4b-q4")
    assert name == "qwen3.5-4b-q4"
    assert "all that are installed are slow here, and it is the fastest (about 1.5 words/s" in reason


def test_a_file_that_a_person_put_there_can_be_talked_to() -> None:
    dropped = Installed("mine", Path("mine.gguf"), 900 * MB, origin="file")
    for task in ("summarize", "answer", "classify", "translate"):
        assert [one.name for one in rank(Wish(task, "en", "fr"), (STARTER, dropped), CARDS, here())] == [
            "mine",
            "starter",
        ]


def test_what_lacks_something_or_says_not_what_it_is_for_is_left_out() -> None:
    damaged = replace(installed("qwen3.5-4b-q4"), problem="It lacks a file.")
    vectors = Installed("vectors", Path("vectors"), MB, manifest=Manifest(name="vectors", files=(), format="onnx"))
    assert [one.name for one in rank(SUMMARY, (STARTER, damaged, vectors), CARDS, here())] == ["starter"]
    assert prefer(SUMMARY, (damaged,), CARDS, here()) is None


def test_a_truncated_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(starter_model().read_bytes()[:300])
    model = Installed("broken", broken, 300, origin="file")
    empty = Installed("opus-mt-en-fr", tmp_path, 300, manifest=installed("opus-mt-en-fr").manifest)
    assert [one.name for one in rank(FRENCH, (STARTER, model, empty), CARDS, here())] == ["starter"]
