"""`edgellm chat`: a conversation in the terminal, kept in the same store as the window's chats.

On a terminal it asks line by line; from a pipe every line is one message. The text of an answer is stored while it
streams, so that a killed program loses nothing that was shown.
"""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, did_you_mean, whole_number
from edgellm.cli.session import INTERRUPTED, Session, describe
from edgellm.errors import EdgeError, UsageError
from edgellm.runtimes.base import Chunk, Finish, Message
from edgellm.tasks import generate, history
from edgellm.tasks.result import without_model
from edgellm.tasks.special import NO_CHAT

if TYPE_CHECKING:
    from edgellm.chats.store import Chat, Store
    from edgellm.engine.switch import Switch

_COMMANDS = {
    "/help": "show these commands",
    "/new": "start another conversation",
    "/list": "show the conversations that are kept",
    "/open N": "go on with conversation N",
    "/system TEXT": "set the system prompt of this conversation",
    "/retry": "answer the last message again",
    "/exit": "leave (or Ctrl-D)",
}
_LISTED = 20


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("message", nargs="*", metavar="MESSAGE", help="The first message.")
    parser.add_argument("--continue", dest="resume", action="store_true", help="Go on with the latest conversation.")
    parser.add_argument("--chat", type=whole_number(1), metavar="N", help="Go on with conversation N.")
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Talk until the end of input."""
    talk = Talk(session, arguments.system)
    talk.open(arguments.chat, latest=arguments.resume)
    status = 0
    for message in _messages(" ".join(arguments.message), session):
        if message.startswith("/"):
            if not talk.command(message):
                break
            continue
        status = talk.say(message)
        if status == INTERRUPTED and not _typed():
            break
    talk.conclude()
    return 0 if _typed() else status


def _chatting(session: Session) -> Switch:
    """The engine with a model that holds a conversation. Raises `UsageError` for one that cannot."""
    engine = session.generator()
    if sentence := NO_CHAT.get(engine.info.kind):
        raise UsageError(sentence, "Name another with --model; to see those that chat: edgellm models list --task chat")
    return engine


def _typed() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _messages(first: str, session: Session) -> Iterator[str]:
    """What the person says, one message at a time. A line that ends in a backslash goes on in the next."""
    if first.strip():
        yield first.strip()
    if sys.stdin is None:
        return
    if _typed():
        _chatting(session)
        session.output.hint("Type a message. /help shows the commands, Ctrl-C stops an answer, Ctrl-D leaves.")
    read = _asking(session) if _typed() else _piping()
    waiting: list[str] = []
    for line in read:
        waiting.append(line.removesuffix("\\"))
        if line.endswith("\\"):
            continue
        text = "\n".join(waiting).strip()
        waiting = []
        if text:
            yield text
    if text := "\n".join(waiting).strip():
        yield text


def _asking(session: Session) -> Iterator[str]:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives `input` its line editing, where the platform has it
    while True:
        try:
            yield session.output.ask("> ")
        except EOFError:
            session.output.line()
            return


def _piping() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8-sig", errors="replace").rstrip("\r\n")


class Talk:
    """The conversation that is open, its place in the store, and what `--json` will tell of it."""

    def __init__(self, session: Session, system: str) -> None:
        self._session = session
        self._system = system
        self._store: Store = session.app.store()
        session.output.note(self._store.notice)
        self._chat: Chat | None = None
        self._turns: list[dict[str, Any]] = []
        self._last = without_model()

    def open(self, key: int | None, latest: bool = False) -> None:
        """Open conversation `key`, or the latest one. Raises `StorageError` when it is not there."""
        if latest and key is None:
            found = self._store.chats(1)
            key = found[0].id if found else None
        if key is not None:
            self._chat = self._store.chat(key)
            self._system = self._system or self._chat.system

    def command(self, line: str) -> bool:
        """Carry out a command; False when the person leaves. A wrong one is said, not raised."""
        word, _, rest = line.partition(" ")
        if word in ("/exit", "/quit", "/bye"):
            return False
        table: Mapping[str, Callable[[str], None]] = MappingProxyType(
            {
                "/help": self._help,
                "/new": self._new,
                "/list": self._list,
                "/open": self._open,
                "/system": self._set_system,
                "/retry": self._retry,
            }
        )
        try:
            if word not in table:
                raise UsageError(f"There is no command {word}.", did_you_mean(word, [*table, "/exit"]))
            table[word](rest.strip())
        except EdgeError as error:
            if not _typed():
                raise
            self._session.output.error(error)
        return True

    def say(self, text: str) -> int:
        """Store a message and stream its answer; returns an exit status. On a terminal an error does not end it."""
        _chatting(self._session)
        chat = self._chat or self._store.create(system=self._system)
        self._chat = self._store.chat(chat.id)
        key = self._store.add(chat.id, self._chat.leaf, "user", text).id
        self._chat = self._store.chat(chat.id)
        return self._answer(key)

    def conclude(self) -> None:
        """The JSON object of the whole conversation."""
        session, finish = self._session, self._last
        session.output.document(
            chat=self._chat.id if self._chat else None,
            text=self._turns[-1]["text"] if self._turns else "",
            turns=self._turns,
            device=finish.device,
            reason=session.reason(finish),
            facts=asdict(finish),
        )

    def _answer(self, question: int, again: bool = False) -> int:
        """Stream the answer to the message `question` into the terminal and into the store, another one if `again`."""
        if self._chat is None:
            return 0
        session, generator = self._session, _chatting(self._session)
        past = tuple(stored.message for stored in self._store.path(self._chat.id) if stored.text)
        system = (Message("system", self._system),) if self._system.strip() else ()
        writer = self._store.begin(self._chat.id, question)
        text, finish, state = "", self._last, "interrupted"
        try:
            fitted = history.fit(generator, system + past)
            if fitted.left_out:
                session.output.note(f"The oldest {fitted.left_out} messages no longer fit and were left out.")
            with Interrupt() as stop:
                options = session.options(stop).varied() if again else session.options(stop)
                for event in generate.run(generator, fitted.messages, options):
                    if isinstance(event, Finish):
                        finish, state = event, "cancelled" if event.reason == "cancelled" else "done"
                    elif isinstance(event, Chunk):
                        text += event.text
                        writer.append(event.text)
                        session.output.chunk(event.text)
        except EdgeError as error:
            if not _typed():
                raise
            session.output.error(error)
        finally:
            writer.finish(state, asdict(finish) if state != "interrupted" else {})
            session.output.end()
        self._chat = self._store.chat(self._chat.id)
        self._last = finish
        self._turns.append({"message": self._store.message(question).text, "text": text, "facts": asdict(finish)})
        if state != "interrupted":
            session.output.facts(describe(finish, session.reason(finish)))
        return INTERRUPTED if state == "cancelled" else 0

    def _help(self, _rest: str) -> None:
        for name, what in _COMMANDS.items():
            self._session.output.line(f"{name:<14} {what}")

    def _new(self, _rest: str) -> None:
        self._chat = None

    def _list(self, _rest: str) -> None:
        for chat in self._store.chats(_LISTED):
            self._session.output.line(f"{chat.id:>5}  {chat.title}")

    def _open(self, rest: str) -> None:
        if not rest.isdecimal():
            raise UsageError("Which conversation?", "For example: /open 3; /list shows their numbers.")
        self.open(int(rest))
        for stored in self._store.path(int(rest)):
            mark = "> " if stored.role == "user" else ""
            self._session.output.line(f"{mark}{stored.text}")

    def _set_system(self, rest: str) -> None:
        self._system = rest
        if self._chat is not None:
            self._store.set_system(self._chat.id, rest)

    def _retry(self, _rest: str) -> None:
        path = self._store.path(self._chat.id) if self._chat else ()
        asked = [stored.id for stored in path if stored.role == "user"]
        if not asked or self._chat is None:
            raise UsageError("There is nothing to answer again.", "Type a message first.")
        self._store.set_leaf(self._chat.id, asked[-1])
        self._answer(asked[-1], again=True)
