"""`edgellm labels save`: keep a set of labels under a name, each with a description where one helps the model."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.tasks.label_sets import Label, LabelSets


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", type=typed, metavar="NAME", help="The name of the set.")
    parser.add_argument(
        "labels",
        type=typed,
        nargs="+",
        metavar="LABEL[=MEANING]",
        help='Labels, such as: complaint="Something is broken" praise; or A,B,C without meanings.',
    )
    parser.add_argument("--force", action="store_true", help="Replace a set of the same name.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Keep the set."""
    made = LabelSets(session.app.paths.labels).save(arguments.name, parsed(arguments.labels), arguments.force)
    names = ", ".join(label.name for label in made.labels)
    session.output.line(f"Kept {made.name}: {names}. Use it with: edgellm classify --label-set {made.name} TEXT")
    session.output.document(name=made.name, labels={label.name: label.description for label in made.labels})
    return 0


def parsed(words: list[str]) -> list[Label]:
    """The labels that the words mean: a single word without a meaning may hold several, with commas between them."""
    if len(words) == 1 and "=" not in words[0]:
        words = words[0].split(",")
    pairs = (word.partition("=") for word in words)
    return [Label(name.strip(), meaning.strip()) for name, _, meaning in pairs]
