"""Finished sentences in other words: looked up as they are, or matched against templates, their values put in again.

Pure: a table goes in, texts come out. `language.told` is where the window uses it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from string import Formatter

_ENDS = re.compile(r"(?<=[.!?…])( +)(?=\S)")
_CLAUSES = (("; ", "；"), (": ", "："), (", ", "，"))
_MIXED = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]")
_ASIAN = "。！？；：，、）》”…"
_LONGEST = 6_000  # letters of a text that is looked at: longer ones are no sentences of the program
_LONGEST_PIECE = 600
_MOST_TOGETHER = 6  # sentences that are looked up as one; no key has more
_FEWEST = 4  # letters that a template must have of its own
_KEPT = 2_048
_FILE = re.compile(r"\S*\w\.[A-Za-z][A-Za-z0-9]{1,4}\b")  # the end of a file's name
_ONLY_FILE = re.compile(rf"{_FILE.pattern}[.!?]?")
_LONGEST_IN_NAME = 3  # words: more are a sentence


class _Template:
    """A sentence with gaps: `parts` is the text around them."""

    def __init__(self, text: str, wanted: str) -> None:
        self.parts = text.split("{}")
        self.wanted = tuple(_gaps(wanted))
        self.letters = sum(letter.isalpha() for part in self.parts for letter in part)

    def values(self, text: str) -> list[str] | None:
        """What stands in the gaps; None where the text is another one."""
        first, *middle, last = self.parts
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return None
        found = []
        for part in middle:
            start = text.find(part, at, end)
            if start < 0:
                return None
            found.append(text[at:start])
            at = start + len(part)
        return [*found, text[at:end]]


def _gaps(wanted: str) -> Iterator[tuple[str, int | None, bool]]:
    """The parts of what is wanted: the text before a gap, which value goes there, and whether as it is (!s)."""
    for number, (before, field, _, mark) in enumerate(Formatter().parse(wanted)):
        yield before, None if field is None else int(field or number), mark == "s"


def _beside(text: str, more: str) -> str:
    """Both, with a blank where a Chinese character meets a Latin letter or a digit."""
    apart = _MIXED.fullmatch(text[-1:] + more[:1]) is not None
    return f"{text} {more}" if apart else text + more


def _behind_name(pieces: list[str], at: int) -> int:
    """Where what is no sentence ends: behind its piece, or behind those that are one name, such as `a. Done. b.pdf`."""
    for further in range(at + 2, min(len(pieces), at + 2 * _MOST_TOGETHER), 2):
        if _FILE.match(pieces[further]):
            return further - 1
        if len(pieces[further].split()) > _LONGEST_IN_NAME:
            break
    return at + 1


class Sentences:
    """`table` maps sentences to others. A key with {} is a template; its value has {} or {0}, {1} for the gaps.
    {!s} is the gap of a person's own text, or a model's: what stands there is never put in other words.

    `clauses` says that the halves around a colon, a semicolon or commas may be looked up alone. A single word in a gap
    is a name, and stays, unless it is one of `words`.
    """

    def __init__(self, table: Mapping[str, str], words: Collection[str] = (), *, clauses: bool) -> None:
        self._words = {word: table[word] for word in words if word in table}
        self._plain = {key: value for key, value in table.items() if "{" not in key}
        made = (_Template(key, value) for key, value in table.items() if "{}" in key)
        self._templates = sorted((one for one in made if one.letters >= _FEWEST), key=lambda one: -one.letters)
        self._clauses = clauses
        self._known = lru_cache(_KEPT)(self._piece)
        self.say = lru_cache(_KEPT)(self._say)

    def _say(self, text: str) -> str:
        """The text with every sentence replaced that is known, the others as they are."""
        if len(text) > _LONGEST:
            return text
        return "\n".join(self._line(line) or line for line in text.split("\n"))

    def _line(self, line: str) -> str | None:
        """One or more sentences; None where none is known."""
        known = self._known(line) if not _ENDS.search(line) else self._plain.get(line)
        if known is not None or not _ENDS.search(line):
            return known
        pieces = _ENDS.split(line)  # sentence, space, sentence, ...
        made, at, changed = "", 0, False
        while at < len(pieces):
            for stop in self._stops(pieces, at):
                found = self._known("".join(pieces[at:stop]))
                if found is not None:
                    break
            else:
                stop, found = _behind_name(pieces, at), None
            changed |= found is not None
            made += found if found is not None else "".join(pieces[at:stop])
            if stop < len(pieces) and not (found is not None and found.endswith(tuple(_ASIAN))):
                made += pieces[stop]
            at = stop + 1
        return made if changed else None

    def _stops(self, pieces: list[str], at: int) -> list[int]:
        """Where a sentence that begins at `at` may end: first the longest that is known word for word, then behind a
        piece that is but the end of a name."""
        stops = list(range(at + 1, min(len(pieces), at + 2 * _MOST_TOGETHER) + 1, 2))
        exact = [stop for stop in reversed(stops) if "".join(pieces[at:stop]) in self._plain]
        behind = _behind_name(pieces, at) + 1
        named = [behind + 1] if behind < len(pieces) and _ONLY_FILE.fullmatch(pieces[behind]) else []
        return exact[:1] + named + stops

    def _piece(self, text: str) -> str | None:
        """One sentence, or half of one."""
        bare = text.strip()
        if not bare or len(bare) > _LONGEST_PIECE:
            return None
        if (exact := self._plain.get(bare)) is not None:
            return exact
        if not self._clauses:
            return self._fitted(bare, whole=False)
        found = (
            self._fitted(bare, whole=True)
            or self._halves(bare, sure=True)
            or self._fitted(bare, whole=False)
            or self._halves(bare, sure=False)
        )
        if found:
            return found
        ended = self._known(bare[:-1]) if bare.endswith(".") else None
        return ended + "。" if ended is not None else None

    def _fitted(self, text: str, *, whole: bool) -> str | None:
        """By a template; with `whole`, no gap may reach over the end of a clause."""
        for template in self._templates:
            values = template.values(text)
            if values is None or (whole and any(mark in value for value in values for mark, _ in _CLAUSES)):
                continue
            made = ""
            for before, number, verbatim in template.wanted:
                made = _beside(made, before)
                if number is not None:
                    made = _beside(made, values[number] if verbatim else self._value(values[number]))
            return made
        return None

    def _value(self, value: str) -> str:
        return (self._line(value) or value) if " " in value.strip() else self._words.get(value, value)

    def _halves(self, text: str, *, sure: bool) -> str | None:
        """By what stands before and after a mark. It is `sure` where both are known, or one and the other is a name."""
        for mark, wanted in _CLAUSES:
            first, found, rest = text.partition(mark)
            if not found:
                continue
            one, other = self._known(first), self._known(rest)
            known = one is not None and other is not None
            named = (other is not None and (rest in self._plain or " " not in first)) or (
                one is not None and " " not in rest
            )
            if known or (named and mark != ", ") or (not sure and mark != ", " and (one or other) is not None):
                return (one or first) + wanted + (other or rest)
        return None
