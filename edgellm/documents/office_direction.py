"""WordprocessingML: a run, its paragraph and its table begin at the right or at the left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What follows them in the order that the format demands.
_AFTER_BIDI = (
    "adjustRightInd snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection "
    "textAlignment textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange"
).split()
_AFTER_LANG = "eastAsianLayout specVanish oMath rPrChange".split()
_AFTER_RTL = ["cs", "em", "lang", *_AFTER_LANG]
_BEFORE_VISUAL = "tblStyle tblpPr tblOverlap".split()


def namespace(element: Any) -> str:
    """That of the element with its braces: files of the strict kind have another one than the rest."""
    return str(element.tag).partition("}")[0] + "}"


def named(beside: Any, name: str) -> str:
    """The full name of an element or attribute of the same kind."""
    return namespace(beside) + name


def turn(node: Any, leftward: bool) -> None:
    """Let the run, its paragraph and the table around it begin at the right or at the left."""
    run = node.getparent()
    paragraph = next(node.iterancestors(named(node, "p")), None)
    table = next(node.iterancestors(named(node, "tbl")), None)
    properties = _properties(run, "rPr", leftward)
    _flag(properties, "rtl", _AFTER_RTL, leftward)
    if leftward and properties.find(named(node, "lang")) is None:
        _insert(properties, "lang", _AFTER_LANG)
    if paragraph is not None:
        _flag(_properties(paragraph, "pPr", leftward), "bidi", _AFTER_BIDI, leftward)
    if table is not None and (shape := table.find(named(node, "tblPr"))) is not None:
        after = [one.tag[len(namespace(one)) :] for one in shape if isinstance(one.tag, str)]
        _flag(shape, "bidiVisual", [one for one in after if one not in _BEFORE_VISUAL], leftward)


def _properties(element: Any, name: str, make: bool) -> Any:
    found = element.find(named(element, name))
    if found is None and make:
        found = element.makeelement(named(element, name))
        element.insert(0, found)
    return found


def _flag(properties: Any, name: str, after: Sequence[str], on: bool) -> None:
    """Set or remove a mark that has no value."""
    old = None if properties is None else properties.find(named(properties, name))
    if on == (old is not None and old.get(named(old, "val"), "1") not in ("0", "false", "off")):
        return
    if old is not None:
        properties.remove(old)
    if on:
        _insert(properties, name, after)


def _insert(properties: Any, name: str, after: Sequence[str]) -> None:
    """Add an element where the format wants it: before the first of those that come `after` it."""
    new = properties.makeelement(named(properties, name))
    places = [number for number, one in enumerate(properties) if one.tag in {named(properties, two) for two in after}]
    properties.insert(places[0] if places else len(properties), new)
