"""`edgellm labels list`: the sets of labels that `classify --label-set` knows, with what each label means."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.tasks.label_sets import LabelSets


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="Show this set alone.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print the sets, the person's own first."""
    sets = LabelSets(session.app.paths.labels)
    shown = (sets.get(arguments.name),) if arguments.name else sets.all()
    for each in shown:
        session.output.line(f"{each.name}{'' if each.own else ' (ships with EdgeLLM)'}")
        for label in each.labels:
            session.output.line(f"  {label.name}{': ' if label.description else ''}{label.description}")
    session.output.document(
        sets=[
            {"name": each.name, "own": each.own, "labels": {label.name: label.description for label in each.labels}}
            for each in shown
        ]
    )
    return 0
