"""Tests of the choice of models for a translation: a table of what is installed, and which one or two are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from machines import EVERY, MB, computer

from edgellm.models import catalog
from edgellm.models.catalog import ModelCard
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.paths import from_environment, starter_model
from edgellm.runtimes import preference
from edgellm.runtimes.advice import Advice, Here
from edgellm.runtimes.budget import Budget
from edgellm.runtimes.prediction import Prediction
from edgellm.runtimes.preference import Wish
from edgellm.runtimes.route import route
from edgellm.runtimes.speed import Speeds
from edgellm.settings import Settings

CARDS = catalog.load(from_environment()).cards
STARTER = Installed("starter", starter_model(), 10 * MB, builtin=True)
HERE = Here(computer(16, 12), Settings(), EVERY, Speeds("m"))
# Words a second that were measured of each; the rest is not known
FAST = {"qwen3.5-4b-q4": 4.0, "qwen3-14b-q4": 0.7, "hy-mt2-1.8b-q4": 10.0, "qwen3.5-0.8b-q4": 20.0}
PAIRS = ("opus-mt-de-en", "opus-mt-en-fr")
GERMAN = Wish("translate", "de", "fr")


def installed(name: str) -> Installed:
    """A model of the catalog, as if it were here."""
    card = next(one for one in CARDS if one.name == name)
    files = tuple(ManifestFile(file.path, file.size or 0, "0" * 64) for file in card.files)
    manifest = Manifest(name=name, files=files, format=card.format, tasks=card.tasks, languages=card.languages)
    return Installed(name, Path(name), card.size or 0, manifest=manifest)


@pytest.fixture(autouse=True)
def advised(monkeypatch: pytest.MonkeyPatch) -> dict[str, Advice]:
    """Advice of our own, in place of advice from files that are not here."""
    table = {
        name: Advice("fits", "", speed=Prediction(words, words, "measured", "measured")) for name, words in FAST.items()
    }

    def advice(model: Installed, _card: ModelCard, _here: Here) -> Advice:
        return table.get(model.name, Advice("fits", ""))

    monkeypatch.setattr(preference, "_advice", advice)
    return table


def taken(wish: Wish, *names: str) -> tuple[tuple[str, ...], str]:
    """The names of what is taken, and why."""
    found = route(wish, (STARTER, *(installed(name) for name in names)), CARDS, HERE)
    assert found is not None
    return tuple(model.name for model in found.value), found.reason


@pytest.mark.parametrize(
    ("wish", "names", "expected"),
    [
        (GERMAN, PAIRS, PAIRS),
        (GERMAN, ("opus-mt-mul-en", "opus-mt-en-fr"), ("opus-mt-mul-en", "opus-mt-en-fr")),
        (GERMAN, (*PAIRS, "opus-mt-mul-en"), PAIRS),  # for the very pair before one of many languages
        (GERMAN, (*PAIRS, "hy-mt2-1.8b-q4"), ("hy-mt2-1.8b-q4",)),
        (GERMAN, (*PAIRS, "qwen3.5-4b-q4"), ("qwen3.5-4b-q4",)),
        (GERMAN, (*PAIRS, "qwen3.5-0.8b-q4"), PAIRS),  # small
        (GERMAN, (*PAIRS, "qwen3-14b-q4"), PAIRS),  # slow
        (GERMAN, ("qwen3.5-0.8b-q4",), ("qwen3.5-0.8b-q4",)),
        (GERMAN, ("opus-mt-de-en",), ("starter",)),
        (GERMAN, ("opus-mt-en-de", "opus-mt-fr-en"), ("starter",)),  # both the wrong way
        (GERMAN, ("opus-mt-mul-en",), ("starter",)),  # it writes English only
        (Wish("translate", "de", "en"), PAIRS, ("opus-mt-de-en",)),
        (Wish("translate", "en", "fr"), PAIRS, ("opus-mt-en-fr",)),
        (Wish("translate", "it", "en"), ("opus-mt-mul-en",), ("opus-mt-mul-en",)),
        (Wish("translate", "", "fr"), PAIRS, ("starter",)),  # from an unknown language
        (Wish("translate", "de", "de"), PAIRS, ("starter",)),
        (GERMAN, (), ("starter",)),
    ],
)
def test_what_translates_between_two_languages(wish: Wish, names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    for order in (names, names[::-1]):
        assert taken(wish, *order)[0] == expected


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ((), "."),
        (("qwen3.5-0.8b-q4",), ", because qwen3.5-0.8b-q4 is small and was not made to translate."),
        (("qwen3-14b-q4",), ", because qwen3-14b-q4 is slow here."),
    ],
)
def test_the_reason_names_both_and_the_language_between(more: tuple[str, ...], because: str) -> None:
    said = "Translated through English: opus-mt-de-en, then opus-mt-en-fr"
    assert taken(GERMAN, *PAIRS, *more)[1] == f"{said}{because} Choose another with --model NAME."
    assert taken(GERMAN)[1] == ""


def test_a_model_of_unknown_size_is_judged_by_its_file() -> None:
    pairs = tuple(installed(name) for name in PAIRS)
    for size, expected in ((400 * MB, 2), (4_000 * MB, 1)):
        dropped = Installed("mine", Path("mine.gguf"), size, origin="file")
        found = route(GERMAN, (STARTER, dropped, *pairs), CARDS, HERE)
        assert found is not None
        assert len(found.value) == expected


def test_two_that_fit_alone_and_not_together_are_not_taken(advised: dict[str, Advice]) -> None:
    fits = Advice("fits", "", budget=Budget(3_000 * MB, 0, 0, 5_000 * MB, 8_000 * MB))
    advised |= dict.fromkeys(PAIRS, fits)
    assert taken(GERMAN, *PAIRS)[0] == ("starter",)
    assert fits.budget is not None
    smaller = replace(fits, budget=replace(fits.budget, weights=1_000 * MB))
    advised |= dict.fromkeys(PAIRS, smaller)
    assert taken(GERMAN, *PAIRS)[0] == PAIRS


def test_nothing_installed_gives_nothing() -> None:
    assert route(GERMAN, (), CARDS, HERE) is None
