"""Measures the shipped model: `python -m starter.evaluate [--model FILE] [--n COUNT] [--threads N]`.

Prints each measure with its target and verdict, some mistakes, and a last line `RESULT {json}`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edgellm.runtimes.base import Placement
from edgellm.runtimes.registry import load_writer
from starter.measures import measures


def main(argv: list[str] | None = None) -> int:
    """The command; its status is 0 whatever the verdicts, since they are the result."""
    parser = argparse.ArgumentParser(prog="python -m starter.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/starter/starter.gguf"))
    parser.add_argument("--n", type=int, default=200, help="examples for each measure")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mistakes", action="store_true", help="print some wrong answers")
    args = parser.parse_args(argv)
    runtime = load_writer(args.model, Placement(threads=args.threads, context=1024))
    result = {}
    for outcome in measures(runtime, args.n):
        verdict = ("ok" if outcome.passed else "MISSED") + f", target {outcome.target:.0%}" if outcome.target else ""
        line = f"{outcome.name:24} {outcome.share:7.1%} of {outcome.count:5}  {verdict}"
        sys.stdout.write(line.rstrip() + "\n")
        for mistake in outcome.mistakes if args.mistakes else ():
            sys.stdout.write(f"    {mistake}\n")
        sys.stdout.flush()
        result[outcome.name] = round(outcome.share, 4)
    runtime.close()
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
