"""Models that do not chat: the Models page says what they are for, and the chat page says that they cannot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk, wait

from edgellm.models.catalog import ModelCard
from edgellm.ui import main
from edgellm.ui.model_kinds import can_chat, no_chat, tasks_of, used_by
from edgellm.ui.models_page import ModelsPage
from edgellm.ui.models_view import Known, Row, rows
from tests import tiny_onnx

Open = Callable[..., Desk]
NAME = "meaning-v1.5"


def _card(*tasks: str, form: str = "gguf") -> ModelCard:
    return ModelCard("x", "X", "", (), format=form, tasks=tasks)


@pytest.mark.parametrize(
    ("card", "chats"),
    [
        (None, True),
        (_card(), True),
        (_card("chat", "translate"), True),
        (_card("translate"), True),
        (_card("embed"), False),
        (_card("rerank"), False),
        (_card("translate", form="onnx"), False),
        (_card(form="onnx"), False),
        (_card("chat", form="safetensors"), True),
        (_card("summarize", form="safetensors"), False),
    ],
)
def test_decoders_can_chat(card: ModelCard | None, chats: bool) -> None:
    assert can_chat(card) is chats


def test_what_a_model_is_for_comes_from_its_class_and_names_a_command() -> None:
    assert tasks_of("LlamaForCausalLM") == ("chat",)
    assert tasks_of("MarianMTModel") == ("translate",)
    assert tasks_of("BertForQuestionAnswering") == ("answer",)
    assert tasks_of("BertModel") == ("embed",)
    assert tasks_of("llama") == ()
    assert used_by("m", ("translate",)) == "edgellm translate --model m"
    assert used_by("m", ("answer",)) == "edgellm ask --model m"
    assert "documents" in used_by("m", ("embed",))
    assert used_by("m", ("chat",)) == ""
    assert no_chat("decoder") == ""
    assert "cannot chat" in no_chat("seq2seq")


def test_a_model_of_another_format_says_so_before_the_download() -> None:
    row = rows(Known(cards=(_card("translate", form="onnx"),)))[0]
    assert " ONNX " in row.line
    assert row.actions[0] == "download"


@pytest.mark.filterwarnings("ignore")
def test_an_installed_embedding_model_is_explained_and_does_not_break_the_chat(open_desk: Open, home: Path) -> None:
    made, _ = tiny_onnx.encoder("bert")
    folder = home / "models" / NAME
    shutil.copytree(made, folder)
    desk = open_desk()
    desk.ready()
    page = desk.window.open_key("models")
    assert isinstance(page, ModelsPage)

    def found() -> Row | None:
        listed = page.list.entries.entries
        return next(
            (row for row in listed if isinstance(row, Row) and row.name == NAME and row.facts[0][0] != "Folder"), None
        )

    wait(found, "the row")
    row = found()
    assert row is not None
    assert "search documents" in row.line
    assert "ONNX" in row.line
    assert "use" not in row.actions
    assert dict(row.facts)["Used by"] == "edgellm documents search"
    page.choose(NAME)
    assert page.details.main.text() == "Check"
    desk.window.selector._list()
    assert not any(NAME in action.text() for action in desk.window.selector.menu.actions())
    desk.window._choose_model(NAME)
    wait(lambda: desk.window.status is not None and desk.window.status.placement.runtime == "onnx", "the model")  # type: ignore[union-attr]
    wait(lambda: desk.chat._other.text(), "the sentence")
    assert desk.chat._other.text() == (
        "This model compares texts by their meaning; it cannot chat. Choose another model at the top of the window."
    )
    desk.window.open_key("chat")
    desk.send("Hello")
    wait(lambda: not desk.conversation.busy, "the refusal")
    desk.settle()
    assert desk.views[-1].message.state == "interrupted"
    assert "cannot chat" in desk.views[-1].message.facts["error"]
    desk.window._choose_model(str(home / "told.fake.json"))
    wait(lambda: not desk.chat._other.text(), "the other model")


def test_a_model_file_that_is_not_there_is_said_and_nothing_speaks_of_another(home: Path) -> None:
    main.application()
    desk = Desk({"model": "/nowhere/x.gguf", "theme": "light", "language": "en"})
    try:
        desk.ready()
        chat, notices = desk.chat, desk.window.services.notices
        wait(lambda: "There is no model file /nowhere/x.gguf." in notices.text, "the reason")
        assert "Models page" in notices.text
        assert desk.window.strip.model.label.text() == "no model"
        assert chat.welcome.notice.isHidden()  # it is about the built-in model
        assert chat._hint.isHidden()
        desk.window._choose_model("")
        wait(lambda: desk.window.status is not None, "the built-in model")
        assert not chat.welcome.notice.isHidden()
        desk.window._choose_model("/nowhere/y.gguf")
        wait(lambda: "There is no model file /nowhere/y.gguf." in notices.text, "the reason")
        wait(lambda: desk.window.status is not None, "the one before, still loaded")
        assert not chat.welcome.notice.isHidden()
    finally:
        desk.close()
