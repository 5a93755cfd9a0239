"""Where the words stand in Markdown: markdown-it says what is markup, and its rules are watched for the places.

The parser tells lines, but no places within them. So each of its inline rules is wrapped, and notes from where to
where in the text it has taken something: all that no rule has taken is words. Parsers that give places by themselves
either read another dialect or are not in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

# What is not in CommonMark, and not for translation: check boxes, footnote marks, mathematics, templates.
_EXTRA = re.compile(
    r"\A\[[ xX]\](?= )|\[\^[^\]\s]+\]:?|\$\$.{1,2000}?\$\$|\$(?![\s$])[^$\n]{0,400}[^\s$\\]\$(?!\d)"
    r"|\{\{.{0,400}?\}\}|\{%.{0,400}?%\}",
    re.DOTALL,
)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")  # on a line of its own, though to CommonMark the paragraph goes on
_DELIMITERS = ("emphasis", "strikethrough")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A place of a block's text: words, and what they say, or markup that stays, and what kind it is."""

    start: int
    end: int
    kind: str
    said: str = ""


class _Watch:
    """Collects what the inline rules take from one text, but not from a text within it (a picture's)."""

    def __init__(self) -> None:
        self.tokens: list[Any] = []
        self.taken: list[tuple[int, int, str, Any]] = []


def parser() -> Any:
    """CommonMark with tables and strikethrough, whose inline rules report to a `_Watch` in `env["watch"]`."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    markdown.inline.ruler2.disable("fragments_join")
    for name in markdown.get_active_rules()["inline"]:
        if name != "text":
            (rule,) = (one.fn for one in markdown.inline.ruler.__rules__ if one.name == name)
            markdown.inline.ruler.at(name, _watched(name, rule))
    (define,) = (one.fn for one in markdown.block.ruler.__rules__ if one.name == "reference")
    markdown.block.ruler.at("reference", _but_footnotes(define))
    return markdown


def _but_footnotes(rule: Callable[[Any, int, int, bool], bool]) -> Callable[[Any, int, int, bool], bool]:
    """A footnote of one word looks like the definition of a link, and is none."""

    def defined(state: Any, start: int, end: int, silent: bool) -> bool:
        footnote = state.src.startswith("[^", state.bMarks[start] + state.tShift[start])
        return not footnote and rule(state, start, end, silent)

    return defined


def _watched(name: str, rule: Callable[[Any, bool], bool]) -> Callable[[Any, bool], bool]:
    def watched(state: Any, silent: bool) -> bool:
        watch, start, inner = state.env.get("watch"), state.pos, -1
        seen = not silent and watch is not None and state.tokens is watch.tokens
        if name == "link" and seen and state.src[start] == "[":
            inner = state.md.helpers.parseLinkLabel(state, start, True)
        done = rule(state, silent)
        if done and seen and name == "link":
            watch.taken += [(start, start + 1, "link_open", None), (inner, state.pos, "link_close", None)]
        elif done and seen and name in _DELIMITERS:
            place, back = state.pos, len(state.tokens)
            while place > start:  # one token each, and nothing else after them
                back -= 1
                long = len(state.tokens[back].content)
                watch.taken.append((place - long, place, "delimiter", state.tokens[back]))
                place -= long
        elif done and seen:
            watch.taken.append((start, state.pos, name, state.tokens[-1] if state.tokens else None))
        return done

    return watched


def stretches(markdown: Any, text: str, env: dict[str, Any]) -> list[Stretch]:
    """A block's text as words and markup, in order and without gaps."""
    watch = _Watch()
    markdown.inline.parse(text, markdown, {**env, "watch": watch}, watch.tokens)
    taken = [kept for one in watch.taken if (kept := _stretch(text, *one))]
    found: list[Stretch] = []
    place = 0
    for one in [*sorted(taken, key=lambda one: one.start), Stretch(len(text), len(text), "end")]:
        if one.start > place:
            found += _words(text, place, one.start)
        if one.end > one.start:
            found.append(one)
        place = max(place, one.end)
    return _merged(found)


def _stretch(text: str, start: int, end: int, kind: str, token: Any) -> Stretch | None:
    if kind == "delimiter":
        if token.type == "text" and token.content:
            return None  # it opens or closes nothing: a letter like others
        half = "half" if token.type == "text" else ""  # the outer letter of two, which the parser empties
        return Stretch(start, end, half or ("open" if token.nesting > 0 else "close"))
    if token is not None and token.type == "hardbreak" and kind in ("newline", "escape"):
        while kind == "newline" and start and text[start - 1] == " ":
            start -= 1
        return Stretch(start, end, "break")
    if kind == "newline":
        return Stretch(start, end, *(("break", "") if _FOOTNOTE.match(text, end) else ("words", "\n")))
    if kind in ("escape", "entity"):
        return Stretch(start, end, "words", token.content)
    return Stretch(start, end, kind)


def _words(text: str, start: int, end: int) -> Iterator[Stretch]:
    for extra in _EXTRA.finditer(text, start, end):
        if extra.start() > start:
            yield Stretch(start, extra.start(), "words", text[start : extra.start()])
        yield Stretch(extra.start(), extra.end(), "extra")
        start = extra.end()
    if end > start:
        yield Stretch(start, end, "words", text[start:end])


def _merged(parts: list[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for is_words, run in groupby(parts, lambda one: one.kind == "words"):
        if is_words:
            words = list(run)
            found.append(Stretch(words[0].start, words[-1].end, "words", "".join(one.said for one in words)))
            continue
        for one in run:
            last = found[-1] if found else None
            if last and (last.kind, one.kind) in (("half", "open"), ("close", "half")):
                found[-1] = Stretch(last.start, one.end, one.kind if last.kind == "half" else last.kind)
            else:
                found.append(one)
    return found
