"""Markdown: a segment per heading, paragraph, list item and cell, a piece per stretch between two marks.

Code, addresses, HTML blocks, front matter, definitions and footnote marks stay as they are. A new text is read again:
where it would change what the parser sees, its letters are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgellm.documents.line_breaks import run_on
from edgellm.documents.markdown_blocks import Text, texts
from edgellm.documents.markdown_spans import Stretch, parser, stretches
from edgellm.documents.raw_text import Edit, edited, has_words, raw_text
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source

_PICTURE = re.compile(r"!\[([^\[\]\\`*_<&!\n]+)\]")
_MARKS = re.compile(r"([\\`*_\[\]<>~$#|{}!&])")
_ALL_MARKS = re.compile(r"""([!-/:-@\[-`{-~])""")
# What would make another block of a paragraph: lists, headings, quotes, rules, fences, HTML, definitions.
_BLOCK_START = re.compile(
    r"\A(?:(\d{1,9})(?=[.)](?:\s|$))|(?=[-+*](?:\s|$)|#{1,6}(?:\s|$)|>|([-*_])(?:[ \t]*\2){2,}[ \t]*$|=+[ \t]*$"
    r"|~~~|```|<[A-Za-z/!?]|\[[^\]]*\]:))"
)
_CLOSING = re.compile(r"(#+[ \t]*)\Z")


@dataclass(frozen=True, slots=True)
class _Block:
    """A text, its stretches, and for each of its segments the numbers of the stretches that are its pieces."""

    text: Text
    parts: list[Stretch]
    groups: tuple[tuple[int, ...], ...]


def read(source: Source) -> Sheet:
    """The texts in the file's order. A text with a hard line break is a segment on each side of it."""
    raw = raw_text(source)
    found = []
    for block in _blocks(raw.text, parser(), {}):
        for group in block.groups:
            pieces = tuple(_flowing(block.parts[number].said) for number in group)
            found.append(Segment(pieces, f"line {block.text.line}"))
    return Sheet("markdown", tuple(found), raw.notes)


def write(order: Rewriting) -> bytes:
    """The file with other texts."""
    raw = raw_text(order.source)
    markdown, env = parser(), dict[str, Any]()
    edits: list[Edit] = []
    number = 0
    for block in _blocks(raw.text, markdown, env):
        new: dict[int, str] = {}
        for group in block.groups:
            pairs = zip(group, order.translated.get(number, ()), strict=False)
            new |= {part: piece for part, piece in pairs if piece != _flowing(block.parts[part].said)}
            number += 1
        if new:
            edits += _edits(block, _fitting(markdown, env, block, new))
    return raw.encoded(edited(raw.text, edits))


def _blocks(whole: str, markdown: Any, env: dict[str, Any]) -> Iterator[_Block]:
    for text in texts(markdown, whole, env):
        parts = list(_split(stretches(markdown, text.content, env), text.content))
        groups: list[list[int]] = [[]]
        alone = []
        for number, part in enumerate(parts):
            if part.kind == "words":
                groups[-1].append(number)
            elif part.kind == "picture":
                alone.append((number,))
            elif part.kind == "break":
                groups.append([])
        spoken = [tuple(group) for group in groups if has_words("".join(parts[one].said for one in group))]
        yield _Block(text, parts, (*spoken, *(one for one in alone if has_words(parts[one[0]].said))))


def _split(parts: list[Stretch], content: str) -> Iterator[Stretch]:
    """A picture in three: what is said of it is a text of its own."""
    for part in parts:
        said = _PICTURE.match(content, part.start, part.end) if part.kind == "image" else None
        if said:
            yield Stretch(part.start, said.start(1), "image")
            yield Stretch(*said.span(1), "picture", said[1])
            yield Stretch(said.end(1), part.end, "image")
        else:
            yield part


def _flowing(said: str) -> str:
    """Words on one line."""
    return run_on(said.split("\n"))


def _fitting(markdown: Any, env: dict[str, Any], block: _Block, new: Mapping[int, str]) -> dict[int, str]:
    """What to write for each stretch that changes: the plainest spelling that the parser reads as it is meant."""
    said = _moved(block.parts, {number: text.replace("\n", " ") for number, text in new.items()})
    marks = dict.fromkeys(_emptied(block.parts, said), "") | _labels(block, said)
    wanted = _shape(block.parts, block.text.content, said, marks)
    spelled: dict[int, str] = {}
    for escaped in (None, _MARKS, _ALL_MARKS):
        for spaced in (False, True):
            spelled = {number: _spelled(block, number, text, escaped) for number, text in said.items()}
            spelled = _spaced(block, spelled) if spaced else spelled
            spelled |= marks
            old = (block.text.content[one.start : one.end] for one in block.parts)
            content = "".join(spelled.get(number, text) for number, text in enumerate(old))
            if _shape(list(_split(stretches(markdown, content, env), content)), content, {}, {}) == wanted:
                return spelled
    return spelled


