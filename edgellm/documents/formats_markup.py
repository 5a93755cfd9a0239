"""Markdown and HTML as blocks: what is written, without scripts, styles, addresses and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from edgellm.documents.document import Block, Page, block, table
from edgellm.documents.formats_text import decode, encoding_note
from edgellm.documents.source import Draft, Source

_META = re.compile(
    rb"""<(?:meta[^>]{0,200}charset|\?xml[^>]{0,100}encoding)\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE
)
_FRONT_MATTER = re.compile(r"\A---\n.{0,20000}?\n(?:---|\.\.\.)\n", re.DOTALL)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SKIPPED = frozenset(
    "script style noscript template svg math head iframe object embed audio video canvas select textarea".split()
)
_BREAKS = frozenset(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form "
    "header hr html legend main nav ol p section summary ul".split()
)


def markdown(source: Source) -> Draft:
    """Headings, paragraphs, list items, tables and code as CommonMark (with tables) sees them."""
    from markdown_it import MarkdownIt

    text, guessed = decode(source)
    tokens = MarkdownIt("commonmark").enable("table").parse(_FRONT_MATTER.sub("", text, count=1))
    return Draft((Page(0, tuple(_markdown_blocks(tokens))),), notes=encoding_note(guessed))


def _markdown_blocks(tokens: Iterable[Any]) -> Iterator[Block]:
    lists, heading = 0, 0
    rows: list[list[str]] | None = None
    for token in tokens:
        found = None
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists -= 1
        elif token.type == "heading_open":
            heading = int(token.tag[1:])
        elif token.type == "heading_close":
            heading = 0
        elif token.type == "table_open":
            rows = []
        elif token.type == "tr_open" and rows is not None:
            rows.append([])
        elif token.type == "table_close":
            found, rows = table(rows or []), None
        elif token.type in ("fence", "code_block"):
            found = block("code", token.content)
        elif token.type == "html_block":
            yield from html_blocks(token.content)
        elif token.type == "inline":
            text = _inline(token)
            if rows:
                rows[-1].append(text)
            elif heading:
                found = block("heading", text, heading)
            else:
                found = block("list" if lists else "paragraph", text)
        if found:
            yield found


def _inline(token: Any) -> str:
    words = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            words.append("\n")
        elif child.type in ("text", "code_inline", "image", "text_special"):
            words.append(child.content)
    return "".join(words)


def html(source: Source) -> Draft:
    """The visible text of a page, and its title."""
    found = _META.search(source.data[:4096])
    text, guessed = decode(source, found[1].decode("ascii") if found else "")
    blocks, title = html_page(text)
    return Draft((Page(0, blocks),), title, encoding_note(guessed))


def html_blocks(text: str) -> tuple[Block, ...]:
    """The visible text of a piece of HTML."""
    return html_page(text)[0]


def html_page(text: str) -> tuple[tuple[Block, ...], str]:
    """The visible text of HTML, and its title. Nothing is fetched: the parser has no network and no entities."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.ParserError:
        return (), ""
    if root is None:
        return (), ""
    flow = _Flow()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else "script"
        if event == "start":
            flow.open(tag, element.text or "")
        else:
            flow.close(tag, element.tail or "")
    flow.flush()
    title = root.findtext(".//head/title") or ""
    return tuple(flow.blocks), " ".join(title.split())


@dataclass
class _Flow:
    """Text on its way into blocks, while a tree is walked from its beginning to its end."""

    blocks: list[Block] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _rows: list[list[str]] = field(default_factory=list)
    _skipped: int = 0
    _tables: int = 0
    _heading: int = 0
    _items: int = 0
    _code: int = 0

    def open(self, tag: str, text: str) -> None:
        """An element begins."""
        if tag in _SKIPPED:
            self._skipped += 1
        if self._skipped:
            return
        self._border(tag, 1)
        if tag == "br":
            self._words.append("\n")
        elif tag == "tr" and self._tables:
            self._rows.append([])
        self._say(text)

    def close(self, tag: str, tail: str) -> None:
        """An element ends; `tail` is the text after it."""
        if tag in _SKIPPED:
            self._skipped -= 1
        elif not self._skipped:
            if tag in ("td", "th") and self._rows:
                self._rows[-1].append(self._taken())
            elif tag == "caption":
                self._rows.append([self._taken()])
            self._border(tag, -1)
        if not self._skipped:
            self._say(tail)

    def flush(self) -> None:
        """What was gathered becomes a block."""
        if self._tables:
            self._words.append(" ")
            return
        text = self._taken()
        if self._heading:
            found = block("heading", " ".join(text.split()), self._heading)
        else:
            found = block("code" if self._code else "list" if self._items else "paragraph", text)
        if found:
            self.blocks.append(found)

    def _border(self, tag: str, step: int) -> None:
        if tag in _BREAKS:
            self.flush()
        elif tag in _HEADINGS:
            self.flush()
            self._heading = _HEADINGS[tag] if step > 0 else 0
        elif tag == "li":
            self.flush()
            self._items += step
        elif tag == "pre":
            self.flush()
            self._code += step
        elif tag == "table":
            if not self._tables:
                self.flush()
            self._tables += step
            if not self._tables:
                self._table()

    def _table(self) -> None:
        if len(self._rows) == 1 and len(self._rows[0]) == 1:
            found = block("paragraph", self._rows[0][0])  # a table for the looks of the page
        else:
            found = table(self._rows)
        self._rows = []
        self.blocks += [found] if found else []
        self.flush()

    def _say(self, text: str) -> None:
        if text:
            self._words.append(text if self._code else re.sub(r"\s+", " ", text))

    def _taken(self) -> str:
        text = "".join(self._words)
        self._words.clear()
        return text if self._code else re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text)).strip()
