"""`edgellm models token`: the access token for models that ask for one, kept in the system's keyring."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli import online
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.errors import UsageError


def configure(parser: Parser) -> None:
    """Add the arguments."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--set", action="store_true", help="Type a token, or give it on standard input.")
    how.add_argument("--clear", action="store_true", help="Forget it.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Say whether there is one, keep one, or forget it. It is never shown."""
    from edgellm import network
    from edgellm.models.token import Tokens

    app, output = session.app, session.output
    tokens, endpoint = Tokens(app.paths), network.endpoint(app.settings)
    host = online.host_of(app.settings)
    if arguments.set:
        kept = tokens.save(endpoint, _typed(session, host))
        output.note(kept.notice)
        output.line(f"The token for {host} is kept.")
        output.document(host=host, kept=True, where=kept.where)
    elif arguments.clear:
        there = tokens.forget(endpoint)
        output.line(f"The token for {host} is forgotten." if there else f"There was no token for {host}.")
        output.document(host=host, kept=False, cleared=there)
    else:
        found = tokens.find(endpoint)
        if found is None:
            output.line(f"There is no token for {host}. To keep one, run: edgellm models token --set")
        else:
            place = "keyring" if found.where == "keyring" else "settings folder"
            output.line(f"There is a token for {host}, in the {place}. To forget it, run: edgellm models token --clear")
            output.note(found.notice)
        output.document(host=host, kept=found is not None, where=found.where if found else "")
    return 0


def _typed(session: Session, host: str) -> str:
    """The token, typed unseen. Raises `UsageError` when there is none."""
    try:
        return session.output.ask_secret(f"Token for {host}: ")
    except EOFError as error:
        raise UsageError("No token was given.", "Type it, or give it on standard input.") from error
