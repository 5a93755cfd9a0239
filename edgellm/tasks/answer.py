"""Answer a question from a passage, or say that the text does not say."""

from __future__ import annotations

from edgellm.runtimes.base import Message

NOT_SAID = "The text does not say."


def messages(question: str, passage: str) -> tuple[Message, ...]:
    """The prompt; the answer is a span of `passage` or `NOT_SAID`."""
    return (
        Message(
            "user",
            f"Answer from the text, or reply: {NOT_SAID}\nText: {passage}\nQuestion: {question}",
        ),
    )
