"""The chat page as a whole: real window, real store, real engine process, scripted model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desk import Desk, child, shown_text, wait
from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from edgellm.tasks import answer, classify, summarize, translate
from edgellm.ui.code_block import CodeBlock
from edgellm.ui.text_view import TextView
from edgellm.ui.welcome import examples

Open = Callable[..., Desk]


def test_a_message_is_answered_shown_and_stored(open_desk: Open) -> None:
    desk = open_desk(reply="Good morning to you.")
    desk.ready()
    answer = desk.say("Good morning!")
    assert [view.text for view in desk.views] == ["Good morning!", "Good morning to you."]
    assert shown_text(answer) == "Good morning to you."
    assert "words/s" in answer._facts.text()
    assert desk.chat.composer.input.toPlainText() == ""
    wait(lambda: desk.titles() == ["Good morning!"])
    current = desk.conversation.current
    assert current is not None
    assert [m.state for m in desk.app.store().path(current.chat.id)] == ["done", "done"]


def test_the_strip_says_device_memory_speed_and_lock(open_desk: Open) -> None:
    desk = open_desk(reply="Yes, very well indeed.")
    desk.ready()
    desk.say("Well?")
    strip = desk.window.strip
    wait(lambda: "free" in strip.memory.label.text(), "a sample of the memory")
    assert strip.device.accessibleName().startswith("Device: CPU: A scripted model runs anywhere.")
    assert strip.speed.label.text().endswith("words/s")
    assert strip.model.label.text() == "told"
    assert strip.lock.text() == "Offline"


def test_stop_keeps_the_text_so_far_and_says_so(open_desk: Open) -> None:
    desk = open_desk(reply="word ", repeat=4000, seconds_per_token=0.005)
    desk.ready()
    desk.send("Tell me a lot.")
    wait(lambda: desk.last is not None and desk.last.text.count("word") > 3, "some words")
    QTest.keyClick(desk.window, Qt.Key.Key_Escape)
    wait(lambda: not desk.conversation.busy, "the end")
    desk.settle()
    stopped = desk.views[-1]
    assert 3 < stopped.text.count("word") < 4000
    assert stopped._ending_text.text() == "Stopped here."
    assert desk.app.store().message(stopped.message.id).text == stopped.text


def test_stop_before_the_answer_has_begun_keeps_the_question(open_desk: Open) -> None:
    desk = open_desk(reply="word ", repeat=4000, seconds_per_token=0.005)
    desk.ready()
    assert desk.conversation.send("Never mind.")
    desk.conversation.stop()
    wait(lambda: not desk.conversation.busy and len(desk.views) == 2, "the end")
    desk.settle()
    assert [view.text for view in desk.views] == ["Never mind.", ""]
    assert desk.views[-1].message.state == "cancelled"


def test_a_chat_that_is_left_before_its_answer_has_begun_does_not_come_back(open_desk: Open) -> None:
    desk = open_desk(reply="word ", repeat=4000, seconds_per_token=0.005)
    desk.ready()
    assert desk.conversation.send("First.")
    desk.chat.new_chat()
    wait(lambda: not desk.conversation.busy and desk.titles() == ["First."], "the stored chat")
    assert desk.conversation.current is None
    chat = desk.app.store().chats()[0].id
    wait(lambda: [m.state for m in desk.app.store().path(chat)] == ["done", "cancelled"], "the end of its answer")
    assert desk.conversation.send("Second.")
    wait(lambda: desk.last is not None and "word" in desk.last.text, "another answer")


def test_regenerate_keeps_both_versions_and_the_switcher_goes_between(open_desk: Open) -> None:
    desk = open_desk(reply="The same.")
    desk.ready()
    first = desk.say("Again?").message.id
    QTest.mouseClick(desk.views[-1].again, Qt.MouseButton.LeftButton)
    wait(lambda: desk.views[-1].message.id != first and not desk.conversation.busy)
    desk.settle()
    assert desk.views[-1]._place.text() == "2 / 2"
    QTest.mouseClick(desk.views[-1]._older, Qt.MouseButton.LeftButton)
    wait(lambda: desk.views[-1].message.id == first, "the older version")
    assert desk.views[-1]._place.text() == "1 / 2"


def test_editing_a_question_keeps_the_old_branch(open_desk: Open) -> None:
    desk = open_desk(replies={"cat": "Meow.", "dog": "Woof."})
    desk.ready()
    desk.say("a cat")
    QTest.mouseClick(desk.views[0].again, Qt.MouseButton.LeftButton)
    assert desk.chat.composer.input.toPlainText() == "a cat"
    desk.chat.composer.input.selectAll()
    desk.send("a dog")
    wait(lambda: not desk.conversation.busy and desk.views[-1].text == "Woof.")
    desk.settle()
    assert [view.text for view in desk.views] == ["a dog", "Woof."]
    QTest.mouseClick(desk.views[0]._older, Qt.MouseButton.LeftButton)
    wait(lambda: [view.text for view in desk.views] == ["a cat", "Meow."], "the old branch")


def test_an_engine_that_dies_leaves_the_text_and_the_next_request_works(open_desk: Open) -> None:
    fault = {"at": "generate", "after": 3, "kind": "abort", "prompt": "die", "once": True}
    desk = open_desk(reply="one two three four five", seconds_per_token=0.1, faults=[fault])
    desk.ready()
    broken = desk.say("please die")
    assert broken.text == "one two three"
    assert broken._ending_text.text().startswith("Interrupted here. The engine")
    assert desk.say("and now?").text == "one two three four five"


def test_code_can_be_copied_and_is_colored(open_desk: Open) -> None:
    desk = open_desk(reply="Look:\n\n```python\nfor n in range(3):\n    print(n)\n```\n\nDone.")
    desk.ready()
    block = child(desk.say("code"), CodeBlock)
    QTest.mouseClick(block.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "for n in range(3):\n    print(n)"
    assert "color:" in block.view.toHtml().split("</head>")[1]
    assert block._language.text() == "python"


def test_a_link_is_shown_and_copied_and_opens_nothing_by_itself(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    desk = open_desk(reply="See [this](https://example.org/page).")
    desk.ready()
    view = child(desk.say("a link"), TextView)

    def press_copy() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert "https://example.org/page" in box.informativeText()
        next(button for button in box.buttons() if button.text() == "Copy address").click()

    QTimer.singleShot(200, press_copy)
    view.anchorClicked.emit(QUrl("https://example.org/page"))
    assert QGuiApplication.clipboard().text() == "https://example.org/page"
    assert opened == []


def test_chats_are_searched_renamed_deleted_and_restored(open_desk: Open) -> None:
    desk = open_desk(reply="Nothing.")
    desk.ready()
    desk.say("first apples")
    QTest.keyClick(desk.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: not desk.views, "an empty chat")
    desk.say("then pears")
    wait(lambda: desk.titles() == ["then pears", "first apples"])
    desk.chat.chats.search.setText("apples")
    wait(lambda: desk.titles() == ["first apples"], "the search")
    desk.chat.chats.search.clear()
    wait(lambda: len(desk.titles()) == 2)
    desk.chat.chats.list.item(1).setText("Fruit")
    wait(lambda: desk.titles() == ["then pears", "Fruit"], "the new title")
    desk.chat.chats.list.setCurrentRow(0)
    QTest.keyClick(desk.chat.chats.list, Qt.Key.Key_Delete)
    wait(lambda: desk.titles() == ["Fruit"], "the chat to go")
    notices = desk.window.services.notices
    assert notices.text == "“then pears” was deleted."
    QTest.mouseClick(notices._button, Qt.MouseButton.LeftButton)
    wait(lambda: desk.titles() == ["then pears", "Fruit"], "the chat to return")
    assert [view.text for view in desk.views] == ["then pears", "Nothing."]


def test_a_draft_is_kept_with_its_chat(open_desk: Open) -> None:
    desk = open_desk(reply="Fine.")
    desk.ready()
    desk.say("hello")
    desk.type("not yet sent")
    desk.chat.new_chat()
    wait(lambda: not desk.views and desk.chat.composer.input.toPlainText() == "")
    desk.type("a thought without a chat")
    wait(lambda: "a thought without a chat" in desk.titles(), "the stored draft")
    desk.close()
    again = open_desk(reply="Fine.")
    wait(lambda: again.chat.composer.input.toPlainText() == "a thought without a chat", "the draft after a restart")
    again.chat.chats.list.setCurrentRow(again.titles().index("hello"))
    wait(lambda: again.chat.composer.input.toPlainText() == "not yet sent", "the other draft")


def test_sending_a_draft_right_away_leaves_no_ghost_chat(open_desk: Open) -> None:
    desk = open_desk(reply="Fine.")
    desk.ready()
    desk.type("quick")
    desk.chat.composer.flush()
    QTest.keyClick(desk.chat.composer.input, Qt.Key.Key_Return)
    wait(lambda: len(desk.views) == 2 and not desk.conversation.busy)
    desk.settle()
    wait(lambda: desk.titles() == ["quick"])
    QTest.qWait(100)
    assert [chat.title for chat in desk.app.store().chats()] == ["quick"]


def test_the_system_prompt_is_kept_and_sent(open_desk: Open) -> None:
    desk = open_desk(reply="Yes.")
    desk.ready()
    desk.chat.composer.system.setChecked(True)
    desk.chat.system.setPlainText("Answer like a pirate.")
    desk.say("hello")
    current = desk.conversation.current
    assert current is not None
    assert current.chat.system == "Answer like a pirate."
    assert desk.views[-1].message.facts["prompt_tokens"] == 5


def test_the_context_meter_counts_what_is_typed(open_desk: Open) -> None:
    desk = open_desk(context=2048)
    desk.ready()
    desk.type("one two three")
    wait(lambda: desk.chat.composer._meter.value() == 3, "the count")


def test_find_marks_every_place_and_steps_through(open_desk: Open) -> None:
    desk = open_desk(reply="tea, more tea")
    desk.ready()
    desk.say("tea?")
    QTest.keyClick(desk.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    bar = desk.chat.find_bar
    wait(bar.isVisible)
    bar.words.setText("tea")
    assert bar.count.text() == "1 / 3"
    QTest.keyClick(bar.words, Qt.Key.Key_Return)
    assert bar.count.text() == "2 / 3"
    bar.words.setText("coffee")
    assert bar.count.text() == "not found"
    QTest.keyClick(bar.words, Qt.Key.Key_Escape)
    assert not bar.isVisible()


def test_the_examples_are_the_prompts_of_the_tasks() -> None:
    prompts = [example.prompt for example in examples()]
    news, note = prompts[2].split("\n", 1)[1], prompts[1].split("Text: ")[1].split("\nQuestion: ")
    assert prompts[:4] == [
        translate.messages(prompts[0].split("\n", 1)[1], "English", "French")[-1].content,
        answer.messages(note[1], note[0])[-1].content,
        summarize.messages(news)[-1].content,
        classify.messages(prompts[3].split("Text: ")[1], ("positive", "negative"))[-1].content,
    ]


def test_an_example_is_sent_with_one_click(open_desk: Open) -> None:
    desk = open_desk(reply="Où est la gare ?")
    desk.ready()
    desk.chat.welcome.chosen.emit(examples()[0].prompt)
    wait(lambda: len(desk.views) == 2 and not desk.conversation.busy)
    assert desk.views[0].text == "Translate from English to French:\nWhere is the nearest pharmacy, please?"


def test_a_long_chat_shows_its_end_first_and_the_rest_on_demand(open_desk: Open) -> None:
    desk = open_desk()
    store = desk.app.store()
    chat, parent = store.create(), None
    for number in range(70):
        parent = store.add(chat.id, parent, "user" if number % 2 == 0 else "assistant", f"number {number}").id
    desk.conversation.open(chat.id)
    wait(lambda: len(desk.views) == 40, "the last messages")
    assert desk.views[-1].text == "number 69"
    QTest.mouseClick(desk.chat.transcript._earlier, Qt.MouseButton.LeftButton)
    assert [view.text for view in desk.views[:2]] == ["number 0", "number 1"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_changes_while_messages_are_shown(open_desk: Open, theme: str) -> None:
    desk = open_desk(theme=theme, reply="**bold** and\n\n```python\npass\n```")
    desk.ready()
    desk.say("hello")
    other = "dark" if theme == "light" else "light"
    desk.window.services.theme.choose(other)
    assert desk.window.services.theme.colors.name == other
    assert desk.window.services.theme.colors.text in QApplication.instance().styleSheet()  # type: ignore[union-attr]
    assert shown_text(desk.views[-1]) == "bold and\npass"
