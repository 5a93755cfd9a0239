"""Warnings of one file that say nearly the same, put together: what it is, and where. The whole list stays too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

SHOWN = 5
_FEW = 3  # warnings of a kind that are still said one by one
_KINDS = MappingProxyType(
    {
        "the built-in model was not taught ": "the built-in model was not taught some of the words.",
        "left as it is, because the built-in model cannot translate: ": (
            "left as it is, because the built-in model cannot translate it."
        ),
        "left as it is, because the model gave no translation of: ": (
            "left as it is, because the model gave no translation."
        ),
        "left as it is, because its translation lost ": "left as it is, because its translation lost what must stay.",
        "the built-in model made something up in the translation of: ": (
            "the built-in model made something up in the translation."
        ),
        "the formatting may sit on other words: ": "the formatting may sit on other words.",
        "translated in parts, around what must stay, and may read badly: ": (
            "translated in parts, around what must stay, and may read badly."
        ),
    }
)
_MARK = re.compile(r": (?=" + "|".join(map(re.escape, (*_KINDS, "left as it is. ", "the translation was cut "))) + ")")


@dataclass(frozen=True, slots=True)
class Group:
    """What is doubtful (`kind`), the first places where, and how many more there are. A warning that is told as it is
    has no places."""

    kind: str
    places: tuple[str, ...] = ()
    more: int = 0


def grouped(warnings: Iterable[str]) -> tuple[Group, ...]:
    """The kinds in the order in which they first come; those of a few warnings one by one."""
    found: dict[str, list[tuple[str, str]]] = {}
    for warning in warnings:
        parts = _MARK.split(warning, maxsplit=1)
        place, sentence = (parts[0], parts[1]) if len(parts) > 1 else ("", warning)
        kind = next((said for begin, said in _KINDS.items() if sentence.startswith(begin)), sentence)
        found.setdefault(kind, []).append((place, warning))
    groups = list[Group]()
    for kind, members in found.items():
        places = tuple(dict.fromkeys(place for place, _ in members if place))
        if len(members) <= _FEW or not places:
            groups += [Group(warning) for _, warning in members]
        else:
            groups.append(Group(kind, places[:SHOWN], max(len(places) - SHOWN, 0)))
    return tuple(groups)


def in_words(group: Group) -> str:
    """A group in a line of its own."""
    if not group.places:
        return group.kind
    more = f" and {group.more:,} more" if group.more else ""
    return f"{', '.join(group.places)}{more}: {group.kind}"
