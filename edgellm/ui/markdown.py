"""Markdown to blocks that the transcript can show: prose as HTML, and code with its language.

Raw HTML is off and an image becomes its description, so nothing in an answer can fetch or run. While an answer
streams, what is above the last block is kept as it was and only the rest is parsed again.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_LONGEST_PROSE = 1_500
_LONGEST_HIGHLIGHT = 40_000


@dataclass(frozen=True, slots=True)
class Prose:
    """Everything but fenced code, as HTML."""

    html: str


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced or indented code block. `open` while its end has not arrived."""

    source: str
    language: str
    open: bool = False


Block = Prose | Code


class _Renderer(RendererHTML):
    """HTML in the words that Qt's rich text understands."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An image as its description; its address is never loaded."""
        token = tokens[idx]
        words = self.renderInlineAsText(token.children or [], options, env)
        return f"<i>[{html.escape(words or 'image')}]</i>"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A table with visible lines."""
        return '<table class="grid" border="1" cellspacing="0" cellpadding="5">\n'

    def blockquote_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A quotation with a bar at its side, which Qt can only draw as a table."""
        return (
            '<table class="quote" cellspacing="0" cellpadding="0"><tr><td class="bar" width="3"></td><td class="said">'
        )

    def blockquote_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """The end of a quotation."""
        return "</td></tr></table>"


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 12}, renderer_cls=_Renderer)
    return parser.enable(["table", "strikethrough"])


class Blocks:
    """The blocks of one text that grows."""

    def __init__(self) -> None:
        self._sealed: list[Block] = []
        self._offset = 0

    def update(self, text: str) -> list[Block]:
        """The blocks of `text`, which begins with what it was the last time."""
        tail = text.replace("\r", "")[self._offset :]
        lines = tail.split("\n")
        found = _blocks(tail, lines)
        self._sealed += [block for block, _ in found[:-1]]
        if len(found) > 1:
            self._offset += sum(len(line) + 1 for line in lines[: found[-1][1]])
        return [*self._sealed, *(block for block, _ in found[-1:])]


def blocks(text: str) -> list[Block]:
    """The blocks of a finished text."""
    text = text.replace("\r", "")
    return [block for block, _ in _blocks(text, text.split("\n"))]


def _blocks(text: str, lines: list[str]) -> list[tuple[Block, int]]:
    """Blocks with the line each begins at. Prose is cut between paragraphs when it grows long."""
    parser, env = _parser(), dict[str, Any]()
    made: list[tuple[Block, int]] = []
    prose: list[Token] = []
    first = last = 0

    def close() -> None:
        if prose:
            made.append((Prose(parser.renderer.render(prose, parser.options, env).strip()), first))
            prose.clear()

    for group in _groups(parser.parse(text, env)):
        start, end = group[0].map or (last, last)
        if group[0].type in ("fence", "code_block"):
            close()
            made.append((_code(group[0], lines[start:end]), start))
        else:
            if not prose:
                first = start
            prose.extend(group)
            if sum(len(line) for line in lines[first:end]) > _LONGEST_PROSE:
                close()
        last = end
    close()
    return made


def _groups(tokens: Sequence[Token]) -> list[list[Token]]:
    """Tokens by top-level block."""
    made: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            made.append([])
        made[-1].append(token)
        depth += token.nesting
    return made


def _code(token: Token, lines: list[str]) -> Code:
    words = token.info.split()
    closed = token.type == "code_block" or (len(lines) > 1 and lines[-1].strip().startswith(token.markup))
    return Code(token.content.removesuffix("\n"), words[0][:30] if words else "", open=not closed)


def highlighted(code: Code, style: str) -> str:
    """The source as HTML with inline colors; without colors when the language is unknown or the block is huge."""
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.styles import get_style_by_name

    lexer = _lexer(code.language) if len(code.source) <= _LONGEST_HIGHLIGHT else None
    if lexer is None:
        return f"<pre>{html.escape(code.source)}</pre>"
    chosen = get_style_by_name(style)
    formatter = HtmlFormatter(style=chosen, noclasses=True, nowrap=True, nobackground=True)
    return f"<pre>{highlight(code.source, lexer, formatter).rstrip()}</pre>"


@lru_cache(maxsize=64)
def _lexer(language: str) -> Any:
    """Pygments' lexer, or None. Cached, because the search for an unknown name is slow."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        return None


def warm_up() -> None:
    """Import and use what the first answer needs, so that it does not wait. For a background thread."""
    for block in blocks("**a**\n\n```python\npass\n```"):
        if isinstance(block, Code):
            highlighted(block, "friendly")


def plain(text: str) -> str:
    """What a person typed, shown as typed."""
    body = html.escape(text).replace("\n", "<br>")
    return f'<div style="white-space: pre-wrap">{body}</div>'
