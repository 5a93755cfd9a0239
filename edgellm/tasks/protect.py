"""Find what a translation must leave alone: placeholders, tags, code, addresses, numbers, and the person's own terms.

Each find is a `Stretch` with the text that has to be in the translation, exactly as often as in the source: that is
checked by `holds`. How a model is brought to keep it is left to `faithful.py`, terms to `glossary.py`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["fixed", "number", "term"]

_STOP = "\\s<>\"'`，。；：！？、）」』】"
_UNITS = (
    "km/h|km²|m²|cm²|km³|m³|cm³|m/s|mph|kWh|MWh|mAh|Ah|kHz|MHz|GHz|Hz|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB|kcal|cal|hPa|kPa|Pa"
    "|mbar|bar|km|cm|mm|µm|nm|kg|mg|µg|ml|mL|dl|cl|ms|min|mol|dpi|px|pt|fps|rpm|kW|MW|mV|kV|mA|kJ|MJ|EUR|USD|GBP|CHF|CNY"
    "|°C|°F|°|%(?![-+#*]|\\.\\d)|‰|€|\\$|£|¥|m|g|t|l|L|s|h|W|V|A|N|J|K|B"
)
_LATIN = "A-Za-z\u00c0-\u024f"
_NUMBER = (
    rf"(?<![{_LATIN}\d_.,])(?:[-+−±]|[$€£¥]\s?)?\d+(?:[.,:/'\u00a0\u202f–-]\d+)*"
    rf"(?:[ \u00a0\u202f]?(?:{_UNITS})(?![{_LATIN}\d_²³({{@%]))?(?![{_LATIN}\d_])"
)
# Order matters only where two begin at the same character and are equally long.
_FIXED = (
    r"(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)",  # `code`
    rf"(?i:\b(?:https?|ftp|file)://|\bmailto:|\bwww\.)[^{_STOP}]*[^{_STOP}.,;:!?)\]}}]",
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    r"</?[A-Za-z][^<>]*>|<!--.*?-->",  # tags
    r"\{\{.+?\}\}|\$\{[^{}]*\}|#\{[^{}]*\}|%\{[^{}]*\}",  # templates
    r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}",  # {name}, and messages with choices inside
    r"%(?:\d+\$|\([\w.]+\))?[-+#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|ll|[hlLzjt])?[diouxXeEfFgGcrsaA@](?![A-Za-z])",
    r"%\d+|%%|%n\b",
    r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbfv0\"'\\])",  # escapes
    r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});",  # entities
    r"(?<![\w$])\$[A-Za-z_]\w*",
    r"\b[A-Za-z]:\\[^\s\"'<>|]+|(?<![\w/.])~?/(?:[\w.-]+/)+[\w.-]*\w",  # paths
    r"(?<!\S)--[A-Za-z][\w-]*",  # options of commands
)
_FIXED_SIGNS = re.compile("|".join(f"(?:{pattern})" for pattern in _FIXED), re.DOTALL)
_NUMBERS = re.compile(_NUMBER)
_PLAIN_EDGE = re.compile(r"[A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What stands from `start` to `end` of the source, and the `text` that the translation must hold for it."""

    start: int
    end: int
    text: str
    kind: Kind

    def moved(self, by: int) -> Stretch:
        """The same in a text that begins `by` characters earlier."""
        return replace(self, start=self.start + by, end=self.end + by)


def find(text: str, terms: Iterable[Stretch] = ()) -> tuple[Stretch, ...]:
    """The stretches of `text` in order; where two overlap the earlier one counts, then the longer one."""
    found = list(terms)
    for pattern, kind in _PATTERNS:
        found += [Stretch(match.start(), match.end(), match.group(), kind) for match in pattern.finditer(text)]
    chosen: list[Stretch] = []
    at = 0
    for stretch in sorted(found, key=lambda one: (one.start, -one.end)):
        if stretch.start >= at and stretch.end > stretch.start:
            chosen.append(stretch)
            at = stretch.end
    return tuple(chosen)


def clipped(stretches: Sequence[Stretch], start: int, end: int) -> tuple[Stretch, ...]:
    """The stretches, which are in order, within `start` to `end`, counted from there. Of one that is cut by an edge it
    is the part inside; a replacement goes whole to where it begins."""
    inside = []
    first = max(bisect_left(stretches, start, key=lambda one: one.start) - 1, 0)
    for one in stretches[first : bisect_left(stretches, end, key=lambda one: one.start)]:
        low, high = max(one.start, start), min(one.end, end)
        if low >= high:
            continue
        if one.end - one.start == len(one.text) and one.kind != "term":
            text = one.text[low - one.start : high - one.start]
        else:
            text = one.text if low == one.start else ""
        inside.append(Stretch(low - start, high - start, text, one.kind))
    return tuple(inside)


def replaced(text: str, stretches: Sequence[Stretch]) -> str:
    """The text with each stretch as the translation must hold it."""
    parts, at = [], 0
    for one in stretches:
        parts += [text[at : one.start], one.text]
        at = one.end
    return "".join([*parts, text[at:]])


def missing(stretches: Sequence[Stretch], translation: str) -> tuple[str, ...]:
    """What is not in the translation as often as in the source. A term may come more often, and in another case."""
    wanted = Counter((one.text, one.kind == "term") for one in stretches if one.text.strip())
    found = _counted({text: term for text, term in wanted}, translation)
    wrong = []
    for (text, term), times in wanted.items():
        there = found[text.casefold() if term else text]
        if there < times or (there > times and not term):
            wrong.append(text)
    return tuple(wrong)


def holds(stretches: Sequence[Stretch], translation: str) -> bool:
    """Whether the translation has all that must stay, exactly as often as the source."""
    return not missing(stretches, translation)


def _counted(texts: dict[str, bool], translation: str) -> Counter[str]:
    """How often each text is in the translation, longer ones first, so that `{x}` is not counted inside `{{x}}`."""
    if not texts:
        return Counter()
    longest = sorted(texts, key=len, reverse=True)
    pattern = "|".join(f"(?i:{_edged(text)})" if texts[text] else _edged(text) for text in longest)
    terms = {text.casefold() for text, term in texts.items() if term}
    found: Counter[str] = Counter()
    for match in re.finditer(pattern, translation):
        text = match.group()
        found[text.casefold() if text.casefold() in terms else text] += 1
    return found


def _edged(text: str) -> str:
    """A pattern that does not find "5" in "15" or "2.5"."""
    before = r"(?<![A-Za-z0-9_])(?<!\d[.,])" if _PLAIN_EDGE.match(text[0]) else ""
    after = r"(?![A-Za-z0-9_])(?![.,]\d)" if _PLAIN_EDGE.match(text[-1]) else ""
    return f"{before}{re.escape(text)}{after}"


_PATTERNS: tuple[tuple[re.Pattern[str], Kind], ...] = ((_FIXED_SIGNS, "fixed"), (_NUMBERS, "number"))
