"""`edgellm classify`: put a text, or every row of a CSV file, under one of the person's labels."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from edgellm.cli import classify_table, source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, typed, whole_number
from edgellm.cli.session import Session
from edgellm.errors import UsageError
from edgellm.tasks import classify, label_sets
from edgellm.tasks.classify import SAMPLES, Rule
from edgellm.tasks.label_sets import Label, LabelSets


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "What to classify")
    add_label_options(parser)
    classify_table.configure(parser)
    add_model_options(parser)


def add_label_options(parser: Parser) -> None:
    """Add the labels, and when one counts."""
    group = parser.add_argument_group("labels")
    group.add_argument("--labels", type=typed, metavar="A,B,C", help="The labels, with commas between them.")
    group.add_argument("--label-set", type=typed, metavar="NAME", help="A set of labels; edgellm labels lists them.")
    group.add_argument(
        "--unsure", type=_share, default=0.0, metavar="P", help="Give no label when the best has less than P (0 to 1)."
    )
    group.add_argument(
        "--samples",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="Where a model gives no probabilities: ask it N times (50 at most), and count what agrees; "
        f"{SAMPLES} times with --unsure.",
    )


def run(arguments: Namespace, session: Session) -> int:
    """Print the label, or classify the table."""
    labels = chosen_labels(arguments, session)
    rule = Rule(arguments.unsure, arguments.samples)
    if arguments.csv:
        return classify_table.run(arguments, session, labels, rule)
    classify_table.check_unused(arguments)
    _check_one(arguments)
    text = source.read(arguments.text, arguments.file, session.output)
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("classify")
    with stop:
        result = classify.classify(generator, text, labels, options, rule)
    if result.label or result.unsure:
        session.output.chunk(result.label or "unsure")
        session.output.end()
    if result.scores:
        shown = ", ".join(f"{label} {100 * score:.0f} %" for label, score in result.scores)
        session.output.note(f"Agreement of its answers: {shown}" if result.measure == "agreement" else shown)
    names = [label.name for label in labels]
    return session.conclude(
        result.label,
        result.finish,
        result.notes,
        labels=names,
        exact=result.exact,
        scores=dict(result.scores),
        measure=result.measure,
        best=result.best,
        confidence=result.confidence,
    )


def _check_one(arguments: Namespace) -> None:
    """Raise `UsageError` for several files: their one label would say nothing about any of them."""
    words = arguments.text if all(map(source.names_file, arguments.text)) else arguments.text[:1]
    if len(words) + len(arguments.file) > 1:
        raise UsageError("Only one file can be classified at a time.", "For all of a folder see: edgellm batch --help")


def chosen_labels(arguments: Namespace, session: Session) -> tuple[Label, ...]:
    """The labels of `--labels` or `--label-set`. Raises `UsageError` for those that cannot be used."""
    if (arguments.labels is None) == (arguments.label_set is None):
        told = "Say the labels." if arguments.labels is None else "Give --labels or --label-set, not both."
        raise UsageError(told, "For example: --labels positive,negative or --label-set sentiment")
    if arguments.label_set is not None:
        return LabelSets(session.app.paths.labels).get(arguments.label_set).labels
    return label_sets.checked(arguments.labels.split(","))


def _share(text: str) -> float:
    """A share between 0 and 1; percent are understood."""
    try:
        value = float(text.rstrip("% ")) / (100 if text.rstrip().endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
