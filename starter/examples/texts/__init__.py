"""Hand-written prompts, one a line, and the small talk: blocks of prompts with their answer after "= "."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def lines(name: str) -> tuple[str, ...]:
    """The lines of one list."""
    return tuple((FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def talk() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Prompts and their answer, block by block."""
    blocks = (FOLDER / "talk.txt").read_text(encoding="utf-8").strip().split("\n\n")
    return tuple((tuple(block.split("\n")[:-1]), block.split("\n")[-1].removeprefix("= ")) for block in blocks)
