"""Where the program begins. Answers `--version` at once; everything else is left to `launch.py`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 fine, 1 an error, 2 wrong usage, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["--version"], ["-V"]):
        from edgellm.cli.output import say_version

        return say_version()
    from edgellm.cli.launch import launch

    return launch(arguments)
