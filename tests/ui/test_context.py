"""What no longer fits the context: said before it is sent, drawn in the conversation, kept with the answer."""

from __future__ import annotations

from collections.abc import Callable

from desk import Desk, wait
from PySide6.QtTest import QTest

Open = Callable[..., Desk]


def test_messages_that_no_longer_fit_are_announced_drawn_and_remembered(open_desk: Open) -> None:
    desk = open_desk(reply="w " * 30, context=60)
    desk.ready()
    desk.say("one two three")
    composer, transcript = desk.chat.composer, desk.chat.transcript
    QTest.qWait(500)
    assert not composer.warning.isVisible()
    assert not transcript._cut.isVisible()
    desk.type("now comes a message of many words, so that all of it together is more than fits")
    wait(composer.warning.isVisible, "the warning")
    assert composer.warning.text() == "The 2 oldest messages no longer fit the context and will be left out."
    assert transcript._cut.isVisible()
    assert transcript._cut.y() > desk.views[1].y()
    answer = desk.say("")
    assert answer.message.facts["left_out"] == 2
    assert "2 oldest messages" in answer._ending_text.text()
    wait(lambda: desk.views[1].y() < transcript._cut.y() < desk.views[2].y(), "the line between old and new")
    desk.chat.new_chat()
    wait(lambda: not composer.warning.isVisible() and not transcript._cut.isVisible(), "the warning to go")


def test_a_message_that_is_too_long_alone_is_said_before_and_after_it_is_sent(open_desk: Open) -> None:
    desk = open_desk(context=20)
    desk.ready()
    desk.type("word " * 30)
    wait(desk.chat.composer.warning.isVisible, "the warning")
    assert "longer than the model's context" in desk.chat.composer.warning.text()
    answer = desk.say("")
    assert "30 tokens" in answer._ending_text.text()
    assert "Shorten the text" in answer._ending_text.text()
    assert desk.views[0].text == ("word " * 30).strip()


def test_the_starter_reads_each_message_alone_and_the_window_says_so(open_desk: Open) -> None:
    desk = open_desk(name="EdgeLLM starter", reply="w " * 30, context=60)
    desk.ready()
    for _ in range(3):
        answer = desk.say("one two three")
    assert answer.message.facts["prompt_tokens"] == 3
    assert answer.message.facts["left_out"] == 0
    assert "reads each message alone" in desk.chat._hint.text()
    assert desk.chat._hint.isVisible()
    assert not desk.chat.composer.warning.isVisible()
