"""Texts of Office files that stay as they are although a reader sees or hears them: counted, and said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgellm.documents.office_package import Package
from edgellm.documents.raw_text import has_words

_VML = "{urn:schemas-microsoft-com:vml}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SHOWN = ("alt", "string")  # the description of a picture, and the words of a text that is drawn along a line


def old_drawings(package: Package, names: list[str]) -> tuple[str, ...]:
    """A note about the descriptions and drawn words in drawings of the older kind (VML) of some parts."""
    count = sum(_in_old_drawings(package.root(name)) for name in dict.fromkeys(names))
    if not count:
        return ()
    texts = (
        "1 text in its drawings of an older kind stays"
        if count == 1
        else (f"{count} texts in its drawings of an older kind stay")
    )
    return (f"{texts} as before (descriptions, WordArt).",)


def _in_old_drawings(root: Any) -> int:
    """What is there again for older programs is not counted: the newer drawing beside it is translated."""
    return sum(
        has_words(one.get(name, ""))
        for one in root.iter(f"{_VML}*")
        for name in _SHOWN
        if next(one.iterancestors(_FALLBACK), None) is None
    )


def layouts(package: Package, slides: list[str]) -> tuple[str, ...]:
    """A note about the texts that slides show from their layouts and masters."""
    used = dict.fromkeys(_targets(package, slides, "slideLayout"))
    used |= dict.fromkeys(_targets(package, list(used), "slideMaster"))
    count = sum(_shown(package.root(name)) for name in used)
    if not count:
        return ()
    texts = (
        "1 text in its layouts and masters stays" if count == 1 else f"{count} texts in its layouts and masters stay"
    )
    return (f"{texts} as before: they can be changed in the view of the slide master.",)


def _targets(package: Package, names: list[str], kind: str) -> Iterator[str]:
    for name in names:
        yield from (one.target for one in package.relations(name) if one.kind == kind)


def _shown(root: Any) -> int:
    """Paragraphs with words. What stands in a placeholder is a hint for who writes the slide, and is not shown."""
    count = 0
    for one in root.iter("{*}p"):
        shape = next(one.iterancestors("{*}sp"), None)
        if shape is None or next(shape.iter("{*}ph"), None) is None:
            count += has_words("".join(node.text or "" for node in one.iter("{*}t")))
    return count
