"""What the Summarize page has of one text: points with their places, how far it is, notes; as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from edgellm.ui.passage_window import Place

State = Literal["waiting", "working", "done", "stopped", "failed"]
_LONGEST = 4_000  # characters of a passage that are kept with a point


@dataclass(frozen=True, slots=True)
class Point:
    """A statement, and the stretch behind it: `passage` stands from the character `start` of the file's whole text.

    `path` is empty for a text that was typed. `joined`: it says about the same as the point before it.
    """

    text: str
    passage: str = ""
    start: int = 0
    path: str = ""
    page: int = 0
    headings: tuple[str, ...] = ()
    question: str = ""
    joined: bool = False

    @classmethod
    def cut(cls, text: str, whole: str, stretch: tuple[int, int], **more: Any) -> Point:
        """A point about `whole[start:end]`; no more of that is kept than a person needs to find it again."""
        start, end = stretch
        return cls(text, whole[start : min(end, start + _LONGEST)], start, **more)

    def place(self, whole: str | None) -> Place:
        """Where to look: in the text `whole`, or in the passage alone where that no longer holds it."""
        path = Path(self.path) if self.path else None
        start = self.start
        if whole is not None and whole[start : start + len(self.passage)] != self.passage:
            start = whole.find(self.passage)
        if whole is None or start < 0:
            return Place(self.passage, 0, len(self.passage), path, self.page, self.headings)
        return Place(whole, start, start + len(self.passage), path, self.page, self.headings)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one text, or one part of a comparison. `read` of `sections` are read.

    `title` is a file's name, or a heading; `sha256` is that of the file which was read. `draft`: the points are what
    was read so far; the final ones are chosen at the end.
    """

    title: str = ""
    sha256: str = ""
    state: State = "waiting"
    text: str = ""
    points: tuple[Point, ...] = ()
    read: int = 0
    sections: int = 0
    notes: tuple[str, ...] = ()
    draft: bool = False


def kept(results: tuple[Result, ...]) -> list[dict[str, Any]]:
    """As JSON can carry it."""
    return [asdict(one) for one in results]


def again(state: object) -> tuple[Result, ...]:
    """What was kept; what cannot be understood is left out. Work that was going on then counts as stopped."""
    found = []
    for one in state if isinstance(state, list) else []:
        if isinstance(one, Mapping):
            values = _values(Result(), one)
            values["points"] = tuple(
                Point(**_values(Point(""), point)) for point in _listed(one.get("points")) if isinstance(point, Mapping)
            )
            if values["state"] not in get_args(State) or values["state"] == "working":
                values["state"] = "stopped"
            found.append(Result(**values))
    return tuple(found)


def _values(pattern: Point | Result, state: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `pattern` from JSON: its own value where another kind of value stands there."""
    values: dict[str, Any] = {}
    for one in fields(pattern):
        value, usual = state.get(one.name), getattr(pattern, one.name)
        if isinstance(usual, tuple):
            values[one.name] = tuple(text for text in _listed(value) if isinstance(text, str))
        else:
            fits = type(value) is type(usual) and not (isinstance(value, int) and value < 0)
            values[one.name] = value if fits else usual
    return values


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
