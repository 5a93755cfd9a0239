"""A `Generator` for tests of pure task logic: it answers by a function and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgellm.runtimes.base import Cancelled, Chunk, Event, Finish, Message, ModelInfo, Request


class Scripted:
    """Answers `reply(last message)` word by word; a token is a word."""

    def __init__(self, reply: Callable[[str], str], *, starter: bool = False, context: int = 1_000) -> None:
        name = "EdgeLLM starter 1" if starter else "General 1B"
        self.info = ModelInfo(name, "llama", 1, "Q8_0", context, context, 10, metadata={"general.name": name})
        self.reply = reply
        self.requests: list[Request] = []
        self.counted = 0

    @property
    def prompts(self) -> list[str]:
        """The last message of every request."""
        return [request.messages[-1].content for request in self.requests]

    def count(self, messages: tuple[Message, ...]) -> int:
        """Words of all messages."""
        self.counted += 1
        return sum(len(message.content.split()) for message in messages)

    def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
        """The scripted reply."""
        self.requests.append(request)
        words = self.reply(request.messages[-1].content).split(" ")
        made = 0
        for at, word in enumerate(words):
            if cancelled():
                yield Finish("cancelled", 5, 0, made, 1.0, 10.0, "cpu", 100, False)
                return
            made += 1
            yield Chunk(word if at == 0 else f" {word}")
        yield Finish("stop", 5, 2, made, 1.0, 10.0, "cpu", 100, False, 0.25)
