"""`edgellm remote`: the server that answers when the model is `remote`: its models, and the key that is kept for it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from edgellm.cli import online
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_online_option, add_output_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.errors import UsageError

if TYPE_CHECKING:
    from edgellm.runtimes.remote_address import Address

_OFF = (
    "No server is set, so every model runs on this computer. To use one, set remote_address in the settings to its "
    "address, such as http://127.0.0.1:8080, and choose it with --model remote."
)


def configure(parser: Parser) -> None:
    """Add the arguments."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--set-key", action="store_true", help="Type the server's key, or give it on standard input.")
    how.add_argument("--clear-key", action="store_true", help="Forget the key.")
    add_online_option(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """List the models, or keep or forget the key. It is never shown."""
    from edgellm.runtimes.remote_address import Address

    if not session.app.settings.remote_address.strip():
        if arguments.set_key or arguments.clear_key:
            raise UsageError("No server is set.", "Set remote_address in the settings first.")
        session.output.line(_OFF)
        session.output.document(address="", models=[])
        return 0
    address = Address.of(session.app.settings.remote_address)
    if arguments.set_key or arguments.clear_key:
        return _key(arguments.set_key, address, session)
    return _list(address, session)


def _list(address: Address, session: Session) -> int:
    from edgellm.models.token import Tokens
    from edgellm.runtimes.remote import KEYS, server_of

    app, output = session.app, session.output
    kept = Tokens(app.paths, drawer=KEYS).find(address.base)
    output.line(f"{address.base}: {address.reason}")
    output.line("A key is kept for it." if kept else "No key is kept for it.")
    online.require(app.settings, address.base)
    with Interrupt() as stop:
        offers = server_of(lambda: app.settings, app.paths).models(stop)
    for offer in offers:
        window = f", {offer.context:,} tokens of context" if offer.context else ""
        output.line(f"  remote:{offer.name}{window}")
    if not offers:
        output.line("It has no model loaded.")
    output.document(
        address=address.base,
        local=address.local,
        key=kept is not None,
        models=[{"name": offer.name, "context": offer.context} for offer in offers],
    )
    return 0


def _key(keep: bool, address: Address, session: Session) -> int:
    from edgellm.models.token import Tokens
    from edgellm.runtimes.remote import KEYS

    tokens, output = Tokens(session.app.paths, drawer=KEYS), session.output
    if not keep:
        there = tokens.forget(address.base)
        output.line(f"The key for {address.host} is forgotten." if there else f"There was no key for {address.host}.")
        output.document(address=address.base, kept=False, cleared=there)
        return 0
    try:
        typed = output.ask_secret(f"Key for {address.host}: ")
    except EOFError as error:
        raise UsageError("No key was given.", "Type it, or give it on standard input.") from error
    kept = tokens.save(address.base, typed)
    output.note(kept.notice)
    output.line(f"The key for {address.host} is kept.")
    output.document(address=address.base, kept=True, where=kept.where)
    return 0
