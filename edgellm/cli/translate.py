"""`edgellm translate`: translate a text; the source language is found when it is not given."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.tasks import translate
from edgellm.tasks.languages import code_of


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "What to translate")
    parser.add_argument("--to", required=True, metavar="LANGUAGE", help="A code (fr) or a name (French).")
    parser.add_argument("--from", dest="origin", metavar="LANGUAGE", help="The text's language; found if left out.")
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Stream the translation."""
    target = code_of(arguments.to)
    origin = code_of(arguments.origin) if arguments.origin else ""
    text = source.read(arguments.text, arguments.file, session.output)
    stop = Interrupt()
    options = session.options(stop)
    likely = "" if session.app.settings.model else origin or translate.likely_source(text)
    generator = session.generator("translate", likely, target)
    plan = translate.prepare(generator.info, text, target, origin)
    with stop:
        result, finish = session.stream(translate.run(generator, text, plan, options))
    return session.conclude(result, finish, plan.notes, **facts(plan))


def facts(plan: translate.Plan) -> dict[str, Any]:
    """What the JSON object says of the plan."""
    return {
        "source": plan.source,
        "target": plan.target,
        "confidence": plan.detected.confidence if plan.detected else 1.0,
        "pivot": plan.directions[0][1] if len(plan.directions) > 1 else "",
        "unknown_words": list(plan.unknown),
    }
