"""The rows of the Models page, its words and its values: no window needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.progress import Progress
from edgellm.models.store import Installed
from edgellm.runtimes.advice import Advice, Fit
from edgellm.runtimes.budget import Budget
from edgellm.runtimes.prediction import Prediction
from edgellm.runtimes.speed import Accuracy
from edgellm.settings import Settings
from edgellm.ui import models_activity, models_advice, models_reading, models_view
from edgellm.ui.models_reading import Shelf
from edgellm.ui.models_view import Known

GB = 1 << 30
RUNNING = "pause cancel"
CARD = ModelCard(
    "small-q4",
    "Small 1B",
    "A small one.",
    (CardFile("small.gguf", 700_000_000, "a" * 64),),
    repo="owner/small",
    quantization="Q4_K_M",
    parameters="1B",
    license="MIT",
    license_note="Not for weather reports.",
    tasks=("chat", "translate"),
    languages=("en", "de", "zh"),
    context=8192,
    distilled_from="Large 70B",
)
FITS = Advice(
    "fits",
    "Fits.",
    Budget(GB, GB // 4, GB // 2, 6 * GB, 8 * GB),
    speed=Prediction(15.0, 11.0, "test", "estimated", Accuracy(0.12, 4)),
)


def _installed(name: str, **more: Any) -> Installed:
    return replace(Installed(name, Path("/models") / name / "x.gguf", 5_000_000, folder=Path("/models")), **more)


def test_a_card_becomes_a_row_that_says_everything_before_the_download() -> None:
    row = models_view.rows(Known(cards=(CARD,), advice={"small-q4": FITS}))[0]
    assert row.line == "700 MB · Q4_K_M · MIT · chat, translate · English, Deutsch, 中文"
    assert row.license == "MIT (Not for weather reports)"
    assert (row.fit.kind, row.fit.word) == ("fits", "Fits")
    assert "weights 1.00 GB + KV cache 0.25 GB + compute 0.50 GB = 1.75 GB" in row.fit.budget
    assert "6.00 GB of 8.00 GB free" in row.fit.budget
    assert row.speed == "about 11 words/s"
    assert row.basis == "estimated from the self-test; such figures were 12% off here, in 4 runs"
    assert row.distilled.startswith("Distilled from Large 70B")
    assert row.actions == ("download",)
    assert dict(row.facts)["Context"] == "8,192 tokens"
    for word in ("Small 1B", "Fits", "about 11 words/s", "distilled", "MIT"):
        assert word in row.spoken


def test_a_license_that_is_not_known_is_said_and_not_hidden() -> None:
    row = models_view.rows(Known(cards=(replace(CARD, license="", license_note=""),)))[0]
    assert "license not stated" in row.line
    assert row.license.startswith("not stated")


def test_the_filter_looks_at_names_tasks_languages_and_licenses() -> None:
    other = ModelCard("large-q8", "Large 9B", "Another.", CARD.files, tasks=("classify",), languages=("fr",))
    other = replace(other, license="Apache-2.0")
    rows = models_view.rows(Known(cards=(CARD, other)))
    for text, names in (
        ("SMALL 1b", ["small-q4"]),
        ("classify", ["large-q8"]),
        ("apache", ["large-q8"]),
        ("français", ["large-q8"]),
        ("fr", ["large-q8"]),
        ("distilled", ["small-q4"]),
        ("", ["small-q4", "large-q8"]),
        ("nothing such", []),
    ):
        assert [row.name for row in models_view.filtered(rows, text)] == names, text


def test_what_is_recommended_comes_first_and_what_cannot_run_last() -> None:
    kinds: dict[str, Fit] = {"a": "unsupported", "b": "swap", "c": "tight", "d": "fits", "e": "fits"}
    cards = tuple(replace(CARD, name=name) for name in kinds)
    advice = {name: replace(FITS, fit=kind) for name, kind in kinds.items()}
    rows = models_view.rows(Known(cards=cards, advice=advice, recommended={"e": "Because."}))
    assert [row.name for row in rows] == ["e", "d", "c", "b", "a"]


def test_installed_models_can_do_what_they_may() -> None:
    file = ManifestFile("x.gguf", 5, "a" * 64)
    manifest = Manifest(name="own", files=(file,), license="MIT", added="2026-01-02T00:00Z")
    models = (
        _installed("starter", builtin=True),
        _installed("own", manifest=manifest),
        _installed("loose", origin="file"),
        _installed("foreign", origin="ollama"),
        _installed("broken", manifest=manifest, problem="broken lacks the file x.gguf."),
    )
    rows = {row.name: row for row in models_view.rows(Known(installed=models, in_use="own"))}
    assert rows["starter"].actions == ("use", "check", "show")
    assert rows["own"].actions == ("use", "check", "show", "bundle", "move", "remove")
    assert rows["own"].in_use
    assert rows["loose"].actions == ("use", "check", "show", "bundle", "move", "remove")
    assert rows["foreign"].actions == ("use", "check", "show", "import")
    assert "Ollama" in rows["foreign"].line
    assert rows["broken"].actions[0] == "repair"
    assert rows["broken"].fit.word == "Damaged"
    assert "lacks" in rows["broken"].fit.reason


def test_a_model_of_the_catalog_that_is_installed_is_listed_once() -> None:
    rows = models_view.rows(Known(installed=(_installed("small-q4"),), cards=(CARD,), advice={"small-q4": FITS}))
    assert [row.key for row in rows] == ["installed:small-q4"]
    assert rows[0].title == "Small 1B"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("owner/name", True),
        (" unsloth/Qwen3.5-4B-GGUF:Q4_K_M ", True),
        ("owner/name/folder/file.gguf", True),
        ("https://host.example/x.gguf", True),
        ("two words", False),
        ("owner/name with words", False),
        ("qwen", False),
        ("/etc/passwd", False),
        ("", False),
    ],
)
def test_references_are_told_from_words(text: str, found: bool) -> None:
    assert models_view.reference(text) == (text.strip() if found else "")


def test_no_speed_says_why() -> None:
    assert models_advice.speed(None) == ("", "")
    assert "not known yet" in models_advice.speed(replace(FITS, speed=None))[1]
    assert "disk" in models_advice.speed(replace(FITS, fit="swap", speed=None))[1]
    assert models_advice.speed(Advice("unsupported", "Unknown architecture.")) == ("", "")
    assert models_advice.fit(Advice("unsupported", "Unknown architecture.")).reason == "Unknown architecture."
    row = models_view.rows(Known(cards=(CARD,), advice={CARD.name: replace(FITS, speed=None)}))[0]
    assert row.actions == ("download", "measure")


@pytest.mark.parametrize(
    ("progress", "words", "actions"),
    [
        (
            Progress("x", "running", 500_000_000, 10**9, 2e6, 250.0),
            "500 MB of 1.0 GB · 2 MB/s · 4 min left",
            "pause cancel",
        ),
        (Progress("x", "running", 500, None), "1 kB", RUNNING),
        (Progress("x", "paused", 10**6, 10**7), "Paused · 1 MB of 10 MB", "resume cancel"),
        (Progress("x", "checking", 10**7, 10**7), "Checking what arrived · 10 MB of 10 MB", "cancel"),
        (Progress("x", "failed", 1, 2, message="No room.", hint="Free some."), "No room. Free some.", "resume cancel"),
        (
            Progress("x", "queued", message="It waits.", hint="In 15 seconds."),
            "It waits. In 15 seconds.",
            "pause cancel",
        ),
    ],
)
def test_a_download_in_words(progress: Progress, words: str, actions: str) -> None:
    activity = models_activity.download(progress, "X", locked=False)
    assert activity.words == words
    assert activity.actions == tuple(actions.split())


def test_a_download_behind_the_lock_waits_and_a_paused_one_stays_paused() -> None:
    waiting = models_activity.download(Progress("x", "failed", 1, 2, message="Refused."), "X", locked=True)
    assert waiting.words.startswith("Waits for the offline lock")
    assert waiting.actions == ("unlock", "cancel")
    assert not waiting.trouble
    paused = models_activity.download(Progress("x", "paused", 1, 2), "X", locked=True)
    assert paused.actions == ("resume", "cancel")


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (7300, "2 h 1 min")])
def test_times_are_coarse(seconds: float, words: str) -> None:
    assert models_activity.duration(seconds) == words


def test_the_offer_goes_with_the_first_model_of_ones_own_or_with_a_wish() -> None:
    known = Known(installed=(_installed("starter", builtin=True),), cards=(CARD,), advice={CARD.name: FITS})
    shelf = Shelf(known, best=CARD.name, reason="It fits.")
    offer = models_reading.offer(Settings(), shelf)
    assert offer is not None
    assert (offer.title, offer.size, offer.license, offer.speed) == ("Small 1B", 700_000_000, "MIT", "about 11 words/s")
    assert models_reading.offer(Settings(offer_model=False), shelf) is None
    assert models_reading.offer(Settings(), replace(shelf, best="")) is None
    more = replace(known, installed=(*known.installed, _installed("mine")))
    assert models_reading.offer(Settings(), replace(shelf, known=more)) is None


def test_a_mirror_on_this_machine_is_not_behind_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert models_reading.locked(Settings())
    assert models_reading.locked(Settings(mirror="https://mirror.example.org"))
    assert not models_reading.locked(Settings(mirror="http://127.0.0.1:8080"))
    assert not models_reading.locked(Settings(offline=False))
    monkeypatch.setenv("HF_ENDPOINT", "http://localhost:1")
    assert not models_reading.locked(Settings())
