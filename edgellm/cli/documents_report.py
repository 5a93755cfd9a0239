"""What an update of a collection did, as lines for a person and as values for `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edgellm.cli.output import Output

if TYPE_CHECKING:
    from edgellm.documents.index import Report, Step

_MOST = 10


def say(output: Output, name: str, report: Report) -> None:
    """A line of counts, and a note for each thing that could not even be looked at."""
    for missing in report.missing:
        output.note(f"{missing} is not there now; what was read of it is kept.")
    for closed in report.closed[:_MOST]:
        output.note(f"{closed} cannot be opened by this account; what was read of it is kept.")
    if (left := len(report.closed) - _MOST) > 0:
        output.note(f"{left} more folders cannot be opened.")
    if report.unnamed:
        more = f" and {len(report.unnamed) - _MOST} more" if len(report.unnamed) > _MOST else ""
        shown = ", ".join(output.clean(one) for one in report.unnamed[:_MOST])
        output.note(f"Left out, because their names are no text: {shown}{more}. Rename them to have them read.")
    moved = f", {report.moved} known by their content" if report.moved else ""
    output.line(
        f"{name}: {report.added} files read, {report.unchanged} unchanged{moved}, {report.removed} gone, "
        f"{report.failed + report.unreadable} could not be read"
    )


def failure(output: Output, step: Step) -> str:
    """The sentence about a file that could not be read; empty when it could."""
    return output.clean(f"{step.path}: {step.reason}") if step.reason else ""


def values(report: Report) -> dict[str, Any]:
    """The report as JSON can carry it."""
    paths = {"missing": [str(path) for path in report.missing], "closed": [str(path) for path in report.closed]}
    return {**asdict(report), **paths}
