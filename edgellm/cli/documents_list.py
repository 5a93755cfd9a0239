"""`edgellm documents list`: the collections of documents, their files and folders, and what could not be read."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("--failed", action="store_true", help="Name each file that could not be read, and why.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print a line for each collection and for each of its files and folders."""
    output, library, listed = session.output, session.app.library(), []
    output.note(library.notice)
    for one in library.collections():
        files = library.files(one.name)
        states = Counter(file.state for file in files)
        failed = [{"file": str(file.path), "reason": file.reason, "hint": file.hint} for file in files if file.reason]
        passages = sum(file.passages for file in files)
        output.line(f"{one.name}: {len(files)} files, {passages} passages, {len(failed)} could not be read")
        for source in one.sources:
            output.line(f"  {source}")
        for entry in failed if arguments.failed else ():
            output.line(f"  {entry['file']}: {entry['reason']}")
        sources = [str(source) for source in one.sources]
        listed.append(
            {"name": one.name, "sources": sources, "passages": passages, "failed": failed, "files": dict(states)}
        )
    if not listed:
        output.line("There are no documents yet. To search a folder of yours run: edgellm documents add FOLDER")
    output.document(collections=listed)
    return 0
