"""`edgellm documents watch`: keep the collections up to date until Ctrl-C, reading what changes as it changes."""

from __future__ import annotations

import queue
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from edgellm.cli import documents_report
from edgellm.cli.documents_update import embed
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import UsageError

if TYPE_CHECKING:
    from edgellm.documents.index import Report, Step

_TICK = 0.2
_LEAST, _MOST = 0.2, 86_400.0


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "names",
        nargs="*",
        type=typed,
        metavar="NAME",
        help="Only these collections; without a name all, also those that are added meanwhile.",
    )
    parser.add_argument(
        "--every", type=float, default=5.0, metavar="SECONDS", help="Look so often (5); less often on battery."
    )
    parser.add_argument("--words-only", action="store_true", help="Embed nothing; only words are searched.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Watch the collections that are named, or all; a collection that is added meanwhile joins them."""
    from edgellm.documents.pace import Pace
    from edgellm.documents.watch import Events, Timing, Watcher

    library, output = session.app.library(), session.output
    output.note(library.notice)
    if not _LEAST <= arguments.every <= _MOST:
        raise UsageError("--every is out of range.", f"Give it {_LEAST:g} to {_MOST:g} seconds.")
    for name in arguments.names:
        library.collection(name)
    if not library.collections():
        raise UsageError("There are no documents yet.", "To search a folder of yours run: edgellm documents add FOLDER")
    told: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    stop = Interrupt()
    resting = Pace(lambda: session.app.settings.index_on_battery, patient=False)
    seen = _Seen(session, None if arguments.words_only else stop, resting.rest)
    events = Events(
        lambda name, step: told.put(partial(seen.step, step)),
        lambda name, report: told.put(partial(seen.report, name, report)),
        lambda sentence: told.put(partial(seen.state, sentence)),
    )
    timing = Timing(arguments.every)
    pace = Pace(lambda: session.app.settings.index_on_battery)
    output.line("Watching for changes. Ctrl-C ends it.")
    with stop, Watcher(session.app.library, pace, events, timing, arguments.names) as watcher:
        while not stop() and watcher.alive:
            _next(told)
    while not told.empty():
        _next(told)
    output.line("No longer watched.")
    output.document(collections=seen.totals)
    return 0


def _next(told: queue.SimpleQueue[Callable[[], None]]) -> None:
    try:
        say = told.get(timeout=_TICK)
    except queue.Empty:
        return
    say()


class _Seen:
    """Says what the watcher tells, in the thread that prints, and sums it up. With `stop`, passages are embedded.

    `rest` gives the seconds to rest after a few of them.
    """

    def __init__(self, session: Session, stop: Interrupt | None, rest: Callable[[], float]) -> None:
        self._output = session.output
        self._session = session
        self._stop = stop
        self._rest = rest
        self._first = True
        self.totals: dict[str, dict[str, int]] = {}

    def step(self, step: Step) -> None:
        """A file that could not be read."""
        if said := documents_report.failure(self._output, step):
            self._output.note(said)

    def report(self, name: str, report: Report) -> None:
        """An update; nothing is said of one that changed nothing."""
        total = self.totals.setdefault(name, dict.fromkeys(("added", "moved", "failed", "removed", "chunks"), 0))
        for key in total:
            total[key] += getattr(report, key)
        if (
            report.added
            or report.moved
            or report.failed
            or report.removed
            or report.missing
            or report.closed
            or report.unnamed
        ):
            documents_report.say(self._output, name, report)
        if (report.chunks or self._first) and self._stop is not None and not self._stop():
            self._first = False  # an earlier run may have been stopped while it embedded
            embed("", self._session, self._stop, self._rest)

    def state(self, sentence: str) -> None:
        """What it waits for."""
        self._output.progress(sentence or "Going on.")
