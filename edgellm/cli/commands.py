"""The table of commands. Each module has `configure(parser)` and `run(arguments, session) -> exit status`."""

from __future__ import annotations

import importlib
from argparse import Namespace
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, cast

from edgellm.cli.parser import Parser
from edgellm.cli.session import Session


class Module(Protocol):
    """What a command's module offers."""

    def configure(self, parser: Parser) -> None:
        """Add the arguments."""
        ...

    def run(self, arguments: Namespace, session: Session) -> int:
        """Do it; returns the exit status."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, one line of help, and the module that does it."""

    name: str
    help: str
    module: str

    def load(self) -> Module:
        """Import the module."""
        return cast("Module", importlib.import_module(self.module))

    def parser(self) -> Parser:
        """The parser of this command's arguments."""
        parser = Parser(prog=f"edgellm {self.name}", description=self.help, allow_abbrev=False)
        self.load().configure(parser)
        return parser


# Other words for a command: the names of the task and of its file.
ALIASES = MappingProxyType({"answer": "ask", "summarise": "summarize"})
COMMANDS = (
    Command("chat", "Talk with the model; the conversation is kept.", "edgellm.cli.chat"),
    Command("generate", "Write a text from an instruction.", "edgellm.cli.generate"),
    Command("summarize", "Summarize a text in one sentence, or show its key sentences.", "edgellm.cli.summarize"),
    Command("translate", "Translate a text into another language.", "edgellm.cli.translate"),
    Command("ask", "Answer a question from files, with the sentence that says so.", "edgellm.cli.ask"),
    Command("classify", "Put a text under one of your labels.", "edgellm.cli.classify"),
    Command("demo", "Run every task once on bundled text.", "edgellm.cli.demo"),
    Command("doctor", "Show this machine, what was chosen for it, and why.", "edgellm.cli.doctor"),
    Command("models", "List the models on this machine and where they are.", "edgellm.cli.models"),
    Command("completion", "Print a script that completes commands in your shell.", "edgellm.cli.completion"),
)
