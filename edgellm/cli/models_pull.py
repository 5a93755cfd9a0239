"""`edgellm models pull`: download a model, or go on with a download. Ctrl-C pauses; nothing that arrived is lost."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm.cli import models_facts, online, progress
from edgellm.cli.model_options import add_online_option, add_output_options
from edgellm.cli.models_text import pairs, percent, size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.progress import Step, Watch
from edgellm.cli.session import INTERRUPTED, Session
from edgellm.errors import ModelNotFound, NetworkError, OfflineError, Stopped

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.models.catalog import ModelCard
    from edgellm.models.installed import Installed
    from edgellm.models.progress import Progress
    from edgellm.runtimes.advice import Advice

_STATES = MappingProxyType({"queued": "waiting", "checking": "checking what arrived"})


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "name",
        type=typed,
        metavar="NAME|REPO|LINK",
        help="A model of the catalog, a repository (owner/name, owner/name:Q4_K_M, owner/name/file.gguf), or a link.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Only say what would be downloaded, and how it fits.")
    parser.add_argument("--context", type=int, metavar="N", help="The context window to reckon with, in tokens.")
    add_online_option(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Say what comes, download it, and say how to use it."""
    from edgellm.runtimes.advice import advise

    app, output = session.app, session.output
    name = arguments.name.strip()
    app.downloads().tidy()
    here = {one.name: one for one in app.models().installed(others=False) if not one.problem}
    if name in here:
        return _already(session, here[name])
    card = _wanted(app, name)
    if card.name in here:
        return _already(session, here[card.name])
    card = _completed(app, card, arguments.dry_run)
    advice = advise(card, app.here())
    _offer(session, card, advice)
    if arguments.dry_run:
        output.document(**models_facts.card_object(card, advice), installed=False)
        return 0
    return _download(session, card, advice)


def _wanted(app: App, name: str) -> ModelCard:
    """The card for what was typed: an unfinished download, the catalog, or a repository or link at the hub."""
    record = next((one for one in app.downloads().unfinished() if one.name == name), None)
    if record is not None:
        return record.card
    card = app.card(name)
    if card is not None:
        return card
    if "/" not in name:
        error = app.missing(name, ModelNotFound(f"Model {name!r} is not installed."))
        raise ModelNotFound(f"There is no model {name!r} in the catalog.", error.hint)
    online.require(app.settings, name if "://" in name else "")
    return app.hub().card(name)


def _completed(app: App, card: ModelCard, dry_run: bool) -> ModelCard:
    """The card with all that the hub knows of it. Raises `OfflineError` when the lock forbids the download."""
    from edgellm.models.hub import is_complete

    url = card.files[0].url if card.files and not card.repo else ""
    if not dry_run:
        online.require(app.settings, url)
    if is_complete(card) or (dry_run and online.locked(app.settings, url)):
        return card
    return app.hub().complete(card)


def _offer(session: Session, card: ModelCard, advice: Advice) -> None:
    """What a person should know before the first byte comes."""
    app, output = session.app, session.output
    folder = app.models().folder
    free = _free(folder)
    count = f" in {len(card.files)} files" if len(card.files) > 1 else ""
    host = online.host_of(app.settings, card.files[0].url if not card.repo and card.files else "")
    output.line(f"{card.title} ({card.name})")
    rows = [
        ("license", card.license_line),
        ("size", f"{size(card.size)}{count}"),
        ("room", f"{size(free)} free in {folder}" if free is not None else ""),
        ("here", _here(app, card.name)),
        ("from", f"{host}, {card.repo}" if card.repo else host),
        ("tasks", ", ".join(card.tasks)),
        ("distilled from", card.distilled_from),
        ("fit", f"{advice.verdict}. {advice.sentence}"),
        ("speed", advice.speed_line),
        ("note", card.notes),
    ]
    for line in pairs(rows):
        output.line(line)


def _here(app: App, name: str) -> str:
    """How much of it arrived before."""
    found = next((one for one in app.downloads().progress() if one.name == name), None)
    if found is None or not found.received or not found.total:
        return ""
    return f"{percent(found.received, found.total)} arrived before, and is gone on from"


def _free(folder: Path) -> int | None:
    """Bytes that are free where `folder` is or will be; None where that cannot be told."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _download(session: Session, card: ModelCard, advice: Advice) -> int:
    downloads, output = session.app.downloads(), session.output
    last: list[Progress] = []
    sizes = {file.path: file.size for file in card.files}
    try:
        with progress.watch(output, card.name) as watch:

            def show(now: Progress) -> None:
                last[:] = [now]
                _show(watch, now, sizes)

            model = downloads.pull(card, show, watch.cancelled)
    except Stopped as stopped:
        return _stopped(session, card, last, stopped)
    except NetworkError as error:
        if isinstance(error, OfflineError) or not _here(session.app, card.name):
            raise
        again = f"What has arrived is kept. Go on with: edgellm models pull {card.name}"
        raise NetworkError(error.message, f"{error.hint} {again}".strip()) from error
    output.line(f"Installed {model.name} ({size(model.size)}) in {model.home}")
    output.line(models_facts.how_to_use(model, advice))
    output.document(**_installed(model, card, advice), received=last[-1].received if last else 0)
    return 0


def _show(watch: Watch, now: Progress, sizes: dict[str, int | None]) -> None:
    """The whole, and each file where there are several."""
    if now.state in ("queued", "running", "checking"):  # how it ended is said below the bar
        words = _STATES.get(now.state, "")
        watch.show(Step(now.received, now.total, words, now.speed, now.seconds_left, now.message))
        for path, received in now.files if len(sizes) > 1 else ():
            watch.part(path, received, sizes.get(path))


def _stopped(session: Session, card: ModelCard, last: list[Progress], stopped: Stopped) -> int:
    """Ctrl-C, or somebody else paused it: the window should not go on with it unasked."""
    output, downloads = session.output, session.app.downloads()
    record = next((record for record in downloads.unfinished() if record.name == card.name), None)
    if record is not None and record.state != "paused" and record.owner != os.getpid():
        raise Stopped(f"Another EdgeLLM goes on with {card.name}.")
    if record is not None:
        downloads.pause(card.name)
        received, total = (last[-1].received, last[-1].total) if last else (0, None)
        here = f" at {percent(received, total)} of {size(total)}" if total else ""
        state, sentence = "paused", f"{card.name} is paused{here}; what has arrived is kept."
    else:
        received, total, state, sentence = 0, None, "canceled", stopped.message
    output.line(sentence)
    if state == "paused":
        output.line(f"Go on with: edgellm models pull {card.name}")
    output.document(name=card.name, state=state, received=received, total=total, error=sentence, kind="Interrupted")
    return INTERRUPTED


def _already(session: Session, model: Installed) -> int:
    output = session.output
    output.line(f"{model.name} is installed already. To check it: edgellm models verify {model.name}")
    output.document(**_installed(model, None, None), received=0)
    return 0


def _installed(model: Installed, card: ModelCard | None, advice: Advice | None) -> dict[str, Any]:
    return {"installed": True, **models_facts.installed_object(model, card, advice)}
