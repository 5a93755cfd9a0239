"""`edgellm doctor`: this machine, what was chosen for a model, and why; `--measure` measures how fast it is.

Prints what `runtimes/report.py` gathers, and what `engine/selftest.py` and `engine/tuner.py` found.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import INTERRUPTED, Session

if TYPE_CHECKING:
    from edgellm.runtimes.report import Source


def configure(parser: Parser) -> None:
    """Add the arguments."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--tune",
        action="store_true",
        help="Try settings of llama.cpp for the model (about a minute), and keep those that are fastest here.",
    )
    how.add_argument(
        "--measure", action="store_true", help="Measure how fast this machine is (20 seconds), and keep the result."
    )
    add_model_options(parser, sampling=False)


def run(arguments: Namespace, session: Session) -> int:
    """Print the report; 1 when the model cannot be run here."""
    if arguments.measure:
        return measure(session)
    if arguments.tune:
        return tune(session)
    app = session.app
    return report(app, app.settings.model, arguments.json, session.output.raw)


def report(app: Source, model: str, as_json: bool, write: Callable[[str], None]) -> int:
    """Write the report on `model` as text or as one JSON object; 1 when the model cannot be run here."""
    from edgellm.runtimes.report import as_lines, gather

    found = gather(app, model)
    if as_json:
        write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    else:
        write("\n".join(as_lines(found)) + "\n")
    return 1 if found["problem"] else 0


def measure(session: Session) -> int:
    """Measure, with a line for each step, and say what the figures mean. Ctrl-C leaves the measurement before it."""
    from edgellm.engine import selftest
    from edgellm.runtimes import build, device, speed_file, speed_report
    from edgellm.runtimes.speed import machine_name

    app, output = session.app, session.output
    bench = selftest.Bench(app.paths, app.hardware(), app.settings, build.inspect())
    with Interrupt() as stop:
        test = selftest.run(bench, lambda step, done: output.progress(f"{done:4.0%}  {step}"), stop)
    if test is None:
        output.note("Stopped: the measurement before it is kept.")
        output.document(test=None)
        return INTERRUPTED
    speeds = speed_file.load(app.paths.machine, machine_name(bench.hardware, bench.build))
    found = speed_report.section(speeds, device.threads(bench.hardware, app.settings).value)
    output.line("How fast this computer is")
    for line in speed_report.lines(found):
        output.line(line)
    output.document(**found)
    return 0


def tune(session: Session) -> int:
    """Find the fastest settings for the model, and say what each did. Ctrl-C leaves those that were kept before."""
    from edgellm.engine import selftest, tuner
    from edgellm.runtimes import build

    app, output = session.app, session.output
    path = app.model_path(app.settings.model)
    bench = selftest.Bench(app.paths, app.hardware(), app.settings, build.inspect())
    with Interrupt() as stop:
        found = tuner.run(bench, path, lambda step, done: output.progress(f"{done:4.0%}  {step}"), stop)
    if found is None:
        output.note("Stopped: what was kept before still counts.")
        output.document(tuned=None)
        return INTERRUPTED
    output.line(f"How {found.tuned.title} runs on this processor")
    for sentence in found.sentences:
        output.line(f"  {sentence}")
    output.line(f"  {found.summary}")
    for caveat in found.caveats:
        output.note(caveat)
    output.document(**found.as_dict())
    return 0
