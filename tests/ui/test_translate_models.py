"""Which models translate on the Translate page: ones made for the languages, two through English, or the one on top."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, nameless, wait

from edgellm.runtimes.base import Choice
from edgellm.ui import main
from edgellm.ui.background import Inline
from edgellm.ui.language import told
from edgellm.ui.model_selector import is_starter_name
from edgellm.ui.task_page import TaskPage
from edgellm.ui.translate_choices import TEXT
from edgellm.ui.translate_page import TranslatePage
from tests import pair_models

GERMAN = "Der Hund ist müde."
THROUGH = "Translated through English: opus-mt-de-en, then opus-mt-en-fr"
BY = "Translated by opus-mt-de-en, which was made for these two languages."


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """A window on the starter, with two models for one direction each."""
    main.application()
    for source, target in (("de", "en"), ("en", "fr")):
        pair_models.install(home, source, target)
    opened = Desk({"theme": "light", "language": "en", "max_tokens": 24})
    opened.ready()
    yield opened
    opened.close()


@pytest.fixture
def page(desk: Desk) -> TranslatePage:
    """The page, translating when its button is pressed."""
    found = desk.window.open_key("translate")
    assert isinstance(found, TranslatePage)
    wait(lambda: found._restored, "the state")
    found.choices.live.setChecked(False)
    return found


def translate(page: TranslatePage, text: str, target: str, source: str = "") -> str:
    """Translate a text; what came of it."""
    page.choices.source.choose(source)
    page.choices.target.choose(target)
    page.box.text.setPlainText(text)
    page.bar.button.click()
    wait(lambda: page.runner.busy, "the beginning")
    wait(lambda: not page.runner.busy, "the translation")
    return page.pane.plain.strip()


def said(page: TranslatePage, words: str) -> None:
    """Wait until the line says this."""
    wait(lambda: not page.who.isHidden() and page.who.words.toolTip() == words, words)


def test_a_model_for_the_languages_or_two_through_english_and_the_one_on_top_at_will(
    desk: Desk, page: TranslatePage
) -> None:
    first = translate(page, GERMAN, "fr")
    said(page, THROUGH)
    assert first != "Le chien est fatigué."  # that is how the starter has it
    assert first
    assert list(nameless(page)) == []
    assert desk.window.status is not None
    assert is_starter_name(desk.window.status.model)  # the chat keeps its model
    assert page.who.button.text() == "Use Starter (built in)"
    page.who.button.click()
    said(page, "Through English, opus-mt-de-en and opus-mt-en-fr were made for these two languages.")
    assert page.made is None
    assert translate(page, GERMAN, "fr") == "Le chien est fatigué."
    page.flush()
    again = TranslatePage(page.services)
    wait(lambda: again._restored, "the state")
    assert again.translators.own
    page.who.button.click()
    assert translate(page, GERMAN, "fr") == first
    translate(page, GERMAN, "en", "de")
    said(page, BY)
    assert translate(page, "The dog is tired.", "zh", "en") == "这只狗很累。"
    wait(page.who.isHidden, "nothing to say")


def test_files_too_and_a_second_engine_that_ended_is_brought_back(page: TranslatePage, home: Path) -> None:
    file = home / "a.md"
    file.write_text(f"{GERMAN}\n", encoding="utf-8")
    page.choices.target.choose("fr")
    page.desk.take([file])
    wait(lambda: not page.desk.placing, "the place")
    page.bar.button.click()
    wait(lambda: page.runner.busy, "the beginning")
    wait(lambda: not page.runner.busy, "the translation")
    said(page, THROUGH)
    made = (home / "a.fr.md").read_text(encoding="utf-8").strip()
    assert made
    assert made != "Le chien est fatigué."
    assert [row.state for row in page.desk.rows] == ["done"]
    pid = page.services.app.second_engine(2).status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    page.choices.set_mode(TEXT)
    assert translate(page, GERMAN, "fr") == made


def test_one_that_cannot_be_loaded_is_said_and_the_one_on_top_translates(page: TranslatePage, home: Path) -> None:
    words = home / "models" / "opus-mt-en-fr" / "tokenizer.json"
    words.write_text("{}".ljust(words.stat().st_size))
    assert translate(page, GERMAN, "fr") == "Le chien est fatigué."
    wait(lambda: "opus-mt-de-en + opus-mt-en-fr could not be used: " in page.who.words.toolTip(), "the reason")
    assert page.who.button.isHidden()
    assert page.services.notices.text == ""
    assert translate(page, GERMAN, "fr") == "Le chien est fatigué."


def test_one_that_could_not_be_loaded_for_a_while_is_tried_again(page: TranslatePage, home: Path) -> None:
    page.choices.source.choose("de")
    page.choices.target.choose("en")
    said(page, BY)
    folder, away = home / "models" / "opus-mt-de-en", home / "elsewhere"
    folder.rename(away)  # a stick that was pulled out
    assert translate(page, GERMAN, "en") == "The dog is tired."
    wait(lambda: "could not be used: " in page.who.words.toolTip(), "the reason")
    made = page.translators.known("de", "en")
    assert made is not None
    assert made.advice  # what to do about it is said too
    assert page.who.words.toolTip().endswith(told(made.advice))
    away.rename(folder)
    assert translate(page, GERMAN, "en") == "The dog is tired."  # not at once: trying takes time
    page.translators._failed["de", "en"] = 0.0
    assert translate(page, GERMAN, "en") != "The dog is tired."
    said(page, BY)


def test_what_is_found_late_says_nothing_after_a_model_was_chosen(desk: Desk, starter: Path) -> None:
    page = desk.window.open_key("classify")
    assert isinstance(page, TaskPage)
    assert page.hint is not None
    better = Choice(Path("/models/better.gguf"), "It is better.")
    page.hint._show(better)
    assert not page.hint.isHidden()
    page.services.app.save_settings(model=str(starter))
    page.hint.look()
    assert page.hint.isHidden()
    page.hint._show(better)  # asked before the choice
    assert page.hint.isHidden()
    page.hint._appear()
    assert page.hint.isHidden()


def test_models_that_were_removed_are_not_offered_any_more(page: TranslatePage, home: Path) -> None:
    page.choices.source.choose("de")
    page.choices.target.choose("fr")
    said(page, THROUGH)
    asked: list[bool] = []
    background = page.services.background

    class Seen(Inline):
        def run(self, job: Any, *then: Any) -> None:
            asked.append(page.translators.known("de", "fr") is None)
            background.run(job, *then)

    for source, target in (("de", "en"), ("en", "fr")):
        shutil.rmtree(home / "models" / f"opus-mt-{source}-{target}")
    page.who._services = replace(page.services, background=Seen())
    page.services.models.changed.emit()
    assert asked[0]  # what was known before is forgotten when it asks again
    wait(page.who.isHidden, "nothing to say")


def test_what_is_found_after_a_model_was_chosen_is_not_shown(page: TranslatePage, starter: Path) -> None:
    held: list[Any] = []

    class Held(Inline):
        def run(self, job: Any, *then: Any) -> None:
            held.append(partial(then[0], job()))

    page.choices.source.choose("de")
    page.choices.target.choose("fr")
    said(page, THROUGH)
    page.who._services = replace(page.services, background=Held())
    page.who.look()
    page.services.app.save_settings(model=str(starter))
    page.who.look()
    assert page.who.isHidden()
    for deliver in held:
        deliver()
    assert page.who.isHidden()


def test_a_chosen_model_wins(desk: Desk, page: TranslatePage, starter: Path) -> None:
    translate(page, GERMAN, "fr")
    said(page, THROUGH)
    desk.window._choose_model(str(starter))
    wait(page.who.isHidden, "the chosen model")
    assert translate(page, GERMAN, "fr") == "Le chien est fatigué."
    desk.window._choose_model("")
    said(page, THROUGH)