def _moved(parts: list[Stretch], said: dict[int, str]) -> dict[int, str]:
    """Spaces at the inner edge of an emphasis, where they would undo it, go to its other side."""
    moved = dict(said)
    for number, text in said.items():
        for step, edge in ((-1, "open"), (1, "close")):
            cut = text.lstrip() if step < 0 else moved[number].rstrip()
            near, beyond = number + step, number + 2 * step
            if not 0 <= near < len(parts) or parts[near].kind != edge:
                continue
            if cut != (text if step < 0 else moved[number]) and 0 <= beyond < len(parts):
                other = moved.get(beyond, _flowing(parts[beyond].said))
                spaced = other.rstrip() + " " if step < 0 else " " + other.lstrip()
                if parts[beyond].kind == "words":
                    moved[beyond] = spaced
            moved[number] = moved[number].lstrip() if step < 0 else moved[number].rstrip()
    return moved


def _emptied(parts: list[Stretch], said: Mapping[int, str]) -> set[int]:
    """The delimiters around nothing, which the parser would take for letters."""
    dropped: set[int] = set()
    opened: list[int] = []
    for number, part in enumerate(parts):
        if part.kind == "open":
            opened.append(number)
        elif part.kind == "close" and opened:
            dropped |= {opened.pop(), number}
        elif part.kind != "words" or said.get(number, part.said):
            opened.clear()
    return dropped


def _labels(block: _Block, said: Mapping[int, str]) -> dict[int, str]:
    """New ends of the links whose text is also the name of their definition: that name must not change with it."""
    found: dict[int, str] = {}
    opened: list[int] = []
    for number, part in enumerate(block.parts):
        if part.kind == "link_open":
            opened.append(number)
        elif part.kind == "link_close" and opened:
            first = opened.pop()
            if block.text.content[part.start : part.end] in ("]", "][]") and said.keys() & set(range(first, number)):
                found[number] = f"][{block.text.content[block.parts[first].end : part.start]}]"
    return found


def _shape(parts: list[Stretch], content: str, said: Mapping[int, str], marks: Mapping[int, str]) -> list[str]:
    """Words, without their spaces, and marks in turn: what must be the same in the file that is written."""
    shape = [""]
    for number, part in enumerate(parts):
        if part.kind in ("words", "picture"):
            shape[-1] += "".join(said.get(number, part.said).split())
        elif part.kind == "break":
            shape += ["break", ""]
        elif mark := marks.get(number, content[part.start : part.end]):
            shape += [f"{part.kind} {mark}", ""]
    return shape


def _spelled(block: _Block, number: int, text: str, escaped: re.Pattern[str] | None) -> str:
    spelled = escaped.sub(r"\\\1", text) if escaped else text
    if number == 0 or block.parts[number - 1].kind == "break":
        spelled = spelled.lstrip()
        if block.text.kind == "paragraph":
            spelled = _BLOCK_START.sub(r"\1\\", spelled, count=1)
    if number == len(block.parts) - 1 and block.text.kind == "heading" and not escaped:
        spelled = _CLOSING.sub(r"\\\1", spelled)
    return spelled


def _spaced(block: _Block, spelled: Mapping[int, str]) -> dict[int, str]:
    """With spaces around an emphasis, which some marks at its edges need to be read as such."""
    found = dict(spelled)
    for number, part in enumerate(block.parts):
        beyond = number + (-1 if part.kind == "open" else 1)
        if part.kind not in ("open", "close") or not 0 <= beyond < len(block.parts):
            continue
        near = block.parts[beyond]
        if near.kind == "words":
            old = found.get(beyond, block.text.content[near.start : near.end])
            found[beyond] = old.rstrip() + " " if part.kind == "open" else " " + old.lstrip()
    return found


def _edits(block: _Block, spelled: Mapping[int, str]) -> Iterator[Edit]:
    for number, text in spelled.items():
        part, places = block.parts[number], block.text.places
        shown = text.replace("|", "\\|") if block.text.kind == "cell" else text
        yield places[part.start], places[part.end], shown
