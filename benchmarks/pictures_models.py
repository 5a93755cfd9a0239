"""Pictures of the Models page and the card of the first start, with a download from a slow hub of this machine."""

from __future__ import annotations

import hashlib

from benchmarks.studio import PATIENCE, Studio, wait
from edgellm.ui.models_page import ModelsPage
from tests.loopback_hub import Fault, Hub

_SHOWN_MODEL = "qwen3.5-4b-q4"
_SLOW_MODEL, _SLOW_REPO, _SLOW_FILE = "harbor-notes-25m", "example/harbor-notes-GGUF", "harbor-notes-25m-Q8_0.gguf"
_SLOW_DATA = bytes(range(256)) * 100_000


def models(studio: Studio) -> None:
    """The card of the first start, and the Models page: details, and a download from a slow hub of its own."""
    window, work = studio.window, studio.window.services.models
    work.act_on_offer("measure", "")
    wait(PATIENCE, lambda: not work.activities)
    wait(PATIENCE, lambda: window.chat.welcome.offer.offer is not None)
    window.services.notices.hide()
    window.chat.new_chat()
    wait(0.8)
    studio.picture(f"offer{studio.suffix}")
    page = window.open_key("models")
    assert isinstance(page, ModelsPage)
    wait(2.0)
    page.choose(_SHOWN_MODEL)
    wait(0.4)
    studio.picture(f"models{studio.suffix}")
    with slow_hub() as hub:
        studio.app.save_settings(mirror=hub.endpoint)
        work.show_lock()
        page.choose(_SLOW_MODEL)
        page.details.main.click()
        wait(PATIENCE, lambda: any((one.fraction or 0) > 0.4 for one in work.activities))
        wait(0.5)
        studio.picture(f"models-download{studio.suffix}")
        for activity in work.activities:
            work.act_on("cancel", activity)
        wait(PATIENCE, lambda: not work.activities)


def slow_hub() -> Hub:
    """A hub on this machine that has one file, and takes its time."""
    return Hub(repos={_SLOW_REPO: {_SLOW_FILE: _SLOW_DATA}}, faults=[Fault("slow", times=-1, seconds=0.02)])


def own_catalog() -> str:
    """A person's own catalog with that file."""
    digest = hashlib.sha256(_SLOW_DATA).hexdigest()
    return f"""schema = 1
[[model]]
name = "{_SLOW_MODEL}"
title = "Harbor Notes 25M"
summary = "A small model of the person's own catalog."
license = "MIT"
tasks = ["chat", "summarize"]
languages = ["en"]
format = "gguf"
quantization = "Q8_0"
parameters = "25M"
architecture = "llama"
distilled_from = "Harbor Notes 8B"
repo = "{_SLOW_REPO}"
file = [{{ path = "{_SLOW_FILE}", size = {len(_SLOW_DATA)}, sha256 = "{digest}" }}]
"""
