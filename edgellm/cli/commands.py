"""The tables of commands. Each module has `configure(parser)` and `run(arguments, session) -> exit status`."""

from __future__ import annotations

import argparse
import importlib
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, cast

from edgellm.cli.parser import Parser, did_you_mean
from edgellm.cli.session import Session
from edgellm.errors import UsageError

HELP = ("-h", "--help", "help")


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
    """A command: what is typed after `edgellm`, one line of help, and the module that does it.

    A command with `parts` is a group: the next word says which of them is meant, and without one it is the first.
    """

    name: str
    help: str
    module: str = ""
    parts: tuple[Command, ...] = ()

    @property
    def word(self) -> str:
        """How a command is called within its group: the last word of its name."""
        return self.name.rpartition(" ")[2]

    def load(self) -> Module:
        """Import the module."""
        return cast("Module", importlib.import_module(self.module))

    def parser(self) -> Parser:
        """The parser of this command's arguments; that of a group only names its parts."""
        parser = Parser(prog=f"edgellm {self.name}", description=self.help, allow_abbrev=False)
        if not self.parts:
            self.load().configure(parser)
            return parser
        width = max(len(part.word) for part in self.parts)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = "\n".join(
            [
                *(f"  {part.word:<{width}}  {part.help}" for part in self.parts),
                f"\n  edgellm {self.name} ACTION --help  says more.",
            ]
        )
        parser.add_argument(
            "action",
            nargs="?",
            metavar="ACTION",
            choices=tuple(part.word for part in self.parts),
            help=f"What to do; without it: {self.parts[0].word}.",
        )
        return parser


DOCUMENTS = (
    Command("documents list", "List the collections of documents.", "edgellm.cli.documents_list"),
    Command("documents add", "Read files and folders, so that they can be searched.", "edgellm.cli.documents_add"),
    Command("documents update", "Read what is new or changed.", "edgellm.cli.documents_update"),
    Command("documents watch", "Read what changes, as it changes, until Ctrl-C.", "edgellm.cli.documents_watch"),
    Command("documents search", "Find passages, with file and page.", "edgellm.cli.documents_search"),
    Command("documents remove", "Forget documents; the files stay.", "edgellm.cli.documents_remove"),
    Command("documents rename", "Give a collection another name.", "edgellm.cli.documents_rename"),
)
LABELS = (
    Command("labels list", "List the sets of labels for classify.", "edgellm.cli.labels_list"),
    Command("labels save", "Keep a set of your own labels.", "edgellm.cli.labels_save"),
    Command("labels remove", "Forget a set of your own.", "edgellm.cli.labels_remove"),
)
MODELS = (
    Command("models list", "List the models on this computer, or all that can be had.", "edgellm.cli.models_list"),
    Command("models search", "Find models in the catalog, and on the hub.", "edgellm.cli.models_search"),
    Command("models recommend", "Name the model that suits this computer, and why.", "edgellm.cli.models_recommend"),
    Command("models pull", "Download a model, or go on with a download.", "edgellm.cli.models_pull"),
    Command("models pause", "Pause a download; what has arrived is kept.", "edgellm.cli.models_pause"),
    Command("models details", "Say everything that is known about a model.", "edgellm.cli.models_details"),
    Command("models where", "Print where the models are, or where one is.", "edgellm.cli.models_where"),
    Command("models verify", "Check that models are still what was downloaded.", "edgellm.cli.models_verify"),
    Command("models repair", "Fetch the damaged parts of a model again.", "edgellm.cli.models_repair"),
    Command("models remove", "Remove a model; for a day it can be restored.", "edgellm.cli.models_remove"),
    Command("models restore", "Bring back a model that was removed.", "edgellm.cli.models_restore"),
    Command("models move", "Move a model to another folder.", "edgellm.cli.models_move"),
    Command("models import", "Take in a model file or folder of your own.", "edgellm.cli.models_import"),
    Command(
        "models bundle", "Write models into one file, for a computer without a network.", "edgellm.cli.models_bundle"
    ),
    Command("models add", "Install the models of a bundle.", "edgellm.cli.models_add"),
    Command("models trusted", "List or forget the signers whose bundles you trust.", "edgellm.cli.models_trusted"),
    Command("models share", "Offer a bundle to other computers.", "edgellm.cli.models_share"),
    Command("models token", "Keep or forget your access token for the hub.", "edgellm.cli.models_token"),
)
COMMANDS = (
    Command("chat", "Talk with the model; the conversation is kept.", "edgellm.cli.chat"),
    Command("generate", "Write a text from an instruction.", "edgellm.cli.generate"),
    Command(
        "summarize", "Summarize or compare documents of any length, or show key sentences.", "edgellm.cli.summarize"
    ),
    Command("translate", "Translate a text into another language.", "edgellm.cli.translate"),
    Command("ask", "Answer a question from files, with the sentence that says so.", "edgellm.cli.ask"),
    Command("classify", "Put a text, or every row of a table, under one of your labels.", "edgellm.cli.classify"),
    Command("labels", "List and keep sets of labels.", parts=LABELS),
    Command("documents", "Search your own documents, with no model needed.", parts=DOCUMENTS),
    Command("batch", "Do one task for all documents of a folder.", "edgellm.cli.batch"),
    Command("demo", "Run every task once on bundled text.", "edgellm.cli.demo"),
    Command("doctor", "Show this machine, what was chosen for it, and why.", "edgellm.cli.doctor"),
    Command("models", "List, download, check and carry models.", parts=MODELS),
    Command("remote", "Show the server that model remote means, and keep its key.", "edgellm.cli.remote"),
    Command("completion", "Print a script that completes commands in your shell.", "edgellm.cli.completion"),
)
# Other words for a command: the names of the task and of its file, and what other programs call the same thing.
ALIASES = MappingProxyType(
    {
        "answer": "ask",
        "summarise": "summarize",
        "model": "models",
        "label": "labels",
        "labels ls": "labels list",
        "labels add": "labels save",
        "labels rm": "labels remove",
        "document": "documents",
        "docs": "documents",
        "documents ls": "documents list",
        "documents find": "documents search",
        "documents index": "documents add",
        "documents rm": "documents remove",
        "models ls": "models list",
        "models find": "models search",
        "models resume": "models pull",
        "models download": "models pull",
        "models install": "models pull",
        "models show": "models details",
        "models info": "models details",
        "models check": "models verify",
        "models rm": "models remove",
        "models delete": "models remove",
    }
)


def find(words: Sequence[str]) -> tuple[Command, list[str]]:
    """The command that the first words name, and the words left for its parser. Raises `UsageError`."""
    command, rest = _named(words[0], COMMANDS, ""), list(words[1:])
    if not command.parts:
        return command, rest
    if rest and rest[0] in HELP:
        return command, ["--help"]
    if not rest or rest[0].startswith("-"):
        return command.parts[0], rest
    return _named(rest[0], command.parts, f"{command.name} "), rest[1:]


def _named(word: str, commands: tuple[Command, ...], group: str) -> Command:
    table = {command.name: command for command in commands}
    name = group + word
    name = ALIASES.get(name, name)
    if name in table:
        return table[name]
    for command in commands:
        if any(part.word == word for part in command.parts):
            raise UsageError(f"There is no command {word}.", f"Did you mean {command.name} {word}?")
    kind = "option" if word.startswith("-") else "command"
    raise UsageError(f"There is no {kind} {group}{word}.", did_you_mean(word, [command.word for command in commands]))
